//! Checkout payments (TR-4 to TR-9, RT-016, RT-017): one payment, one transaction, one end (INV-64, INV-67, INV-68).

use crate::{
    Cited,
    check::{price, rejections},
};
use events::{
    decider::Decider,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        event::{
            Asset, Event, MembershipTerms, PaymentBroadcastRecorded, PaymentConfirmationAttempted, PaymentConfirmed, PaymentCreated,
            PaymentExpired, PaymentFailed, SettlementEvidenced,
        },
        id::{AccessProductId, EntitlementId, PaymentId, ProductId, SessionId, SubjectId},
        money::FeeBps,
        stream::Fact,
        time::Timestamp,
        words::{Outcome, Trigger},
    },
};

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

/// What is asked of a payment.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Ask for it (TR-4).
    Create(Box<Create>),
    /// A transaction for it was announced (TR-5). The same one again changes nothing.
    RecordBroadcast {
        /// The transaction.
        tx: TxSignature,
        /// Who says to have paid.
        payer_wallet: Option<SolanaAddress>,
        /// With which wallet software.
        wallet_source: Option<String>,
        /// Now.
        now: Timestamp,
    },
    /// Somebody looked at the chain (TR-6). A watcher that sees the same again is not recorded.
    RecordAttempt {
        /// Which transaction he looked for.
        tx: TxSignature,
        /// Who looked.
        trigger: Trigger,
        /// What he found.
        outcome: Outcome,
        /// Why, when not passed.
        reason: Option<String>,
    },
    /// It is paid (TR-7). The transaction is linked first when that has not happened.
    Confirm {
        /// The settlement that permits it.
        settlement: Cited<SettlementEvidenced>,
        /// The block's time, or now where the chain gives none: a payment made in time counts, however late it is seen.
        paid_at: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// Its transaction failed or does not match (TR-8).
    Fail {
        /// The transaction.
        tx: TxSignature,
        /// A stable code.
        reason: String,
        /// Now.
        now: Timestamp,
    },
    /// Its time is over (TR-9).
    Expire {
        /// Now.
        now: Timestamp,
    },
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub payment_id: PaymentId,
    /// What is bought.
    pub product_id: ProductId,
    /// What is bought, on the access API.
    pub access_product_id: Option<AccessProductId>,
    /// The session it belongs to.
    pub session_id: Option<SessionId>,
    /// What it will activate.
    pub entitlement_id: Option<EntitlementId>,
    /// Who buys.
    pub subject_id: SubjectId,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// What is paid with.
    pub asset: Asset,
    /// The gross amount in minor units.
    pub amount: u64,
    /// The rate in force ([`crate::fee::rate`]).
    pub fee_bps: FeeBps,
    /// Where the rate came from.
    pub fee_policy: String,
    /// Where the merchant's part goes.
    pub merchant_wallet: SolanaAddress,
    /// Where the fee goes; needed unless it comes to zero.
    pub fee_wallet: Option<SolanaAddress>,
    /// The only wallet that may pay, when the buyer named one.
    pub payer_wallet: Option<SolanaAddress>,
    /// How memberships run, when the product has them.
    pub membership: Option<MembershipTerms>,
    /// When it ends if nobody pays: 30 minutes from now.
    pub expires_at: Timestamp,
}

