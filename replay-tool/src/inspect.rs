//! `inspect`: everything about one event: its header, its payload, its hashes, its place in the tree.

use crate::class::{Doing, Failure};
use events::{
    codec, leaf, proof,
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{EventId, OwnerId, SubjectId},
        stream::{Recorded, StreamId},
        time::Timestamp,
    },
};
use futures::StreamExt as _;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use std::{fmt, ops::Range};
use uuid::Uuid;

/// One event, laid open. The personal part stays sealed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Inspection {
    /// Its place in the log.
    pub position: u64,
    /// Its stream.
    pub stream: StreamId,
    /// Its place there.
    pub version: u64,
    /// Its id.
    pub event_id: EventId,
    /// Its type.
    pub event_type: &'static str,
    /// The schema its payload was written with.
    pub schema_version: u16,
    /// When the log accepted it.
    pub recorded_at: Timestamp,
    /// The workspace.
    pub owner_id: Option<OwnerId>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// The business transaction.
    pub correlation_id: Uuid,
    /// The event that led to it.
    pub causation_id: Option<EventId>,
    /// Who caused it.
    pub actor: String,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// Whose key seals the personal part.
    pub subject_id: Option<SubjectId>,
    /// The payload, read.
    pub payload: Event,
    /// Bytes of the payload.
    pub payload_bytes: usize,
    /// SHA-256 of them.
    pub payload_hash: Hash32,
    /// SHA-256 of the sealed bytes.
    pub sealed_hash: Option<Hash32>,
    /// Leaf of the stream's previous event.
    pub prev_leaf: Hash32,
    /// The stored leaf.
    pub leaf: Hash32,
    /// Whether the stored leaf is the hash of the entry.
    pub leaf_holds: bool,
    /// The entry that the leaf is the hash of (after a zero byte), in hex.
    pub entry_hex: String,
    /// Its place in the tree.
    pub inclusion: Inclusion,
}

/// An RFC 6962 inclusion proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Inclusion {
    /// Index of the leaf.
    pub index: u64,
    /// Size of the tree.
    pub size: u64,
    /// Whether that tree is a signed checkpoint's; otherwise it is the log as it stands.
    pub signed: bool,
    /// Its root.
    pub root: Hash32,
    /// The hashes that lead from the leaf to the root, lowest first.
    pub path: Vec<Hash32>,
}

/// Lays open the event at a position or with an event id.
pub async fn inspect(pool: &PgPool, asked: &str) -> Result<Inspection, Failure> {
    let mut connection = pool.begin().await.doing("connecting")?;
    sqlx::query(include_str!("sql/set_snapshot.sql")).execute(&mut *connection).await.doing("opening a snapshot")?;
    let recorded = find(&mut connection, asked.trim()).await?.ok_or_else(|| Failure::NotFound(asked.to_owned()))?;
    let inclusion = inclusion(&mut connection, recorded.position).await?;
    let Recorded { position, envelope, payload, sealed, prev_leaf, leaf: stored } = recorded;
    let entry = leaf::entry(&envelope, &prev_leaf, &payload, sealed.as_deref()).map_err(|error| Failure::Input(error.to_string()))?;
    let event = codec::decode(envelope.event_type, envelope.schema_version, &payload)
        .map_err(|error| Failure::Input(format!("the event at position {position}: {error}; run verify")))?;
    Ok(Inspection {
        position,
        stream: envelope.stream,
        version: envelope.version,
        event_id: envelope.event_id,
        event_type: envelope.event_type.as_str(),
        schema_version: envelope.schema_version,
        recorded_at: envelope.recorded_at,
        owner_id: envelope.owner_id,
        livemode: envelope.livemode,
        correlation_id: envelope.correlation_id,
        causation_id: envelope.causation_id,
        actor: envelope.actor.to_string(),
        request_id: envelope.request_id,
        subject_id: envelope.subject_id,
        payload: event,
        payload_bytes: payload.len(),
        payload_hash: Hash32::of(&payload),
        sealed_hash: sealed.map(Hash32::of),
        prev_leaf,
        leaf: stored,
        leaf_holds: leaf::leaf_hash(&entry) == stored,
        entry_hex: hex::encode(entry),
        inclusion,
    })
}

