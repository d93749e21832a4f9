//! Proofs: fingerprint, verification, settlement, receipt mapping (INV-4: in this order, each citing the one before).

use crate::vocab::{
    bytes::{Hash32, SolanaAddress, TxSignature},
    id::*,
    money::Minor,
    rail::RailId,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A proof is recorded, once (TR-33). Grants nothing by itself (INV-1).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProofFingerprinted {
    pub proof_id: ProofId,
    /// SHA-256 of the rail's canonical tuple; for Solana the network and the signature's bytes.
    pub fingerprint: Hash32,
    pub rail_id: RailId,
    pub network: String,
    /// Absent when what was signed is not a transaction that could pay.
    pub tx_signature: Option<TxSignature>,
    pub session_id: Option<SessionId>,
    pub payment_id: PaymentId,
    pub entitlement_id: Option<EntitlementId>,
    pub access_product_id: Option<AccessProductId>,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub amount: Minor,
    pub requirement_hash: Option<Hash32>,
    pub trigger: Trigger,
    /// The event that permits it: `payment_requirement.authored`, or `payment.created` at the hosted checkout.
    pub requirement_event: EventId,
    /// What ties an x402 payload to its requirement.
    pub x402: Option<X402Proof>,
}

/// An x402 payload, as far as it is kept: never the payload itself, which is as good as money until it is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct X402Proof {
    pub payment_requirements_hash: Hash32,
    /// SHA-256 of the message that the buyer signed, where there is one.
    pub message_hash: Option<Hash32>,
}

/// The same fingerprint again (INV-5).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProofReplayRejected {
    pub fingerprint: Hash32,
    pub rail_id: RailId,
    /// Absent when what was signed is not a transaction that could pay.
    pub tx_signature: Option<TxSignature>,
    pub session_id: Option<SessionId>,
    pub payment_id: Option<PaymentId>,
}

/// A proof that does not fit its requirement was not recorded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProofRejected {
    pub rail_id: RailId,
    pub session_id: Option<SessionId>,
    pub payment_id: Option<PaymentId>,
    pub reason: String,
    pub field: Option<String>,
}

/// The chain was asked (TR-34); failures are kept too (INV-6).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VerificationAttempted {
    pub proof_id: ProofId,
    pub payment_id: PaymentId,
    pub session_id: Option<SessionId>,
    pub rail_id: RailId,
    /// The proof's, so that a proof that turns out to be about another payment gives its fingerprint back.
    pub fingerprint: Hash32,
    /// 1, 2, 3 …
    pub attempt: u32,
    pub verifier: String,
    pub trigger: Trigger,
    pub outcome: Outcome,
    /// A stable code, when the outcome is not `passed`.
    pub reason: Option<String>,
    /// What the chain showed, when it showed a transaction.
    pub observed: Option<ObservedPayment>,
    /// The event that permits it: `proof.fingerprinted`.
    pub proof_event: EventId,
}

/// What the chain showed of a transaction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedPayment {
    pub slot: u64,
    /// Seconds since 1970; chains may omit it.
    pub block_time: Option<i64>,
    pub payer: Option<SolanaAddress>,
    pub memo: Option<String>,
    pub transfers: Vec<ObservedTransfer>,
}

/// One account's change of balance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ObservedTransfer {
    pub account: SolanaAddress,
    pub mint: SolanaAddress,
    pub received: Minor,
}

/// The transfer is final and matches (TR-35, INV-7).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SettlementEvidenced {
    pub proof_id: ProofId,
    pub payment_id: PaymentId,
    pub session_id: Option<SessionId>,
    pub rail_id: RailId,
    /// Unique in the whole system: one transfer maps to one receipt and one activation (DIS-35).
    pub transfer_id: String,
    pub tx_signature: TxSignature,
    pub payer: SolanaAddress,
    pub slot: u64,
    pub gross: Minor,
    pub merchant_amount: Minor,
    pub fee_amount: Minor,
    /// The event that permits it: a passed `verification.attempted`.
    pub verification_event: EventId,
}

/// The settlement is tied to its receipt (TR-36).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReceiptMapped {
    pub proof_id: ProofId,
    pub receipt_id: ReceiptId,
    pub payment_id: PaymentId,
    pub session_id: Option<SessionId>,
    pub entitlement_id: Option<EntitlementId>,
    pub rail_id: RailId,
    /// The event that permits it: `settlement.evidenced`.
    pub settlement_event: EventId,
    pub receipt_event: EventId,
}
