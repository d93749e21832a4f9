//! The list of settings: their names, defaults and meanings, as `hilt --help` prints them.

use std::fmt::Write as _;

/// One setting.
pub struct Setting {
    /// Its variable in the environment.
    pub variable: &'static str,
    /// Its value when it is not set; `None` is "unset".
    pub default: Option<&'static str>,
    /// What it is for, in a line.
    pub meaning: &'static str,
}

impl Setting {
    /// Its key in the file.
    pub fn key(&self) -> String {
        self.variable.trim_start_matches("HILT_").to_lowercase()
    }
}

const fn unset(variable: &'static str, meaning: &'static str) -> Setting {
    Setting { variable, default: None, meaning }
}

const fn with(variable: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { variable, default: Some(default), meaning }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    with("HILT_LISTEN", "127.0.0.1:8080", "address and port to answer HTTP on; port 0 picks a free one"),
    with("HILT_DATA_DIR", ".hilt", "directory of the embedded stack"),
    unset("HILT_DATABASE_URL", "PostgreSQL as the service's role"),
    unset("HILT_ADMIN_DATABASE_URL", "PostgreSQL as the owner of the schema, for `hilt migrate`"),
    unset("HILT_NATS_URL", "nats-server or cluster with JetStream"),
    with("HILT_NATS_PREFIX", "hilt", "prefix of subjects, streams and consumers; one a ledger"),
    with("HILT_ROLES", "api,relay,projections,workers", "what this process runs"),
    unset("HILT_SOLANA_RPC_URL", "JSON-RPC endpoint of the Solana cluster payments are verified on"),
    with("HILT_SOLANA_NETWORK", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "CAIP-2 id of that cluster"),
    unset("HILT_FEE_WALLET", "Solana wallet that receives Hilt's fee"),
    unset("HILT_EVM_FEE_WALLET", "EVM wallet that receives Hilt's fee where a buyer sends it himself; no EVM rail is released yet"),
    unset(
        "HILT_X402_FEE_PAYER_KEY",
        "Solana key pair, base58, that pays the network for x402 payments; without it the service makes one (GET /v1/x402/supported names it)",
    ),
    unset(
        "HILT_SOL_PRICE_URL",
        "price of SOL in USD, as Coinbase tells it: https://api.exchange.coinbase.com/products/SOL-USD/ticker or a URL that answers alike",
    ),
    with("HILT_SOL_PRICE_MAX_AGE_SECONDS", "60", "age in seconds beyond which a price of SOL is not used"),
    with("HILT_EVM_RPC_URLS", "", "JSON-RPC endpoints of EVM chains, as eip155:8453=https://…,eip155:1=https://…"),
    with("HILT_WEBHOOK_ALLOW_PRIVATE", "false", "whether webhooks may be delivered to private addresses"),
    unset(
        "HILT_SMTP_URL",
        "mail server: smtps://user:password@host, smtp://… with STARTTLS, or smtp://…?tls=none; without it no mail is sent",
    ),
    unset("HILT_MAIL_FROM", "who the mails are from, as Name <name@host>"),
    with("HILT_PUBLIC_API_URL", "https://api.hilt.so", "URL of this service in links and documents"),
    with("HILT_PUBLIC_WEB_URL", "https://www.hilt.so", "URL of the web site in links and documents"),
    with("HILT_PUBLIC_APP_URL", "https://app.hilt.so", "URL of the merchants' dashboard, where owners approve agents"),
    unset("HILT_TELEGRAM_BOT_TOKEN", "token of the bot that makes Telegram invites; without it products' own invites are handed over"),
    with("HILT_TELEGRAM_API_URL", "https://api.telegram.org", "Telegram Bot API, or a server of one's own that speaks it"),
    unset("HILT_DISCORD_BOT_TOKEN", "token of the bot that gives Discord roles and invites; without it products' own are handed over"),
    unset("HILT_MASTER_KEY", "64 hexadecimal digits; wraps the keys of personal data and of signatures"),
    with("HILT_LOG_ORIGIN", "hilt.local/log", "name of the log in its signed checkpoints; never changed afterwards"),
    with(
        "HILT_LOG_WITNESSES",
        "",
        "verifier keys (C2SP, type 04) of the witnesses whose signatures of checkpoints are collected, separated by commas or spaces",
    ),
    unset(
        "HILT_LOG_ENTRIES",
        "who may read the log's entries, which name the ids and times of everything: auditors (and staff) or public; `hilt dev`: public",
    ),
    with("HILT_CHECKPOINT_SECONDS", "5", "how often the log is signed, if it has grown"),
    unset("HILT_JWT_ISSUER", "issuer whose JWTs are accepted beside the service's own"),
    unset("HILT_JWT_JWKS_FILE", "file with that issuer's public keys"),
    unset("HILT_JWT_JWKS_URL", "URL of that issuer's public keys"),
    with("HILT_JWT_AUDIENCE", "hilt", "audience a JWT must name"),
    with("HILT_ACCESS_FEE_BPS", "100", "fee on access sessions of owners without a paid plan, in basis points"),
    with("HILT_WORKSPACE_FEE_BPS", "10", "fee on workspace checkouts, in basis points"),
    unset(
        "HILT_DISCORD_CLIENT_ID",
        "Discord application that tells who a buyer is; its redirect URI is <HILT_PUBLIC_API_URL>/v1/discord-connect/callback",
    ),
    unset("HILT_DISCORD_CLIENT_SECRET", "that application's secret"),
    with("HILT_DISCORD_API_URL", "https://discord.com/api/v10", "Discord's REST address"),
    with("HILT_DISCORD_AUTHORIZE_URL", "https://discord.com/oauth2/authorize", "Discord's page that asks a buyer for consent"),
    unset("HILT_HELIUS_WEBHOOK_SECRET", "what Helius sends in Authorization with its webhooks; without it they are refused"),
    unset(
        "HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY",
        "signing key of the Alchemy webhooks that tell of EVM transfers; without it they are refused",
    ),
    with(
        "HILT_ALCHEMY_WEBHOOK_CHAINS",
        "8453",
        "EVM chain of those webhooks that do not name theirs: one chain id for all, or wh_…=8453,wh_…=1 by webhook",
    ),
    with("HILT_HOSTED_PRODUCTS", "on", "whether merchants may create hosted products and buyers may pay for them: on or off"),
    unset("HILT_TELEGRAM_BOT_USERNAME", "Telegram bot that checkout pages name to buyers"),
    with("HILT_LOG", "info,async_nats=warn", "what is logged, as a tracing filter; `hilt dev` logs warnings only unless it is set"),
    with("HILT_PLAN", "sandbox", "plan of owners who have not subscribed to another, one of HILT_PLAN_CREDITS"),
    with(
        "HILT_PLAN_CREDITS",
        "sandbox=100,starter=1000,growth=10000,scale=100000",
        "credits that each plan grants for a calendar month; a receipt made by hand burns one",
    ),
    with(
        "HILT_STATE_INTERVAL_SECONDS",
        "300",
        "how often what the read models come to is put on record, if the log has grown; off for never (`hilt-replay attest` does it at once)",
    ),
    with(
        "HILT_PLAN_TEMPLATES",
        "",
        "hosted products that may sell at a time in each plan, as sandbox=3,starter=25; others are not limited",
    ),
    unset("HILT_STRIPE_SECRET_KEY", "secret key of the Stripe account at which merchants subscribe to plans; without it they cannot"),
    with("HILT_STRIPE_API_URL", "https://api.stripe.com", "Stripe's API"),
    with(
        "HILT_STRIPE_WORKSPACE_PRICES",
        "",
        "Stripe's prices of the plans of a workspace, as starter_monthly=price_…,growth_yearly=price_…",
    ),
    with("HILT_MAX_BODY_BYTES", "1048576", "largest request body"),
    with("HILT_RATE_LIMIT_KEY", "60000/60", "requests in seconds that an API key may send a process, checks left out; off for no limit"),
    with("HILT_RATE_LIMIT_CHECKS", "3000000/60", "entitlement checks of a key, likewise"),
    with("HILT_RATE_LIMIT_OWNER", "120000/60", "requests of an owner's keys and sessions together, checks left out, likewise"),
    with(
        "HILT_RATE_LIMIT_ADDRESS",
        "6000/60",
        "requests of an address where anyone may begin something, and refused credentials, likewise",
    ),
    with("HILT_TRUSTED_PROXIES", "", "addresses and networks, separated by commas, whose X-Forwarded-For is believed"),
];

/// The settings as text for `hilt --help`.
pub fn help() -> String {
    let mut text = String::from("Settings (environment; the same names in lower case without HILT_ in --config file.toml):\n");
    for Setting { variable, default, meaning } in SETTINGS {
        // Writing to a String does not fail.
        let _ = match default {
            Some(default) if !default.is_empty() => writeln!(text, "  {variable:<27} {meaning} [default: {default}]"),
            _ => writeln!(text, "  {variable:<27} {meaning}"),
        };
    }
    text
}