rejections! {
    /// Why a payment command is refused.
    pub enum Rejection {
        /// There is no such payment.
        NotFound = "payment_not_found", "there is no such payment";
        /// An amount of 0 or beyond 2⁵³ − 1.
        AmountOutOfRange = "amount_out_of_range", "amount_minor_units is an integer from 1 to 9007199254740991";
        /// A fee is due and there is nowhere to send it.
        FeeWalletRequired = "fee_wallet_required", "a fee is due and no fee wallet is configured";
        /// The id is in use for another payment.
        AlreadyExists = "already_exists", "the payment exists with other content";
        /// One payment, one transaction (INV-67).
        TxConflict = "tx_conflict", "this payment is linked to a different transaction";
        /// The time is over and no transaction was recorded before (INV-68, Q-15).
        Expired = "payment_expired", "the payment session has expired";
        /// The payment failed on chain and stays failed.
        Failed = "tx_failed", "the payment's transaction failed";
        /// The payment is paid and cannot fail or expire any more.
        AlreadyConfirmed = "payment_already_confirmed", "the payment is confirmed";
        /// The settlement is another payment's, or of other amounts.
        SettlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "settlement_mismatch", "{field} of the settlement is not the payment's";
        /// Another wallet paid than the one that was named (INV-66).
        PayerWalletMismatch = "payer_wallet_mismatch", "payer_wallet is not the wallet that this payment was started with";
        /// The time is not over.
        NotExpiredYet = "not_expired_yet", "the payment has not expired yet";
        /// A transaction is recorded, so that the payment may still be confirmed.
        PendingConfirmation = "payment_pending_confirmation", "a transaction is recorded and may still be confirmed";
    }
}

