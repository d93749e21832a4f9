//! Proofs (TR-33 to TR-36): fingerprint, verification, settlement, receipt mapping. Each stage needs the one before and cites
//! it (INV-4); none of them grants access (INV-1).

mod command;
mod rules;

pub use command::*;
pub use rules::{fingerprint, solana_fingerprint};

use crate::check::filled;
use events::{
    decider::Decider,
    vocab::{
        event::{Event, ProofFingerprinted, ProofRejected, ProofReplayRejected, ReceiptMapped, SettlementEvidenced, VerificationAttempted},
        id::{EventId, ReceiptId},
        stream::Fact,
        words::Outcome,
    },
};
use rules::{mapping, settlement, verification};

/// A proof.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Proof {
    /// Not recorded. Refusals may have been, and change nothing.
    #[default]
    Absent,
    /// Fingerprinted; the chain has not confirmed it, or has not been asked.
    Recorded {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The last look at the chain.
        last: Option<Box<VerificationAttempted>>,
    },
    /// A look at the chain passed.
    Verified {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
    },
    /// The transfer is final and counted.
    Settled {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
        /// The settlement.
        settled: Box<SettlementEvidenced>,
    },
    /// The settlement has its receipt.
    Mapped {
        /// What was recorded.
        proof: Box<ProofFingerprinted>,
        /// The look that passed.
        passed: Box<VerificationAttempted>,
        /// The settlement.
        settled: Box<SettlementEvidenced>,
        /// The mapping.
        mapped: ReceiptMapped,
    },
}

impl Decider for Proof {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Proof::{Absent, Mapped, Recorded, Settled, Verified};
        match (state, command) {
            (Absent, Command::Fingerprint(new)) => Ok(vec![new.event()?.into()]),
            (_, Command::Fingerprint(new)) => match new.event()? {
                again if state.proof() == Some(&again) => Ok(vec![]),
                _ => Err(Rejection::Replayed),
            },
            (_, Command::RecordReplay { fingerprint, rail_id, tx, session_id, payment_id }) => {
                Ok(vec![ProofReplayRejected { fingerprint, rail_id, tx_signature: tx, session_id, payment_id }.into()])
            }
            (Absent, Command::Reject { rail_id, session_id, payment_id, reason, field }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![ProofRejected { rail_id, session_id, payment_id, reason, field }.into()])
            }
            (_, Command::Reject { .. }) => Err(Rejection::Replayed),

            (Absent, Command::RecordVerification(_) | Command::Settle(_) | Command::MapReceipt { .. }) => Err(Rejection::NotRecorded),

            (Recorded { proof, last }, Command::RecordVerification(look)) => verification(proof, last.as_deref(), *look),
            (Verified { .. } | Settled { .. } | Mapped { .. }, Command::RecordVerification(_)) => Ok(vec![]),

            (Recorded { .. }, Command::Settle(_)) => Err(Rejection::NotVerified),
            (Verified { proof, passed }, Command::Settle(settle)) => Ok(vec![settlement(proof, passed, *settle)?.into()]),
            (Settled { settled, .. } | Mapped { settled, .. }, Command::Settle(settle)) => {
                match settled.transfer_id == settle.transfer_id {
                    true => Ok(vec![]),
                    false => Err(Rejection::AlreadySettled),
                }
            }

            (Recorded { .. } | Verified { .. }, Command::MapReceipt { .. }) => Err(Rejection::NotSettled),
            (Settled { proof, settled, .. }, Command::MapReceipt { settlement_event, receipt }) => {
                Ok(vec![mapping(proof, settled, settlement_event, &receipt)?.into()])
            }
            (Mapped { mapped, .. }, Command::MapReceipt { receipt, .. }) => match mapped.receipt_id == receipt.event.receipt_id {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyMapped),
            },
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Proof::{Absent, Mapped, Recorded, Settled, Verified};
        match (state, event) {
            (Absent, Event::ProofFingerprinted(proof)) => Recorded { proof: Box::new(proof.clone()), last: None },
            (Recorded { proof, .. }, Event::VerificationAttempted(look)) => match look.outcome {
                Outcome::Passed => Verified { proof, passed: Box::new(look.clone()) },
                Outcome::Pending | Outcome::Failed | Outcome::Error => Recorded { proof, last: Some(Box::new(look.clone())) },
            },
            (Verified { proof, passed }, Event::SettlementEvidenced(settled)) => {
                Settled { proof, passed, settled: Box::new(settled.clone()) }
            }
            (Settled { proof, passed, settled }, Event::ReceiptMapped(mapped)) => Mapped { proof, passed, settled, mapped: mapped.clone() },
            (state, _) => state,
        }
    }
}

impl Proof {
    /// What was recorded.
    pub fn proof(&self) -> Option<&ProofFingerprinted> {
        match self {
            Proof::Absent => None,
            Proof::Recorded { proof, .. } | Proof::Verified { proof, .. } | Proof::Settled { proof, .. } | Proof::Mapped { proof, .. } => {
                Some(proof)
            }
        }
    }

    /// The look at the chain that passed.
    pub fn passed(&self) -> Option<&VerificationAttempted> {
        match self {
            Proof::Absent | Proof::Recorded { .. } => None,
            Proof::Verified { passed, .. } | Proof::Settled { passed, .. } | Proof::Mapped { passed, .. } => Some(passed),
        }
    }

    /// The settlement.
    pub fn settled(&self) -> Option<&SettlementEvidenced> {
        match self {
            Proof::Settled { settled, .. } | Proof::Mapped { settled, .. } => Some(settled),
            _ => None,
        }
    }

    /// The contract's word (OBJ-21).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Proof::Absent => None,
            Proof::Recorded { last: Some(look), .. } if look.outcome == Outcome::Failed => Some("verification_failed"),
            Proof::Recorded { .. } => Some("recorded"),
            Proof::Verified { .. } => Some("verified"),
            Proof::Settled { .. } => Some("settled"),
            Proof::Mapped { .. } => Some("receipt_mapped"),
        }
    }
}

/// The ids of the events with which a proof reached its stages: what later stages cite.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stages {
    /// `proof.fingerprinted`.
    pub fingerprinted: Option<EventId>,
    /// The passed `verification.attempted`.
    pub verified: Option<EventId>,
    /// `settlement.evidenced`.
    pub settled: Option<EventId>,
    /// `receipt.mapped`, and its receipt.
    pub mapped: Option<(EventId, ReceiptId)>,
}

impl Stages {
    /// The stages that a proof's events reached.
    pub fn of<'a>(events: impl IntoIterator<Item = (EventId, &'a Event)>) -> Self {
        events.into_iter().fold(Stages::default(), |stages, (id, event)| match event {
            Event::ProofFingerprinted(_) => Stages { fingerprinted: stages.fingerprinted.or(Some(id)), ..stages },
            Event::VerificationAttempted(look) if look.outcome == Outcome::Passed => {
                Stages { verified: stages.verified.or(Some(id)), ..stages }
            }
            Event::SettlementEvidenced(_) => Stages { settled: stages.settled.or(Some(id)), ..stages },
            Event::ReceiptMapped(mapped) => Stages { mapped: stages.mapped.or(Some((id, mapped.receipt_id))), ..stages },
            _ => stages,
        })
    }
}
