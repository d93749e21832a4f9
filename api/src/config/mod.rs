//! The service's configuration: a TOML file overlaid by `HILT_*` variables, parsed once into values that are valid.
//!
//! Every setting has one name: `HILT_LISTEN` in the environment is `listen` in the file. The environment wins.

mod settings;
mod source;

pub use settings::{SETTINGS, Setting, help};

use crate::{
    http::limits::{LimitConfig, Quota, TrustedProxies},
    secret::Secret,
    state::EntriesFor,
};
use events::{
    proof::WitnessKey,
    vocab::{
        bytes::SolanaAddress,
        money::FeeBps,
        words::{BillingInterval, BillingPlan},
    },
};
use ledger::{
    credits::{Plan, Plans},
    workspace_billing::Prices,
};
use source::Source;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};
use url::Url;
use workers::mail::Sender;

/// What a process runs (design §7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Answers HTTP.
    Api,
    /// Publishes committed events to NATS.
    Relay,
    /// Folds events into read models.
    Projections,
    /// Reacts to events with calls to the outside.
    Workers,
}

impl Role {
    /// Every role, in the order of the data's flow.
    pub const ALL: [Role; 4] = [Role::Api, Role::Relay, Role::Projections, Role::Workers];

    /// The word used in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Relay => "relay",
            Role::Projections => "projections",
            Role::Workers => "workers",
        }
    }
}

/// Where the keys that sign JWTs are published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Jwks {
    /// A file on this machine.
    File(PathBuf),
    /// A document of the issuer.
    Url(Url),
}

