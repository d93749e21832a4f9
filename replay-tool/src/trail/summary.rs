//! Events in words. Shows ids, amounts and codes; personal data is sealed and never gets here.

use events::vocab::{
    bytes::TxSignature,
    event::{ActivationEvidence, Event},
};

/// What happened, in one line.
pub(super) fn of(event: &Event) -> String {
    match event {
        Event::ProductCreated(e) => format!("product {} ({}) for {} {}", e.slug, e.product_type, e.amount, e.asset.symbol),
        Event::AccessAppCreated(e) => format!("app {} on {}", e.external_app_id, e.default_rail),
        Event::AccessProductCreated(e) => format!("access product {} for {}", e.external_product_id, e.amount),
        Event::RailSettingSaved(e) => format!("{} {} settings saved, enabled: {}", e.mode, e.rail_id, e.enabled),
        Event::RailSettingAutoVerified(e) => format!("{} payout to {} verified", e.rail_id, e.payout_address),
        Event::RailSettingReviewRequested(e) => format!("{} settings wait for two people", e.rail_id),
        Event::RailSettingVerified(e) => {
            format!("{} payout to {} verified by {}, approval {}", e.rail_id, e.payout_address, e.by, e.approval_id)
        }
        Event::RailSettingRejected(e) => format!("{} settings rejected by {}: {}", e.rail_id, e.by, e.reason),
        Event::FeeCollectionActivated(e) => format!("{} fee collection active, approval {}", e.rail_id, e.approval_id),
        Event::FeeCollectionRevoked(e) => format!("{} fee collection revoked by {}: {}", e.rail_id, e.by, e.reason),
        Event::PaymentCreated(e) => {
            format!("asks {} {} = {} + {} fee, until {}", e.amount, e.asset.symbol, e.merchant_amount, e.fee_amount, e.expires_at)
        }
        Event::PaymentBroadcastRecorded(e) => format!("transaction {} announced", e.tx_signature),
        Event::PaymentConfirmationAttempted(e) => format!("{} looked: {}{}", e.trigger, e.outcome, because(e.reason.as_deref())),
        Event::PaymentConfirmed(e) => format!("{} paid by {} in slot {}", e.amount, e.payer_wallet, e.slot),
        Event::PaymentFailed(e) => format!("transaction {} does not pay it: {}", e.tx_signature, e.reason),
        Event::PaymentExpired(_) => "nobody paid in time".to_owned(),
        Event::PaymentSessionCreated(e) => format!("{} on {} for access product {}", e.amount, e.rail_id, e.access_product_id),
        Event::PaymentRequirementAuthored(e) => {
            format!("{} in {} transfers, memo {}, on {}", e.gross, e.required_transfers.len(), e.memo, e.network)
        }
        Event::PaymentSessionConfirmed(e) => format!("paid, receipt {}", e.receipt_id),
        Event::PaymentSessionExpired(_) => "nobody paid in time".to_owned(),
        Event::PaymentSessionFailed(e) => format!("failed: {}", e.reason),
        Event::EntitlementPended(e) => format!("waits for payment, then {} days of {}", e.duration_days, e.access_product_id),
        Event::EntitlementActivated(e) => format!("access from {} to {}, {}", e.active_from, e.expires_at, evidence(&e.evidence)),
        Event::EntitlementActivationBlocked(e) => format!("access refused: {}", e.reason),
        Event::EntitlementExpired(_) => "access ended with its window".to_owned(),
        Event::EntitlementRevoked(e) => format!("access taken away: {}", e.reason),
        Event::EntitlementFailed(e) => format!("closed: {}", e.reason),
        _ => of_checkout(event),
    }
}

