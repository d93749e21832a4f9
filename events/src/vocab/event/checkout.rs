//! Products, payments, memberships, receipts.

use crate::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
    id::*,
    money::{FeeBps, Minor},
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A hosted product exists (TR-1).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProductCreated {
    pub product_id: ProductId,
    pub slug: String,
    pub product_type: ProductType,
    pub title: String,
    pub description: Option<String>,
    pub amount: Minor,
    pub asset: Asset,
    pub merchant_wallet: SolanaAddress,
    pub delivery_type: Option<DeliveryType>,
    pub membership: Option<MembershipTerms>,
    /// The access product that it backs, when it was made for one.
    pub access_product_id: Option<AccessProductId>,
}

/// What is paid with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Asset {
    pub symbol: String,
    pub decimals: u8,
    pub mint: SolanaAddress,
}

/// How a product's memberships run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MembershipTerms {
    pub billing_interval_days: u32,
    pub grace_period_days: u32,
}

/// A payment is asked for (TR-4). Amounts: `amount = merchant_amount + fee_amount` (INV-38).
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
    /// Absent when the fee is zero.
    pub fee_wallet: Option<SolanaAddress>,
    /// The only wallet that may pay, when the buyer named one.
    pub payer_wallet: Option<SolanaAddress>,
    pub membership: Option<MembershipTerms>,
    pub expires_at: Timestamp,
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
    pub failed_at: Timestamp,
}

/// Nobody paid in time (TR-9).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentExpired {
    pub payment_id: PaymentId,
    pub expired_at: Timestamp,
}

/// A signed receipt of a settled payment (TR-12).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReceiptCreated {
    pub receipt_id: ReceiptId,
    pub payment_id: PaymentId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub amount: Minor,
    pub tx_signature: TxSignature,
    pub wallet: SolanaAddress,
    /// RFC 8785 canonical JSON: the very bytes that are hashed and signed.
    pub receipt_json: String,
    pub receipt_hash: Hash32,
    pub ed25519_sig: Signature64,
    /// Which published key signed.
    pub kid: String,
    /// Version of the receipt's own form: `"1.0"`.
    pub receipt_schema: String,
    pub credits_burned: u32,
    pub created_at: Timestamp,
    /// The event that permits it: `settlement.evidenced`.
    pub settlement_event: EventId,
}

/// A membership begins (TR-14).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipActivated {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub subject_id: SubjectId,
    pub wallet: SolanaAddress,
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    /// The event that permits it: `payment.confirmed`.
    pub payment_event: EventId,
}

/// A membership goes on: the new period starts where the current one ends, if that is still ahead (TR-15, Q-23).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipRenewed {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub wallet: SolanaAddress,
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    pub payment_event: EventId,
}
