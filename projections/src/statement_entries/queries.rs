//! What is asked of `statement_entries`.

use super::Entry;
use crate::{Page, QueryError, Reader};
use events::vocab::{id::StatementId, words::EntryStatus};

const TABLES: &[&str] = &["statement_entries"];

/// Up to `limit` entries of a statement behind number `after`, in order, and how many of that status there are in all.
pub async fn list(
    reader: &Reader,
    statement: StatementId,
    status: Option<EntryStatus>,
    after: u32,
    limit: u32,
) -> Result<Page<Entry>, QueryError> {
    let status = status.map(EntryStatus::as_str);
    let rows =
        sqlx::query_scalar(include_str!("queries/list.sql")).bind(statement.0).bind(status).bind(i64::from(after)).bind(i64::from(limit));
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(statement.0).bind(status);
    reader.page(TABLES, rows, total).await
}
