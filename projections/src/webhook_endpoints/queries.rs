//! What is asked of `webhook_endpoints`.

use super::WebhookEndpoint;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{id::OwnerId, time::Timestamp, words::WebhookEvent};
use uuid::Uuid;

const TABLES: &[&str] = &["webhook_endpoints"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<WebhookEndpoint>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// Rows of this owner and mode, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, window: Window) -> Result<Page<WebhookEndpoint>, QueryError> {
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

/// Receivers of an owner and mode, paused ones included, that want to be told of `event`.
pub async fn listening(reader: &Reader, owner: OwnerId, livemode: bool, event: WebhookEvent) -> Result<Vec<WebhookEndpoint>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/listening.sql")).bind(owner.0).bind(livemode).bind(event.as_str())).await
}

/// Active receivers, of all owners, of which every attempt failed over `days` days or more; at most `limit`.
pub async fn failing(reader: &Reader, now: Timestamp, days: u32, limit: u32) -> Result<Vec<WebhookEndpoint>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/failing.sql"))
        .bind(now.plus_seconds(-i64::from(days) * 86_400).datetime())
        .bind(i32::try_from(days).unwrap_or(i32::MAX))
        .bind(i64::from(limit));
    reader.many(TABLES, query).await
}
