//! Reads of the log.

use super::{
    Head, Log, StoredAnswer, head,
    row::{hash, stream_id},
    rows::integer,
};
use crate::{
    claims::Claim,
    codec::CodecError,
    vocab::{
        event::EventType,
        id::{EventId, OwnerId, ProductId},
        stream::{Recorded, StreamId},
        time::Timestamp,
    },
};
use sqlx::PgExecutor;
use std::ops::Range;
use uuid::Uuid;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database did not answer, or a row is not what this program writes.
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    /// An event of this position does not decode.
    #[error("the event at position {position}: {source}")]
    Codec {
        /// Where.
        position: u64,
        /// Why.
        source: CodecError,
    },
}

/// Which events an auditor wants to see; what is `None` does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PageFilter {
    /// Of this stream.
    pub stream: Option<StreamId>,
    /// Of this type.
    pub event_type: Option<EventType>,
    /// Of this workspace.
    pub owner_id: Option<OwnerId>,
}

/// Part of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// What matches, in order.
    pub events: Vec<Recorded>,
    /// Where to go on: nothing below this position was left out. May move on although `events` is empty.
    pub next_position: u64,
    /// Number of events in the log.
    pub head_position: u64,
}

/// How many positions one page looks through at most, so that a rare match cannot hold a connection for long.
const WINDOW: u64 = 100_000;

impl Log {
    /// The events of `stream` from version `from` on, in order.
    pub async fn read_stream(&self, stream: StreamId, from: u64) -> Result<Vec<Recorded>, ReadError> {
        Ok(sqlx::query_as(include_str!("sql/read_stream.sql"))
            .bind(stream.id)
            .bind(stream.category.as_str())
            .bind(integer(from))
            .fetch_all(self.pool())
            .await?)
    }

    /// At most `limit` events from position `from` on, contiguous: nothing that commits later can come between them.
    pub async fn read(&self, from: u64, limit: u64) -> Result<Vec<Recorded>, ReadError> {
        self.read_range(from..from.saturating_add(limit)).await
    }

    /// The events of `positions`, contiguous from its start; fewer where the log ends before.
    pub async fn read_range(&self, positions: Range<u64>) -> Result<Vec<Recorded>, ReadError> {
        Log::read_range_on(self.pool(), positions).await
    }

    /// [`Log::read_range`] on the reader's own connection, for readers that must not wait for others'.
    pub async fn read_range_on(executor: impl PgExecutor<'_>, positions: Range<u64>) -> Result<Vec<Recorded>, ReadError> {
        let mut events: Vec<Recorded> = sqlx::query_as(include_str!("sql/read_events.sql"))
            .bind(integer(positions.start))
            .bind(integer(positions.end))
            .fetch_all(executor)
            .await?;
        // Positions are given and committed in order, so a gap means that rows are missing; never read past it.
        let contiguous = events.iter().zip(positions).take_while(|(event, position)| event.position == *position).count();
        events.truncate(contiguous);
        Ok(events)
    }

    /// At most `limit` matching events from position `from` on, looking through a bounded part of the log.
    pub async fn read_page(&self, filter: PageFilter, from: u64, limit: u32) -> Result<Page, ReadError> {
        let head_position = self.head().await?.next_position;
        let end = if filter.stream.is_some() { head_position } else { head_position.min(from.saturating_add(WINDOW)) };
        let events: Vec<Recorded> = sqlx::query_as(include_str!("sql/read_page.sql"))
            .bind(integer(from))
            .bind(integer(end))
            .bind(i64::from(limit))
            .bind(filter.stream.map(|stream| stream.id))
            .bind(filter.stream.map(|stream| stream.category.as_str()))
            .bind(filter.event_type.map(EventType::as_str))
            .bind(filter.owner_id.map(|owner| owner.0))
            .fetch_all(self.pool())
            .await?;
        let full = events.len() as u64 >= u64::from(limit);
        let next_position = match events.last() {
            Some(last) if full => last.position + 1,
            _ => end.max(from),
        };
        Ok(Page { events, next_position, head_position })
    }

