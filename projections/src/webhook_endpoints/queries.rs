//! What is asked of `webhook_endpoints`.

use super::WebhookEndpoint;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{id::OwnerId, words::WebhookEvent};
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

/// Active receivers of an owner and mode that want to be told of `event`.
pub async fn listening(reader: &Reader, owner: OwnerId, livemode: bool, event: WebhookEvent) -> Result<Vec<WebhookEndpoint>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/listening.sql")).bind(owner.0).bind(livemode).bind(event.as_str())).await
}
