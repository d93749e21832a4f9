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
    /// Where a member gets in.
    pub enum Platform, "platform is TELEGRAM, DISCORD or CUSTOM" {
        /// Telegram.
        Telegram = "TELEGRAM",
        /// Discord.
        Discord = "DISCORD",
        /// The merchant's own.
        Custom = "CUSTOM",
    }
    /// How a member gets in.
    pub enum AccessMode, "access_mode is INVITE_LINK" {
        /// By an invite link.
        InviteLink = "INVITE_LINK",
    }
    /// What kind of identity a buyer has (RT-014).
    pub enum IdentityType, "identity_type is TELEGRAM_USER_ID, DISCORD_USER_ID or MERCHANT_REFERENCE" {
        /// A Telegram user id.
        TelegramUserId = "TELEGRAM_USER_ID",
        /// A Discord user id.
        DiscordUserId = "DISCORD_USER_ID",
        /// The merchant's own.
        MerchantReference = "MERCHANT_REFERENCE",
    }
    /// Who issued a handoff.
    pub enum HandoffSource, "unknown handoff source" {
        /// The merchant, through the API (RT-008).
        Merchant = "merchant",
        /// Discord's OAuth flow (RT-013).
        Discord = "discord",
    }
    /// How a purchase is handed over.
    pub enum DeliveryMode, "unknown delivery mode" {
        /// The product's own URL or invite, as it stands.
        StaticValue = "static_value",
        /// An invite made for the buyer by the Telegram bot.
        TelegramBot = "telegram_bot",
        /// A role or an invite by the Discord bot.
        DiscordBot = "discord_bot",
    }
    /// What made the service attempt a delivery.
    pub enum DeliveryTrigger, "unknown delivery trigger" {
        /// The payment's settlement.
        Settlement = "settlement",
        /// The rescue schedule.
        Schedule = "schedule",
        /// The merchant.
        Manual = "manual",
    }
    /// Where the handing over of a purchase stands (OBJ-07).
    pub enum DeliveryStatus, "unknown delivery status" {
        /// There is nothing to hand over.
        NotRequired = "NOT_REQUIRED",
        /// To be tried now.
        Pending = "PENDING",
        /// Handed over.
        Sent = "SENT",
        /// It failed, and trying again would not be right.
        Failed = "FAILED",
        /// It failed and will be tried again.
        RetryScheduled = "RETRY_SCHEDULED",
        /// Every scheduled try failed: a person has to look.
        ManualReview = "MANUAL_REVIEW",
    }
    /// Where the taking back of a purchase stands, once its membership has ended.
    pub enum WithdrawalStatus, "unknown withdrawal status" {
        /// To be tried now.
        Pending = "PENDING",
        /// The member is out.
        Done = "DONE",
        /// It failed and will be tried again.
        RetryScheduled = "RETRY_SCHEDULED",
        /// A person has to take him out.
        ManualReview = "MANUAL_REVIEW",
    }
    /// Who says that a receipt's transaction happened.
    pub enum ReceiptSource, "unknown receipt source" {
        /// A settlement that Hilt verified.
        Checkout = "checkout",
        /// The merchant (RT-037).
        MerchantSubmitted = "merchant_submitted",
    }
    /// What a mail is about.
    pub enum MailKind, "unknown mail kind" {
        /// The link to a receipt's proof (RT-043).
        ReceiptProof = "receipt_proof",
        /// A membership's end is near.
        RenewalReminder = "renewal_reminder",
        /// A webhook endpoint was disabled without the merchant's wish.
        WebhookDisabled = "webhook_disabled",
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
    /// How Hilt's fee on a payment is paid.
    pub enum FeeSource, "unknown source of a fee" {
        /// The buyer sends it beside the merchant's part, in the same transaction.
        BuyerTransfer = "buyer_transfer",
        /// The buyer sends everything to the merchant, who owes the fee from the settlement on.
        MerchantReceivable = "merchant_receivable",
    }
    /// An account of the journal: whose side of a payment an amount stands on.
    pub enum Account, "account is buyer, merchant, fee or receivable" {
        /// What buyers paid; debited.
        Buyer = "buyer",
        /// What reached merchants; credited.
        Merchant = "merchant",
        /// What Hilt earned; credited.
        Fee = "fee",
        /// What merchants owe Hilt of it; debited.
        Receivable = "receivable",
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
        /// `POST /v1/x402/settle`, or the resource that a session has of its own.
        Facilitator = "facilitator",
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
        /// The ledger itself, noting what was done.
        System = "SYSTEM",
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
    /// What webhooks tell (OPS-50), and the test message.
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
        /// A test message that a merchant asked for. Nobody subscribes to it.
        Test = "webhook.test",
    }
    /// Which deliveries are to be made again.
    pub enum RedeliveryScope, "status is failed or all" {
        /// Those that failed: given up, or waiting for another attempt.
        Failed = "failed",
        /// Those that arrived too.
        All = "all",
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
        /// An agent, by its setup token.
        Agent = "agent",
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
    /// A plan that a merchant can subscribe to (MON-5).
    pub enum BillingPlan, "plan is starter, growth or scale" {
        /// Starter.
        Starter = "starter",
        /// Growth.
        Growth = "growth",
        /// Scale.
        Scale = "scale",
    }
    /// How often a subscription is paid for.
    pub enum BillingInterval, "interval is monthly or yearly" {
        /// Each month.
        Monthly = "monthly",
        /// Each year.
        Yearly = "yearly",
    }
    /// Where a subscription stands, in Stripe's words.
    pub enum SubscriptionStatus, "unknown status of a subscription" {
        /// The first payment is not made yet.
        Incomplete = "incomplete",
        /// The first payment was not made in time.
        IncompleteExpired = "incomplete_expired",
        /// Tried without payment.
        Trialing = "trialing",
        /// Paid.
        Active = "active",
        /// A payment failed and is tried again.
        PastDue = "past_due",
        /// Ended.
        Canceled = "canceled",
        /// A payment failed and is not tried again.
        Unpaid = "unpaid",
        /// A trial ended and no way to pay is known.
        Paused = "paused",
    }
    /// Where an invoice stands, in Stripe's words.
    pub enum InvoiceStatus, "unknown status of an invoice" {
        /// Not final yet.
        Draft = "draft",
        /// To be paid.
        Open = "open",
        /// Paid.
        Paid = "paid",
        /// Given up.
        Uncollectible = "uncollectible",
        /// Not to be paid after all.
        Void = "void",
    }
    /// What a statement is of.
    pub enum StatementSource, "source is solana_usdc or stripe" {
        /// A wallet on Solana.
        SolanaUsdc = "solana_usdc",
        /// Hilt's account at Stripe.
        Stripe = "stripe",
    }
    /// How a statement's file is written.
    pub enum StatementFormat, "format is csv, json, solana_rpc or stripe_csv" {
        /// Hilt's own CSV.
        Csv = "csv",
        /// Hilt's own JSON.
        Json = "json",
        /// Answers of a node to `getTransaction`.
        SolanaRpc = "solana_rpc",
        /// Stripe's export of balance transactions.
        StripeCsv = "stripe_csv",
    }
    /// What became of one transaction of a statement.
    pub enum EntryStatus, "status is matched, different, statement_only or ledger_only" {
        /// On both sides, with one amount.
        Matched = "matched",
        /// On both sides, with two amounts.
        Different = "different",
        /// On the statement alone.
        StatementOnly = "statement_only",
        /// In the log alone.
        LedgerOnly = "ledger_only",
    }
    /// Why an amount reached an account.
    pub enum MovementRole, "role is merchant, fee or invoice" {
        /// The merchant's part of a payment.
        Merchant = "merchant",
        /// Hilt's fee of it.
        Fee = "fee",
        /// A merchant paid for his subscription of Hilt.
        Invoice = "invoice",
    }
    /// A setting of the deployment that staff change while it runs (RT-089).
    pub enum SettingKey, "unknown setting" {
        /// Whether a live `solana_usdc` payout waits for two people (Q-1, DIS-10).
        SolanaUsdcTwoPersonReview = "solana_usdc_two_person_review",
        /// Whether approvals are asked for and given with operators' signatures only.
        ApprovalSignaturesRequired = "approval_signatures_required",
    }
}
