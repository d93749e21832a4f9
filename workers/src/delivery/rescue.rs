//! The rescue (OPS-60): makes the attempts that are due, new and scheduled ones alike. One process at a time does.
//!
//! What is due is asked of the read model at each round, so nothing is kept in memory but what is under way; each attempt looks at the
//! delivery's own stream first, so a read model that lags costs a look and nothing else.

use super::{DeliverError, Handover};
use events::{
    clock::Clock,
    log::Log,
    vocab::{
        id::{AccessDeliveryId, MembershipId},
        words::DeliveryMode,
    },
};
use futures::FutureExt as _;
use projections::{
    Reader,
    deliveries::{self, Due},
    runner::Projections,
};
use std::{collections::HashMap, panic::AssertUnwindSafe, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The read model that tells what is due.
const PROJECTION: &str = "deliveries";
/// Attempts under way by each way of handing over: a slow provider uses up its own, and no other's.
const AT_ONCE: usize = 16;
const MODES: [DeliveryMode; 3] = [DeliveryMode::StaticValue, DeliveryMode::TelegramBot, DeliveryMode::DiscordBot];
/// How often the clock is looked at for retries that have become due.
const TICK: Duration = Duration::from_millis(200);
/// How long to wait for the read model to see an event before going on from what it knows.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an attempt that could not be made waits for the next look.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// How long attempts under way may take to end when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What the rescue works with.
#[derive(Clone)]
pub struct Rescue {
    /// Makes attempts.
    pub handover: Handover,
    /// Tells when retries are due.
    pub clock: Clock,
    /// Tells of new events.
    pub log: Log,
    /// Knows how far the read models are.
    pub projections: Projections,
    /// Reads them.
    pub reader: Reader,
}

/// What is being attempted.
struct UnderWay {
    mode: DeliveryMode,
    membership_id: Option<MembershipId>,
}

/// Works until `stop`, or until the read model does not answer.
pub async fn run(rescue: Rescue, stop: CancellationToken) -> Result<(), DeliverError> {
    let mut under_way: HashMap<AccessDeliveryId, UnderWay> = HashMap::new();
    let mut attempts: JoinSet<AccessDeliveryId> = JoinSet::new();
    let mut head = rescue.log.watch_head();
    loop {
        for mode in MODES {
            for Due { id, membership_id } in rescue.due(mode, &under_way).await? {
                // Letting a member in and taking him out must not overtake each other.
                let waits = membership_id.is_some() && under_way.values().any(|other| other.membership_id == membership_id);
                if waits || under_way.contains_key(&id) {
                    continue;
                }
                under_way.insert(id, UnderWay { mode, membership_id });
                let rescue = rescue.clone();
                attempts.spawn(async move {
                    rescue.attempt(id).await;
                    id
                });
            }
        }
        tokio::select! {
            () = stop.cancelled() => break,
            Some(done) = attempts.join_next() => {
                if let Ok(done) = done {
                    under_way.remove(&done);
                }
            }
            Ok(()) = head.changed() => {
                let last = head.borrow_and_update().saturating_sub(1);
                let _ = rescue.projections.wait_for(PROJECTION, last, PATIENCE).await;
            }
            () = tokio::time::sleep(TICK) => {}
        }
    }
    // What is cut off here is attempted again by the next leader.
    let _ = tokio::time::timeout(GRACE, async { while attempts.join_next().await.is_some() {} }).await;
    Ok(())
}

impl Rescue {
    async fn due(&self, mode: DeliveryMode, under_way: &HashMap<AccessDeliveryId, UnderWay>) -> Result<Vec<Due>, DeliverError> {
        let busy = under_way.values().filter(|other| other.mode == mode).count();
        let Some(free) = AT_ONCE.checked_sub(busy).filter(|free| *free > 0) else { return Ok(Vec::new()) };
        let except: Vec<_> = under_way.keys().copied().collect();
        let limit = u32::try_from(free).unwrap_or(1);
        Ok(deliveries::due(&self.reader, mode, self.clock.now(), &except, limit).await?)
    }

    /// Does not end before the read model knows of the outcome, or it would be found due again.
    async fn attempt(&self, id: AccessDeliveryId) {
        match AssertUnwindSafe(self.handover.attempt(&self.reader, &self.projections, id)).catch_unwind().await {
            Ok(Ok(Some(position))) => {
                let _ = self.projections.wait_for(PROJECTION, position, PATIENCE).await;
            }
            Ok(Ok(None)) => tokio::time::sleep(TICK).await,
            Ok(Err(error)) => {
                tracing::warn!(delivery.id = %id, error = %error, "a delivery could not be attempted and will be looked at again");
                tokio::time::sleep(SECOND_LOOK).await;
            }
            Err(_) => {
                tracing::error!(delivery.id = %id, "a delivery attempt panicked and will be looked at again");
                tokio::time::sleep(SECOND_LOOK).await;
            }
        }
    }
}
