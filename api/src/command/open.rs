//! The log and the vault for commands that need no running service.

use super::Refusal;
use api::config::Config;
use events::{
    clock::Clock,
    log::{Log, LogOptions},
    vault::{MasterKey, Vault},
};
use sqlx::postgres::PgPoolOptions;

/// The vault of the configured database.
pub async fn vault(config: &Config) -> Result<(Vault, Clock), Refusal> {
    let database_url = config.database_url.as_ref().ok_or("HILT_DATABASE_URL is needed")?.expose();
    let master_key = *config.master_key.as_ref().ok_or("HILT_MASTER_KEY is needed: 64 hexadecimal digits")?.expose();
    let pool = PgPoolOptions::new().max_connections(4).connect(database_url).await?;
    let clock = Clock::machine();
    Ok((Vault::new(pool, MasterKey::from_bytes(master_key), clock.clone()), clock))
}

/// The log of the configured database.
pub async fn log(config: &Config) -> Result<Log, Refusal> {
    let database_url = config.database_url.as_ref().ok_or("HILT_DATABASE_URL is needed")?.expose();
    let (vault, clock) = vault(config).await?;
    let pool = PgPoolOptions::new().max_connections(4).connect(database_url).await?;
    Ok(Log::open(pool, vault, clock, LogOptions::default()).await?)
}
