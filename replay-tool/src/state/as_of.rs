//! `as-of`: a read model as it was at a position or a time, and the proof that the log of then is a part of the log of today.

use super::{
    definitions, failure, fold,
    levels::{Levels, included},
};
use crate::{
    class::{Doing, Failure},
    progress::Progress,
};
use events::{
    log::Log,
    proof::{self, Frontier, verify_consistency},
    vault::Vault,
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{EventId, OwnerId},
        stream::Recorded,
        time::Timestamp,
    },
};
use futures::StreamExt as _;
use projections::state::{Replay, Snapshot, row_leaf};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use std::ops::Range;
use uuid::Uuid;

/// When.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// With the event at that position as the last one.
    Position(u64),
    /// With everything that was recorded by then.
    Time(Timestamp),
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AsOf {
    /// The read model.
    pub projection: String,
    /// When.
    pub when: When,
    /// Only rows of this workspace.
    pub owner: Option<OwnerId>,
    /// Only these rows.
    pub ids: Vec<Uuid>,
}

/// A read model as it was.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AtPosition {
    /// The projection.
    pub projection: String,
    /// The version of the fold.
    pub version: i32,
    /// Position of the last event in it.
    pub position: u64,
    /// When that event was recorded.
    pub recorded_at: Timestamp,
    /// Whether personal data was opened; else those fields are missing.
    pub personal: bool,
    /// Rows of the whole table.
    pub table_rows: u64,
    /// The root over them, without what is personal.
    pub table_root: Hash32,
    /// What was put on record of it, where the service took its state at that very position.
    pub attested: Option<Attested>,
    /// The rows that were asked for, in id order.
    pub rows: Vec<AsOfRow>,
    /// From the log of then to the log of today.
    pub consistency: Consistency,
}

/// A signed root of the table at that position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Attested {
    /// The event that holds it.
    pub event_id: EventId,
    /// Where it is in the log.
    pub position: u64,
    /// The root.
    pub root: Hash32,
    /// Whether this fold has come to it.
    pub holds: bool,
}

/// One row and its place under the table's root.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AsOfRow {
    /// The row.
    pub row: Value,
    /// SHA-256 of `0x00` and the row's canonical JSON without what is personal.
    pub leaf: Hash32,
    /// Its place among the table's rows.
    pub index: u64,
    /// RFC 6962 inclusion path to the table's root.
    pub path: Vec<Hash32>,
}

/// An RFC 6962 consistency proof, checked before it is given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Consistency {
    /// Events of then.
    pub old_size: u64,
    /// Their root.
    pub old_root: Hash32,
    /// The checkpoint of exactly that size, where one was signed.
    pub old_checkpoint: Option<String>,
    /// Events of the newest signed checkpoint, or of the log as it stands where none covers that position.
    pub new_size: u64,
    /// Their root.
    pub new_root: Hash32,
    /// The checkpoint.
    pub new_checkpoint: Option<String>,
    /// The hashes between the two.
    pub path: Vec<Hash32>,
}

