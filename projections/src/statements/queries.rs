//! What is asked of `statements`.

use super::Statement;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{id::StatementId, words::StatementSource};

const TABLES: &[&str] = &["statements"];

/// The statement of that id.
pub async fn find(reader: &Reader, id: StatementId) -> Result<Option<Statement>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(id.0)).await
}

/// Statements, newest first.
pub async fn list(
    reader: &Reader,
    source: Option<StatementSource>,
    account: Option<&str>,
    window: Window,
) -> Result<Page<Statement>, QueryError> {
    let source = source.map(StatementSource::as_str);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(source)
        .bind(account)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(source).bind(account);
    reader.page(TABLES, rows, total).await
}
