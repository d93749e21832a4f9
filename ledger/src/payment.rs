//! Checkout payments (TR-4 to TR-9, RT-016, RT-017): one payment, one transaction, one end (INV-64, INV-67, INV-68).

mod command;
mod rules;

pub use command::*;

use events::{
    decider::Decider,
    vocab::{
        bytes::TxSignature,
        event::{Event, PaymentConfirmationAttempted, PaymentConfirmed, PaymentCreated, PaymentExpired, PaymentFailed},
        stream::Fact,
        words::Outcome,
    },
};
use rules::{attempt, broadcast, confirmation, failure, linked_by, one_transaction};

/// A checkout payment.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Payment {
    /// Not created.
    #[default]
    Absent,
    /// No transaction is known.
    PendingSignature {
        /// What is to be paid.
        facts: Box<PaymentCreated>,
        /// The last recorded look at the chain.
        last_look: Option<Look>,
    },
    /// A transaction is linked, and is not final yet.
    PendingConfirmation {
        /// What is to be paid.
        facts: Box<PaymentCreated>,
        /// The transaction.
        tx: TxSignature,
        /// The last recorded look at the chain.
        last_look: Option<Look>,
    },
    /// Paid.
    Confirmed {
        /// What was to be paid.
        facts: Box<PaymentCreated>,
        /// What was paid.
        confirmed: Box<PaymentConfirmed>,
    },
    /// The transaction failed or does not match.
    Failed {
        /// What was to be paid.
        facts: Box<PaymentCreated>,
        /// What went wrong.
        failed: PaymentFailed,
    },
    /// Nobody paid in time.
    Expired {
        /// What was to be paid.
        facts: Box<PaymentCreated>,
    },
}

/// A look at the chain and what it found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// For which transaction.
    pub tx: TxSignature,
    /// What it found.
    pub outcome: Outcome,
    /// Why, when not passed.
    pub reason: Option<String>,
}

