//! Keeps the log in order: signs its head regularly, and forgets stored answers after 30 days and the keys of deep links after
//! one.

use events::{
    log::{Log, ReadError},
    proof::{CheckpointError, Checkpointer},
    vault::VaultError,
};
use rails::phantom::SECRETS;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a stored answer is kept, in seconds.
const ANSWERS_KEPT: i64 = 30 * 86_400;
/// How long the keys of a payment's deep links are kept, in seconds: long after the payment's own half hour.
const LINK_KEYS_KEPT: i64 = 86_400;
/// Time between two prunings.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

/// Why a round could not be finished; the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum HousekeepingError {
    /// The head could not be signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Old answers could not be removed.
    #[error(transparent)]
    Prune(#[from] ReadError),
    /// Old keys could not be removed.
    #[error(transparent)]
    PruneKeys(#[from] VaultError),
}

/// Runs until it is told to stop; signs the head after each `every`, if it has moved.
pub async fn run(log: Log, checkpointer: Checkpointer, every: Duration, stop: CancellationToken) -> Result<(), HousekeepingError> {
    let mut pruned: Option<Instant> = None;
    loop {
        checkpointer.sign().await?;
        if pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
            log.prune_answers(log.clock().now().plus_seconds(-ANSWERS_KEPT)).await?;
            log.vault().prune_secrets(&SECRETS, log.clock().now().plus_seconds(-LINK_KEYS_KEPT)).await?;
            pruned = Some(Instant::now());
        }
        if stop.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
            return Ok(());
        }
    }
}
