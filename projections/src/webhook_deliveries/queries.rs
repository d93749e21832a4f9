//! What is asked of `webhook_deliveries`.

use super::{DeliveryStatus, WebhookDelivery};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{DeliveryId, EndpointId, EventId, OwnerId},
    time::Timestamp,
    words::RedeliveryScope,
};
use serde::Deserialize;
use uuid::Uuid;

const TABLES: &[&str] = &["webhook_deliveries"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<WebhookDelivery>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// Deliveries of this owner and mode, newest first.
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    livemode: bool,
    status: Option<DeliveryStatus>,
    window: Window,
) -> Result<Page<WebhookDelivery>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(status.map(DeliveryStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total =
        sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode).bind(status.map(DeliveryStatus::as_str));
    reader.page(TABLES, rows, total).await
}

/// Deliveries to make now, of all owners: those never tried, and those whose time has come.
pub async fn due(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<WebhookDelivery>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/due.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}

/// Deliveries to one endpoint of this owner, newest first.
pub async fn of_endpoint(
    reader: &Reader,
    owner: OwnerId,
    endpoint: EndpointId,
    status: Option<DeliveryStatus>,
    window: Window,
) -> Result<Vec<WebhookDelivery>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/of_endpoint.sql"))
        .bind(owner.0)
        .bind(endpoint.0)
        .bind(status.map(DeliveryStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    reader.many(TABLES, rows).await
}

/// A delivery that is neither made nor given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Open {
    /// Which.
    pub delivery: DeliveryId,
    /// To whom.
    pub endpoint: EndpointId,
    /// Not before; `None` before the first attempt.
    pub next_attempt_at: Option<Timestamp>,
}

/// Deliveries that are still to be made, now or later, of all owners: at most `limit` with ids above `after`, in the order of ids.
pub async fn open(reader: &Reader, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Open>, QueryError> {
    let after = after.map_or(Uuid::nil(), Uuid::from);
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/open.sql")).bind(after).bind(i64::from(limit))).await
}

/// The deliveries that tell of these events, oldest first.
pub async fn of_sources(reader: &Reader, owner: OwnerId, sources: &[EventId]) -> Result<Vec<WebhookDelivery>, QueryError> {
    let sources: Vec<Uuid> = sources.iter().map(|id| id.0).collect();
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/of_sources.sql")).bind(owner.0).bind(sources)).await
}

/// The same, to one endpoint only.
pub async fn open_of(reader: &Reader, endpoint: EndpointId, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Open>, QueryError> {
    let after = after.map_or(Uuid::nil(), Uuid::from);
    let query = sqlx::query_scalar(include_str!("queries/open_of.sql")).bind(endpoint.0).bind(after).bind(i64::from(limit));
    reader.many(TABLES, query).await
}

/// Deliveries of a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// To whom.
    pub endpoint: EndpointId,
    /// Which of them.
    pub scope: RedeliveryScope,
    /// Emitted at this time or later.
    pub since: Timestamp,
    /// Emitted before this time.
    pub until: Timestamp,
}

/// Deliveries of `span`: at most `limit` with ids above `after`, in the order of ids.
pub async fn of_span(reader: &Reader, span: Span, after: Option<DeliveryId>, limit: u32) -> Result<Vec<Open>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/of_span.sql"))
        .bind(span.endpoint.0)
        .bind(span.since.datetime())
        .bind(span.until.datetime())
        .bind(after.map_or(Uuid::nil(), Uuid::from))
        .bind(span.scope.as_str())
        .bind(i64::from(limit));
    reader.many(TABLES, query).await
}

/// Deliveries of all owners, or of one, that stand at `status`, newest first.
pub async fn of_all_owners(
    reader: &Reader,
    status: DeliveryStatus,
    owner: Option<OwnerId>,
    endpoint: Option<EndpointId>,
    window: Window,
) -> Result<Vec<WebhookDelivery>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/of_all_owners.sql"))
        .bind(status.as_str())
        .bind(owner.map(Uuid::from))
        .bind(endpoint.map(Uuid::from))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    reader.many(TABLES, rows).await
}