/// Folds the read model up to then. With a vault, what is personal and not erased by now is opened; without, it is missing.
pub async fn as_of(
    pool: &PgPool,
    vault: Option<&Vault>,
    asked: &AsOf,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<AtPosition, Failure> {
    let definitions = definitions(std::slice::from_ref(&asked.projection))?;
    let mut snapshot = Snapshot::take(pool).await.map_err(failure)?;
    let position = position(snapshot.connection(), asked.when).await?;
    let mut replay = Replay::of(&definitions);
    let tell = |done| progress(Progress { done, total: position + 1 });
    match vault {
        Some(vault) => fold_opened(&mut snapshot, &mut replay, position, vault, &tell).await?,
        None => fold(&mut snapshot, &mut replay, position, &tell).await?,
    }
    let (leaves, shown) = rows(&replay, asked, vault.is_some())?;
    let (table_rows, table_root) = (leaves.len() as u64, proof::root(&leaves));
    let levels = Levels::over(leaves);
    let rows = shown.into_iter().map(|(index, row)| included(row, index, table_rows, &levels)).collect::<Result<Vec<_>, _>>()?;
    if let Some(id) = asked.ids.first().filter(|_| rows.is_empty()) {
        return Err(Failure::NotFound(format!("{id} in {} at position {position}", asked.projection)));
    }
    let attested = attested(snapshot.connection(), position, &asked.projection, &table_root).await?;
    let recorded_at = recorded_at(snapshot.connection(), position).await?;
    let consistency = consistency(snapshot.connection(), position + 1).await?;
    snapshot.close().await.map_err(failure)?;
    Ok(AtPosition {
        projection: asked.projection.clone(),
        version: definitions.first().map_or(0, |definition| definition.version),
        position,
        recorded_at,
        personal: vault.is_some(),
        table_rows,
        table_root,
        attested,
        rows,
        consistency,
    })
}

/// Rows, each with its place in the table.
pub(super) type Placed = Vec<(usize, Value)>;

/// The leaf of every row, and the rows that were asked for.
pub(super) fn rows(replay: &Replay, asked: &AsOf, opened: bool) -> Result<(Vec<Hash32>, Placed), Failure> {
    let name = &asked.projection;
    let (mut leaves, mut shown) = (Vec::new(), Vec::new());
    for id in replay.ids(name) {
        let Some(public) = replay.row(name, id).map_err(failure)? else { continue };
        let owner = asked.owner.is_none_or(|owner| public["owner_id"].as_str() == Some(&owner.to_string()));
        let wanted = owner && (asked.ids.is_empty() || asked.ids.contains(&id));
        let index = leaves.len();
        leaves.push(row_leaf(&public));
        if wanted {
            let whole = if opened { replay.whole_row(name, id).map_err(failure)? } else { None };
            shown.push((index, whole.unwrap_or(public)));
        }
    }
    Ok((leaves, shown))
}

async fn fold_opened(
    snapshot: &mut Snapshot,
    replay: &mut Replay,
    until: u64,
    vault: &Vault,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Failure> {
    while replay.next_position() <= until {
        let mut page = snapshot.events(replay.next_position()).await.map_err(failure)?;
        page.retain(|recorded| recorded.position <= until);
        if page.is_empty() {
            return Err(failure(projections::state::StateError::Gap(replay.next_position())));
        }
        let sealed: Vec<Recorded> = page.iter().filter(|recorded| replay.wants_personal(recorded)).cloned().collect();
        let opened = vault.open_all(&sealed).await.map_err(|error| Failure::Input(format!("personal data does not open: {error}")))?;
        let mut opened = sealed.iter().map(|recorded| recorded.position).zip(opened).peekable();
        for recorded in &page {
            let personal = opened.next_if(|(position, _)| *position == recorded.position).and_then(|(_, personal)| personal);
            replay.fold(recorded, personal.as_ref()).map_err(failure)?;
        }
        tell(replay.next_position());
    }
    Ok(())
}

/// The last position of then.
async fn position(connection: &mut PgConnection, when: When) -> Result<u64, Failure> {
    let head = Log::head_on(&mut *connection).await.map_err(|_| Failure::Unreadable("the head of the log"))?.next_position;
    match when {
        When::Position(position) if position < head => Ok(position),
        When::Position(position) => Err(Failure::Input(format!("the log has {head} events, and none at position {position}"))),
        When::Time(time) => {
            // Times never run backwards, so the last event of then is found by halving.
            let (mut from, mut to) = (0, head);
            while from < to {
                let middle = from + (to - from) / 2;
                match recorded_at(connection, middle).await? <= time {
                    true => from = middle + 1,
                    false => to = middle,
                }
            }
            from.checked_sub(1).ok_or_else(|| Failure::Input(format!("the log begins after {time}")))
        }
    }
}

async fn recorded_at(connection: &mut PgConnection, position: u64) -> Result<Timestamp, Failure> {
    let at = i64::try_from(position).map_err(|_| Failure::Unreadable("a position is beyond its type"))?;
    let found: Option<i64> =
        sqlx::query_scalar(include_str!("sql/recorded_at.sql")).bind(at).fetch_optional(connection).await.doing("reading a time")?;
    found.map(Timestamp::from_micros).ok_or_else(|| failure(projections::state::StateError::Gap(position)))
}

/// What was attested of that very position.
async fn attested(connection: &mut PgConnection, at: u64, name: &str, root: &Hash32) -> Result<Option<Attested>, Failure> {
    let after = i64::try_from(at).map_err(|_| Failure::Unreadable("a position is beyond its type"))?;
    let found: Vec<Recorded> = sqlx::query_as(include_str!("sql/attestations_after.sql"))
        .bind(after)
        .fetch_all(connection)
        .await
        .doing("looking for attestations")?;
    for recorded in found {
        let Ok(Event::StateAttested(attested)) = recorded.decode() else { continue };
        let line = attested.projections.iter().find(|line| line.name == name);
        if let Some(line) = line.filter(|_| attested.at_position == at) {
            let (event_id, position) = (recorded.envelope.event_id, recorded.position);
            return Ok(Some(Attested { event_id, position, root: line.root, holds: line.root == *root }));
        }
    }
    Ok(None)
}

/// The proof that the first `old_size` events are the beginning of the log that is signed today.
async fn consistency(connection: &mut PgConnection, old_size: u64) -> Result<Consistency, Failure> {
    let signed: Vec<(i64, Vec<u8>, String)> = sqlx::query_as(include_str!("sql/signed_for.sql"))
        .bind(old_size as i64)
        .fetch_all(&mut *connection)
        .await
        .doing("reading the signed checkpoints")?;
    let note_of = |size: u64| signed.iter().find(|(signed, _, _)| u64::try_from(*signed) == Ok(size)).map(|(_, _, note)| note.clone());
    let newest = signed.iter().filter_map(|(size, _, _)| u64::try_from(*size).ok()).max();
    let head = Log::head_on(&mut *connection).await.map_err(|_| Failure::Unreadable("the head of the log"))?.next_position;
    let new_size = newest.filter(|size| *size >= old_size).unwrap_or(head);
    let ranges = proof::consistency_ranges(old_size, new_size).map_err(|_| Failure::Unreadable("the log is shorter than its past"))?;
    let mut runs: Vec<(Range<u64>, Frontier)> = ranges.into_iter().map(|range| (range, Frontier::default())).collect();
    let (mut tree, mut old_root) = (Frontier::default(), proof::empty_root());
    let bound = i64::try_from(new_size).map_err(|_| Failure::Unreadable("a position is beyond its type"))?;
    let mut leaves = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("../sql/leaves.sql")).bind(bound).fetch(connection);
    while let Some(leaf) = leaves.next().await {
        let (bytes,) = leaf.doing("reading the leaves")?;
        let leaf = Hash32::try_from(bytes.as_slice()).map_err(|_| Failure::Unreadable("a leaf is not 32 bytes"))?;
        runs.iter_mut().filter(|(run, _)| run.contains(&tree.size())).for_each(|(_, frontier)| frontier.push(leaf));
        tree.push(leaf);
        if tree.size() == old_size {
            old_root = tree.root();
        }
    }
    let (new_root, path): (Hash32, Vec<Hash32>) = (tree.root(), runs.iter().map(|(_, frontier)| frontier.root()).collect());
    verify_consistency(old_size, &old_root, new_size, &new_root, &path)
        .map_err(|_| Failure::Unreadable("the leaves of the log; run verify"))?;
    Ok(Consistency { old_size, old_root, old_checkpoint: note_of(old_size), new_size, new_root, new_checkpoint: note_of(new_size), path })
}
