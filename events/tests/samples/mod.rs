//! One event of every type, the same in every run.

mod access;
mod buyer;
mod checkout;
mod merchant;
mod others;
mod platform;

use events::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress, TxSignature},
    event::{Asset, Event, EventType, MembershipTerms, PriceQuote},
    money::Minor,
    time::Timestamp,
};
use uuid::Uuid;

/// The sample of a type. The match has no wildcard: a new type breaks the build until it has one.
pub fn sample(event_type: EventType) -> Event {
    use EventType as T;
    match event_type {
        T::AccessAppCreated
        | T::AccessProductCreated
        | T::AccessProductUpdated
        | T::AccessProductActivated
        | T::AccessProductPaused
        | T::AgentSetupBootstrapped
        | T::AgentSetupManifestAttached
        | T::AgentSetupApproved
        | T::AgentSetupRejected
        | T::AgentSetupExpired
        | T::RailSettingSaved
        | T::RailSettingAutoVerified
        | T::RailSettingReviewRequested
        | T::PaymentSessionCreated
        | T::PaymentRequirementAuthored
        | T::PaymentSessionConfirmed
        | T::PaymentSessionExpired
        | T::PaymentSessionFailed
        | T::EntitlementPended
        | T::EntitlementActivated
        | T::EntitlementActivationBlocked
        | T::EntitlementExpired
        | T::EntitlementRevoked
        | T::EntitlementFailed
        | T::EntitlementRenewed
        | T::SandboxSessionCreated
        | T::SandboxSessionConfirmed
        | T::SandboxSessionExpired
        | T::SandboxProofRecorded
        | T::TestClockCreated
        | T::TestClockAdvanced
        | T::TestClockDeleted
        | T::SandboxProofRejected => access::sample(event_type),
        T::RailSettingVerified
        | T::RailSettingRejected
        | T::FeeCollectionActivated
        | T::FeeCollectionRevoked
        | T::RailCapabilityUpdated
        | T::RailLiveApplyGateChanged
        | T::KillSwitchTripped
        | T::KillSwitchCleared
        | T::RuntimeSettingChanged
        | T::WorkspaceBillingCheckoutStarted
        | T::WorkspaceBillingSynced
        | T::OperatorKeyRegistered
        | T::OperatorKeyRetired
        | T::ApprovalRequested
        | T::ApprovalApproved
        | T::ApprovalRejected
        | T::ApprovalApplied
        | T::TreasuryWalletChangeRecorded => platform::sample(event_type),
        T::PaymentCreated
        | T::PaymentBroadcastRecorded
        | T::PaymentConfirmationAttempted
        | T::PaymentConfirmed
        | T::PaymentFailed
        | T::PaymentExpired
        | T::ReceiptCreated
        | T::ReceiptInvoiceMetadataSaved
        | T::ReceiptProofSent
        | T::CreditsGranted
        | T::CreditsBurned
        | T::FeeDue => checkout::sample(event_type),
        T::ProductCreated
        | T::ProductUpdated
        | T::ProductArchived
        | T::WorkspaceProfileSaved
        | T::MembershipActivated
        | T::MembershipRenewed
        | T::MembershipEnteredGrace
        | T::MembershipExpired
        | T::MembershipGifted
        | T::MembershipNotesSaved
        | T::MembershipProfileUpdated
        | T::MembershipRevoked
        | T::MembershipRenewalReminderSent
        | T::SubscriptionCancelRequested
        | T::SubscriptionResumed
        | T::MembershipEntitlementLinked => merchant::sample(event_type),
        T::IdentitySessionStarted
        | T::IdentitySessionVerified
        | T::IdentitySessionRejected
        | T::IdentitySessionExpired
        | T::IdentitySessionConsumed
        | T::HandoffIssued
        | T::HandoffResolved
        | T::DiscordConnectStarted
        | T::PhantomSessionOpened
        | T::PhantomSessionConnected
        | T::PhantomMessageSigned
        | T::PhantomTransactionSigned
        | T::DeliveryRequested
        | T::DeliveryAttempted
        | T::DeliverySent
        | T::DeliveryFailed
        | T::DeliveryRescueScheduled
        | T::DeliveryRetryRequested
        | T::DeliveryRescueExhausted
        | T::DeliveryManualReviewOpened
        | T::DeliveryWithdrawalRequested
        | T::DeliveryWithdrawn
        | T::DeliveryWithdrawalFailed
        | T::DeliveryWithdrawalCancelled
        | T::MailQueued
        | T::MailSent
        | T::MailFailed => buyer::sample(event_type),
        T::ProofFingerprinted
        | T::ProofReplayRejected
        | T::ProofRejected
        | T::VerificationAttempted
        | T::SettlementEvidenced
        | T::ReceiptMapped
        | T::TicketOpened
        | T::TicketMessageAdded
        | T::TicketWaitingOnMerchant
        | T::TicketReopened
        | T::TicketClosed
        | T::WebhookEndpointCreated
        | T::WebhookEndpointDisabled
        | T::WebhookEmitted
        | T::WebhookDeliveryAttempted
        | T::WebhookDelivered
        | T::WebhookRetryScheduled
        | T::WebhookDeadLettered
        | T::WebhookEndpointReconfigured
        | T::WebhookEndpointSecretRotated
        | T::WebhookEndpointPaused
        | T::WebhookEndpointResumed
        | T::WebhookEndpointTestRequested
        | T::WebhookEndpointRedeliveryRequested
        | T::WebhookRedeliveryRequested
        | T::ProviderWebhookReceived
        | T::ApiKeyIssued
        | T::ApiKeyRotated
        | T::ApiKeyRevoked
        | T::LogRead
        | T::StateAttested
        | T::RecoveryCertified
        | T::StatementImported
        | T::StatementEntriesRecorded
        | T::SubjectErased => others::sample(event_type),
    }
}

pub fn id<T: From<Uuid>>(n: u8) -> T {
    Uuid::from_bytes([n; 16]).into()
}
fn minor(units: u64) -> Minor {
    Minor::new(units).unwrap()
}
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_780_000_000_000_000 + seconds * 1_000_000 + 123_456)
}
fn hash(n: u8) -> Hash32 {
    Hash32([n; 32])
}
fn address(n: u8) -> SolanaAddress {
    SolanaAddress([n; 32])
}
fn tx(n: u8) -> TxSignature {
    TxSignature([n; 64])
}
fn signature(n: u8) -> Signature64 {
    Signature64([n; 64])
}
fn quote() -> PriceQuote {
    PriceQuote { usd_micros_per_unit: 142_310_000, source: "coinbase".into(), observed_at: at(-5) }
}
fn usdc() -> Asset {
    Asset { symbol: "USDC".into(), decimals: 6, mint: address(0xee) }
}
fn terms() -> MembershipTerms {
    MembershipTerms { billing_interval_days: 30, grace_period_days: 3, renewal_reminder_offsets_days: vec![7, 2, 1] }
}
