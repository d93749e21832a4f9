//! Every event there is: its type name, its schema version, the category of its stream and its payload.
//!
//! Payloads hold no personal data and no secrets: e-mail addresses, customer ids, handles, names and free text travel in
//! [`Personal`](super::personal::Personal) and are sealed; secrets appear as hashes.

mod access;
mod agent_setup;
mod approval;
mod billing;
mod buyer;
mod checkout;
mod delivery;
mod keys;
mod membership;
mod operator;
mod platform;
mod product;
mod proof;
mod provider;
mod receipt;
mod sandbox;
mod state;
mod statement;
mod support;
mod webhook;

pub use access::*;
pub use agent_setup::*;
pub use approval::*;
pub use billing::*;
pub use buyer::*;
pub use checkout::*;
pub use delivery::*;
pub use keys::*;
pub use membership::*;
pub use operator::*;
pub use platform::*;
pub use product::*;
pub use proof::*;
pub use provider::*;
pub use receipt::*;
pub use sandbox::*;
pub use state::*;
pub use statement::*;
pub use support::*;
pub use webhook::*;

use super::stream::Category;
use serde::Serialize;
use std::{collections::HashMap, sync::LazyLock};

macro_rules! vocabulary {
    ($( $variant:ident = $name:literal v $schema:literal in $category:ident ),* $(,)?) => {
        /// One fact that happened. The match over it is exhaustive everywhere, so a new event breaks the build where it must be handled.
        #[derive(Clone, PartialEq, Debug, Serialize)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant)]
        pub enum Event { $( #[doc = $name] $variant($variant) ),* }

        /// An event's type without its payload.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum EventType { $( #[doc = $name] $variant ),* }

        impl EventType {
            /// Every type.
            pub const ALL: &'static [EventType] = &[$( EventType::$variant ),*];
            /// The name stored in the log, `aggregate.past_tense`.
            pub const fn as_str(self) -> &'static str { match self { $( EventType::$variant => $name ),* } }
            /// The schema version that is written today.
            pub const fn schema_version(self) -> u16 { match self { $( EventType::$variant => $schema ),* } }
            /// The category of the streams that hold it.
            pub const fn category(self) -> Category { match self { $( EventType::$variant => Category::$category ),* } }
            /// The type of that name.
            pub fn parse(name: &str) -> Option<Self> {
                // Asked for every event that is read: a look-up instead of a hundred comparisons.
                static BY_NAME: LazyLock<HashMap<&'static str, EventType>> =
                    LazyLock::new(|| EventType::ALL.iter().map(|event_type| (event_type.as_str(), *event_type)).collect());
                BY_NAME.get(name).copied()
            }
        }

        impl Event {
            /// Its type.
            pub const fn event_type(&self) -> EventType { match self { $( Event::$variant(_) => EventType::$variant ),* } }
            /// Calls `visitor` with the payload.
            pub(crate) fn encode_with<E: PayloadEncoder>(&self, encoder: E) -> E::Output {
                match self { $( Event::$variant(payload) => encoder.encode(payload) ),* }
            }
            /// The event of `event_type` whose payload `decoder` yields.
            pub(crate) fn decode_with<D: PayloadDecoder>(event_type: EventType, decoder: D) -> Result<Event, D::Error> {
                match event_type { $( EventType::$variant => decoder.decode().map(Event::$variant) ),* }
            }
        }

        $( impl From<$variant> for Event { fn from(payload: $variant) -> Event { Event::$variant(payload) } } )*
    };
}

/// Turns a payload of any event into bytes.
pub(crate) trait PayloadEncoder {
    type Output;
    fn encode<T: Serialize>(self, payload: &T) -> Self::Output;
}
/// Turns bytes into a payload of any event.
pub(crate) trait PayloadDecoder {
    type Error;
    fn decode<T: serde::de::DeserializeOwned>(self) -> Result<T, Self::Error>;
}

vocabulary! {
    ProductCreated = "product.created" v 2 in Product,
    AccessAppCreated = "access_app.created" v 1 in AccessApp,
    AccessProductCreated = "access_product.created" v 1 in AccessProduct,
    AccessProductUpdated = "access_product.updated" v 1 in AccessProduct,
    AccessProductActivated = "access_product.activated" v 1 in AccessProduct,
    AccessProductPaused = "access_product.paused" v 1 in AccessProduct,
    AgentSetupBootstrapped = "agent_setup.bootstrapped" v 1 in AgentSetup,
    AgentSetupManifestAttached = "agent_setup.manifest_attached" v 1 in AgentSetup,
    AgentSetupApproved = "agent_setup.approved" v 1 in AgentSetup,
    AgentSetupRejected = "agent_setup.rejected" v 1 in AgentSetup,
    AgentSetupExpired = "agent_setup.expired" v 1 in AgentSetup,
    RailSettingSaved = "rail_setting.saved" v 1 in RailSetting,
    RailSettingAutoVerified = "rail_setting.auto_verified" v 1 in RailSetting,
    RailSettingReviewRequested = "rail_setting.review_requested" v 1 in RailSetting,
    PaymentCreated = "payment.created" v 3 in Payment,
    PaymentBroadcastRecorded = "payment.broadcast_recorded" v 1 in Payment,
    PaymentConfirmationAttempted = "payment.confirmation_attempted" v 1 in Payment,
    PaymentConfirmed = "payment.confirmed" v 2 in Payment,
    PaymentFailed = "payment.failed" v 2 in Payment,
    PaymentExpired = "payment.expired" v 2 in Payment,
    PaymentSessionCreated = "payment_session.created" v 1 in PaymentSession,
    PaymentRequirementAuthored = "payment_requirement.authored" v 2 in PaymentSession,
    PaymentSessionConfirmed = "payment_session.confirmed" v 1 in PaymentSession,
    PaymentSessionExpired = "payment_session.expired" v 1 in PaymentSession,
    PaymentSessionFailed = "payment_session.failed" v 1 in PaymentSession,
    EntitlementPended = "entitlement.pended" v 2 in Entitlement,
    EntitlementActivated = "entitlement.activated" v 1 in Entitlement,
    EntitlementActivationBlocked = "entitlement.activation_blocked" v 1 in Entitlement,
    EntitlementExpired = "entitlement.expired" v 1 in Entitlement,
    EntitlementRevoked = "entitlement.revoked" v 1 in Entitlement,
    EntitlementFailed = "entitlement.failed" v 1 in Entitlement,
    ProofFingerprinted = "proof.fingerprinted" v 2 in Proof,
    ProofReplayRejected = "proof.replay_rejected" v 2 in Proof,
    ProofRejected = "proof.rejected" v 1 in Proof,
    VerificationAttempted = "verification.attempted" v 1 in Proof,
    SettlementEvidenced = "settlement.evidenced" v 1 in Proof,
    ReceiptMapped = "receipt.mapped" v 1 in Proof,
    ReceiptCreated = "receipt.created" v 2 in Receipt,
    MembershipActivated = "membership.activated" v 2 in Membership,
    MembershipRenewed = "membership.renewed" v 2 in Membership,
    SandboxSessionCreated = "sandbox_session.created" v 2 in SandboxSession,
    SandboxSessionConfirmed = "sandbox_session.confirmed" v 1 in SandboxSession,
    SandboxProofRejected = "sandbox_session.proof_rejected" v 1 in SandboxSession,
    TicketOpened = "ticket.opened" v 2 in Ticket,
    TicketMessageAdded = "ticket.message_added" v 1 in Ticket,
    TicketWaitingOnMerchant = "ticket.waiting_on_merchant" v 1 in Ticket,
    TicketReopened = "ticket.reopened" v 1 in Ticket,
    WebhookEndpointCreated = "webhook_endpoint.created" v 1 in WebhookEndpoint,
    WebhookEndpointDisabled = "webhook_endpoint.disabled" v 1 in WebhookEndpoint,
    WebhookEmitted = "webhook.emitted" v 1 in WebhookDelivery,
    WebhookDeliveryAttempted = "webhook.delivery_attempted" v 2 in WebhookDelivery,
    WebhookDelivered = "webhook.delivered" v 1 in WebhookDelivery,
    WebhookRetryScheduled = "webhook.retry_scheduled" v 1 in WebhookDelivery,
    WebhookDeadLettered = "webhook.dead_lettered" v 1 in WebhookDelivery,
    ApiKeyIssued = "api_key.issued" v 2 in ApiKey,
    ApiKeyRevoked = "api_key.revoked" v 1 in ApiKey,
    LogRead = "audit.log_read" v 1 in Audit,
    SubjectErased = "subject.erased" v 2 in Subject,
    ProductUpdated = "product.updated" v 1 in Product,
    ProductArchived = "product.archived" v 1 in Product,
    WorkspaceProfileSaved = "workspace.profile_saved" v 1 in Workspace,
    EntitlementRenewed = "entitlement.renewed" v 1 in Entitlement,
    IdentitySessionStarted = "identity_session.started" v 1 in IdentitySession,
    IdentitySessionVerified = "identity_session.verified" v 1 in IdentitySession,
    IdentitySessionRejected = "identity_session.rejected" v 1 in IdentitySession,
    IdentitySessionExpired = "identity_session.expired" v 1 in IdentitySession,
    IdentitySessionConsumed = "identity_session.consumed" v 1 in IdentitySession,
    HandoffIssued = "handoff.issued" v 1 in Handoff,
    HandoffResolved = "handoff.resolved" v 1 in Handoff,
    DiscordConnectStarted = "discord_connect.started" v 1 in Handoff,
    PhantomSessionOpened = "phantom_session.opened" v 1 in PhantomSession,
    PhantomSessionConnected = "phantom_session.connected" v 1 in PhantomSession,
    PhantomMessageSigned = "phantom_session.message_signed" v 1 in PhantomSession,
    PhantomTransactionSigned = "phantom_session.transaction_signed" v 1 in PhantomSession,
    MembershipEnteredGrace = "membership.entered_grace" v 1 in Membership,
    MembershipExpired = "membership.expired" v 1 in Membership,
    MembershipGifted = "membership.gifted" v 1 in Membership,
    MembershipNotesSaved = "membership.notes_saved" v 1 in Membership,
    MembershipProfileUpdated = "membership.profile_updated" v 1 in Membership,
    MembershipRevoked = "membership.revoked" v 1 in Membership,
    MembershipRenewalReminderSent = "membership.renewal_reminder_sent" v 1 in Membership,
    SubscriptionCancelRequested = "subscription.cancel_requested" v 1 in Membership,
    SubscriptionResumed = "subscription.resumed" v 1 in Membership,
    DeliveryRequested = "delivery.requested" v 1 in Delivery,
    DeliveryAttempted = "delivery.attempted" v 1 in Delivery,
    DeliverySent = "delivery.sent" v 1 in Delivery,
    DeliveryFailed = "delivery.failed" v 1 in Delivery,
    DeliveryRescueScheduled = "delivery.rescue_scheduled" v 1 in Delivery,
    DeliveryRetryRequested = "delivery.retry_requested" v 1 in Delivery,
    DeliveryRescueExhausted = "delivery.rescue_exhausted" v 1 in Delivery,
    DeliveryManualReviewOpened = "delivery.manual_review_opened" v 1 in Delivery,
    ReceiptInvoiceMetadataSaved = "receipt.invoice_metadata_saved" v 1 in Receipt,
    ReceiptProofSent = "receipt.proof_sent" v 1 in Receipt,
    CreditsGranted = "credits.granted" v 1 in Credits,
    CreditsBurned = "credits.burned" v 1 in Credits,
    MailQueued = "mail.queued" v 1 in Mail,
    MailSent = "mail.sent" v 1 in Mail,
    MailFailed = "mail.failed" v 1 in Mail,
    TicketClosed = "ticket.closed" v 1 in Ticket,
    SandboxSessionExpired = "sandbox_session.expired" v 1 in SandboxSession,
    TestClockCreated = "test_clock.created" v 1 in TestClock,
    TestClockAdvanced = "test_clock.advanced" v 1 in TestClock,
    TestClockDeleted = "test_clock.deleted" v 1 in TestClock,
    ApiKeyRotated = "api_key.rotated" v 1 in ApiKey,
    DeliveryWithdrawalRequested = "delivery.withdrawal_requested" v 1 in Delivery,
    DeliveryWithdrawn = "delivery.withdrawn" v 1 in Delivery,
    DeliveryWithdrawalFailed = "delivery.withdrawal_failed" v 1 in Delivery,
    DeliveryWithdrawalCancelled = "delivery.withdrawal_cancelled" v 1 in Delivery,
    RailSettingVerified = "rail_setting.verified" v 1 in RailSetting,
    RailSettingRejected = "rail_setting.rejected" v 1 in RailSetting,
    FeeCollectionActivated = "fee_collection.activated" v 1 in RailSetting,
    FeeCollectionRevoked = "fee_collection.revoked" v 1 in RailSetting,
    RailCapabilityUpdated = "rail_capability.updated" v 1 in Platform,
    RailLiveApplyGateChanged = "rail_live_apply_gate.changed" v 1 in Platform,
    KillSwitchTripped = "kill_switch.tripped" v 1 in Platform,
    KillSwitchCleared = "kill_switch.cleared" v 1 in Platform,
    RuntimeSettingChanged = "runtime_setting.changed" v 1 in Platform,
    ApprovalRequested = "approval.requested" v 2 in Approval,
    ApprovalApproved = "approval.approved" v 2 in Approval,
    ApprovalRejected = "approval.rejected" v 1 in Approval,
    ApprovalApplied = "approval.applied" v 1 in Approval,
    FeeDue = "fee.due" v 1 in Fee,
    WebhookEndpointReconfigured = "webhook_endpoint.reconfigured" v 1 in WebhookEndpoint,
    WebhookEndpointSecretRotated = "webhook_endpoint.secret_rotated" v 1 in WebhookEndpoint,
    WebhookEndpointPaused = "webhook_endpoint.paused" v 1 in WebhookEndpoint,
    WebhookEndpointResumed = "webhook_endpoint.resumed" v 1 in WebhookEndpoint,
    WebhookEndpointTestRequested = "webhook_endpoint.test_requested" v 1 in WebhookEndpoint,
    WebhookEndpointRedeliveryRequested = "webhook_endpoint.redelivery_requested" v 1 in WebhookEndpoint,
    WebhookRedeliveryRequested = "webhook.redelivery_requested" v 1 in WebhookDelivery,
    ProviderWebhookReceived = "provider_webhook.received" v 1 in ProviderWebhook,
    StateAttested = "state.attested" v 1 in State,
    RecoveryCertified = "recovery.certified" v 1 in Recovery,
    MembershipEntitlementLinked = "membership.entitlement_linked" v 1 in Membership,
    TreasuryWalletChangeRecorded = "treasury_wallet_change.recorded" v 1 in Treasury,
    SandboxProofRecorded = "sandbox_session.proof_recorded" v 1 in SandboxSession,
    WorkspaceBillingCheckoutStarted = "workspace_billing.checkout_started" v 1 in WorkspaceBilling,
    WorkspaceBillingSynced = "workspace_billing.synced" v 1 in WorkspaceBilling,
    StatementImported = "statement.imported" v 1 in Statement,
    StatementEntriesRecorded = "statement.entries_recorded" v 1 in Statement,
    OperatorKeyRegistered = "operator_key.registered" v 1 in Operator,
    OperatorKeyRetired = "operator_key.retired" v 1 in Operator,
}
