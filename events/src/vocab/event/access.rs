//! Apps, products, rail settings, sessions, requirements, entitlements.

use crate::vocab::{
    bytes::{Hash32, SolanaAddress},
    id::*,
    money::{FeeBps, Minor},
    rail::{FeeCollectionMode, Mode, RailId},
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// An access app exists (TR-30).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessAppCreated {
    pub app_id: AppId,
    pub name: String,
    pub external_app_id: String,
    pub default_rail: RailId,
}

/// An access product exists, backed by a hosted product (RT-058).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessProductCreated {
    pub access_product_id: AccessProductId,
    pub product_id: ProductId,
    pub app_id: AppId,
    pub external_product_id: String,
    pub title: String,
    pub description: Option<String>,
    pub amount: Minor,
    pub merchant_wallet: SolanaAddress,
    pub entitlement_duration_days: u32,
    pub default_rail: RailId,
    /// Policy only: what is shown to buyers is derived (INV-23).
    pub allowed_rails: Vec<RailId>,
    pub status: ProductStatus,
    pub live_mode_confirmed: bool,
}

/// An access product changed (RT-059): only what changed. Its hosted product follows in the same append.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessProductUpdated {
    pub access_product_id: AccessProductId,
    pub changes: Vec<AccessProductChange>,
}

/// One field's new value.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessProductChange {
    Title(String),
    Description(Option<String>),
    Amount(Minor),
    EntitlementDurationDays(u32),
    DefaultRail(RailId),
    AllowedRails(Vec<RailId>),
}

/// An access product sells (TR-30).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessProductActivated {
    pub access_product_id: AccessProductId,
    /// The merchant's explicit word that it may take real money (INV-85).
    pub live_mode_confirmed: bool,
}

/// An access product does not sell for now (TR-30).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessProductPaused {
    pub access_product_id: AccessProductId,
}

/// A merchant's settings for a rail, whole, as saved (RT-056).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSettingSaved {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    pub mode: Mode,
    pub enabled: bool,
    /// The payout wallet, in the rail's own notation, already validated for it.
    pub payout_address: Option<String>,
    pub label: Option<String>,
    pub fee_collection: Option<FeeCollection>,
}

/// How the merchant lets Hilt collect its fee on EVM rails.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeeCollection {
    pub model: FeeCollectionMode,
    pub collector_address: Option<String>,
    pub token_contract: Option<String>,
    pub limit: Option<Minor>,
    pub allowance_tx_hash: Option<String>,
}

/// The payout passed the checks that need no second person (DIS-10).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSettingAutoVerified {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    pub payout_address: String,
}

/// The setting waits for two people.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSettingReviewRequested {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
}

/// Two members of staff have looked at the setting, and it may be used (TR-27).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSettingVerified {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    /// The payout address that was looked at.
    pub payout_address: String,
    pub approval_id: ApprovalId,
    /// The event that permits it: `approval.approved`.
    pub approval_event: EventId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// The setting was looked at and refused (TR-27). It takes no second person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RailSettingRejected {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// The merchant's allowance for the fee was seen on chain (TR-28).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeeCollectionActivated {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    /// The fields that were looked at.
    pub fee_collection: FeeCollection,
    pub approval_id: ApprovalId,
    /// The event that permits it: `approval.approved`.
    pub approval_event: EventId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// The fee can no longer be collected (TR-28).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeeCollectionRevoked {
    pub setting_id: RailSettingId,
    pub rail_id: RailId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// A live session to pay for an access product (TR-31). Sealed beside it: the customer's id, e-mail and the metadata.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentSessionCreated {
    pub session_id: SessionId,
    pub app_id: AppId,
    pub access_product_id: AccessProductId,
    pub product_id: ProductId,
    pub payment_id: PaymentId,
    pub entitlement_id: EntitlementId,
    pub subject_id: SubjectId,
    /// The wallet that identifies the customer, when the caller named one.
    pub wallet: Option<String>,
    pub rail_id: RailId,
    pub payment_protocol: Option<PaymentProtocol>,
    pub amount: Minor,
    pub expires_at: Timestamp,
}

