//! The closed sets of words that events use.

use super::rail::words;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// What a product sells.
    pub enum ProductType, "product_type is PAYMENT_LINK or TIP_JAR" {
        /// A fixed price.
        PaymentLink = "PAYMENT_LINK",
        /// An amount that the buyer chooses.
        TipJar = "TIP_JAR",
    }
    /// How access is handed over after payment.
    pub enum DeliveryType, "delivery_type is REDIRECT, DISCORD_INVITE or TELEGRAM_INVITE" {
        /// A URL.
        Redirect = "REDIRECT",
        /// A Discord invite.
        DiscordInvite = "DISCORD_INVITE",
        /// A Telegram invite.
        TelegramInvite = "TELEGRAM_INVITE",
    }
    /// Whether an access product sells (OBJ-14).
    pub enum ProductStatus, "status is active or paused" {
        /// Sells.
        Active = "active",
        /// Does not.
        Paused = "paused",
    }
    /// The protocol around a settlement rail.
    pub enum PaymentProtocol, "payment_protocol is x402" {
        /// x402 over HTTP.
        X402 = "x402",
    }
    /// Whose part of a payment a transfer carries.
    pub enum TransferRole, "role is merchant or fee" {
        /// The merchant's part.
        Merchant = "merchant",
        /// Hilt's fee.
        Fee = "fee",
    }
    /// What made the service look at the chain; whichever comes first wins, the rest are no-ops.
    pub enum Trigger, "unknown trigger" {
        /// `POST /v1/pay/confirm`.
        Confirm = "confirm",
        /// `POST /v1/access/payment-proofs`.
        Proof = "proof",
        /// The service's own watcher.
        Watcher = "watcher",
        /// A provider's webhook.
        Provider = "provider",
    }
    /// What one look at the chain found (OBJ-22).
    pub enum Outcome, "unknown outcome" {
        /// Final, and everything matches the requirement.
        Passed = "passed",
        /// Not yet final: look again.
        Pending = "pending",
        /// Final, and it does not match: the reason says what.
        Failed = "failed",
        /// The chain could not be asked.
        Error = "error",
    }
    /// Closed set of ticket categories (COD-34).
    pub enum TicketCategory, "category is BILLING, API_ERROR, FEATURE_REQUEST, COMPLIANCE or OTHER" {
        /// Billing.
        Billing = "BILLING",
        /// API error.
        ApiError = "API_ERROR",
        /// Feature request.
        FeatureRequest = "FEATURE_REQUEST",
        /// Compliance.
        Compliance = "COMPLIANCE",
        /// Anything else.
        Other = "OTHER",
    }
    /// Who wrote a ticket message.
    pub enum AuthorType, "author_type is MERCHANT, BUYER or STAFF" {
        /// The merchant.
        Merchant = "MERCHANT",
        /// The merchant's buyer.
        Buyer = "BUYER",
        /// Hilt's staff.
        Staff = "STAFF",
    }
    /// What an API key may do (S3:92-99).
    pub enum Scope, "a permission is access:read, access:write or access:webhooks" {
        /// List rails, check entitlements, read.
        Read = "access:read",
        /// Create apps, products, sessions, proofs.
        Write = "access:write",
        /// Create webhook endpoints.
        Webhooks = "access:webhooks",
    }
    /// What webhooks tell (OPS-50).
    pub enum WebhookEvent, "a subscribed event is payment.confirmed, receipt.created, membership.activated, membership.expired or delivery.failed" {
        /// A payment is confirmed.
        PaymentConfirmed = "payment.confirmed",
        /// A receipt is signed.
        ReceiptCreated = "receipt.created",
        /// A membership is active.
        MembershipActivated = "membership.activated",
        /// A membership has ended.
        MembershipExpired = "membership.expired",
        /// Access could not be handed over.
        DeliveryFailed = "delivery.failed",
    }
    /// What one webhook attempt came to.
    pub enum AttemptOutcome, "unknown attempt outcome" {
        /// The receiver answered 2xx.
        Success = "success",
        /// Anything else.
        Failure = "failure",
    }
    /// Who did it.
    pub enum ActorKind, "unknown actor" {
        /// A buyer, or anyone without a credential.
        Public = "public",
        /// A merchant's live key.
        Key = "key",
        /// A sandbox key.
        SandboxKey = "sandbox_key",
        /// An owner's dashboard session.
        Owner = "owner",
        /// Hilt's staff.
        Staff = "staff",
        /// An auditor.
        Auditor = "auditor",
        /// The service itself: the worker's name is the id.
        System = "system",
        /// An operator at the command line.
        Operator = "operator",
    }
}
