//! The CPU that checking a log costs, beside the least that it can cost: the same COPY out of the database, and the same hashing, with
//! nothing in between. Each turn is a process of its own, so that its CPU time and memory are its own, too.

mod turn;

pub use turn::{Turn, What, run as run_turn};

use super::{
    scratch::{self, BenchError},
    scratch_log::ScratchLog,
    server::Server,
    world,
};
use serde::Serialize;

/// What to measure.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// A database in the server to measure, as a role that may create databases and roles.
    pub admin_url: String,
    /// How many events there are at least.
    pub events: u64,
    /// How often verification and floor take turns; the median ratio counts.
    pub turns: usize,
}

/// What was measured. Figures are those of the turn with the median ratio.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// `verify`.
    pub bench: &'static str,
    /// Events of the log: whole payments from session to access, receipts signed.
    pub events: u64,
    /// Receipts among them.
    pub receipts: u64,
    /// Streams.
    pub streams: u64,
    /// The verification, with everything that it checks.
    pub verify: Turn,
    /// COPY at both ends, and the SHA-256 of payloads, sealed parts, entries and the tree.
    pub floor: Turn,
    /// CPU seconds of the floor over those of the verification without the Ed25519 signatures of receipts, which no hashing stands for.
    pub ratio: f64,
    /// The same with the signatures.
    pub ratio_with_signatures: f64,
    /// The ratio of each turn.
    pub ratios: Vec<f64>,
}

/// Measures on a scratch database that exists only for the run.
pub async fn run(options: VerifyOptions) -> Result<VerifyReport, BenchError> {
    let scratch = scratch::make(&options.admin_url).await?;
    let report = measure(&scratch.url, &options).await;
    scratch.remove().await?;
    report
}

async fn measure(url: &str, options: &VerifyOptions) -> Result<VerifyReport, BenchError> {
    eprintln!("hilt: making a log of {} events", options.events);
    let vkey = fill(url, options.events).await?;
    let server = Server::of(url).await?;
    let mut turns = Vec::new();
    // The first turn reads what the server has not read before.
    Turn::take(What::Floor, url, &vkey, &server).await?;
    for _ in 0..options.turns.max(1) {
        let floor = Turn::take(What::Floor, url, &vkey, &server).await?;
        let verify = Turn::take(What::Verify, url, &vkey, &server).await?;
        let floor_cpu = floor.cpu_seconds();
        turns.push((floor_cpu / (verify.cpu_seconds() - verify.signature_cpu_seconds), verify, floor));
    }
    turns.sort_by(|one, other| one.0.total_cmp(&other.0));
    let ratios = turns.iter().map(|turn| turn.0).collect();
    let (ratio, verify, floor) = turns.swap_remove(turns.len() / 2);
    Ok(VerifyReport {
        bench: "verify",
        events: verify.events,
        receipts: verify.receipts,
        streams: verify.streams,
        ratio_with_signatures: floor.cpu_seconds() / verify.cpu_seconds(),
        verify,
        floor,
        ratio,
        ratios,
    })
}

/// Makes the log.
async fn fill(url: &str, events: u64) -> Result<String, BenchError> {
    let scratch = ScratchLog::new(url).await?;
    let vkey = world::fill(&scratch.log, events).await?;
    scratch.settle().await?;
    scratch.pool.close().await;
    Ok(vkey)
}
