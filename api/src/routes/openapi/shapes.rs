//! Shapes of answers that are put together from several parts, as the document describes them. The end-to-end tests hold the live
//! answers against them, field by field.

#![allow(dead_code, reason = "they are read by the document's generator alone")]

use super::super::rails::{AdapterView, SessionOptions};
use utoipa::ToSchema;
use uuid::Uuid;

/// A session that was opened.
#[derive(ToSchema)]
pub struct OpenedPaymentSession {
    payment_session: OpenedSession,
    pending_entitlement: PendingEntitlement,
    /// The rail that settles it.
    rail: String,
    payment_session_options: SessionOptions,
    livemode: bool,
    /// `legacy_x402_rail` where the protocol was named as a rail.
    warnings: Option<Vec<String>>,
}

/// The session itself.
#[derive(ToSchema)]
pub struct OpenedSession {
    id: Uuid,
    /// `pending`.
    status: String,
    rail_id: String,
    #[schema(required)]
    payment_protocol: Option<String>,
    settlement_rail_id: String,
    /// The payment that settles it.
    payment_id: Uuid,
    amount_minor_units: u64,
    #[schema(format = DateTime)]
    expires_at: String,
    /// Where a buyer without a wallet integration pays.
    #[schema(required)]
    checkout_url: Option<String>,
    payment_requirement: PaymentRequirement,
    #[schema(required)]
    adapter: Option<AdapterView>,
}

/// What must be paid (RT-063): one Solana transaction with these transfers and this memo.
#[derive(ToSchema)]
pub struct PaymentRequirement {
    rail_id: String,
    /// CAIP-2.
    #[schema(example = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")]
    network: String,
    /// The token's mint.
    #[schema(example = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")]
    asset: String,
    #[schema(example = "HILT:df36a08884f6aeb3948640c2d3bd2b1a")]
    memo: String,
    payment_id: Option<Uuid>,
    gross_amount_minor_units: u64,
    merchant_amount_minor_units: u64,
    hilt_fee_minor_units: u64,
    fee_bps: u32,
    fee_policy: String,
    required_transfers: Vec<PaymentLeg>,
    #[schema(format = DateTime)]
    expires_at: String,
    /// Binds everything above.
    requirement_hash: String,
    /// `x402` where the payment is made in that protocol.
    payment_protocol: Option<String>,
    settlement_rail_id: Option<String>,
    payment_requirements_hash: Option<String>,
    /// The same as x402 says it.
    #[schema(rename = "paymentRequirements")]
    payment_requirements: Option<X402PaymentRequirements>,
    fee_collection: Option<RequirementFee>,
    x402: Option<X402Answers>,
}

/// One transfer of the transaction.
#[derive(ToSchema)]
pub struct PaymentLeg {
    role: TransferRoleWord,
    pay_to: String,
    amount_minor_units: u64,
}

/// Whom a transfer pays.
#[derive(ToSchema)]
#[schema(as = TransferRole, rename_all = "snake_case")]
pub enum TransferRoleWord {
    /// The seller.
    Merchant,
    /// The platform.
    Fee,
}

/// Requirements in the form of x402.
#[derive(ToSchema)]
pub struct X402PaymentRequirements {
    #[schema(rename = "x402Version")]
    x402_version: u32,
    /// One way to pay each.
    #[schema(value_type = Vec<Object>)]
    accepts: Vec<String>,
}

/// The fee, where the buyer does not pay it.
#[derive(ToSchema)]
pub struct RequirementFee {
    model: String,
    status: String,
    amount_minor_units: u64,
}

/// What a resource server answers a buyer who speaks x402.
#[derive(ToSchema)]
pub struct X402Answers {
    /// Our facilitator.
    facilitator_url: String,
    /// The header `PAYMENT-REQUIRED` of version 2.
    payment_required_header: String,
    /// What that header holds.
    #[schema(value_type = Object)]
    payment_required: String,
    /// The body of a 402 in version 1, where that version has a name for the network.
    #[schema(value_type = Option<Object>)]
    v1_body: Option<String>,
}

/// A session that is paid.
#[derive(ToSchema)]
pub struct PaidX402Session {
    /// `paid`.
    status: String,
    payment_session_id: Uuid,
    payment_id: Uuid,
}

/// What x402 answers whoever has not paid: version 1, or version 2 where version 1 has no name for the network.
#[derive(ToSchema)]
pub struct X402PaymentRequired {
    #[schema(rename = "x402Version")]
    x402_version: u32,
    error: String,
    #[schema(value_type = Vec<Object>)]
    accepts: Vec<String>,
}

/// Access that waits for its payment.
#[derive(ToSchema)]
pub struct PendingEntitlement {
    id: Uuid,
    /// `pending`.
    status: String,
    access_product_id: Uuid,
    product_id: Uuid,
    rail_id: String,
}

