//! Takes access away from another process than the one that answers, and sees when it is denied.

use super::{
    super::scratch::BenchError,
    client::{Connection, Target},
    world::World,
};
use events::vocab::{
    event::EntitlementRevoked,
    stream::{Category, StreamId},
};
use serde::Serialize;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Revocations under way at the same time at most.
const LANES: u64 = 8;

/// Between two questions about one that is not denied yet. Asked without a pause, these few questions would be most of the load.
const PAUSE: Duration = Duration::from_millis(1);

/// What became of the revocations.
#[derive(Clone, Debug, Serialize)]
pub struct Revoked {
    /// How many there were.
    pub revocations: usize,
    /// How many a second.
    pub per_second: f64,
    /// Microseconds from the committed revocation to the first answer that denies, for half of them.
    pub denied_after_p50_us: u64,
    /// For 99 in a hundred.
    pub denied_after_p99_us: u64,
    /// For all.
    pub denied_after_max_us: u64,
}

/// Revokes `per_second` entitlements a second for as long as `turn`.
pub async fn go_on(world: &World, target: &Target<'_>, turn: Duration, per_second: u64) -> Result<Revoked, BenchError> {
    let next = AtomicUsize::new(0);
    let every = Duration::from_secs_f64(LANES as f64 / per_second as f64);
    let begin = Instant::now() + Duration::from_millis(200);
    let lane = async |number: u64| {
        let mut connection = Connection::open(target.address).await?;
        let mut taken = Vec::new();
        let mut due = begin + every.mul_f64(number as f64 / LANES as f64);
        while due < begin + turn {
            tokio::time::sleep_until(due.into()).await;
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(entitlement) = world.revocable().get(at).copied() else { break };
            let question = (target.question)(at as u64 + 1);
            let event = EntitlementRevoked { entitlement_id: entitlement, reason: "bench".to_owned() };
            world.append(StreamId::new(Category::Entitlement, entitlement), event).await?;
            let revoked = Instant::now();
            while grants(connection.ask(&question).await?) {
                tokio::time::sleep(PAUSE).await;
            }
            taken.push(u64::try_from(revoked.elapsed().as_micros()).unwrap_or(u64::MAX));
            due += every;
        }
        Ok::<_, BenchError>(taken)
    };
    let lanes = futures::future::try_join_all((0..LANES).map(lane)).await?;
    let mut taken: Vec<u64> = lanes.into_iter().flatten().collect();
    taken.sort_unstable();
    let at = |percent: usize| taken.get(taken.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default();
    Ok(Revoked {
        revocations: taken.len(),
        per_second: taken.len() as f64 / turn.as_secs_f64(),
        denied_after_p50_us: at(50),
        denied_after_p99_us: at(99),
        denied_after_max_us: at(100),
    })
}

fn grants(answer: &[u8]) -> bool {
    answer.windows(17).any(|window| window == b"\"has_access\":true")
}
