//! Rows of the log's tables as the vocabulary's types.

use crate::{
    codec::{self, CodecError},
    vocab::{
        bytes::Hash32,
        event::{Event, EventType},
        id::{EventId, OwnerId, SubjectId},
        stream::{Category, Envelope, Recorded, StreamId},
        time::Timestamp,
    },
};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use std::str::FromStr as _;
use uuid::Uuid;

/// A stored value that is not what its column holds: the row was written by something else than this program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("column {0} of the log holds something unknown")]
pub(super) struct Malformed(pub &'static str);

impl From<Malformed> for sqlx::Error {
    fn from(error: Malformed) -> Self {
        sqlx::Error::Decode(error.into())
    }
}

pub(super) fn hash(bytes: &[u8], column: &'static str) -> Result<Hash32, Malformed> {
    Hash32::try_from(bytes).map_err(|_| Malformed(column))
}

pub(super) fn stream_id(category: &str, id: Uuid) -> Result<StreamId, Malformed> {
    Category::from_str(category).map(|category| StreamId { category, id }).map_err(|_| Malformed("category"))
}

/// Columns by place, in the order of `sql/read_events.sql` and its like.
impl FromRow<'_, PgRow> for Recorded {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let count = |column: usize, name| u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| sqlx::Error::from(Malformed(name)));
        let event_type = EventType::parse(row.try_get(12)?).ok_or(Malformed("event_type"))?;
        Ok(Recorded {
            position: count(0, "position")?,
            envelope: Envelope {
                stream: stream_id(row.try_get(11)?, row.try_get(3)?)?,
                version: count(1, "version")?,
                event_id: EventId(row.try_get(4)?),
                event_type,
                schema_version: u16::try_from(row.try_get::<i16, _>(9)?).map_err(|_| Malformed("schema_version"))?,
                owner_id: row.try_get::<Option<Uuid>, _>(5)?.map(OwnerId),
                livemode: row.try_get(10)?,
                recorded_at: Timestamp::from_micros(row.try_get(2)?),
                correlation_id: row.try_get(6)?,
                causation_id: row.try_get::<Option<Uuid>, _>(7)?.map(EventId),
                actor: row.try_get::<&str, _>(13)?.parse().map_err(|_| Malformed("actor"))?,
                request_id: row.try_get(14)?,
                subject_id: row.try_get::<Option<Uuid>, _>(8)?.map(SubjectId),
            },
            payload: row.try_get(17)?,
            sealed: row.try_get(18)?,
            prev_leaf: hash(row.try_get(15)?, "prev_leaf")?,
            leaf: hash(row.try_get(16)?, "leaf")?,
        })
    }
}

impl Recorded {
    /// The event, brought to today's schema.
    pub fn decode(&self) -> Result<Event, CodecError> {
        codec::decode(self.envelope.event_type, self.envelope.schema_version, &self.payload)
    }
}
