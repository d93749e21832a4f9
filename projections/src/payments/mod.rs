//! Checkout payments (OBJ-02): RT-018, and what the confirmation needs to know.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::event::PaymentCreated;
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    event::{Event, EventType},
    id::{AccessProductId, EntitlementId, MembershipId, ProductId, ReceiptId, SessionId},
    money::{FeeBps, Minor},
    time::Timestamp,
    words::{Outcome, Trigger},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Payments;

/// A row of `payments`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What is bought.
    pub product_id: ProductId,
    /// The access product, when it is bought through one.
    pub access_product_id: Option<AccessProductId>,
    /// The payment session, when there is one.
    pub session_id: Option<SessionId>,
    /// The entitlement that waits for it.
    pub entitlement_id: Option<EntitlementId>,
    /// PENDING_SIGNATURE, PENDING_CONFIRMATION, CONFIRMED, FAILED or EXPIRED.
    pub status: PaymentStatus,
    /// Ties a transaction to it.
    pub memo: String,
    /// What is paid with.
    pub asset_symbol: String,
    /// Decimals of its minor unit.
    pub asset_decimals: u8,
    /// Its mint, base58.
    pub asset_mint: SolanaAddress,
    /// Gross, in minor units.
    pub amount: Minor,
    /// The merchant's part, in minor units.
    pub merchant_amount: Minor,
    /// Hilt's fee, in minor units.
    pub fee_amount: Minor,
    /// The rate, in basis points.
    pub fee_bps: FeeBps,
    /// Where the rate came from.
    pub fee_policy: String,
    /// Where the merchant's part goes, base58.
    pub merchant_wallet: SolanaAddress,
    /// Where the fee goes, base58.
    pub fee_wallet: Option<SolanaAddress>,
    /// Who pays or paid, base58.
    pub payer_wallet: Option<SolanaAddress>,
    /// Whether it settles only with a verified identity.
    pub identity_required: bool,
    /// Kind of the buyer's identity, as he said it. Personal.
    pub identity_type: Option<String>,
    /// The identity. Personal.
    pub identity_value: Option<String>,
    /// Its handle. Personal.
    pub identity_display: Option<String>,
    /// Length of the membership period it buys, in days.
    pub billing_interval_days: Option<u32>,
    /// Days of grace after that period.
    pub grace_period_days: Option<u32>,
    /// The transaction, base58.
    pub tx_signature: Option<TxSignature>,
    /// Which kind of wallet announced it.
    pub wallet_source: Option<String>,
    /// Slot of the settled transaction.
    pub slot: Option<u64>,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// Why it failed, as a stable code.
    pub failure_reason: Option<String>,
    /// What the last look at the chain found.
    pub last_attempt: Option<Confirmation>,
    /// The membership that it began or renewed.
    pub membership_id: Option<MembershipId>,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
}

