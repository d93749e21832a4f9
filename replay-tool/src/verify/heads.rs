//! The log's head and its signed checkpoints, held against the tree as it grows.

use super::VerifyOptions;
use crate::class::{Break, BreakClass, Doing, Failure};
use crate::note::LogKeys;
use events::{proof::Frontier, vocab::bytes::Hash32};
use futures::StreamExt as _;
use sqlx::PgConnection;
use std::{cmp::Ordering, collections::VecDeque};

/// The log's head as stored.
pub(crate) struct Head {
    /// Number of events.
    pub size: u64,
    recorded_at: i64,
    frontier: Vec<u8>,
}

/// Reads the head of the snapshot.
pub(crate) async fn read_head(connection: &mut PgConnection) -> Result<Head, Failure> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as(include_str!("../sql/head.sql")).fetch_all(connection).await.doing("reading the log's head")?;
    let heads = rows.len();
    let Ok([(next_position, recorded_at, frontier)]) = <[_; 1]>::try_from(rows) else {
        return Err(Break::at(BreakClass::HeadMismatch, 0, format!("the log has {heads} heads")).into());
    };
    let size = u64::try_from(next_position).map_err(|_| Break::at(BreakClass::HeadMismatch, 0, "the head's position is negative"))?;
    Ok(Head { size, recorded_at, frontier })
}

impl Head {
    /// The tree that it says the log has.
    pub fn tree(&self) -> Result<Frontier, Break> {
        let wrong = |_| Break::at(BreakClass::HeadMismatch, self.size, "the head's frontier is not that of a tree of its size");
        Frontier::from_bytes(self.size, &self.frontier).map_err(wrong)
    }

    /// The head points behind the last event, holds its time, and holds the tree's frontier.
    pub fn hold(&self, tree: &Frontier, recorded_at: i64) -> Result<(), Break> {
        if tree.size() > self.size {
            let detail = format!("the head ends the log here, {} events are there", tree.size());
            return Err(Break::at(BreakClass::HeadMismatch, self.size, detail));
        }
        if self.recorded_at != recorded_at {
            let last = tree.size().saturating_sub(1);
            return Err(Break::at(BreakClass::HeadMismatch, last, "the head has another time than the last event"));
        }
        match tree.to_bytes() == self.frontier {
            true => Ok(()),
            false => Err(Break::at(BreakClass::RootMismatch, tree.size(), "the head's frontier is not that of the stored leaves")),
        }
    }
}

/// The tree over the leaves before `position`.
pub(crate) async fn leaves_before(connection: &mut PgConnection, position: u64) -> Result<Frontier, Failure> {
    let mut frontier = Frontier::default();
    let bound = i64::try_from(position).map_err(|_| Failure::Input("there are no such positions".to_owned()))?;
    let mut rows = sqlx::query_as::<_, (Vec<u8>,)>(include_str!("../sql/leaves.sql")).bind(bound).fetch(connection);
    while let Some(row) = rows.next().await {
        let (leaf,) = row.doing("reading the leaves")?;
        frontier.push(Hash32::try_from(leaf.as_slice()).map_err(|_| Failure::Unreadable("a leaf is not 32 bytes"))?);
    }
    match frontier.size() == position {
        true => Ok(frontier),
        false => Err(Failure::Input(format!("the log has no position {position}"))),
    }
}

/// A signed checkpoint that the log must extend.
pub(crate) struct Promise {
    size: u64,
    /// Its root, or what is wrong with its note.
    root: Result<Hash32, Break>,
}

/// The checkpoints that are still ahead of the tree, and what is known of all of them.
pub(crate) struct TreeHeads {
    ahead: VecDeque<Promise>,
    count: u64,
    largest: u64,
    /// The size up to which the tree is known to be as signed.
    held: u64,
    smallest_given: Option<u64>,
    key_source: &'static str,
}

impl TreeHeads {
    /// The stored checkpoints and those that the auditor kept, by size.
    pub fn new(keys: &LogKeys, mut promises: Vec<Promise>, options: &VerifyOptions) -> Result<Self, Failure> {
        let mut smallest_given = None;
        for text in &options.checkpoints {
            let signed = keys.open(text).map_err(|why| Failure::Input(format!("the given checkpoint: {why}")))?;
            promises.push(Promise { size: signed.size, root: Ok(signed.root) });
            smallest_given = Some(smallest_given.map_or(signed.size, |smallest: u64| smallest.min(signed.size)));
        }
        promises.sort_by_key(|promise| promise.size);
        Ok(TreeHeads {
            count: promises.len() as u64,
            largest: promises.last().map_or(0, |promise| promise.size),
            ahead: promises.into(),
            held: 0,
            smallest_given,
            key_source: keys.source(),
        })
    }

    /// Holds the tree against the checkpoints of its size.
    pub fn hold(&mut self, tree: &Frontier) -> Result<(), Break> {
        while let Some(promise) = self.ahead.front() {
            match promise.size.cmp(&tree.size()) {
                Ordering::Greater => return Ok(()),
                Ordering::Less | Ordering::Equal => {}
            }
            let signed = promise.root.clone()?;
            let root = tree.root();
            if root != signed {
                let held = self.held;
                let detail = format!("the leaves at positions {held} to {} have root {root}, signed was {signed}", tree.size() - 1);
                return Err(Break::at(BreakClass::RootMismatch, tree.size(), detail));
            }
            self.held = promise.size;
            self.ahead.pop_front();
        }
        Ok(())
    }

    /// Whatever is wrong with a note beyond the end of the log.
    pub fn hold_beyond(&self) -> Result<(), Break> {
        self.ahead.iter().try_for_each(|promise| promise.root.clone().map(|_| ()))
    }

    /// The size up to which the tree is as signed.
    pub fn held(&self) -> u64 {
        self.held
    }
    /// The smallest checkpoint that the auditor kept.
    pub fn smallest_given(&self) -> Option<u64> {
        self.smallest_given
    }
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// How many events the newest covers.
    pub fn largest(&self) -> u64 {
        self.largest
    }
    /// Where the log's key came from.
    pub fn key_source(&self) -> &'static str {
        self.key_source
    }
}

/// The checkpoints that the database keeps.
pub(crate) async fn stored(connection: &mut PgConnection, keys: &LogKeys) -> Result<Vec<Promise>, Failure> {
    let rows: Vec<(i64, Vec<u8>, String)> =
        sqlx::query_as(include_str!("../sql/tree_heads.sql")).fetch_all(connection).await.doing("reading the signed checkpoints")?;
    let promise = |(size, root, text): &(i64, Vec<u8>, String)| {
        let size = u64::try_from(*size).unwrap_or(u64::MAX);
        let signed = keys.open(text).map_err(|why| Break::at(BreakClass::CheckpointSignatureInvalid, size, why));
        let root = signed.and_then(|signed| match signed.size == size && signed.root.0 == root.as_slice() {
            true => Ok(signed.root),
            false => Err(Break::at(BreakClass::CheckpointMismatch, size, "the stored size or root is not the note's")),
        });
        Promise { size, root }
    };
    Ok(rows.iter().map(promise).collect())
}

/// The checkpoint that a note alone is kept of. One that is not signed promises nothing, and is found before the first event.
pub(crate) fn noted(keys: &LogKeys, text: &str) -> Promise {
    let says = text.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0);
    match keys.open(text) {
        Ok(signed) => Promise { size: signed.size, root: Ok(signed.root) },
        Err(why) => Promise { size: 0, root: Err(Break::at(BreakClass::CheckpointSignatureInvalid, says, why)) },
    }
}