/// What must be paid, written by Hilt before any proof (INV-15).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentRequirementAuthored {
    pub session_id: SessionId,
    /// The event that permits it: `payment_session.created`.
    pub session_event: EventId,
    pub rail_id: RailId,
    /// CAIP-2.
    pub network: String,
    pub asset: SolanaAddress,
    pub memo: String,
    pub gross: Minor,
    pub merchant_amount: Minor,
    pub fee_amount: Minor,
    pub fee_bps: FeeBps,
    /// Where the rate came from, so that replay never depends on later configuration (MON-15).
    pub fee_policy: String,
    pub required_transfers: Vec<RequiredTransfer>,
    pub expires_at: Timestamp,
    /// SHA-256 of the requirement's RFC 8785 JSON, which binds owner, products, entitlement and payment as well.
    pub requirement_hash: Hash32,
    /// What it says beyond that to x402 clients, in a session of that protocol. Sealed beside it: the protected resource.
    pub x402: Option<X402Requirement>,
}

/// The part of a requirement that only x402 has. The rest of its `accepts[0]` follows from the requirement itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct X402Requirement {
    /// Who pays the network: a key of the facilitator.
    pub fee_payer: SolanaAddress,
    pub max_timeout_seconds: u32,
    /// SHA-256 of `accepts[0]` in its RFC 8785 form, as it was first shown.
    pub payment_requirements_hash: Hash32,
}

/// One transfer of a payment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RequiredTransfer {
    pub role: TransferRole,
    /// The recipient's wallet; the tokens go to its associated token account.
    pub pay_to: SolanaAddress,
    pub amount: Minor,
}

/// The session's payment settled and its entitlement is active.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentSessionConfirmed {
    pub session_id: SessionId,
    pub payment_id: PaymentId,
    pub receipt_id: ReceiptId,
    /// The event that permits it: `entitlement.activated`.
    pub entitlement_event: EventId,
}

/// Nobody paid in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentSessionExpired {
    pub session_id: SessionId,
}

/// The payment failed on chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentSessionFailed {
    pub session_id: SessionId,
    pub reason: String,
}

/// An entitlement waits for its payment. Sealed beside it: the customer's id and e-mail.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementPended {
    pub entitlement_id: EntitlementId,
    pub access_product_id: AccessProductId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub wallet: Option<String>,
    pub rail_id: RailId,
    pub origin: EntitlementOrigin,
    pub duration_days: u32,
}

/// What an entitlement waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntitlementOrigin {
    /// A live payment session.
    Session { session_id: SessionId, payment_id: PaymentId },
    /// A sandbox session: never promotable (INV-39).
    Sandbox {
        sandbox_session_id: SandboxSessionId,
        /// The clock whose time is its time. Live origins have no place for one.
        test_clock_id: Option<TestClockId>,
    },
}

/// Access is granted, on bound evidence only (INV-2, INV-3).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementActivated {
    pub entitlement_id: EntitlementId,
    pub access_product_id: AccessProductId,
    pub evidence: ActivationEvidence,
    pub active_from: Timestamp,
    pub expires_at: Timestamp,
}

/// The evidence an activation cites.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivationEvidence {
    /// A verified, settled payment mapped to a receipt.
    Receipt {
        proof_id: ProofId,
        receipt_id: ReceiptId,
        payment_id: PaymentId,
        membership_id: Option<MembershipId>,
        receipt_mapped_event: EventId,
    },
    /// A confirmed sandbox session.
    Sandbox { sandbox_session_id: SandboxSessionId, confirmed_event: EventId },
    /// A membership that was active: staff put the entitlement in step with it (TR-41).
    Membership { membership_id: MembershipId, linked_event: EventId },
}

/// Activation was attempted and refused (INV-3).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementActivationBlocked {
    pub entitlement_id: EntitlementId,
    pub proof_id: Option<ProofId>,
    /// Which element of the tuple does not match, or that staff had closed the entitlement before it was paid: `entitlement_revoked`,
    /// `entitlement_failed`.
    pub reason: String,
}

/// The window is longer, since the membership is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementRenewed {
    pub entitlement_id: EntitlementId,
    pub access_product_id: AccessProductId,
    pub expires_at: Timestamp,
    /// The event that permits it: `membership.gifted` or `membership.renewed`.
    pub membership_event: EventId,
}

/// The window ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementExpired {
    pub entitlement_id: EntitlementId,
    pub expired_at: Timestamp,
}

/// Staff, or the merchant who revoked the membership, took access away.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementRevoked {
    pub entitlement_id: EntitlementId,
    pub reason: String,
}

/// Staff closed a pending entitlement.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EntitlementFailed {
    pub entitlement_id: EntitlementId,
    pub reason: String,
}