fn of_evidence(event: &Event) -> String {
    match event {
        Event::ProofFingerprinted(e) => format!("proof of {} on {}, {}", e.amount, e.network, transaction(e.tx_signature.as_ref())),
        Event::ProofReplayRejected(e) => format!("{} was used before", transaction(e.tx_signature.as_ref())),
        Event::ProofRejected(e) => format!("proof refused: {}{}", e.reason, because(e.field.as_deref())),
        Event::VerificationAttempted(e) => {
            format!("look {} by {} ({}): {}{}", e.attempt, e.verifier, e.trigger, e.outcome, because(e.reason.as_deref()))
        }
        Event::SettlementEvidenced(e) => {
            format!("{} = {} + {} fee, final in slot {}, paid by {}", e.gross, e.merchant_amount, e.fee_amount, e.slot, e.payer)
        }
        Event::ReceiptMapped(e) => format!("settlement tied to receipt {}", e.receipt_id),
        Event::ReceiptCreated(e) => format!("receipt over {} signed by key {}, SHA-256 {}", e.amount, e.kid, e.receipt_hash),
        Event::MembershipActivated(e) => format!("membership from {} to {}", e.period_start, e.period_end),
        Event::MembershipRenewed(e) => format!("membership goes on from {} to {}", e.period_start, e.period_end),
        Event::SandboxSessionCreated(e) => format!("sandbox session on {} until {}", e.rail_id, e.expires_at),
        Event::SandboxSessionConfirmed(_) => "sandbox proof accepted".to_owned(),
        Event::SandboxProofRecorded(e) => format!("candidate proof {} on {}, which pays nothing", e.proof_id, e.rail_id),
        Event::SandboxSessionExpired(_) => "no proof came in time".to_owned(),
        Event::TestClockCreated(e) => format!("clock at {}", e.frozen_time),
        Event::TestClockAdvanced(e) => format!("clock from {} to {}", e.from, e.frozen_time),
        Event::TestClockDeleted(_) => "clock is no more".to_owned(),
        Event::SandboxProofRejected(e) => format!("sandbox proof refused: {}", e.reason),
        Event::TicketOpened(e) => format!("{} opened by {} about {}", e.public_id, e.author_type, e.category),
        Event::TicketMessageAdded(e) => format!("message by {}", e.author_type),
        Event::TicketWaitingOnMerchant(_) => "waits for the merchant".to_owned(),
        Event::TicketReopened(_) => "open again".to_owned(),
        Event::WebhookEndpointCreated(e) => format!("endpoint {} for {} kinds of event", e.endpoint_id, e.subscribed_events.len()),
        Event::WebhookEndpointDisabled(e) => format!("endpoint disabled: {}", e.reason),
        Event::WebhookEndpointReconfigured(e) => format!("endpoint now for {} kinds of event", e.subscribed_events.len()),
        Event::WebhookEndpointSecretRotated(e) => format!("a new signing secret; the one before signs until {}", e.previous_valid_until),
        Event::WebhookEndpointPaused(_) => "endpoint paused".to_owned(),
        Event::WebhookEndpointResumed(_) => "endpoint resumed".to_owned(),
        Event::WebhookEndpointTestRequested(_) => "a test message was asked for".to_owned(),
        Event::WebhookEndpointRedeliveryRequested(e) => {
            format!("deliveries from {} to {} asked for again ({})", e.since, e.until, e.scope)
        }
        Event::WebhookRedeliveryRequested(_) => "asked for again".to_owned(),
        Event::ProviderWebhookReceived(e) => {
            format!("{} told of {} transfers in block {} of chain {}", e.provider, e.candidates.len(), e.block_number, e.chain_id)
        }
        Event::WebhookEmitted(e) => format!("{} due at endpoint {}", e.event, e.endpoint_id),
        Event::WebhookDeliveryAttempted(e) => {
            let status = e.status_code.map_or("no answer".to_owned(), |code| format!("status {code}"));
            format!("attempt {}: {} ({status}{}) in {} ms", e.attempt, e.outcome, because(e.error.as_deref()), e.duration_ms)
        }
        Event::WebhookDelivered(e) => format!("delivered at attempt {}", e.attempt),
        Event::WebhookRetryScheduled(e) => format!("attempt {} failed, the next is at {}", e.attempt, e.next_attempt_at),
        Event::WebhookDeadLettered(e) => format!("given up after {} attempts: {}", e.attempts, e.reason),
        Event::ApiKeyIssued(e) => format!("key {}… issued", e.prefix),
        Event::ApiKeyRotated(e) => format!("key rotated to {}, works until {}", e.successor_id, e.works_until),
        Event::ApiKeyRevoked(e) => format!("key revoked: {}", e.reason),
        Event::LogRead(e) => format!("log read in the hour of {}", e.hour),
        Event::OperatorKeyRegistered(e) => format!("{} signs with key {}", e.operator, e.kid),
        Event::OperatorKeyRetired(e) => format!("{} signs with key {} no more: {}", e.operator, e.kid, e.reason),
        Event::SubjectErased(e) => format!("the key of {} destroyed: {}", e.subject_id, e.reason),
        other => of_merchant(other),
    }
}