/// Valid configuration. The meaning of each field is that of its setting in [`SETTINGS`].
#[derive(Clone, Debug)]
pub struct Config {
    /// `HILT_LISTEN`.
    pub listen: SocketAddr,
    /// `HILT_DATA_DIR`.
    pub data_dir: PathBuf,
    /// `HILT_DATABASE_URL`: the service's role.
    pub database_url: Option<Secret<String>>,
    /// `HILT_ADMIN_DATABASE_URL`: the owner of the schema.
    pub admin_database_url: Option<Secret<String>>,
    /// `HILT_NATS_URL`.
    pub nats_url: Option<Secret<String>>,
    /// `HILT_NATS_PREFIX`.
    pub nats_prefix: String,
    /// `HILT_ROLES`; never empty.
    pub roles: BTreeSet<Role>,
    /// `HILT_SOLANA_RPC_URL`; may carry a provider's key.
    pub solana_rpc_url: Option<Secret<Url>>,
    /// `HILT_SOLANA_NETWORK`, CAIP-2.
    pub solana_network: String,
    /// `HILT_FEE_WALLET`.
    pub fee_wallet: Option<SolanaAddress>,
    /// `HILT_EVM_FEE_WALLET`.
    pub evm_fee_wallet: Option<String>,
    /// `HILT_X402_FEE_PAYER_KEY`: the seed of the wallet.
    pub x402_fee_payer: Option<Secret<[u8; 32]>>,
    /// `HILT_SOL_PRICE_URL`; may carry a provider's key.
    pub sol_price_url: Option<Secret<Url>>,
    /// `HILT_SOL_PRICE_MAX_AGE_SECONDS`.
    pub sol_price_max_age_seconds: u32,
    /// `HILT_EVM_RPC_URLS` by CAIP-2 chain; may carry a provider's key.
    pub evm_rpc_urls: BTreeMap<String, Secret<Url>>,
    /// `HILT_WEBHOOK_ALLOW_PRIVATE`.
    pub webhook_allow_private: bool,
    /// `HILT_SMTP_URL`; may carry a password.
    pub smtp_url: Option<Secret<Url>>,
    /// `HILT_MAIL_FROM`; set exactly when `smtp_url` is.
    pub mail_from: Option<Sender>,
    /// `HILT_PUBLIC_API_URL`, without a trailing slash.
    pub public_api_url: String,
    /// `HILT_PUBLIC_WEB_URL`, without a trailing slash.
    pub public_web_url: String,
    /// `HILT_PUBLIC_APP_URL`, without a trailing slash.
    pub public_app_url: String,
    /// `HILT_TELEGRAM_BOT_TOKEN`.
    pub telegram_bot_token: Option<Secret<String>>,
    /// `HILT_TELEGRAM_API_URL`.
    pub telegram_api_url: Url,
    /// `HILT_DISCORD_BOT_TOKEN`.
    pub discord_bot_token: Option<Secret<String>>,
    /// `HILT_MASTER_KEY`.
    pub master_key: Option<Secret<[u8; 32]>>,
    /// `HILT_LOG_ORIGIN`.
    pub log_origin: String,
    /// `HILT_STATE_INTERVAL_SECONDS`; `None` is off.
    pub state_interval: Option<Duration>,
    /// `HILT_LOG_WITNESSES`.
    pub log_witnesses: Vec<WitnessKey>,
    /// `HILT_LOG_ENTRIES`.
    pub log_entries: Option<EntriesFor>,
    /// `HILT_CHECKPOINT_SECONDS`.
    pub checkpoint_every: Duration,
    /// `HILT_JWT_ISSUER`.
    pub jwt_issuer: Option<String>,
    /// `HILT_JWT_JWKS_FILE` or `HILT_JWT_JWKS_URL`.
    pub jwt_jwks: Option<Jwks>,
    /// `HILT_JWT_AUDIENCE`.
    pub jwt_audience: String,
    /// `HILT_ACCESS_FEE_BPS`.
    pub access_fee: FeeBps,
    /// `HILT_WORKSPACE_FEE_BPS`.
    pub workspace_fee: FeeBps,
    /// `HILT_DISCORD_CLIENT_ID` with `HILT_DISCORD_CLIENT_SECRET`.
    pub discord_client: Option<(String, Secret<String>)>,
    /// `HILT_DISCORD_API_URL`.
    pub discord_api_url: Url,
    /// `HILT_DISCORD_AUTHORIZE_URL`.
    pub discord_authorize_url: Url,
    /// `HILT_HELIUS_WEBHOOK_SECRET`.
    pub helius_webhook_secret: Option<Secret<String>>,
    /// `HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY`.
    pub alchemy_signing_key: Option<Secret<String>>,
    /// `HILT_ALCHEMY_WEBHOOK_CHAINS`.
    pub alchemy_chains: rails::alchemy::Chains,
    /// `HILT_HOSTED_PRODUCTS`.
    pub hosted_products: bool,
    /// `HILT_TELEGRAM_BOT_USERNAME`, without `@`.
    pub telegram_bot_username: Option<String>,
    /// `HILT_LOG`: a tracing filter, checked where the subscriber is built.
    pub log_filter: String,
    /// `HILT_PLAN`, and what `HILT_PLAN_CREDITS` and `HILT_PLAN_TEMPLATES` allow each.
    pub plans: Plans,
    /// `HILT_STRIPE_SECRET_KEY`.
    pub stripe_secret_key: Option<Secret<String>>,
    /// `HILT_STRIPE_API_URL`.
    pub stripe_api_url: Url,
    /// `HILT_STRIPE_WORKSPACE_PRICES`.
    pub stripe_workspace_prices: Prices,
    /// `HILT_MAX_BODY_BYTES`.
    pub max_body_bytes: usize,
    /// `HILT_RATE_LIMIT_KEY`, `…_CHECKS`, `…_OWNER`, `…_ADDRESS`, and `HILT_TRUSTED_PROXIES`.
    pub limits: LimitConfig,
}

/// Why there is no configuration. Values are never quoted: some are secrets.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's refusal.
        why: String,
    },
    /// The file is not TOML.
    #[error("the configuration file is not valid TOML{}: {why}", line.map(|line| format!(" at line {line}")).unwrap_or_default())]
    NotToml {
        /// Where, if known; counted from 1.
        line: Option<usize>,
        /// The parser's complaint.
        why: String,
    },
    /// The file names a setting that does not exist.
    #[error("the configuration file has an unknown setting `{0}` (`hilt --help` lists the settings)")]
    UnknownKey(String),
    /// A value breaks its rule.
    #[error("{name} is not valid: {rule}")]
    Invalid {
        /// The setting's variable.
        name: &'static str,
        /// What it must be.
        rule: String,
    },
    /// Two settings exclude each other.
    #[error("{0} and {1} are both set: set one of them")]
    Both(&'static str, &'static str),
    /// Of two settings that need each other one is set.
    #[error("{0} and {1} need each other: set both or none")]
    Together(&'static str, &'static str),
}

