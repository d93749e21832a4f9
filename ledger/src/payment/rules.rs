//! What a payment checks, and the events it yields.

use super::{Create, Look, Payment, Rejection};
use crate::{
    Cited,
    check::{first_false, price},
};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{PaymentBroadcastRecorded, PaymentConfirmationAttempted, PaymentConfirmed, PaymentCreated, PaymentFailed, SettlementEvidenced},
    id::IdentitySessionId,
    personal::Personal,
    stream::Fact,
    time::Timestamp,
    words::{FeeSource, Trigger},
};

impl Create {
    pub(super) fn fact(self) -> Result<Fact, Rejection> {
        let amount = price(self.amount).ok_or(Rejection::AmountOutOfRange)?;
        let parts = self.fee_bps.split(amount);
        let fee_wallet = match (parts.fee.units(), self.fee_wallet) {
            (0, _) => None,
            _ if self.fee_source == FeeSource::MerchantReceivable => None,
            (_, None) => return Err(Rejection::FeeWalletRequired),
            (_, wallet) => wallet,
        };
        let created = PaymentCreated {
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
            identity_required: self.identity_required,
            place: self.place,
            quote: self.quote,
            expires_at: self.expires_at,
            fee_source: self.fee_source,
        };
        match self.personal == Personal::default() {
            true => Ok(created.into()),
            false => Ok(Fact::sealed(created, self.subject_id, self.personal)),
        }
    }
}

pub(super) fn one_transaction(linked: TxSignature, tx: TxSignature) -> Result<(), Rejection> {
    if linked == tx { Ok(()) } else { Err(Rejection::TxConflict) }
}

/// In this order: another transaction, a failed payment, too late, the wrong wallet, known already.
pub(super) fn broadcast(
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

/// A person who asks is told, and that he asked is kept; a watcher or a provider's wake-up that sees nothing new is not worth an event.
pub(super) fn attempt(facts: &PaymentCreated, last: Option<&Look>, trigger: Trigger, look: Look) -> Vec<Fact> {
    if matches!(trigger, Trigger::Watcher | Trigger::Provider) && last == Some(&look) {
        return vec![];
    }
    let Look { tx, outcome, reason } = look;
    vec![PaymentConfirmationAttempted { payment_id: facts.payment_id, tx_signature: tx, trigger, outcome, reason }.into()]
}

/// The transaction that the chain shows to pay, as the payment's own.
pub(super) fn linked_by(facts: &PaymentCreated, tx: TxSignature, payer: SolanaAddress) -> Result<PaymentBroadcastRecorded, Rejection> {
    match facts.payer_wallet {
        Some(named) if named != payer => Err(Rejection::PayerWalletMismatch),
        _ => {
            Ok(PaymentBroadcastRecorded { payment_id: facts.payment_id, tx_signature: tx, payer_wallet: Some(payer), wallet_source: None })
        }
    }
}

pub(super) fn confirmation(
    facts: &PaymentCreated,
    settlement: &Cited<SettlementEvidenced>,
    identity_session_id: Option<IdentitySessionId>,
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
    if let Some(field) = first_false(same) {
        return Err(Rejection::SettlementMismatch { field });
    }
    if facts.payer_wallet.is_some_and(|named| named != settled.payer) {
        return Err(Rejection::PayerWalletMismatch);
    }
    if facts.identity_required && identity_session_id.is_none() {
        return Err(Rejection::IdentityRequired);
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
        identity_session_id,
        confirmed_at,
        settlement_event: settlement.id,
    })
}

pub(super) fn failure(facts: &PaymentCreated, tx_signature: TxSignature, reason: String, failed_at: Timestamp) -> Fact {
    PaymentFailed { payment_id: facts.payment_id, tx_signature, reason, place: facts.place, failed_at }.into()
}
