//! What is asked of `mails`.

use crate::{QueryError, Reader};
use events::vocab::{id::MailId, time::Timestamp};

const TABLES: &[&str] = &["mails"];

/// Mails to try now, of all owners, those that wait longest first.
pub async fn due(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<MailId>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/due.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}

/// How many mails are to be tried, now or later, of all owners; counted up to `most`.
pub async fn waiting(reader: &Reader, most: u32) -> Result<u64, QueryError> {
    let count = reader.one(TABLES, sqlx::query_scalar(include_str!("queries/count_waiting.sql")).bind(i64::from(most))).await?;
    Ok(count.unwrap_or(0))
}