impl Decider for Payment {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Payment::{Absent, Confirmed, Expired, Failed, PendingConfirmation, PendingSignature};
        match (state, command) {
            (Absent, Command::Create(create)) => create.fact().map(|fact| vec![fact]),
            (_, Command::Create(create)) => match create.fact()?.event {
                Event::PaymentCreated(created) if state.facts() == Some(&created) => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Absent, _) => Err(Rejection::NotFound),

            (state, Command::RecordBroadcast { tx, payer_wallet, wallet_source, now }) => {
                broadcast(state, tx, payer_wallet, wallet_source, now)
            }

            (PendingSignature { facts, .. }, Command::LinkPaid { tx, payer, paid_at }) => match paid_at >= facts.expires_at {
                true => Err(Rejection::Expired),
                false => Ok(vec![linked_by(facts, tx, payer)?.into()]),
            },
            (PendingConfirmation { tx: linked, .. }, Command::LinkPaid { tx, .. }) if *linked == tx => Ok(vec![]),
            (PendingConfirmation { facts, .. }, Command::LinkPaid { tx, payer, paid_at }) => match paid_at >= facts.expires_at {
                true => Err(Rejection::TxConflict),
                false => Ok(vec![linked_by(facts, tx, payer)?.into()]),
            },
            (Confirmed { confirmed, .. }, Command::LinkPaid { tx, .. }) => one_transaction(confirmed.tx_signature, tx).map(|()| vec![]),
            (Failed { .. }, Command::LinkPaid { .. }) => Err(Rejection::Failed),
            (Expired { .. }, Command::LinkPaid { .. }) => Err(Rejection::Expired),

            (PendingSignature { facts, last_look }, Command::RecordAttempt { tx, trigger, outcome, reason }) => {
                Ok(attempt(facts, last_look.as_ref(), trigger, Look { tx, outcome, reason }))
            }
            (PendingConfirmation { facts, tx: linked, last_look }, Command::RecordAttempt { tx, trigger, outcome, reason }) => {
                if outcome != Outcome::Passed {
                    one_transaction(*linked, tx)?;
                }
                Ok(attempt(facts, last_look.as_ref(), trigger, Look { tx, outcome, reason }))
            }
            (Confirmed { confirmed, .. }, Command::RecordAttempt { tx, .. }) => {
                one_transaction(confirmed.tx_signature, tx).map(|()| vec![])
            }
            (Failed { .. }, Command::RecordAttempt { .. }) => Err(Rejection::Failed),
            (Expired { .. }, Command::RecordAttempt { .. }) => Err(Rejection::Expired),

            (PendingSignature { facts, .. }, Command::Confirm { settlement, identity_session_id, paid_at, now }) => {
                if paid_at >= facts.expires_at {
                    return Err(Rejection::Expired);
                }
                let confirmed = confirmation(facts, &settlement, identity_session_id, now)?;
                Ok(vec![linked_by(facts, settlement.event.tx_signature, settlement.event.payer)?.into(), confirmed.into()])
            }
            // A wallet may send a payment again in another transaction, and anyone may announce one that pays nothing: what the
            // chain shows to carry this payment's memo, and has settled, is the payment's transaction.
            (PendingConfirmation { facts, tx, .. }, Command::Confirm { settlement, identity_session_id, paid_at, now }) => {
                if paid_at >= facts.expires_at {
                    one_transaction(*tx, settlement.event.tx_signature)?;
                }
                let confirmed = confirmation(facts, &settlement, identity_session_id, now)?;
                match *tx == settlement.event.tx_signature {
                    true => Ok(vec![confirmed.into()]),
                    false => Ok(vec![linked_by(facts, settlement.event.tx_signature, settlement.event.payer)?.into(), confirmed.into()]),
                }
            }
            (Confirmed { confirmed, .. }, Command::Confirm { settlement, .. }) => {
                one_transaction(confirmed.tx_signature, settlement.event.tx_signature).map(|()| vec![])
            }
            (Failed { .. }, Command::Confirm { .. }) => Err(Rejection::Failed),
            (Expired { .. }, Command::Confirm { .. }) => Err(Rejection::Expired),

            (PendingSignature { facts, .. }, Command::Fail { tx, reason, now }) => Ok(vec![failure(facts, tx, reason, now)]),
            (PendingConfirmation { facts, tx: linked, .. }, Command::Fail { tx, reason, now }) => {
                one_transaction(*linked, tx)?;
                Ok(vec![failure(facts, tx, reason, now)])
            }
            (Failed { failed, .. }, Command::Fail { tx, .. }) => one_transaction(failed.tx_signature, tx).map(|()| vec![]),
            (Confirmed { .. }, Command::Fail { .. } | Command::Expire { .. }) => Err(Rejection::AlreadyConfirmed),
            (Expired { .. }, Command::Fail { .. }) => Err(Rejection::Expired),

            (PendingSignature { facts, .. }, Command::Expire { now }) => match now >= facts.expires_at {
                true => Ok(vec![PaymentExpired { payment_id: facts.payment_id, place: facts.place, expired_at: now }.into()]),
                false => Err(Rejection::NotExpiredYet),
            },
            (PendingConfirmation { .. }, Command::Expire { .. }) => Err(Rejection::PendingConfirmation),
            (Failed { .. }, Command::Expire { .. }) => Err(Rejection::Failed),
            (Expired { .. }, Command::Expire { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Payment::{Confirmed, Expired, Failed, PendingConfirmation, PendingSignature};
        match (state, event) {
            (Payment::Absent, Event::PaymentCreated(created)) => PendingSignature { facts: Box::new(created.clone()), last_look: None },
            (
                PendingSignature { facts, last_look } | PendingConfirmation { facts, last_look, .. },
                Event::PaymentBroadcastRecorded(linked),
            ) => PendingConfirmation { facts, tx: linked.tx_signature, last_look },
            (PendingSignature { facts, .. }, Event::PaymentConfirmationAttempted(look)) => {
                PendingSignature { facts, last_look: Some(look.into()) }
            }
            (PendingConfirmation { facts, tx, .. }, Event::PaymentConfirmationAttempted(look)) => {
                PendingConfirmation { facts, tx, last_look: Some(look.into()) }
            }
            (PendingSignature { facts, .. } | PendingConfirmation { facts, .. }, Event::PaymentConfirmed(confirmed)) => {
                Confirmed { facts, confirmed: Box::new(confirmed.clone()) }
            }
            (PendingSignature { facts, .. } | PendingConfirmation { facts, .. }, Event::PaymentFailed(failed)) => {
                Failed { facts, failed: failed.clone() }
            }
            (PendingSignature { facts, .. }, Event::PaymentExpired(_)) => Expired { facts },
            (state, _) => state,
        }
    }
}

impl Payment {
    /// What is to be paid, once that is known.
    pub fn facts(&self) -> Option<&PaymentCreated> {
        match self {
            Payment::Absent => None,
            Payment::PendingSignature { facts, .. }
            | Payment::PendingConfirmation { facts, .. }
            | Payment::Confirmed { facts, .. }
            | Payment::Failed { facts, .. }
            | Payment::Expired { facts } => Some(facts),
        }
    }

    /// The transaction that it is linked to.
    pub fn tx(&self) -> Option<TxSignature> {
        match self {
            Payment::Absent | Payment::PendingSignature { .. } | Payment::Expired { .. } => None,
            Payment::PendingConfirmation { tx, .. } => Some(*tx),
            Payment::Confirmed { confirmed, .. } => Some(confirmed.tx_signature),
            Payment::Failed { failed, .. } => Some(failed.tx_signature),
        }
    }

    /// The contract's word (RT-018).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Payment::Absent => None,
            Payment::PendingSignature { .. } => Some("PENDING_SIGNATURE"),
            Payment::PendingConfirmation { .. } => Some("PENDING_CONFIRMATION"),
            Payment::Confirmed { .. } => Some("CONFIRMED"),
            Payment::Failed { .. } => Some("FAILED"),
            Payment::Expired { .. } => Some("EXPIRED"),
        }
    }
}

impl From<&PaymentConfirmationAttempted> for Look {
    fn from(event: &PaymentConfirmationAttempted) -> Self {
        Look { tx: event.tx_signature, outcome: event.outcome, reason: event.reason.clone() }
    }
}