impl Config {
    /// Reads `file`, if any, and the process's environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = file
            .map(|path| {
                std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { path: path.to_owned(), why: error.to_string() })
            })
            .transpose()?;
        // A variable that is not UTF-8 cannot be one of ours with a valid value; its rule will name it.
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Config::parse(text.as_deref(), environment)
    }

    /// Parses a file's text and an environment.
    pub fn parse(file: Option<&str>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let source = Source::new(file, environment)?;
        let (smtp_url, mail_from) = mail(&source)?;
        Ok(Config {
            smtp_url,
            mail_from,
            listen: source.required("HILT_LISTEN", "an address and a port, such as 127.0.0.1:8080", parsed)?,
            data_dir: source.required("HILT_DATA_DIR", "a path", |text| (!text.is_empty()).then(|| PathBuf::from(text)))?,
            database_url: source.optional("HILT_DATABASE_URL", POSTGRES_URL_RULE, postgres_url)?,
            admin_database_url: source.optional("HILT_ADMIN_DATABASE_URL", POSTGRES_URL_RULE, postgres_url)?,
            nats_url: source.optional("HILT_NATS_URL", "a nats:// or tls:// URL, or several separated by commas", nats_url)?,
            nats_prefix: source.required("HILT_NATS_PREFIX", "1 to 32 of a-z, 0-9, - and _", nats_prefix)?,
            roles: source.required("HILT_ROLES", "api, relay, projections and workers, separated by commas", roles)?,
            solana_rpc_url: source.optional("HILT_SOLANA_RPC_URL", "an http:// or https:// URL", secret_url)?,
            solana_network: source.required("HILT_SOLANA_NETWORK", "a CAIP-2 id, solana: and 32 base58 characters", solana_network)?,
            fee_wallet: source.optional("HILT_FEE_WALLET", "a Solana address, base58 of exactly 32 bytes", parsed)?,
            evm_fee_wallet: source.optional("HILT_EVM_FEE_WALLET", "an EVM address, 0x and 40 hexadecimal digits", |text| {
                ledger::wallet::evm(text).is_ok().then(|| text.to_owned())
            })?,
            x402_fee_payer: source.optional("HILT_X402_FEE_PAYER_KEY", "a Solana key pair, base58 of 64 bytes", solana_key_pair)?,
            sol_price_url: source.optional("HILT_SOL_PRICE_URL", "an http:// or https:// URL", secret_url)?,
            sol_price_max_age_seconds: source.required("HILT_SOL_PRICE_MAX_AGE_SECONDS", "seconds from 1 to 86400", |text| {
                parsed(text).filter(|seconds| (1..=86_400).contains(seconds))
            })?,
            evm_rpc_urls: source.required("HILT_EVM_RPC_URLS", "eip155:<chain>=<URL> pairs separated by commas", evm_rpc_urls)?,
            webhook_allow_private: source.required("HILT_WEBHOOK_ALLOW_PRIVATE", "true or false", parsed)?,
            public_api_url: source.required("HILT_PUBLIC_API_URL", "an http:// or https:// URL", public_url)?,
            public_web_url: source.required("HILT_PUBLIC_WEB_URL", "an http:// or https:// URL", public_url)?,
            public_app_url: source.required("HILT_PUBLIC_APP_URL", "an http:// or https:// URL", public_url)?,
            telegram_bot_token: source.optional("HILT_TELEGRAM_BOT_TOKEN", "a bot's id, a colon and its secret", telegram_token)?,
            telegram_api_url: source.required("HILT_TELEGRAM_API_URL", HTTP_URL_RULE, http_url)?,
            discord_bot_token: source.optional("HILT_DISCORD_BOT_TOKEN", "a bot's token, of visible ASCII characters", discord_token)?,
            master_key: source.optional("HILT_MASTER_KEY", "64 hexadecimal digits", master_key)?,
            log_origin: source.required("HILT_LOG_ORIGIN", "a name without scheme, spaces or +, such as log.example.org", log_origin)?,
            state_interval: source.required("HILT_STATE_INTERVAL_SECONDS", "seconds from 1 to 86400, or off", |text| match text {
                "off" => Some(None),
                text => parsed(text).filter(|seconds| (1..=86_400).contains(seconds)).map(|seconds| Some(Duration::from_secs(seconds))),
            })?,
            log_witnesses: source.required("HILT_LOG_WITNESSES", WITNESSES_RULE, witnesses)?,
            log_entries: source.optional("HILT_LOG_ENTRIES", "auditors or public", |text| match text {
                "auditors" => Some(EntriesFor::Auditors),
                "public" => Some(EntriesFor::Anyone),
                _ => None,
            })?,
            checkpoint_every: source.required("HILT_CHECKPOINT_SECONDS", "seconds from 1 to 86400", |text| {
                parsed(text).filter(|seconds| (1..=86_400).contains(seconds)).map(Duration::from_secs)
            })?,
            jwt_issuer: source.optional("HILT_JWT_ISSUER", "the `iss` of the tokens", word)?,
            jwt_jwks: jwks(&source)?,
            jwt_audience: source.required("HILT_JWT_AUDIENCE", "the `aud` of the tokens", word)?,
            access_fee: source.required("HILT_ACCESS_FEE_BPS", FEE_RULE, fee)?,
            workspace_fee: source.required("HILT_WORKSPACE_FEE_BPS", FEE_RULE, fee)?,
            discord_client: discord_client(&source)?,
            discord_api_url: source
                .required("HILT_DISCORD_API_URL", "an http:// or https:// URL", |text| url_of(text, &["http", "https"]))?,
            discord_authorize_url: source
                .required("HILT_DISCORD_AUTHORIZE_URL", "an http:// or https:// URL", |text| url_of(text, &["http", "https"]))?,
            helius_webhook_secret: source.optional("HILT_HELIUS_WEBHOOK_SECRET", "16 visible characters or more", shared_secret)?,
            alchemy_signing_key: source.optional(
                "HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY",
                "16 visible characters or more",
                shared_secret,
            )?,
            alchemy_chains: source.required("HILT_ALCHEMY_WEBHOOK_CHAINS", "a chain id, or webhook=chain id pairs", parsed)?,
            hosted_products: source.required("HILT_HOSTED_PRODUCTS", "on or off", on_or_off)?,
            telegram_bot_username: source.optional(
                "HILT_TELEGRAM_BOT_USERNAME",
                "a Telegram user name: 5 to 32 letters, digits and _",
                telegram_username,
            )?,
            log_filter: source.required("HILT_LOG", "a tracing filter, such as info,api=debug", word)?,
            plans: plans(&source)?,
            stripe_secret_key: source.optional("HILT_STRIPE_SECRET_KEY", "a secret key of Stripe's: sk_… or rk_…", stripe_key)?,
            stripe_api_url: source.required("HILT_STRIPE_API_URL", HTTP_URL_RULE, http_url)?,
            stripe_workspace_prices: source.required(
                "HILT_STRIPE_WORKSPACE_PRICES",
                "<plan>_<interval>=price_… pairs separated by commas, of starter, growth and scale, monthly and yearly",
                stripe_prices,
            )?,
            max_body_bytes: source.required("HILT_MAX_BODY_BYTES", "a number of bytes from 1024 to 67108864", |text| {
                parsed(text).filter(|bytes| (1024..=64 << 20).contains(bytes))
            })?,
            limits: limits(&source)?,
        })
    }

    /// Replaces `HILT_ROLES` by what the command line's `--roles` says.
    pub fn set_roles(&mut self, text: &str) -> Result<(), ConfigError> {
        let rule = "api, relay, projections and workers, separated by commas".to_owned();
        self.roles = roles(text).ok_or(ConfigError::Invalid { name: "--roles", rule })?;
        Ok(())
    }
}

