//! Settles submitted proofs as soon as they are recorded. What is not final yet is left to the watcher.

use super::{Asker, SettleError, Settler};
use events::vocab::{
    event::{Event, EventType},
    stream::Actor,
    words::Trigger,
};
use projections::runner::{Applied, Handler, HandlerError};

/// Reacts to `proof.fingerprinted`.
pub struct SettleProofs(pub Settler);

impl Handler for SettleProofs {
    fn handles(&self, event_type: EventType) -> bool {
        event_type == EventType::ProofFingerprinted
    }

    async fn handle(&mut self, batch: &[Applied<'_>]) -> Result<(), HandlerError> {
        for applied in batch {
            let Event::ProofFingerprinted(proof) = applied.event else { continue };
            let Some(tx) = proof.tx_signature.filter(|_| proof.trigger == Trigger::Proof && applied.recorded.envelope.livemode) else {
                continue;
            };
            let request_id = applied.recorded.envelope.request_id.clone();
            let asker = Asker { actor: Actor::system("settlement"), request_id, trigger: Trigger::Proof, identity_session_id: None };
            match self.0.settle(proof.payment_id, tx, &asker).await {
                Ok(_) | Err(SettleError::Rejected { .. }) => {}
                // Recorded as an attempt; the watcher asks again.
                Err(SettleError::Chain(_) | SettleError::NoChain) => {}
                Err(error) => return Err(HandlerError(error.to_string())),
            }
        }
        Ok(())
    }
}
