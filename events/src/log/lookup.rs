//! Asks the database about everything a batch touches, in one round trip.

use super::{
    Expected, StoredAnswer,
    batch::{Known, Place, StreamHead},
    prepare::{Prepared, PreparedWrite},
    row::{Malformed, hash, stream_id},
};
use crate::{
    claims::Claim,
    vocab::{
        id::{EventId, OwnerId},
        stream::StreamId,
        time::Timestamp,
    },
};
use hashlink::LruCache;
use sqlx::{FromRow, PgConnection};
use std::collections::{HashMap, HashSet};
use uuid::{Uuid, Version};

/// The streams whose last events this process remembers.
pub(super) type Streams = LruCache<StreamId, StreamHead>;

/// What a batch needs to know and memory does not tell.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    streams: HashSet<StreamId>,
    claims: HashSet<&'a Claim>,
    answers: HashSet<(OwnerId, &'a str, &'a str)>,
    events: Vec<Uuid>,
}

/// One answer of the statement: which list asked, the place in that list, and what was found.
#[derive(FromRow)]
struct Found {
    list: i16,
    ordinal: i64,
    number: i64,
    moment: Option<i64>,
    id: Option<Uuid>,
    category: Option<String>,
    status: Option<i16>,
    bytes: Option<Vec<u8>>,
    body: Option<Vec<u8>>,
}

/// What is known for `batch`: heads of streams from `cache` and, where it has none, from the database. Ids of events are looked
/// up where nothing else would show a repeat, and everything when `every_id`.
pub(super) async fn look_up<'a>(
    connection: &mut PgConnection,
    cache: &mut Streams,
    batch: impl Iterator<Item = &'a Prepared>,
    every_id: bool,
) -> Result<Known, sqlx::Error> {
    let mut known = Known::default();
    let mut wanted = Wanted::default();
    for append in batch {
        for write in &append.writes {
            if let Some(head) = cache.get(&write.stream) {
                known.streams.insert(write.stream, *head);
            } else if every_id || !is_fresh(write) {
                wanted.streams.insert(write.stream);
            }
        }
        wanted.claims.extend(append.all_events().flat_map(|event| &event.claims).map(|change| change.claim()));
        wanted.answers.extend(append.idempotency.iter().map(|row| (row.owner_id, row.operation.as_str(), row.key.as_str())));
        if every_id || append.repeats_silently() {
            wanted.events.extend(append.all_events().map(|event| event.event_id.0));
        }
    }
    ask(connection, wanted, &mut known).await?;
    Ok(known)
}

/// Whether a stream is new unless an id drawn at random was drawn before. It is not looked up at first: were it there after all,
/// the batch would meet its version 0, and everything would be looked up.
fn is_fresh(write: &PreparedWrite) -> bool {
    write.expected == Expected::NoStream && write.stream.id.get_version() == Some(Version::SortRand)
}

async fn ask(connection: &mut PgConnection, wanted: Wanted<'_>, known: &mut Known) -> Result<(), sqlx::Error> {
    if wanted.streams.is_empty() && wanted.claims.is_empty() && wanted.answers.is_empty() && wanted.events.is_empty() {
        return Ok(());
    }
    let streams: Vec<StreamId> = wanted.streams.into_iter().collect();
    let claims: Vec<&Claim> = wanted.claims.into_iter().collect();
    let answers: Vec<(OwnerId, &str, &str)> = wanted.answers.into_iter().collect();
    let found: Vec<Found> = sqlx::query_as(include_str!("sql/look_up.sql"))
        .bind(streams.iter().map(|stream| stream.category.as_str()).collect::<Vec<_>>())
        .bind(streams.iter().map(|stream| stream.id).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.scope.as_str()).collect::<Vec<_>>())
        .bind(claims.iter().map(|claim| claim.key.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(owner, ..)| owner.0).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, operation, _)| *operation).collect::<Vec<_>>())
        .bind(answers.iter().map(|(.., key)| *key).collect::<Vec<_>>())
        .bind(&wanted.events)
        .fetch_all(connection)
        .await?;
    for row in found {
        let index = usize::try_from(row.ordinal - 1).map_err(|_| Malformed("ordinal"))?;
        let number = u64::try_from(row.number).map_err(|_| Malformed("number"))?;
        match row.list {
            0 => {
                let leaf = hash(row.bytes.as_deref().unwrap_or_default(), "leaf")?;
                known.streams.insert(streams[index], StreamHead { version: number, leaf });
            }
            1 => {
                let holder = stream_id(row.category.as_deref().unwrap_or_default(), row.id.unwrap_or_default())?;
                known.claims.insert(claims[index].clone(), holder);
            }
            2 => {
                let (owner, operation, key) = answers[index];
                known.answers.insert((owner, operation.to_owned(), key.to_owned()), answer(row, number)?);
            }
            _ => {
                let recorded_at = Timestamp::from_micros(row.moment.unwrap_or_default());
                known.events.insert(EventId(wanted.events[index]), Place { position: number, recorded_at });
            }
        }
    }
    Ok(())
}

fn answer(row: Found, position: u64) -> Result<StoredAnswer, Malformed> {
    Ok(StoredAnswer {
        request_hash: hash(row.bytes.as_deref().unwrap_or_default(), "request_hash")?.0,
        status: row.status.and_then(|status| u16::try_from(status).ok()).ok_or(Malformed("status"))?,
        body: row.body.unwrap_or_default(),
        position,
    })
}

/// Where those of `ids` are that the log has.
pub(super) async fn find_events(connection: &mut PgConnection, ids: Vec<EventId>) -> Result<HashMap<EventId, Place>, sqlx::Error> {
    let mut known = Known::default();
    let wanted = Wanted { events: ids.into_iter().map(|id| id.0).collect(), ..Wanted::default() };
    ask(connection, wanted, &mut known).await?;
    Ok(known.events)
}

/// Brings `cache` from position `from` to `to`, which another process has written; forgets everything when that is far.
pub(super) async fn catch_up(connection: &mut PgConnection, cache: &mut Streams, from: u64, to: u64) -> Result<(), sqlx::Error> {
    const FAR: u64 = 5_000;
    if to.saturating_sub(from) > FAR || to < from {
        cache.clear();
        return Ok(());
    }
    let rows: Vec<(String, Uuid, i64, Vec<u8>)> = sqlx::query_as(include_str!("sql/stream_heads_between.sql"))
        .bind(super::rows::integer(from))
        .bind(super::rows::integer(to))
        .fetch_all(connection)
        .await?;
    for (category, id, version, leaf) in rows {
        let version = u64::try_from(version).map_err(|_| Malformed("version"))?;
        cache.insert(stream_id(&category, id)?, StreamHead { version, leaf: hash(&leaf, "leaf")? });
    }
    Ok(())
}
