//! Puts on record what the read models come to: every live table in one number, taken in one snapshot, with the trial balance. Every
//! checkpoint that is signed afterwards covers it, and a replay must come to the same.

use events::{
    clock::new_id,
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, is_conflict},
    vocab::{event::StateAttested, stream::Actor},
};
use ledger::attestation::{self, Attestation, Rejection};
use projections::state::{Snapshot, StateError, has_grown, newest_attestation};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Taking the state reads every live table. However large they become, it takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// Why the state could not be put on record; the next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// What the read models come to is not known.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// It must not be put on record.
    #[error(transparent)]
    Refused(#[from] Rejection),
}

/// Runs until it is told to stop, every `interval` and less often when it takes long.
pub async fn run(log: Log, interval: Duration, stop: CancellationToken) -> Result<(), AttestError> {
    let mut wait = interval;
    while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
        let begun = Instant::now();
        if let Some(attested) = attest_if_grown(&log).await? {
            tracing::info!(state.position = attested.at_position, state.root = %attested.root, "the state of the read models is on record");
        }
        wait = interval.max(begun.elapsed().saturating_mul(SHARE));
    }
    Ok(())
}

/// Puts the state on record, unless nothing but attestations came after the last one. What a later program folds otherwise is put on
/// record with the next event.
async fn attest_if_grown(log: &Log) -> Result<Option<StateAttested>, AttestError> {
    let mut snapshot = Snapshot::take(log.pool()).await?;
    let last = newest_attestation(snapshot.connection(), i64::MAX).await?;
    if let Some((_, attested)) = &last
        && !has_grown(snapshot.connection(), attested.at_position).await?
    {
        return Ok(None);
    }
    let state = match snapshot.state(projections::ALL).await {
        // There is nothing to say yet.
        Err(StateError::Empty | StateError::NotBuilt(_)) => return Ok(None),
        state => state?,
    };
    snapshot.close().await?;
    let attested = state.into_event();
    let actor = Actor::system("state_attester");
    let mut unit = Unit::new(log, Context { owner_id: None, livemode: true, actor, request_id: None, correlation_id: new_id() });
    let mut known = unit.load::<Attestation>(attestation::stream(&attested)).await?;
    unit.decide(&mut known, attestation::Command::Attest(Box::new(attested.clone())), None)?;
    match unit.commit().await {
        Ok(_) => Ok(Some(attested)),
        // Another process has put the same on record at this moment.
        Err(error) if is_conflict(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