async fn find(connection: &mut PgConnection, asked: &str) -> Result<Option<Recorded>, Failure> {
    let query = match (asked.parse::<i64>(), Uuid::parse_str(asked)) {
        (Ok(position), _) => sqlx::query_as(include_str!("sql/event_by_position.sql")).bind(position),
        (_, Ok(id)) => sqlx::query_as(include_str!("sql/event_by_id.sql")).bind(id),
        _ => return Err(Failure::Input(format!("{asked} is neither a position nor an event id"))),
    };
    query.fetch_optional(connection).await.doing("looking for the event")
}

/// Proves leaf `index` in the smallest signed tree that covers it, or in the log as it stands.
async fn inclusion(connection: &mut PgConnection, index: u64) -> Result<Inclusion, Failure> {
    let at = i64::try_from(index).map_err(|_| Failure::Unreadable("a position is beyond its type"))?;
    let covering: Option<(i64,)> = sqlx::query_as(include_str!("sql/covering_tree_head.sql"))
        .bind(at)
        .fetch_optional(&mut *connection)
        .await
        .doing("looking for a signed checkpoint")?;
    let mut leaves = Vec::new();
    {
        let bound = covering.map_or(i64::MAX, |(size,)| size);
        let mut rows = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("sql/leaves.sql")).bind(bound).fetch(connection);
        while let Some(row) = rows.next().await {
            let (bytes,) = row.doing("reading the leaves")?;
            leaves.push(Hash32::try_from(bytes.as_slice()).map_err(|_| Failure::Unreadable("a leaf is not 32 bytes"))?);
        }
    }
    let size = leaves.len() as u64;
    let root_of = |run: Range<u64>| {
        let run = usize::try_from(run.start).ok().zip(usize::try_from(run.end).ok());
        proof::root(run.and_then(|(start, end)| leaves.get(start..end)).unwrap_or_default())
    };
    let path = proof::inclusion_proof(index, size, root_of)
        .map_err(|_| Failure::Unreadable("positions are missing before the event; run verify"))?;
    let signed = covering.is_some_and(|(signed,)| u64::try_from(signed) == Ok(size));
    Ok(Inclusion { index, size, signed, root: proof::root(&leaves), path })
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |id: Option<String>| id.unwrap_or("none".to_owned());
        writeln!(f, "Event at position {}", self.position)?;
        writeln!(f, "  type         {} (schema {})", self.event_type, self.schema_version)?;
        writeln!(f, "  event        {}", self.event_id)?;
        writeln!(f, "  stream       {} version {}", self.stream, self.version)?;
        writeln!(f, "  recorded at  {}", self.recorded_at)?;
        writeln!(
            f,
            "  owner        {}, {}",
            or_none(self.owner_id.map(|id| id.to_string())),
            if self.livemode { "live" } else { "sandbox" }
        )?;
        writeln!(f, "  correlation  {}", self.correlation_id)?;
        writeln!(f, "  causation    {}", or_none(self.causation_id.map(|id| id.to_string())))?;
        writeln!(f, "  actor        {}", self.actor)?;
        writeln!(f, "  request      {}", or_none(self.request_id.clone()))?;
        writeln!(f, "  subject      {}", or_none(self.subject_id.map(|id| id.to_string())))?;
        let payload = serde_json::to_string_pretty(&self.payload).map_err(|_| fmt::Error)?;
        writeln!(f, "  payload      {}", payload.replace('\n', "\n               "))?;
        writeln!(f, "  payload hash {} ({} bytes)", self.payload_hash, self.payload_bytes)?;
        writeln!(f, "  sealed hash  {}", or_none(self.sealed_hash.map(|hash| hash.to_string())))?;
        writeln!(f, "  previous     {}", self.prev_leaf)?;
        writeln!(f, "  leaf         {}{}", self.leaf, if self.leaf_holds { "" } else { "  IS NOT THE HASH OF THE ENTRY" })?;
        writeln!(f, "  entry        {}", self.entry_hex)?;
        let Inclusion { index, size, signed, root, path } = &self.inclusion;
        let tree = if *signed { "signed tree" } else { "tree, not signed yet," };
        writeln!(f, "  included     as leaf {index} of the {tree} of {size}, root {root}")?;
        path.iter().try_for_each(|hash| writeln!(f, "               {hash}"))
    }
}
