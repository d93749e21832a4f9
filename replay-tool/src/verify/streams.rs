//! Streams: versions without gaps, each event binding the leaf of the one before.

use super::row::Entry;
use crate::class::{Break, BreakClass};
use events::{
    leaf::NO_LEAF,
    vocab::{bytes::Hash32, stream::StreamId},
};
use std::collections::{HashMap, hash_map};

struct Last {
    version: u64,
    leaf: Hash32,
}

/// The last event of every stream so far: about 80 bytes each.
#[derive(Default)]
pub(crate) struct Streams(HashMap<StreamId, Last>);

impl Streams {
    /// Puts `entry` behind the last event of its stream.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), Break> {
        let slot = self.0.entry(entry.stream);
        let (version, leaf) = match &slot {
            hash_map::Entry::Occupied(last) => (last.get().version + 1, last.get().leaf),
            hash_map::Entry::Vacant(_) => (0, NO_LEAF),
        };
        if entry.version != version {
            let detail = format!("the stream goes on with version {version}, the event has {}", entry.version);
            return Err(entry.broken(BreakClass::StreamVersionGap, detail));
        }
        if entry.prev_leaf != leaf {
            let detail = format!("the stream's last leaf is {leaf}, the event binds {}", entry.prev_leaf);
            return Err(entry.broken(BreakClass::StreamLeafMismatch, detail));
        }
        slot.insert_entry(Last { version, leaf: entry.leaf });
        Ok(())
    }

    /// How many streams there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