impl Row for Payment {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Payments {
    const NAME: &'static str = "payments";
    const VERSION: i32 = 2;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["identity_type", "identity_value", "identity_display"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Payment;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::PaymentCreated(e) => Keys::row(e.payment_id),
            Event::PaymentBroadcastRecorded(e) => Keys::row(e.payment_id),
            Event::PaymentConfirmationAttempted(e) => Keys::row(e.payment_id),
            Event::PaymentConfirmed(e) => Keys::row(e.payment_id),
            Event::PaymentFailed(e) => Keys::row(e.payment_id),
            Event::PaymentExpired(e) => Keys::row(e.payment_id),
            Event::ReceiptCreated(e) => e.payment_id.map_or_else(Keys::none, Keys::row),
            Event::MembershipActivated(e) => Keys::row(e.payment_id),
            Event::MembershipRenewed(e) => Keys::row(e.payment_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Payment>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::PaymentCreated(e) => rows.insert(event, created(event, e)),
            Event::PaymentBroadcastRecorded(e) => rows.update(event, e.payment_id, |row| {
                row.tx_signature = Some(e.tx_signature);
                row.payer_wallet = e.payer_wallet.or(row.payer_wallet);
                row.wallet_source.clone_from(&e.wallet_source);
                if row.status == PaymentStatus::PendingSignature {
                    row.status = PaymentStatus::PendingConfirmation;
                }
            }),
            Event::PaymentConfirmationAttempted(e) => rows.update(event, e.payment_id, |row| {
                row.last_attempt = Some(Confirmation {
                    tx_signature: e.tx_signature,
                    trigger: e.trigger,
                    outcome: e.outcome,
                    reason: e.reason.clone(),
                    at: event.recorded_at(),
                });
            }),
            Event::PaymentConfirmed(e) => rows.update(event, e.payment_id, |row| {
                row.status = PaymentStatus::Confirmed;
                row.tx_signature = Some(e.tx_signature);
                row.payer_wallet = Some(e.payer_wallet);
                row.slot = Some(e.slot);
                row.confirmed_at = Some(e.confirmed_at);
                row.failed_at = None;
                row.failure_reason = None;
            }),
            Event::PaymentFailed(e) => rows.update(event, e.payment_id, |row| {
                row.status = PaymentStatus::Failed;
                row.tx_signature = Some(e.tx_signature);
                row.failed_at = Some(e.failed_at);
                row.failure_reason = Some(e.reason.clone());
            }),
            Event::PaymentExpired(e) => rows.update(event, e.payment_id, |row| row.status = PaymentStatus::Expired),
            Event::ReceiptCreated(e) => match e.payment_id {
                Some(payment_id) => rows.update(event, payment_id, |row| row.receipt_id = Some(e.receipt_id)),
                None => Ok(()),
            },
            Event::MembershipActivated(e) => rows.update(event, e.payment_id, |row| row.membership_id = Some(e.membership_id)),
            Event::MembershipRenewed(e) => rows.update(event, e.payment_id, |row| row.membership_id = Some(e.membership_id)),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    (row.identity_type, row.identity_value, row.identity_display) = (None, None, None);
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

/// What one look at the chain found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Confirmation {
    /// The transaction that was looked at.
    pub tx_signature: TxSignature,
    /// What made the service look.
    pub trigger: Trigger,
    /// What it found.
    pub outcome: Outcome,
    /// Why, as a stable code, unless it passed.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

words! {
    /// Where a payment stands (RT-018).
    pub enum PaymentStatus {
        /// No transaction is known.
        PendingSignature = "PENDING_SIGNATURE",
        /// A transaction was announced.
        PendingConfirmation = "PENDING_CONFIRMATION",
        /// Final.
        Confirmed = "CONFIRMED",
        /// The transaction failed or does not match.
        Failed = "FAILED",
        /// Nobody paid in time.
        Expired = "EXPIRED",
    }
}

fn created(event: &Applied<'_>, e: &PaymentCreated) -> Payment {
    Payment {
        meta: event.meta(e.payment_id, Some(e.subject_id)),
        product_id: e.product_id,
        access_product_id: e.access_product_id,
        session_id: e.session_id,
        entitlement_id: e.entitlement_id,
        status: PaymentStatus::PendingSignature,
        memo: e.memo(),
        asset_symbol: e.asset.symbol.clone(),
        asset_decimals: e.asset.decimals,
        asset_mint: e.asset.mint,
        amount: e.amount,
        merchant_amount: e.merchant_amount,
        fee_amount: e.fee_amount,
        fee_bps: e.fee_bps,
        fee_policy: e.fee_policy.clone(),
        merchant_wallet: e.merchant_wallet,
        fee_wallet: e.fee_wallet,
        payer_wallet: e.payer_wallet,
        identity_required: e.identity_required,
        identity_type: event.personal(|personal| &personal.identity_type),
        identity_value: event.personal(|personal| &personal.identity_value),
        identity_display: event.personal(|personal| &personal.identity_display),
        billing_interval_days: e.membership.as_ref().map(|terms| terms.billing_interval_days),
        grace_period_days: e.membership.as_ref().map(|terms| terms.grace_period_days),
        tx_signature: None,
        wallet_source: None,
        slot: None,
        expires_at: e.expires_at,
        confirmed_at: None,
        failed_at: None,
        failure_reason: None,
        last_attempt: None,
        membership_id: None,
        receipt_id: None,
    }
}