    /// The head as committed now.
    pub async fn head(&self) -> Result<Head, ReadError> {
        Log::head_on(self.pool()).await
    }

    /// [`Log::head`] on the reader's own connection.
    pub async fn head_on(executor: impl PgExecutor<'_>) -> Result<Head, ReadError> {
        Ok(head::read(executor).await?)
    }

    /// The event of that id.
    pub async fn event(&self, id: EventId) -> Result<Option<Recorded>, ReadError> {
        Ok(sqlx::query_as(include_str!("sql/read_event.sql")).bind(id.0).fetch_optional(self.pool()).await?)
    }

    /// The events of these ids, in no order; an id that the log does not have is left out.
    pub async fn events(&self, ids: &[EventId]) -> Result<Vec<Recorded>, ReadError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        Ok(sqlx::query_as(include_str!("sql/read_events_by_id.sql")).bind(ids).fetch_all(self.pool()).await?)
    }

    /// The event that began each of these streams, in no order; a stream that does not exist has none.
    pub async fn first_events(&self, streams: &[StreamId]) -> Result<Vec<Recorded>, ReadError> {
        let ids: Vec<Uuid> = streams.iter().map(|stream| stream.id).collect();
        let categories: Vec<&str> = streams.iter().map(|stream| stream.category.as_str()).collect();
        let query = sqlx::query_as(include_str!("sql/read_first_events.sql")).bind(ids).bind(categories);
        Ok(query.fetch_all(self.pool()).await?)
    }

    /// Numbers of the places that open and paid payments of `product` hold, in no order.
    pub async fn taken_places(&self, product: ProductId) -> Result<Vec<u32>, ReadError> {
        let numbers: Vec<i64> =
            sqlx::query_scalar(include_str!("sql/taken_places.sql")).bind(product.to_string()).fetch_all(self.pool()).await?;
        let number = |number: i64| u32::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()));
        Ok(numbers.into_iter().map(number).collect::<Result<_, _>>()?)
    }

    /// The stream that holds `claim`.
    pub async fn find_claim(&self, claim: &Claim) -> Result<Option<StreamId>, ReadError> {
        let row: Option<(String, Uuid)> = sqlx::query_as(include_str!("sql/find_claim.sql"))
            .bind(claim.scope.as_str())
            .bind(&claim.key)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.map(|(category, id)| stream_id(&category, id)).transpose().map_err(sqlx::Error::from)?)
    }

    /// The answer stored under an idempotency key.
    pub async fn find_answer(&self, owner: OwnerId, operation: &str, key: &str) -> Result<Option<StoredAnswer>, ReadError> {
        let row: Option<(Vec<u8>, i16, Vec<u8>, i64)> =
            sqlx::query_as(include_str!("sql/find_answer.sql")).bind(owner.0).bind(operation).bind(key).fetch_optional(self.pool()).await?;
        let answer = |(request_hash, status, body, position): (Vec<u8>, i16, Vec<u8>, i64)| {
            Ok::<_, sqlx::Error>(StoredAnswer {
                request_hash: hash(&request_hash, "request_hash")?.0,
                status: u16::try_from(status).map_err(|error| sqlx::Error::Decode(error.into()))?,
                body,
                position: u64::try_from(position).map_err(|error| sqlx::Error::Decode(error.into()))?,
            })
        };
        Ok(row.map(answer).transpose()?)
    }

    /// Deletes answers given before `older_than` and returns how many. Claims last forever.
    pub async fn prune_answers(&self, older_than: Timestamp) -> Result<u64, ReadError> {
        let pruned = sqlx::query(include_str!("sql/prune_answers.sql")).bind(older_than.micros()).execute(self.pool()).await?;
        Ok(pruned.rows_affected())
    }
}