const POSTGRES_URL_RULE: &str = "a postgres:// URL";
const WITNESSES_RULE: &str = "verifier keys of witnesses (name+id+key, type 04), each once, separated by commas or spaces";
const HTTP_URL_RULE: &str = "an http:// or https:// URL";
const FEE_RULE: &str = "basis points from 0 to 10000";

fn limits(source: &Source) -> Result<LimitConfig, ConfigError> {
    let quota = |name| {
        source.required(name, "requests/seconds, such as 600/60, or off", |text| match text.trim() {
            "off" => Some(None),
            text => Quota::parse(text).map(Some),
        })
    };
    Ok(LimitConfig {
        key: quota("HILT_RATE_LIMIT_KEY")?,
        checks: quota("HILT_RATE_LIMIT_CHECKS")?,
        owner: quota("HILT_RATE_LIMIT_OWNER")?,
        address: quota("HILT_RATE_LIMIT_ADDRESS")?,
        proxies: source.required("HILT_TRUSTED_PROXIES", "addresses and networks separated by commas", TrustedProxies::parse)?,
    })
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn word(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn url_of(text: &str, schemes: &[&str]) -> Option<Url> {
    Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()) && url.has_host())
}

fn postgres_url(text: &str) -> Option<Secret<String>> {
    // A Unix socket's URL has no host.
    let url = Url::parse(text).ok()?;
    ["postgres", "postgresql"].contains(&url.scheme()).then(|| Secret::new(text.to_owned()))
}

