//! Which read models an event changes. Exhaustive, so that a new event breaks the build until somebody has decided.

use events::vocab::event::EventType;

/// The projections that fold events of this type. Others do not even decode them, and so cannot be stopped by them.
pub fn readers(event_type: EventType) -> &'static [&'static str] {
    match event_type {
        EventType::ProductCreated | EventType::ProductUpdated | EventType::ProductArchived => &["products"],
        EventType::WorkspaceProfileSaved => &["workspaces"],
        EventType::AccessAppCreated => &["access_apps"],
        EventType::AccessProductCreated
        | EventType::AccessProductUpdated
        | EventType::AccessProductActivated
        | EventType::AccessProductPaused => &["access_products"],
        EventType::AgentSetupBootstrapped
        | EventType::AgentSetupManifestAttached
        | EventType::AgentSetupApproved
        | EventType::AgentSetupRejected
        | EventType::AgentSetupExpired => &["agent_setups"],
        EventType::RailSettingSaved
        | EventType::RailSettingAutoVerified
        | EventType::RailSettingReviewRequested
        | EventType::RailSettingVerified
        | EventType::RailSettingRejected
        | EventType::FeeCollectionActivated
        | EventType::FeeCollectionRevoked => &["rail_settings"],
        EventType::ApprovalRequested | EventType::ApprovalApproved | EventType::ApprovalRejected | EventType::ApprovalApplied => {
            &["approvals"]
        }
        // Whoever decides on a rail reads the policy's stream itself.
        EventType::RailCapabilityUpdated
        | EventType::RailLiveApplyGateChanged
        | EventType::KillSwitchTripped
        | EventType::KillSwitchCleared
        | EventType::RuntimeSettingChanged => &[],
        EventType::PaymentCreated => &["payments", "journal", "movements"],
        EventType::PaymentBroadcastRecorded
        | EventType::PaymentConfirmationAttempted
        | EventType::PaymentFailed
        | EventType::PaymentExpired => &["payments"],
        EventType::PaymentConfirmed => &["payments", "products", "access_events"],
        EventType::PaymentSessionCreated
        | EventType::PaymentRequirementAuthored
        | EventType::PaymentSessionConfirmed
        | EventType::PaymentSessionExpired
        | EventType::PaymentSessionFailed => &["payment_sessions"],
        EventType::EntitlementActivated | EventType::EntitlementExpired => &["entitlements", "access_events"],
        EventType::EntitlementPended
        | EventType::EntitlementActivationBlocked
        | EventType::EntitlementRenewed
        | EventType::EntitlementRevoked
        | EventType::EntitlementFailed => &["entitlements"],
        EventType::SettlementEvidenced => &["proofs", "payment_sessions", "journal", "movements"],
        EventType::VerificationAttempted => &["proofs", "payment_sessions", "movements"],
        EventType::ProofFingerprinted | EventType::ReceiptMapped => &["proofs", "payment_sessions"],
        EventType::ProofReplayRejected | EventType::ProofRejected => &["payment_sessions"],
        EventType::ReceiptCreated => &["receipts", "payments", "access_events", "movements"],
        EventType::MembershipActivated => &["memberships", "payments", "access_events"],
        EventType::MembershipRenewed => &["memberships", "payments"],
        EventType::TicketOpened
        | EventType::TicketMessageAdded
        | EventType::TicketWaitingOnMerchant
        | EventType::TicketReopened
        | EventType::TicketClosed => &["tickets"],
        EventType::WebhookEndpointCreated
        | EventType::WebhookEndpointReconfigured
        | EventType::WebhookEndpointSecretRotated
        | EventType::WebhookEndpointPaused
        | EventType::WebhookEndpointResumed
        | EventType::WebhookEndpointDisabled => &["webhook_endpoints"],
        EventType::WebhookEndpointTestRequested | EventType::WebhookEndpointRedeliveryRequested => &[],
        EventType::WebhookDeliveryAttempted => &["webhook_deliveries", "webhook_endpoints"],
        EventType::WebhookEmitted
        | EventType::WebhookRedeliveryRequested
        | EventType::WebhookDelivered
        | EventType::WebhookRetryScheduled
        | EventType::WebhookDeadLettered => &["webhook_deliveries"],
        EventType::IdentitySessionStarted
        | EventType::IdentitySessionVerified
        | EventType::IdentitySessionExpired
        | EventType::IdentitySessionConsumed => &["identity_sessions"],
        EventType::ApiKeyIssued | EventType::ApiKeyRotated | EventType::ApiKeyRevoked => &["api_keys"],
        EventType::SubjectErased => &[
            "payment_sessions",
            "payments",
            "entitlements",
            "memberships",
            "receipts",
            "sandbox_sessions",
            "tickets",
            "webhook_deliveries",
            "workspaces",
        ],
        EventType::SandboxSessionCreated
        | EventType::SandboxSessionConfirmed
        | EventType::SandboxProofRejected
        | EventType::SandboxSessionExpired => &["sandbox_sessions"],
        EventType::TestClockCreated | EventType::TestClockAdvanced | EventType::TestClockDeleted => &["test_clocks"],
        EventType::LogRead | EventType::ProviderWebhookReceived => &[],
        EventType::FeeDue => &["fees", "journal"],
        // They say what the others come to.
        EventType::StateAttested | EventType::RecoveryCertified => &[],
        // Whoever decides on a signature reads the operator's stream itself.
        EventType::OperatorKeyRegistered | EventType::OperatorKeyRetired => &[],
        // Staff read it in the log, and its approval in the queue.
        EventType::TreasuryWalletChangeRecorded => &[],
        // A candidate changes nothing about its session.
        EventType::SandboxProofRecorded => &[],
        EventType::IdentitySessionRejected
        | EventType::HandoffIssued
        | EventType::HandoffResolved
        | EventType::DiscordConnectStarted
        | EventType::PhantomSessionOpened
        | EventType::PhantomSessionConnected
        | EventType::PhantomMessageSigned
        | EventType::PhantomTransactionSigned => &[],
        EventType::MembershipExpired => &["memberships", "access_events"],
        EventType::MembershipEnteredGrace
        | EventType::MembershipGifted
        | EventType::MembershipEntitlementLinked
        | EventType::MembershipNotesSaved
        | EventType::MembershipProfileUpdated
        | EventType::MembershipRevoked
        | EventType::MembershipRenewalReminderSent
        | EventType::SubscriptionCancelRequested
        | EventType::SubscriptionResumed => &["memberships"],
        EventType::DeliveryFailed => &["deliveries", "access_events"],
        EventType::DeliveryRequested
        | EventType::DeliveryAttempted
        | EventType::DeliverySent
        | EventType::DeliveryRescueScheduled
        | EventType::DeliveryRetryRequested
        | EventType::DeliveryRescueExhausted
        | EventType::DeliveryManualReviewOpened
        | EventType::DeliveryWithdrawalRequested
        | EventType::DeliveryWithdrawn
        | EventType::DeliveryWithdrawalFailed
        | EventType::DeliveryWithdrawalCancelled => &["deliveries"],
        EventType::ReceiptInvoiceMetadataSaved | EventType::ReceiptProofSent => &["receipts"],
        EventType::CreditsGranted | EventType::CreditsBurned => &["credits"],
        EventType::WorkspaceBillingCheckoutStarted => &["workspace_billing"],
        EventType::WorkspaceBillingSynced => &["workspace_billing", "movements"],
        EventType::StatementImported => &["statements"],
        EventType::StatementEntriesRecorded => &["statement_entries"],
        EventType::MailQueued | EventType::MailSent | EventType::MailFailed => &["mails"],
    }
}