/// What a buyer does around his payment, and what is handed to him.
fn of_checkout(event: &Event) -> String {
    match event {
        Event::IdentitySessionStarted(e) => format!("{} is to prove an identity by {}", e.wallet, e.expires_at),
        Event::IdentitySessionVerified(_) => "the wallet signed the message".to_owned(),
        Event::IdentitySessionRejected(e) => format!("the proof of identity is refused: {}", e.reason),
        Event::IdentitySessionExpired(_) => "nobody signed in time".to_owned(),
        Event::IdentitySessionConsumed(e) => format!("used by payment {}", e.payment_id),
        Event::HandoffIssued(e) => format!("handoff by {} until {}", e.source, e.expires_at),
        Event::HandoffResolved(_) => "handoff read by a checkout page".to_owned(),
        Event::DiscordConnectStarted(e) => format!("buyer sent to Discord until {}", e.expires_at),
        Event::PhantomSessionOpened(e) => format!("deep links for payment {}", e.payment_id),
        Event::PhantomSessionConnected(e) => format!("Phantom connected wallet {}", e.wallet),
        Event::PhantomMessageSigned(e) => format!("Phantom signed for identity session {}", e.identity_session_id),
        Event::PhantomTransactionSigned(e) => format!("Phantom signed transaction {}", e.tx_signature),
        Event::DeliveryRequested(e) => format!("{} to hand over by {}", e.delivery_type, e.mode),
        Event::DeliveryAttempted(e) => format!("delivery attempt {} by {} ({})", e.attempt, e.mode, e.trigger),
        Event::DeliverySent(e) => format!("handed over at attempt {}", e.attempt),
        Event::DeliveryFailed(e) => format!("delivery attempt {} failed: {}", e.attempt, e.reason),
        Event::DeliveryRescueScheduled(e) => format!("delivery attempt {} is due at {}", e.attempt, e.due_at),
        Event::DeliveryRetryRequested(e) => format!("delivery attempt {} asked for", e.attempt),
        Event::DeliveryRescueExhausted(e) => format!("delivery given up after {} attempts", e.attempts),
        Event::DeliveryManualReviewOpened(_) => "delivery waits for a person".to_owned(),
        Event::DeliveryWithdrawalRequested(_) => "access ended: the member is to be taken out".to_owned(),
        Event::DeliveryWithdrawn(e) if e.was_in => format!("taken out by {} at attempt {}", e.mode, e.attempt),
        Event::DeliveryWithdrawn(e) => format!("was not in ({}, attempt {})", e.mode, e.attempt),
        Event::DeliveryWithdrawalFailed(e) => format!("taking out failed at attempt {}: {}", e.attempt, e.reason),
        Event::DeliveryWithdrawalCancelled(e) => format!("the member stays: {}", e.reason),
        _ => of_evidence(event),
    }
}

/// What a merchant does with products, memberships and receipts.
fn of_merchant(event: &Event) -> String {
    match event {
        Event::ProductUpdated(e) => format!("{} fields changed", e.changes.len()),
        Event::ProductArchived(_) => "sells no more".to_owned(),
        Event::AccessProductUpdated(e) => format!("{} fields changed", e.changes.len()),
        Event::AccessProductActivated(_) => "sells".to_owned(),
        Event::AccessProductPaused(_) => "does not sell for now".to_owned(),
        Event::AgentSetupBootstrapped(e) => format!("an agent may try the sandbox until {}", e.expires_at),
        Event::AgentSetupManifestAttached(_) => "manifest attached".to_owned(),
        Event::AgentSetupApproved(e) => format!("approved for workspace {} with {} permissions", e.owner_id, e.granted_permissions.len()),
        Event::AgentSetupRejected(e) => format!("rejected by workspace {}", e.owner_id),
        Event::AgentSetupExpired(_) => "nobody approved in time".to_owned(),
        Event::WorkspaceProfileSaved(_) => "profile saved".to_owned(),
        Event::EntitlementRenewed(e) => format!("access goes on to {}", e.expires_at),
        Event::MembershipEnteredGrace(e) => format!("in grace until {}", e.grace_end),
        Event::MembershipExpired(e) => format!("ended, was paid until {}", e.period_end),
        Event::MembershipGifted(e) => format!("{} days given, until {}", e.days, e.period_end),
        Event::MembershipEntitlementLinked(e) => format!("entitlement {} rests on it until {}", e.entitlement_id, e.period_end),
        Event::MembershipNotesSaved(_) => "notes saved".to_owned(),
        Event::MembershipProfileUpdated(_) => "handle corrected".to_owned(),
        Event::MembershipRevoked(e) => format!("revoked: {}", e.reason),
        Event::MembershipRenewalReminderSent(e) => format!("reminded {} days before {}", e.offset_days, e.period_end),
        Event::SubscriptionCancelRequested(e) => format!("will not go on after {}", e.period_end),
        Event::SubscriptionResumed(_) => "will go on after all".to_owned(),
        Event::ReceiptInvoiceMetadataSaved(_) => "invoice metadata saved".to_owned(),
        Event::ReceiptProofSent(e) => format!("proof link sent in mail {}", e.mail_id),
        Event::CreditsGranted(e) => format!("{} credits for {} by plan {}", e.credits, e.period, e.plan),
        Event::CreditsBurned(e) => format!("{} credits burned for receipt {}", e.credits, e.receipt_id),
        Event::MailQueued(e) => format!("mail queued: {}", e.kind),
        Event::MailSent(e) => format!("mail taken at attempt {}", e.attempt),
        Event::MailFailed(e) => format!("mail attempt {} failed: {}", e.attempt, e.reason),
        Event::TicketClosed(_) => "closed".to_owned(),
        Event::FeeDue(e) => format!("the merchant owes {} of {} at {} basis points", e.amount, e.asset.symbol, e.fee_bps.get()),
        Event::WorkspaceBillingCheckoutStarted(e) => format!("{} {} asked for at Stripe, {}", e.interval, e.plan, e.checkout_session_id),
        Event::WorkspaceBillingSynced(e) => match &e.subscription {
            Some(subscription) => format!("Stripe says: {} is {}", subscription.subscription_id, subscription.status),
            None => "Stripe says: no subscription".to_owned(),
        },
        _ => of_platform(event),
    }
}

