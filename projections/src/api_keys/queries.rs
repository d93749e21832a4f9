//! What is asked of `api_keys`.

use super::ApiKey;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::id::OwnerId;
use uuid::Uuid;

const TABLES: &[&str] = &["api_keys"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<ApiKey>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The owner's keys, of both modes or of one, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: Option<bool>, window: Window) -> Result<Page<ApiKey>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode);
    reader.page(TABLES, rows, total).await
}