fn nats_url(text: &str) -> Option<Secret<String>> {
    let each = |url: &str| url_of(url.trim(), &["nats", "tls", "ws", "wss"]).is_some();
    text.split(',').all(each).then(|| Secret::new(text.to_owned()))
}

fn nats_prefix(text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    ((1..=32).contains(&text.len()) && text.chars().all(allowed)).then(|| text.to_owned())
}

fn roles(text: &str) -> Option<BTreeSet<Role>> {
    text.split(',').map(|word| Role::ALL.into_iter().find(|role| role.as_str() == word.trim())).collect()
}

fn secret_url(text: &str) -> Option<Secret<Url>> {
    url_of(text, &["http", "https"]).map(Secret::new)
}

fn http_url(text: &str) -> Option<Url> {
    url_of(text, &["http", "https"])
}

/// It becomes part of a URL.
fn telegram_token(text: &str) -> Option<Secret<String>> {
    let (id, secret) = text.trim().split_once(':')?;
    let of_secret = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let fits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && !secret.is_empty() && secret.chars().all(of_secret);
    fits.then(|| Secret::new(text.trim().to_owned()))
}

/// It becomes part of a header.
fn discord_token(text: &str) -> Option<Secret<String>> {
    let text = text.trim();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| Secret::new(text.to_owned()))
}

fn public_url(text: &str) -> Option<String> {
    url_of(text, &["http", "https"]).map(|_| text.trim_end_matches('/').to_owned())
}

fn solana_network(text: &str) -> Option<String> {
    let genesis = text.strip_prefix("solana:")?;
    // CAIP-2 truncates the genesis hash to 32 characters.
    (genesis.len() == 32 && bs58::decode(genesis).into_vec().is_ok()).then(|| text.to_owned())
}

fn evm_rpc_urls(text: &str) -> Option<BTreeMap<String, Secret<Url>>> {
    text.split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| {
            let (chain, url) = pair.trim().split_once('=')?;
            chain.strip_prefix("eip155:")?.parse::<u64>().ok()?;
            Some((chain.to_owned(), secret_url(url)?))
        })
        .collect()
}

fn master_key(text: &str) -> Option<Secret<[u8; 32]>> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).ok().map(|()| Secret::new(key))
}

/// As wallets export it: the private key and then the public one, which must be its own.
fn solana_key_pair(text: &str) -> Option<Secret<[u8; 32]>> {
    let mut pair = [0; 64];
    let written = bs58::decode(text.trim()).onto(&mut pair).ok()?;
    let key = ed25519_dalek::SigningKey::from_keypair_bytes(&pair).ok().filter(|_| written == pair.len())?;
    Some(Secret::new(key.to_bytes()))
}

/// C2SP signed notes put the origin on a line and in a key name, which excludes spaces and `+`.
fn log_origin(text: &str) -> Option<String> {
    let fits = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') && !text.contains("://");
    fits.then(|| text.to_owned())
}

/// A name that two keys share is a witness with two keys, which is allowed; one key twice is a mistake.
fn witnesses(text: &str) -> Option<Vec<WitnessKey>> {
    let words = text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let keys: Vec<WitnessKey> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let ids: BTreeSet<_> = keys.iter().map(|key| (key.name().to_owned(), key.id())).collect();
    (ids.len() == keys.len()).then_some(keys)
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn telegram_username(text: &str) -> Option<String> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let fits = (5..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits.then(|| name.to_owned())
}

fn fee(text: &str) -> Option<FeeBps> {
    parsed(text).and_then(FeeBps::new)
}

/// What a provider sends back verbatim in a header; short ones could be guessed.
fn shared_secret(text: &str) -> Option<Secret<String>> {
    (text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')).then(|| Secret::new(text.to_owned()))
}

fn discord_client(source: &Source) -> Result<Option<(String, Secret<String>)>, ConfigError> {
    let id = source.optional("HILT_DISCORD_CLIENT_ID", "the application's id", word)?;
    let secret = source.optional("HILT_DISCORD_CLIENT_SECRET", "the application's secret", |text| word(text).map(Secret::new))?;
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(ConfigError::Invalid { name: "HILT_DISCORD_CLIENT_SECRET", rule: "set together with HILT_DISCORD_CLIENT_ID".into() })
        }
        (None, Some(_)) => {
            Err(ConfigError::Invalid { name: "HILT_DISCORD_CLIENT_ID", rule: "set together with HILT_DISCORD_CLIENT_SECRET".into() })
        }
    }
}