impl Decider for Payment {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Payment::{Absent, Confirmed, Expired, Failed, PendingConfirmation, PendingSignature};
        match (state, command) {
            (Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (_, Command::Create(create)) => match create.event()? {
                created if state.facts() == Some(&created) => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Absent, _) => Err(Rejection::NotFound),

            (state, Command::RecordBroadcast { tx, payer_wallet, wallet_source, now }) => {
                broadcast(state, tx, payer_wallet, wallet_source, now)
            }

            (PendingSignature { facts, last_look }, Command::RecordAttempt { tx, trigger, outcome, reason }) => {
                Ok(attempt(facts, last_look.as_ref(), trigger, Look { tx, outcome, reason }))
            }
            (PendingConfirmation { facts, tx: linked, last_look }, Command::RecordAttempt { tx, trigger, outcome, reason }) => {
                one_transaction(*linked, tx)?;
                Ok(attempt(facts, last_look.as_ref(), trigger, Look { tx, outcome, reason }))
            }
            (Confirmed { confirmed, .. }, Command::RecordAttempt { tx, .. }) => {
                one_transaction(confirmed.tx_signature, tx).map(|()| vec![])
            }
            (Failed { .. }, Command::RecordAttempt { .. }) => Err(Rejection::Failed),
            (Expired { .. }, Command::RecordAttempt { .. }) => Err(Rejection::Expired),

            (PendingSignature { facts, .. }, Command::Confirm { settlement, paid_at, now }) => {
                if paid_at >= facts.expires_at {
                    return Err(Rejection::Expired);
                }
                let confirmed = confirmation(facts, &settlement, now)?;
                let linked = PaymentBroadcastRecorded {
                    payment_id: facts.payment_id,
                    tx_signature: settlement.event.tx_signature,
                    payer_wallet: Some(settlement.event.payer),
                    wallet_source: None,
                };
                Ok(vec![linked.into(), confirmed.into()])
            }
            (PendingConfirmation { facts, tx, .. }, Command::Confirm { settlement, now, .. }) => {
                one_transaction(*tx, settlement.event.tx_signature)?;
                Ok(vec![confirmation(facts, &settlement, now)?.into()])
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
                true => Ok(vec![PaymentExpired { payment_id: facts.payment_id, expired_at: now }.into()]),
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
            (PendingSignature { facts, last_look }, Event::PaymentBroadcastRecorded(linked)) => {
                PendingConfirmation { facts, tx: linked.tx_signature, last_look }
            }
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

impl Create {
    fn event(self) -> Result<PaymentCreated, Rejection> {
        let amount = price(self.amount).ok_or(Rejection::AmountOutOfRange)?;
        let parts = self.fee_bps.split(amount);
        let fee_wallet = match (parts.fee.units(), self.fee_wallet) {
            (0, _) => None,
            (_, None) => return Err(Rejection::FeeWalletRequired),
            (_, wallet) => wallet,
        };
        Ok(PaymentCreated {
            payment_id: self.payment_id,
            product_id: self.product_id,
            access_product_id: self.access_product_id,
            session_id: self.session_id,
            entitlement_id: self.entitlement_id,
            subject_id: self.subject_id,
            nonce: hex::encode(self.nonce),
            asset: self.asset,
            amount,
            merchant_amount: parts.merchant,
            fee_amount: parts.fee,
            fee_bps: self.fee_bps,
            fee_policy: self.fee_policy,
            merchant_wallet: self.merchant_wallet,
            fee_wallet,
            payer_wallet: self.payer_wallet,
            membership: self.membership,
            expires_at: self.expires_at,
        })
    }
}

fn one_transaction(linked: TxSignature, tx: TxSignature) -> Result<(), Rejection> {
    if linked == tx { Ok(()) } else { Err(Rejection::TxConflict) }
}

/// In this order: another transaction, a failed payment, too late, the wrong wallet, known already.
fn broadcast(
    state: &Payment,
    tx: TxSignature,
    payer_wallet: Option<SolanaAddress>,
    wallet_source: Option<String>,
    now: Timestamp,
) -> Result<Vec<Fact>, Rejection> {
    let Some(facts) = state.facts() else { return Err(Rejection::NotFound) };
    if let Some(linked) = state.tx() {
        one_transaction(linked, tx)?;
    }
    match state {
        Payment::Failed { .. } => return Err(Rejection::Failed),
        Payment::Expired { .. } => return Err(Rejection::Expired),
        Payment::PendingSignature { .. } if now >= facts.expires_at => return Err(Rejection::Expired),
        _ => {}
    }
    match (facts.payer_wallet, payer_wallet) {
        (Some(named), Some(payer)) if named != payer => return Err(Rejection::PayerWalletMismatch),
        _ => {}
    }
    match state.tx() {
        Some(_) => Ok(vec![]),
        None => Ok(vec![PaymentBroadcastRecorded { payment_id: facts.payment_id, tx_signature: tx, payer_wallet, wallet_source }.into()]),
    }
}

/// A person who asks is told, and that he asked is kept; a watcher that sees nothing new is not worth an event.
fn attempt(facts: &PaymentCreated, last: Option<&Look>, trigger: Trigger, look: Look) -> Vec<Fact> {
    if trigger == Trigger::Watcher && last == Some(&look) {
        return vec![];
    }
    let Look { tx, outcome, reason } = look;
    vec![PaymentConfirmationAttempted { payment_id: facts.payment_id, tx_signature: tx, trigger, outcome, reason }.into()]
}

fn confirmation(
    facts: &PaymentCreated,
    settlement: &Cited<SettlementEvidenced>,
    confirmed_at: Timestamp,
) -> Result<PaymentConfirmed, Rejection> {
    let settled = &settlement.event;
    let same = [
        ("payment_id", settled.payment_id == facts.payment_id),
        ("session_id", settled.session_id == facts.session_id),
        ("gross", settled.gross == facts.amount),
        ("merchant_amount", settled.merchant_amount == facts.merchant_amount),
        ("fee_amount", settled.fee_amount == facts.fee_amount),
    ];
    if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
        return Err(Rejection::SettlementMismatch { field });
    }
    if facts.payer_wallet.is_some_and(|named| named != settled.payer) {
        return Err(Rejection::PayerWalletMismatch);
    }
    Ok(PaymentConfirmed {
        payment_id: facts.payment_id,
        product_id: facts.product_id,
        access_product_id: facts.access_product_id,
        session_id: facts.session_id,
        amount: facts.amount,
        tx_signature: settled.tx_signature,
        payer_wallet: settled.payer,
        slot: settled.slot,
        confirmed_at,
        settlement_event: settlement.id,
    })
}

fn failure(facts: &PaymentCreated, tx_signature: TxSignature, reason: String, failed_at: Timestamp) -> Fact {
    PaymentFailed { payment_id: facts.payment_id, tx_signature, reason, failed_at }.into()
}
