//! What is asked of `agent_setups`.

use super::AgentSetup;
use crate::{QueryError, Reader};
use events::vocab::time::Timestamp;

const TABLES: &[&str] = &["agent_setups"];

/// Intents that nobody approved in time, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<AgentSetup>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}
