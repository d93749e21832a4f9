//! A running service: built from its parts, run until it is told to stop. Tests build it the same way, on port 0.

use crate::{
    config::{Config, Jwks, Role},
    http::{
        auth::Auth,
        fresh::{Fresh, OwnWrites},
        guard::Guard,
        idempotency::Commands,
        jwt::{NotAccepted, Verifier},
        keyring::Keyring,
        limits::Limits,
        permissions::Permissions,
    },
    routes::{self, Health},
    services::{access_check::AccessCheck, key_uses::KeyUses},
    state::{EntriesFor, Parts as Taken, Settings, State},
};
use axum::Router;
use events::{
    clock::Clock,
    leader::Leases,
    log::{Log, LogOptions, ReadError},
    proof::Checkpointer,
    relay::{self, Relay, StreamConfig},
    vault::{KeyPurpose, MasterKey, Signer, Vault, VaultError},
};
use ledger::rails::Rails;
use projections::{
    Reader,
    access_index::AccessIndex,
    runner::{Deps, Projections},
};
use rails::{
    discord_oauth::{Application, DiscordOAuth},
    price::{PriceConfig, PriceSource},
    solana::{
        Network,
        programs::USDC_MINT,
        rpc::{Rpc, RpcConfig},
    },
};
use sqlx::postgres::PgPoolOptions;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use workers::{
    Workers,
    billing::{Billing, BillingSync},
    delivery::{Discord, Handover, Telegram},
    mail::{Mailer, Smtp},
    memberships::Reminders,
    platform::Platform,
    settle::{Chain, Settler, Waker},
    webhooks::{Feed, WebhookConfig, address::Targets},
    x402::Facilitator,
};

/// Connections for what requests ask. The writer, the leader and the access index have their own beside them.
const CONNECTIONS: u32 = 16;
/// Connections for read models and workers: what they read of the log and write while they catch up keeps no request waiting. Keys of
/// persons, and what a worker's commands read, still come by the requests' own.
const BACKGROUND_CONNECTIONS: u32 = 10;

/// How long a request waits for SOL's price before it is told that there is none.
const PRICE_TIMEOUT: Duration = Duration::from_secs(3);

/// What a service is built from.
pub struct Parts {
    /// Its configuration.
    pub config: Config,
    /// The database, as the service's role.
    pub database_url: String,
    /// The nats-server.
    pub nats_url: Option<String>,
    /// The key that wraps every other key.
    pub master_key: [u8; 32],
    /// The rails; binaries pass [`Rails::standard`], and only tests another.
    pub rails: Rails,
    /// The clock; tests move it.
    pub clock: Clock,
    /// Whether the node must be of the configured network. Development on a local chain leaves it open.
    pub check_network: bool,
}

