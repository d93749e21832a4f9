//! What is asked of `access_events`.

use crate::{QueryError, Reader};
use events::vocab::{
    id::{AccessProductId, EventId, OwnerId, ProductId},
    words::WebhookEvent,
};
use serde::Deserialize;
use uuid::Uuid;

const TABLES: &[&str] = &["access_events"];
/// Rows that one page looks through at most.
const WINDOW: i64 = 10_000;

/// An event that an owner is told of, and its place in what he is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Place {
    /// Which event.
    pub event_id: EventId,
    /// Its position in the log.
    pub position: u64,
    /// Position of the event that the same owner was told of before it, in the same mode; `None` for the first.
    pub previous: Option<u64>,
}

/// Which events of an owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Whose.
    pub owner: OwnerId,
    /// In which mode.
    pub livemode: bool,
    /// Only those behind this position.
    pub after: Option<u64>,
    /// Only of this kind.
    pub event: Option<WebhookEvent>,
    /// Only of this product: the hosted one, and the access product it backs, if it backs one.
    pub product: Option<(ProductId, Option<AccessProductId>)>,
    /// At most so many.
    pub limit: u32,
}

/// A page, and how far it is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Events in the order of the log.
    pub items: Vec<Place>,
    /// Every event that was asked for and lies at or before this position is here or on the pages before; `None` while the log is
    /// empty.
    pub read_to: Option<u64>,
    /// Position of the last event of the log that is taken into account.
    pub head: Option<u64>,
    /// Position of the owner's newest event in that mode, whatever was asked for.
    pub last: Option<u64>,
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Place>,
    checkpoint: i64,
    looked_at: i64,
    looked_to: Option<u64>,
    last: Option<u64>,
}

/// The next events of an owner.
pub async fn page(reader: &Reader, asked: Asked) -> Result<Found, QueryError> {
    let after = asked.after.map_or(-1, |after| i64::try_from(after).unwrap_or(i64::MAX));
    let query = sqlx::query_scalar(include_str!("queries/page.sql"))
        .bind(asked.owner.0)
        .bind(asked.livemode)
        .bind(after)
        .bind(asked.event.map(WebhookEvent::as_str))
        .bind(asked.product.map(|(product, _)| product.0))
        .bind(asked.product.and_then(|(_, access)| access).map(Uuid::from))
        .bind(i64::from(asked.limit))
        .bind(WINDOW);
    let answer: Answer = reader.one(TABLES, query).await?.ok_or(QueryError::NotBuilt("access_events"))?;
    let head = u64::try_from(answer.checkpoint).ok();
    let full = answer.items.len() as u64 >= u64::from(asked.limit);
    let read_to = match answer.items.last() {
        Some(last) if full => Some(last.position),
        _ if answer.looked_at >= WINDOW => answer.looked_to,
        // A reader that is ahead of this read model stays where it is.
        _ => head.max(asked.after),
    };
    Ok(Found { items: answer.items, read_to, head, last: answer.last })
}

/// The places of these events; an event that nobody is told of has none. In no order.
pub async fn places(reader: &Reader, events: &[EventId]) -> Result<Vec<Place>, QueryError> {
    let ids: Vec<Uuid> = events.iter().map(|id| id.0).collect();
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/previous.sql")).bind(ids)).await
}