/// A proof that was recorded. It grants nothing by itself.
#[derive(ToSchema)]
pub struct RecordedProof {
    proof: ProofOnRecord,
    /// `outcome` and `reason`, where what was brought was seen at once to pay nothing.
    #[schema(required, value_type = Option<Object>)]
    verification: Option<String>,
    /// `false`.
    grants_access: bool,
    /// What must follow before there is access.
    #[schema(example = json!(["verification", "settlement", "receipt", "entitlement"]))]
    next_stages: Vec<String>,
}

/// The proof itself.
#[derive(ToSchema)]
pub struct ProofOnRecord {
    id: Uuid,
    /// Of its canonical content.
    fingerprint: String,
    /// `recorded`.
    status: String,
    rail_id: String,
    settlement_rail_id: String,
    livemode: bool,
    #[schema(required)]
    payment_session_id: Option<Uuid>,
    #[schema(required)]
    tx_signature: Option<String>,
    requirement_binding: RequirementBinding,
}

/// What the proof is bound to.
#[derive(ToSchema)]
pub struct RequirementBinding {
    #[schema(required)]
    payment_session_id: Option<Uuid>,
    #[schema(required)]
    pending_entitlement_id: Option<Uuid>,
    #[schema(required)]
    payment_protocol: Option<String>,
    settlement_rail_id: String,
    #[schema(required)]
    requirement_hash: Option<String>,
    #[schema(required)]
    payment_requirements_hash: Option<String>,
    #[schema(required)]
    resource: Option<String>,
}

/// A sandbox session that was opened.
#[derive(ToSchema)]
pub struct OpenedSandboxSession {
    sandbox_session: OpenedSandbox,
    pending_entitlement: PendingSandboxEntitlement,
    /// `false`.
    livemode: bool,
    /// `true`.
    sandbox_only: bool,
    rail: String,
    #[schema(required)]
    payment_session_adapter: Option<AdapterView>,
    /// `true` on an answer that was given before, which shows no proof.
    idempotent_replay: Option<bool>,
}

/// The session itself.
#[derive(ToSchema)]
pub struct OpenedSandbox {
    id: Uuid,
    /// `pending`.
    status: String,
    /// `hilt_pay_api_sandbox_v1`.
    proof_type: String,
    /// Shown once: null on an answer that was given before.
    #[schema(required)]
    proof: Option<String>,
    /// When the proof is too late.
    #[schema(format = DateTime)]
    expires_at: String,
    /// The test clock whose time is its time.
    #[schema(required)]
    test_clock_id: Option<Uuid>,
}

/// Access that waits for the session's confirmation.
#[derive(ToSchema)]
pub struct PendingSandboxEntitlement {
    id: Uuid,
    /// `pending`.
    status: String,
    rail_id: String,
    livemode: bool,
}

/// A sandbox session that was confirmed.
#[derive(ToSchema)]
pub struct ConfirmedSandboxSession {
    sandbox_session: ConfirmedSandbox,
    entitlement: SandboxEntitlement,
    /// `false`.
    livemode: bool,
    /// `true`.
    sandbox_only: bool,
}

/// The session itself.
#[derive(ToSchema)]
pub struct ConfirmedSandbox {
    id: Uuid,
    /// `confirmed`.
    status: String,
}

/// Access in the sandbox.
#[derive(ToSchema)]
pub struct SandboxEntitlement {
    id: Uuid,
    /// `active`.
    status: String,
    access_product_id: Uuid,
    product_id: Uuid,
    rail_id: String,
    #[schema(format = DateTime)]
    active_from: String,
    #[schema(format = DateTime)]
    expires_at: String,
    livemode: bool,
    sandbox_only: bool,
}

/// A payment that is confirmed, with what was bought.
#[derive(ToSchema)]
pub struct ConfirmedPayment {
    /// `confirmed`.
    status: String,
    payment_id: Uuid,
    tx_signature: String,
    /// The same as `amount_minor_units`.
    amount_lamports: u64,
    amount_minor_units: u64,
    #[schema(required)]
    delivery_type: Option<String>,
    /// The way in.
    #[schema(required)]
    delivery_value: Option<String>,
    delivery_status: String,
    #[schema(required)]
    membership_id: Option<Uuid>,
    #[schema(required)]
    membership_status: Option<String>,
    #[schema(required, format = DateTime)]
    membership_period_end_at: Option<String>,
    #[schema(required)]
    receipt_id: Option<Uuid>,
    #[schema(required)]
    entitlement_id: Option<Uuid>,
}

/// A look at the chain.
#[derive(ToSchema)]
pub struct VerificationAttempt {
    event_id: Uuid,
    /// 1, 2, 3 …
    attempt: u32,
    /// Who looked.
    verifier: String,
    /// What made him.
    trigger: String,
    /// What he found.
    outcome: String,
    /// A stable code, unless it passed.
    #[schema(required)]
    reason: Option<String>,
    #[schema(required, value_type = Option<Object>)]
    observed: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}

/// A proof that was refused.
#[derive(ToSchema)]
pub struct RefusedProof {
    event_id: Uuid,
    /// A stable code.
    reason: String,
    /// What does not match.
    #[schema(required)]
    field: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}