/// What staff say of the platform.
fn of_platform(event: &Event) -> String {
    let on = |chain: &Option<String>| chain.as_ref().map(|chain| format!(" on {chain}")).unwrap_or_default();
    match event {
        Event::RailCapabilityUpdated(e) => {
            format!("{} is {}, production: {}, sandbox: {}", e.rail_id, e.status, e.production_enabled, e.sandbox_enabled)
        }
        Event::RailLiveApplyGateChanged(e) => format!("{} live apply {}", e.rail_id, if e.open { "open" } else { "closed" }),
        Event::KillSwitchTripped(e) => format!("{}{} stopped by {}: {}", e.rail_id, on(&e.chain), e.by, e.reason),
        Event::KillSwitchCleared(e) => format!("{}{} goes on, by {}: {}", e.rail_id, on(&e.chain), e.by, e.reason),
        Event::RuntimeSettingChanged(e) => format!("{} set by {}: {}", e.key, e.by, e.reason),
        Event::ApprovalRequested(e) => format!("{} asks for approval: {}", e.by, e.reason),
        Event::ApprovalApproved(e) => format!("approved by {}", e.by),
        Event::ApprovalRejected(e) => format!("rejected by {}: {}", e.by, e.reason),
        Event::TreasuryWalletChangeRecorded(e) => format!("Hilt's {} wallet is to be {}, recorded by {}", e.rail_id, e.wallet, e.by),
        Event::ApprovalApplied(e) => format!("took effect as event {}", e.applied_event),
        Event::StateAttested(e) => format!("read models at position {} come to {}", e.at_position, e.root),
        Event::RecoveryCertified(e) => format!("recovery certified by {}, SHA-256 {}", e.operator, e.certificate_hash),
        Event::StatementImported(e) => format!(
            "statement of {} {}: {} items in {}, the log differs by {}",
            e.source,
            e.account,
            e.items,
            e.asset.code,
            e.sums.get().difference
        ),
        Event::StatementEntriesRecorded(e) => format!("{} entries of it, part {}", e.entries.len(), e.chunk),
        other => other.event_type().as_str().to_owned(),
    }
}

fn evidence(evidence: &ActivationEvidence) -> String {
    match evidence {
        ActivationEvidence::Receipt { receipt_id, .. } => format!("on receipt {receipt_id}"),
        ActivationEvidence::Sandbox { sandbox_session_id, .. } => format!("on sandbox session {sandbox_session_id}"),
        ActivationEvidence::Membership { membership_id, .. } => format!("on membership {membership_id}"),
    }
}

fn transaction(tx: Option<&TxSignature>) -> String {
    tx.map_or("something signed that is no usable transaction".to_owned(), |tx| format!("transaction {tx}"))
}

fn because(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |reason| format!(", {reason}"))
}