/// Why a service does not start; each a sentence for an operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database did not answer.
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    /// The log cannot be opened.
    #[error("the log cannot be opened: is the database migrated (hilt migrate)?")]
    Log(#[source] ReadError),
    /// A key cannot be used.
    #[error("a key cannot be used: is HILT_MASTER_KEY the one that this database was made with?")]
    Vault(#[from] VaultError),
    /// NATS did not answer.
    #[error("NATS cannot be reached")]
    Nats(#[from] async_nats::ConnectError),
    /// An HTTP client cannot be made.
    #[error("no HTTP client can be made")]
    Http(#[from] reqwest::Error),
    /// The issuer's keys cannot be used.
    #[error("the token issuer's keys cannot be used: {0}")]
    Issuer(String),
    /// A setting is missing.
    #[error("{0}")]
    Setting(String),
}

impl From<NotAccepted> for StartError {
    fn from(error: NotAccepted) -> Self {
        StartError::Issuer(error.to_string())
    }
}

/// A service, ready to serve.
pub struct App {
    /// What its routes use.
    pub state: State,
    /// Its read models.
    pub projections: Projections,
    /// What it needs to read the log.
    pub deps: Deps,
    router: Router,
    tasks: TaskTracker,
    workers: Option<Workers>,
    stop: CancellationToken,
}

/// Builds a service and starts its background roles.
pub async fn build(parts: Parts) -> Result<App, StartError> {
    install_tls();
    let config = &parts.config;
    let connections = |most| PgPoolOptions::new().max_connections(most).acquire_timeout(Duration::from_secs(10));
    let pool = connections(CONNECTIONS).connect(&parts.database_url).await?;
    let background = connections(BACKGROUND_CONNECTIONS).connect_lazy(&parts.database_url)?;
    let vault = Vault::new(pool.clone(), MasterKey::from_bytes(parts.master_key), parts.clock.clone());
    let log = Log::open(pool.clone(), vault.clone(), parts.clock.clone(), LogOptions::default()).await.map_err(StartError::Log)?;
    let nats = match &parts.nats_url {
        Some(url) => Some(events::nats::connect_with(url, async_nats::ConnectOptions::new().retry_on_initial_connect()).await?),
        None => None,
    };
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let deps = Deps {
        leases: Leases::new(background.clone()),
        pool: background.clone(),
        log: log.clone(),
        vault: vault.clone(),
        nats: nats.clone(),
        stream: StreamConfig { prefix: config.nats_prefix.clone(), ..StreamConfig::default() },
    };
    let relay = nats
        .filter(|_| config.roles.contains(&Role::Relay))
        .map(|client| Relay::new(background, log.clone(), client, deps.leases.clone(), deps.stream.clone()));
    if let Some(relay) = &relay {
        tasks.spawn(relay::run(relay.clone(), stop.clone()));
    }
    let projections = Projections::new(deps.clone());
    if config.roles.contains(&Role::Projections) {
        projections.run(stop.clone());
    }
    let platform = Platform::new(log.clone(), parts.rails.clone());
    let handover = handover(&parts, &log, &vault)?;
    let reader = Reader::new(pool.clone());
    let settler = Settler::new(log.clone(), vault.clone(), parts.clock.clone(), reader, chain(&parts)?, handover.clone(), platform.clone());
    let checkpointer = Checkpointer::new(log.clone(), &config.log_origin).with_witnesses(config.log_witnesses.clone());
    let billing = billing(&parts)?;
    let workers = match config.roles.contains(&Role::Workers) {
        true => Some(start_workers(&parts, &deps, &projections, &platform, &settler, &handover, billing.as_ref(), &checkpointer, &stop)?),
        false => None,
    };
    let own_writes = OwnWrites::default();
    tasks.spawn(routes::keep_metrics(stop.clone()));
    let index = AccessIndex::default();
    if config.roles.contains(&Role::Api) {
        tasks.spawn(index.clone().run(log.clone(), stop.clone()));
    }
    let facilitator = facilitator(&parts, &log, &vault, &settler).await?;
    let health = Health::new(pool.clone(), projections.clone(), relay.clone(), workers.as_ref().map(Workers::watch), settler.clone())
        .sending_mail(config.smtp_url.is_some())
        .with_index(index.clone());
    let limits = Arc::new(Limits::new(config.limits.clone()));
    let key_uses = KeyUses::new(pool.clone());
    tasks.spawn(key_uses.clone().run(stop.clone()));
    let keyring = Keyring::new(log.clone(), parts.clock.clone(), key_uses.clone(), limits.clone());
    let fresh = Fresh::new(projections.clone(), own_writes.clone());
    let reader = Reader::new(pool.clone());
    let check = AccessCheck::new(index, log.clone(), vault.clone(), parts.clock.clone(), reader, fresh.clone(), own_writes.clone());
    let state = State::new(Taken {
        auth: Auth::new(keyring, verifier(config, &vault).await?),
        key_uses,
        commands: Commands::new(log.clone(), vault.clone(), own_writes.clone()),
        fresh,
        check,
        feed: Feed::new(log.clone(), vault.clone(), platform.clone(), Reader::new(pool.clone())),
        reader: Reader::new(pool),
        platform,
        prices: prices(config)?,
        settings: Arc::new(settings(config, billing)?),
        clock: parts.clock.clone(),
        log,
        vault,
        own_writes,
        waker: Waker::new(settler.clone(), tasks.clone(), stop.clone()),
        handover,
        facilitator,
        settler,
        checkpointer,
        health,
    });
    let permissions = match state.settings.entries_for {
        EntriesFor::Auditors => Permissions::new(),
        EntriesFor::Anyone => Permissions::new().publishing_entries(),
    };
    let guard = Guard::new(state.auth.clone(), limits, permissions, parts.clock.clone());
    Ok(App { router: routes::router(state.clone(), guard, config.max_body_bytes), state, projections, deps, tasks, workers, stop })
}

impl App {
    /// Serves on `listener` until `stopped` is over, then finishes what is under way. A process without the `api` role only
    /// answers for its health.
    pub async fn serve(self, listener: TcpListener, stopped: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let stop = self.stop.clone();
        let ended = axum::serve(listener, self.router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move {
                tokio::select! {
                    () = stopped => {}
                    () = stop.cancelled() => {}
                }
            })
            .await;
        self.stop.cancel();
        self.tasks.close();
        let background = async {
            self.tasks.wait().await;
            self.projections.stopped().await;
            if let Some(workers) = self.workers {
                workers.stop().await;
            }
        };
        // What is cut off here is done again at the next start: every role is at least once.
        let _ = tokio::time::timeout(Duration::from_secs(10), background).await;
        ended
    }
}

#[allow(clippy::too_many_arguments, reason = "each is one part of the service")]
fn start_workers(
    parts: &Parts,
    deps: &Deps,
    projections: &Projections,
    platform: &Platform,
    settler: &Settler,
    handover: &Handover,
    billing: Option<&Billing>,
    checkpointer: &Checkpointer,
    stop: &CancellationToken,
) -> Result<Workers, StartError> {
    let mut workers = Workers::new(deps.clone(), stop.clone());
    workers.start_webhooks(projections, platform, &parts.clock, webhooks(&parts.config))?;
    workers.start_settlement(settler);
    workers.start_deliveries(projections, &parts.clock, handover);
    let reminders = parts.config.smtp_url.is_some().then(|| Reminders { web_url: parts.config.public_web_url.clone() });
    workers.start_memberships(&parts.clock, handover, reminders);
    workers.start_housekeeping(checkpointer, parts.config.checkpoint_every);
    if let Some(interval) = parts.config.state_interval {
        workers.start_attestation(interval);
    }
    if let Some(billing) = billing {
        let reader = Reader::new(deps.pool.clone());
        let (log, clock) = (deps.log.clone(), parts.clock.clone());
        workers.start_billing(BillingSync { log, reader, clock, billing: billing.clone() });
    }
    if let Some(smtp) = smtp(&parts.config)? {
        let reader = Reader::new(deps.pool.clone());
        workers.start_mail(Mailer { log: deps.log.clone(), vault: deps.vault.clone(), clock: parts.clock.clone(), reader, smtp });
    }
    Ok(workers)
}

/// How webhooks are sent.
fn webhooks(config: &Config) -> WebhookConfig {
    WebhookConfig {
        targets: Targets { allow_private: config.webhook_allow_private },
        sends_mail: config.smtp_url.is_some(),
        ..WebhookConfig::default()
    }
}

/// Handing over, by the bots that are configured.
fn handover(parts: &Parts, log: &Log, vault: &Vault) -> Result<Handover, StartError> {
    let config = &parts.config;
    let telegram = config.telegram_bot_token.as_ref();
    let telegram = telegram.map(|token| Telegram::new(config.telegram_api_url.clone(), token.expose().clone())).transpose()?;
    let discord = config.discord_bot_token.as_ref();
    let discord = discord.map(|token| Discord::new(config.discord_api_url.clone(), token.expose().clone())).transpose()?;
    Ok(Handover::new(log.clone(), vault.clone(), parts.clock.clone(), telegram, discord))
}

/// The mail server, if one is configured.
fn smtp(config: &Config) -> Result<Option<Smtp>, StartError> {
    let Some((url, from)) = config.smtp_url.as_ref().zip(config.mail_from.clone()) else { return Ok(None) };
    Smtp::new(url.expose(), from).map(Some).map_err(|error| StartError::Setting(format!("HILT_SMTP_URL is not valid: {error}")))
}

/// The Solana node, if one is configured.
fn chain(parts: &Parts) -> Result<Option<Chain>, StartError> {
    let Some(url) = &parts.config.solana_rpc_url else { return Ok(None) };
    let network = network(&parts.config)?;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let expected_network = parts.check_network.then(|| network.clone());
    let rpc = Rpc::new(http, RpcConfig { expected_network, ..RpcConfig::new(url.expose().clone()) });
    Ok(Some(Chain { rpc: Arc::new(rpc), network }))
}

/// The x402 facilitator. Its wallet is the configured one, or one that the vault makes and keeps.
async fn facilitator(parts: &Parts, log: &Log, vault: &Vault, settler: &Settler) -> Result<Facilitator, StartError> {
    let fee_payer = match &parts.config.x402_fee_payer {
        Some(seed) => Signer::from_seed(seed.expose()),
        None => vault.signer(KeyPurpose::FeePayer).await?,
    };
    let network = network(&parts.config)?;
    Ok(Facilitator::new(log.clone(), vault.clone(), parts.clock.clone(), settler.clone(), network, fee_payer))
}

fn network(config: &Config) -> Result<Network, StartError> {
    Network::parse(&config.solana_network).map_err(|rule| StartError::Setting(format!("HILT_SOLANA_NETWORK is not valid: {rule}")))
}

/// Stripe, where merchants subscribe, if an account is configured.
fn billing(parts: &Parts) -> Result<Option<Billing>, StartError> {
    let config = &parts.config;
    let Some(key) = &config.stripe_secret_key else { return Ok(None) };
    let prices = config.stripe_workspace_prices.clone();
    Ok(Some(Billing::new(config.stripe_api_url.clone(), key.expose().clone(), prices, parts.clock.clone())?))
}

/// Where SOL's price comes from.
fn prices(config: &Config) -> Result<PriceSource, StartError> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let url = config.sol_price_url.as_ref().map(|url| url.expose().clone());
    Ok(PriceSource::new(http, PriceConfig { url, timeout: PRICE_TIMEOUT, max_age_seconds: config.sol_price_max_age_seconds }))
}

/// Whose tokens are accepted: a configured issuer's, or the service's own.
async fn verifier(config: &Config, vault: &Vault) -> Result<Verifier, StartError> {
    let Some(jwks) = &config.jwt_jwks else {
        let signer = vault.signer(KeyPurpose::Jwt).await?;
        return Ok(Verifier::own(signer.kid(), &signer.public(), &config.jwt_audience));
    };
    let issuer =
        config.jwt_issuer.as_deref().ok_or_else(|| StartError::Setting("HILT_JWT_ISSUER is needed beside the issuer's keys".into()))?;
    let text = match jwks {
        Jwks::File(path) => std::fs::read_to_string(path).map_err(|error| StartError::Issuer(error.to_string()))?,
        Jwks::Url(url) => reqwest::get(url.clone()).await?.error_for_status()?.text().await?,
    };
    let keys = serde_json::from_str(&text).map_err(|error| StartError::Issuer(error.to_string()))?;
    Ok(Verifier::issuer(&keys, issuer, &config.jwt_audience)?)
}

fn settings(config: &Config, billing: Option<Billing>) -> Result<Settings, StartError> {
    if config.fee_wallet.is_none() && (config.access_fee.get() > 0 || config.workspace_fee.get() > 0) {
        return Err(StartError::Setting(
            "HILT_FEE_WALLET is needed: payments carry a fee (HILT_ACCESS_FEE_BPS, HILT_WORKSPACE_FEE_BPS) and it must go somewhere".into(),
        ));
    }
    Ok(Settings {
        public_api_url: config.public_api_url.clone(),
        public_web_url: config.public_web_url.clone(),
        public_app_url: config.public_app_url.clone(),
        solana_network: config.solana_network.clone(),
        usdc_mint: USDC_MINT,
        fee_wallet: config.fee_wallet,
        evm_fee_wallet: config.evm_fee_wallet.clone(),
        access_fee_bps: config.access_fee,
        workspace_fee_bps: config.workspace_fee,
        hosted_products: config.hosted_products,
        telegram_bot_username: config.telegram_bot_username.clone(),
        webhook_allow_private: config.webhook_allow_private,
        discord_oauth: discord_oauth(config)?,
        helius_webhook_secret: config.helius_webhook_secret.clone(),
        alchemy_signing_key: config.alchemy_signing_key.clone(),
        alchemy_chains: config.alchemy_chains.clone(),
        sends_mail: config.smtp_url.is_some(),
        log_origin: config.log_origin.clone(),
        entries_for: config.log_entries.unwrap_or(EntriesFor::Auditors),
        plans: config.plans.clone(),
        billing,
    })
}

/// Discord's OAuth flow, if an application is configured.
fn discord_oauth(config: &Config) -> Result<Option<DiscordOAuth>, StartError> {
    let Some((client_id, client_secret)) = config.discord_client.clone() else { return Ok(None) };
    let application = Application {
        client_id,
        client_secret: client_secret.expose().clone(),
        api_url: config.discord_api_url.clone(),
        authorize_url: config.discord_authorize_url.clone(),
        redirect_uri: format!("{}/v1/discord-connect/callback", config.public_api_url),
    };
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(Some(DiscordOAuth::new(http, application)))
}

/// One TLS library for the whole process: ring, which the database driver brings along as well.
pub fn install_tls() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
