//! Payments and receipts.

use super::{Asset, MembershipTerms, PriceQuote};
use crate::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::*,
    money::{FeeBps, Minor},
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A payment is asked for (TR-4). Amounts: `amount = merchant_amount + fee_amount` (INV-38). Sealed beside it: the buyer's identity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentCreated {
    pub payment_id: PaymentId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub session_id: Option<SessionId>,
    pub entitlement_id: Option<EntitlementId>,
    pub subject_id: SubjectId,
    /// 16 random bytes in hex; the memo is `HILT:` and this.
    pub nonce: String,
    pub asset: Asset,
    pub amount: Minor,
    pub merchant_amount: Minor,
    pub fee_amount: Minor,
    pub fee_bps: FeeBps,
    pub fee_policy: String,
    pub merchant_wallet: SolanaAddress,
    /// Absent when the buyer sends no fee.
    pub fee_wallet: Option<SolanaAddress>,
    /// The only wallet that may pay, when the buyer named one.
    pub payer_wallet: Option<SolanaAddress>,
    pub membership: Option<MembershipTerms>,
    /// Whether it settles only together with a verified identity session (INV-66).
    pub identity_required: bool,
    /// Its place among the payments that the product may have.
    pub place: Option<Place>,
    /// The price of the asset when the payment was asked for, where one was needed.
    pub quote: Option<PriceQuote>,
    pub expires_at: Timestamp,
    /// Who sends the fee: the amounts above say what each side ends with, this one which transfers there are.
    pub fee_source: FeeSource,
}

impl PaymentCreated {
    /// The memo that ties a transaction to this payment.
    pub fn memo(&self) -> String {
        format!("HILT:{}", self.nonce)
    }
}

/// A transaction for this payment was announced (TR-5).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentBroadcastRecorded {
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub payer_wallet: Option<SolanaAddress>,
    pub wallet_source: Option<String>,
}

/// One of the `max_payments` places of a product: claimed, so that no more than that many payments can be open or paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    pub product_id: ProductId,
    /// From 0 to `max_payments` − 1.
    pub number: u32,
}

/// Someone asked the chain about this payment (TR-6). A watcher's repeated look with the same outcome is not recorded again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentConfirmationAttempted {
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub trigger: Trigger,
    pub outcome: Outcome,
    pub reason: Option<String>,
}

/// The payment is final (TR-7).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentConfirmed {
    pub payment_id: PaymentId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub session_id: Option<SessionId>,
    pub amount: Minor,
    pub tx_signature: TxSignature,
    pub payer_wallet: SolanaAddress,
    pub slot: u64,
    /// The identity session that was used up, where one was required.
    pub identity_session_id: Option<IdentitySessionId>,
    pub confirmed_at: Timestamp,
    /// The event that permits it: `settlement.evidenced`.
    pub settlement_event: EventId,
}

/// The payment's transaction failed or does not match (TR-8).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentFailed {
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub reason: String,
    /// The place that becomes free.
    pub place: Option<Place>,
    pub failed_at: Timestamp,
}

/// Nobody paid in time (TR-9).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentExpired {
    pub payment_id: PaymentId,
    /// The place that becomes free.
    pub place: Option<Place>,
    pub expired_at: Timestamp,
}

/// The merchant owes Hilt its fee: the buyer's payment is settled and went to the merchant whole (OBJ-25, Q-18).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeeDue {
    pub payment_id: PaymentId,
    pub session_id: Option<SessionId>,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    /// Of the payment's asset, in its minor unit.
    pub amount: Minor,
    pub asset: Asset,
    pub fee_bps: FeeBps,
    pub fee_policy: String,
    pub tx_signature: TxSignature,
    /// The event that permits it: `settlement.evidenced`.
    pub settlement_event: EventId,
}
