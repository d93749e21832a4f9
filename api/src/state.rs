//! What handlers are given: each takes the one part it needs through `FromRef`.

use crate::http::{
    auth::Auth,
    fresh::{Fresh, OwnWrites},
    idempotency::Commands,
};
use crate::{
    routes::Health,
    services::{access_check::AccessCheck, key_uses::KeyUses},
};
use axum::extract::FromRef;
use events::{clock::Clock, log::Log, proof::Checkpointer, vault::Vault, vocab::event::Asset};
use projections::Reader;
use std::{ops::Deref, sync::Arc};

/// What routes are given. Every request clones it, so it is one pointer.
#[derive(Clone)]
pub struct State(Arc<Parts>);

/// The parts of a running service that routes use.
pub struct Parts {
    /// The log.
    pub log: Log,
    /// Keys of data subjects, and secrets.
    pub vault: Vault,
    /// The clock.
    pub clock: Clock,
    /// Credentials.
    pub auth: Auth,
    /// When keys were last used.
    pub key_uses: KeyUses,
    /// Writes.
    pub commands: Commands,
    /// Waiting for read models.
    pub fresh: Fresh,
    /// What each owner wrote through this process.
    pub own_writes: OwnWrites,
    /// The read models.
    pub reader: Reader,
    /// The entitlement check.
    pub check: AccessCheck,
    /// Signs the log's head.
    pub checkpointer: Checkpointer,
    /// What the process can tell of itself.
    pub health: Health,
    /// Handing over what was bought.
    pub handover: workers::delivery::Handover,
    /// Settlement.
    pub settler: workers::settle::Settler,
    /// The rails as they now stand.
    pub platform: workers::platform::Platform,
    /// Verifies and settles x402 payments.
    pub facilitator: workers::x402::Facilitator,
    /// What SOL is worth.
    pub prices: rails::price::PriceSource,
    /// What owners are told.
    pub feed: workers::webhooks::Feed,
    /// Looks into what providers tell of.
    pub waker: workers::settle::Waker,
    /// What the deployment's configuration says to routes.
    pub settings: Arc<Settings>,
}

impl State {
    /// These parts.
    pub fn new(parts: Parts) -> Self {
        State(Arc::new(parts))
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Lets a handler take each of these parts.
macro_rules! taken {
    ($($part:ident: $kind:ty),* $(,)?) => {
        $(impl FromRef<State> for $kind {
            fn from_ref(state: &State) -> Self {
                state.$part.clone()
            }
        })*
    };
}

taken! {
    log: Log,
    vault: Vault,
    clock: Clock,
    auth: Auth,
    key_uses: KeyUses,
    commands: Commands,
    fresh: Fresh,
    own_writes: OwnWrites,
    reader: Reader,
    check: AccessCheck,
    checkpointer: Checkpointer,
    health: Health,
    handover: workers::delivery::Handover,
    settler: workers::settle::Settler,
    platform: workers::platform::Platform,
    facilitator: workers::x402::Facilitator,
    prices: rails::price::PriceSource,
    feed: workers::webhooks::Feed,
    waker: workers::settle::Waker,
    settings: Arc<Settings>,
}

/// Who may read the entries of the log. An entry names streams, and the id of a receipt or a payment opens its public page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntriesFor {
    /// Staff and auditors.
    Auditors,
    /// Anyone: all ids are public then.
    Anyone,
}

/// Configuration that shows in answers and decisions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Origin of API URLs in answers, without a trailing slash.
    pub public_api_url: String,
    /// Origin of checkout URLs in answers, without a trailing slash.
    pub public_web_url: String,
    /// Origin of the merchants' dashboard, without a trailing slash.
    pub public_app_url: String,
    /// CAIP-2 network of Solana.
    pub solana_network: String,
    /// USDC's mint there.
    pub usdc_mint: events::vocab::bytes::SolanaAddress,
    /// Where the fee leg goes; without it no fee-bearing session can be made.
    pub fee_wallet: Option<events::vocab::bytes::SolanaAddress>,
    /// Where the fee goes on EVM chains, when a buyer sends it himself.
    pub evm_fee_wallet: Option<String>,
    /// Fee of `/v1/access` sessions.
    pub access_fee_bps: events::vocab::money::FeeBps,
    /// Fee of hosted checkouts (MON-13).
    pub workspace_fee_bps: events::vocab::money::FeeBps,
    /// Whether hosted products are offered.
    pub hosted_products: bool,
    /// The Telegram bot that checkout pages name, without `@`.
    pub telegram_bot_username: Option<String>,
    /// Whether webhooks may go to private addresses.
    pub webhook_allow_private: bool,
    /// Discord's OAuth flow, if an application is configured.
    pub discord_oauth: Option<rails::discord_oauth::DiscordOAuth>,
    /// What Helius sends with its webhooks, if it is configured.
    pub helius_webhook_secret: Option<crate::secret::Secret<String>>,
    /// Signs Alchemy's webhooks, if they are configured.
    pub alchemy_signing_key: Option<crate::secret::Secret<String>>,
    /// The chains of Alchemy's webhooks that do not name theirs.
    pub alchemy_chains: rails::alchemy::Chains,
    /// Whether the deployment sends mail.
    pub sends_mail: bool,
    /// Origin of the log's signed checkpoints.
    pub log_origin: String,
    /// Who may read the entries of the log.
    pub entries_for: EntriesFor,
    /// What owners may spend on receipts made by hand, by their plans.
    pub plans: ledger::credits::Plans,
    /// Merchants' own subscriptions at Stripe, if the deployment has an account there.
    pub billing: Option<workers::billing::Billing>,
}

impl Settings {
    /// USDC, as this deployment's network knows it.
    pub fn usdc(&self) -> Asset {
        Asset { symbol: "USDC".to_owned(), decimals: 6, mint: self.usdc_mint }
    }
    /// SOL itself, which is paid in lamports.
    pub fn sol(&self) -> Asset {
        Asset { symbol: "SOL".to_owned(), decimals: 9, mint: rails::solana::programs::NATIVE_MINT }
    }
    /// The checkout page of the product with that public name.
    pub fn checkout_url(&self, slug: &str) -> String {
        format!("{}/p/{slug}", self.public_web_url)
    }
    /// A receipt as people read it.
    pub fn receipt_page_url(&self, receipt: events::vocab::id::ReceiptId) -> String {
        format!("{}/r/{receipt}", self.public_web_url)
    }
    /// The proof that a receipt is in the log.
    pub fn proof_url(&self, receipt: events::vocab::id::ReceiptId) -> String {
        format!("{}/v1/receipt/{receipt}/proof", self.public_api_url)
    }
    /// Where anyone can check a receipt.
    pub fn verify_url(&self, receipt: events::vocab::id::ReceiptId) -> String {
        format!("{}/v1/receipt/{receipt}/verify", self.public_api_url.as_str().trim_end_matches('/'))
    }
}
