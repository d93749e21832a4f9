//! Going through all entries of a log, to find what a history leaves out.

use super::VerifiedHistory;
use crate::{
    leaf::{Entry, leaf_hash},
    proof::Frontier,
    vocab::{bytes::Hash32, id::OwnerId, stream::StreamId},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What going through the entries found.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScanBreak {
    /// An event of the payment is not in the history.
    #[error("the event at position {position} of {stream} is left out")]
    LeftOut {
        /// Where.
        position: u64,
        /// Its stream.
        stream: StreamId,
    },
    /// An entry cannot be read.
    #[error("the entry at position {0} cannot be read")]
    Unreadable(u64),
    /// The entries are not those of the checkpoint.
    #[error("the entries have another root than the checkpoint")]
    Root,
    /// There are fewer entries than the checkpoint counts.
    #[error("the entries end at position {0}")]
    Short(u64),
}

/// Goes through the entries below a history's checkpoint, from the log's first.
#[derive(Clone, Debug)]
pub struct Scan {
    owner: OwnerId,
    correlations: BTreeSet<Uuid>,
    streams: BTreeSet<StreamId>,
    known: BTreeMap<u64, Hash32>,
    tree: Frontier,
    size: u64,
    root: Hash32,
}

impl Scan {
    /// A scan for what `history` leaves out.
    pub fn new(history: &VerifiedHistory) -> Self {
        Scan {
            owner: history.owner_id,
            correlations: history.correlation_ids.iter().copied().collect(),
            streams: history.streams.iter().map(|end| end.stream).collect(),
            known: history.events.iter().map(|event| (event.position, event.leaf)).collect(),
            tree: Frontier::default(),
            size: history.checkpoint.size,
            root: history.checkpoint.root,
        }
    }

    /// How many entries the log has up to here.
    pub fn position(&self) -> u64 {
        self.tree.size()
    }

    /// Takes the next entry.
    pub fn entry(&mut self, bytes: &[u8]) -> Result<(), ScanBreak> {
        let position = self.tree.size();
        let entry = Entry::decode(bytes).map_err(|_| ScanBreak::Unreadable(position))?;
        let of_payment = entry.owner_id == Some(self.owner) && self.correlations.contains(&entry.correlation_id);
        let leaf = leaf_hash(bytes);
        if (of_payment || self.streams.contains(&entry.stream)) && self.known.get(&position) != Some(&leaf) {
            return Err(ScanBreak::LeftOut { position, stream: entry.stream });
        }
        self.tree.push(leaf);
        Ok(())
    }

    /// Ends the scan: the entries were all there are, and they are those that the checkpoint signs.
    pub fn end(self) -> Result<(), ScanBreak> {
        match self.tree.size() == self.size {
            true if self.tree.root() == self.root => Ok(()),
            true => Err(ScanBreak::Root),
            false => Err(ScanBreak::Short(self.tree.size())),
        }
    }
}
