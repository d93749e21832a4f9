//! A log in a scratch database, with the key that opens what it seals.

use super::scratch::BenchError;
use events::{
    clock::{Clock, random_bytes},
    leader::Leases,
    log::{Log, LogOptions},
    relay::StreamConfig,
    vault::{MasterKey, Vault},
};
use projections::runner::{Deps, Projections};
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Connections to the database, as many as the service has.
const CONNECTIONS: u32 = 32;
/// How long the read models may take to be there.
const BUILT: Duration = Duration::from_secs(600);

/// An opened log.
pub struct ScratchLog {
    /// Connections to its database.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// Its keys.
    pub vault: Vault,
    /// What wraps them.
    pub master_key: [u8; 32],
}

impl ScratchLog {
    /// Opens the log of a database that nothing was sealed in yet.
    pub async fn new(url: &str) -> Result<Self, BenchError> {
        ScratchLog::open(url, random_bytes()).await
    }

    /// Opens the log of a database with that master key.
    pub async fn open(url: &str, master_key: [u8; 32]) -> Result<Self, BenchError> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
        let vault = Vault::new(pool.clone(), MasterKey::from_bytes(master_key), Clock::machine());
        let log = Log::open(pool.clone(), vault.clone(), Clock::machine(), LogOptions::default()).await?;
        Ok(ScratchLog { pool, log, vault, master_key })
    }

    /// What reads the log here, over that bus if there is one.
    pub fn deps(&self, nats: Option<async_nats::Client>, stream: StreamConfig) -> Deps {
        let leases = Leases::new(self.pool.clone());
        Deps { pool: self.pool.clone(), log: self.log.clone(), vault: self.vault.clone(), nats, stream, leases }
    }

    /// Builds every read model from the log as it is, and runs none of them any more.
    pub async fn build_models(&self) -> Result<(), BenchError> {
        let Some(last) = self.log.head().await?.next_position.checked_sub(1) else { return Ok(()) };
        let stop = CancellationToken::new();
        let projections = Projections::start(self.deps(None, StreamConfig::default()), stop.clone());
        let built = projections.wait_for_all(&projections.names(), last, BUILT).await;
        stop.cancel();
        projections.stopped().await;
        built.map_err(|error| BenchError::Client(error.to_string()))
    }

    /// Leaves the table of events as autovacuum would.
    pub async fn settle(&self) -> Result<(), BenchError> {
        let mut connection = PgConnection::connect_with(&self.pool.connect_options()).await?;
        sqlx::raw_sql(include_str!("sql/settle_events.sql")).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}
