//! `attest`: puts on record what the live read models come to, now. The service does the same regularly.

use crate::class::Failure;
use events::{
    clock::new_id,
    log::Context,
    unit::{Unit, is_conflict},
    vocab::{
        bytes::Hash32,
        event::{AttestedBalance, AttestedProjection},
        id::AttestationId,
        stream::Actor,
    },
};
use ledger::attestation::{self, Attestation};
use projections::{
    runner::Projections,
    state::{Snapshot, State},
};
use serde::Serialize;

/// What was put on record.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct OnRecord {
    /// Which attestation.
    pub attestation_id: AttestationId,
    /// The position whose state it is.
    pub at_position: u64,
    /// The number.
    pub root: Hash32,
    /// Each read model.
    pub projections: Vec<AttestedProjection>,
    /// The trial balance of all owners.
    pub trial_balance: Vec<AttestedBalance>,
    /// Whether the same was on record before.
    pub known: bool,
}

/// Takes the state of the live read models in one snapshot and puts it on record, if it is not.
pub async fn attest(models: &Projections) -> Result<OnRecord, Failure> {
    let deps = models.deps();
    let mut snapshot = Snapshot::take(&deps.pool).await.map_err(Failure::State)?;
    let state: State = snapshot.state(&models.definitions()).await.map_err(Failure::State)?;
    snapshot.close().await.map_err(Failure::State)?;
    let attested = state.into_event();
    let context =
        Context { owner_id: None, livemode: true, actor: Actor::system("hilt-replay"), request_id: None, correlation_id: new_id() };
    let mut unit = Unit::new(&deps.log, context);
    let stream = attestation::stream(&attested);
    let mut known = unit.load::<Attestation>(stream).await.map_err(|error| Failure::Append(error.into()))?;
    let command = attestation::Command::Attest(Box::new(attested.clone()));
    let decided = unit.decide(&mut known, command, None).map_err(|rejection| Failure::Append(rejection.into()))?;
    match unit.commit().await {
        Ok(_) => {}
        // Another process has put the same on record at this moment.
        Err(error) if is_conflict(&error) => {}
        Err(error) => return Err(Failure::Append(error.into())),
    }
    let events::vocab::event::StateAttested { attestation_id, at_position, root, projections, trial_balance, .. } = attested;
    Ok(OnRecord { attestation_id, at_position, root, projections, trial_balance, known: decided.is_empty() })
}