/// The plans, and what they grant.
fn plans(source: &Source) -> Result<Plans, ConfigError> {
    let numbers = |text: &str| {
        let pair = |pair: &str| {
            let (name, number) = pair.trim().split_once('=')?;
            Some((word(name)?, number.parse::<u32>().ok()?))
        };
        text.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect::<Option<BTreeMap<_, _>>>()
    };
    let granted = source.required("HILT_PLAN_CREDITS", "plan=credits pairs separated by commas", numbers)?;
    let templates = source.required("HILT_PLAN_TEMPLATES", "plan=products pairs of plans that HILT_PLAN_CREDITS names", |text| {
        numbers(text).filter(|templates| templates.keys().all(|name| granted.contains_key(name)))
    })?;
    let plan = |(name, credits): (String, u32)| {
        let templates = templates.get(&name).copied();
        (name.clone(), Plan { name, credits, templates })
    };
    let all: BTreeMap<String, Plan> = granted.into_iter().map(plan).collect();
    let standard = source.required("HILT_PLAN", "a plan that HILT_PLAN_CREDITS names", |text| all.get(text).cloned())?;
    Ok(Plans { standard, all })
}

/// It becomes part of a header.
fn stripe_key(text: &str) -> Option<Secret<String>> {
    let text = text.trim();
    let known = text.starts_with("sk_") || text.starts_with("rk_");
    (known && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then(|| Secret::new(text.to_owned()))
}

/// A price stands for one plan and interval, or what a merchant pays for could not be told.
fn stripe_prices(text: &str) -> Option<Prices> {
    let mut prices: BTreeMap<(BillingPlan, BillingInterval), String> = BTreeMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, price) = pair.split_once('=')?;
        let (plan, interval) = name.trim().split_once('_')?;
        let price = price.trim();
        let fits = price.starts_with("price_") && price.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let fresh = !prices.values().any(|known| known == price);
        if !fits || !fresh || prices.insert((parsed(plan)?, parsed(interval)?), price.to_owned()).is_some() {
            return None;
        }
    }
    Some(Prices::new(prices))
}

fn jwks(source: &Source) -> Result<Option<Jwks>, ConfigError> {
    let file = source.optional("HILT_JWT_JWKS_FILE", "a path", |text| Some(Jwks::File(PathBuf::from(text))))?;
    let url = source.optional("HILT_JWT_JWKS_URL", "an https:// or http:// URL", |text| url_of(text, &["http", "https"]).map(Jwks::Url))?;
    match (file, url) {
        (Some(_), Some(_)) => Err(ConfigError::Both("HILT_JWT_JWKS_FILE", "HILT_JWT_JWKS_URL")),
        (file, url) => Ok(file.or(url)),
    }
}

fn mail(source: &Source) -> Result<(Option<Secret<Url>>, Option<Sender>), ConfigError> {
    let rule = "an smtps:// or smtp:// URL; without encryption (?tls=none) a password goes to this machine only";
    let url = source.optional("HILT_SMTP_URL", rule, smtp_url)?;
    let from = source.optional("HILT_MAIL_FROM", "an e-mail address, or a name and an address as Name <name@host>", parsed)?;
    match url.is_some() == from.is_some() {
        true => Ok((url, from)),
        false => Err(ConfigError::Together("HILT_SMTP_URL", "HILT_MAIL_FROM")),
    }
}

fn smtp_url(text: &str) -> Option<Secret<Url>> {
    let url = url_of(text, &["smtp", "smtps"])?;
    let plain = url.scheme() == "smtp" && url.query() == Some("tls=none");
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&url.host_str()?);
    let known = url.host_str().is_some_and(|host| !host.is_empty()) && (url.query().is_none() || plain);
    (known && url.fragment().is_none() && ["", "/"].contains(&url.path()) && (!plain || here || url.password().is_none()))
        .then(|| Secret::new(url))
}

#[cfg(test)]
mod tests;
