//! What every reader of the log needs.

use events::{leader::Leases, log::Log, relay::StreamConfig, vault::Vault};
use sqlx::PgPool;

/// The log, its keys, the database of the read models and, if there is one, the bus that tells of new events.
#[derive(Clone)]
pub struct Deps {
    /// The service's role.
    pub pool: PgPool,
    /// The log.
    pub log: Log,
    /// Opens personal data.
    pub vault: Vault,
    /// Where the relay publishes; without it everything is read from the log.
    pub nats: Option<async_nats::Client>,
    /// The stream that the relay fills.
    pub stream: StreamConfig,
    /// This process's roles.
    pub leases: Leases,
}

impl Deps {
    pub(crate) async fn read(&self, from: i64, limit: usize) -> Result<Vec<events::vocab::stream::Recorded>, super::slot::BuildError> {
        let from = u64::try_from(from).unwrap_or(0);
        self.log.read_news(&self.pool, from, limit as u64).await.map_err(|error| super::slot::BuildError::Log(error.to_string()))
    }
}
