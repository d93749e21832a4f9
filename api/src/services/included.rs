//! That an event is in the log: the entry that binds it, and the way from there to a signed checkpoint.

use crate::http::{problem::Problem, rejection};
use events::{
    leaf,
    proof::{Checkpointer, TreeHead, tlog_proof},
    vocab::{bytes::Hash32, stream::Recorded},
};

/// An event's place in the log.
pub struct Included {
    /// The event.
    pub event: Recorded,
    /// The bytes whose hash, after a zero byte, is the leaf.
    pub entry: Vec<u8>,
    /// The checkpoint.
    pub head: TreeHead,
    /// Its note with the signatures of witnesses.
    pub note: String,
    /// The hashes that lead from the leaf to the checkpoint's root, lowest first.
    pub path: Vec<Hash32>,
}

impl Included {
    /// Proves the event by the newest checkpoint that covers it and that a witness signed, else by the newest, which is signed now if none
    /// covers it yet.
    pub async fn of(checkpointer: &Checkpointer, event: Recorded) -> Result<Self, Problem> {
        let entry = leaf::entry(&event.envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref());
        let entry = entry.map_err(|error| Problem::internal(&error, "write an entry"))?;
        let head = checkpointer.proving(event.position).await.map_err(|error| rejection::read(&error))?;
        let path = checkpointer.tree().inclusion(event.position, head.size).await.map_err(|error| rejection::read(&error))?;
        let note = checkpointer.cosigned(&head).await.map_err(|error| rejection::read(&error))?;
        Ok(Included { event, entry, head, note, path })
    }

    /// As text (C2SP `tlog-proof`).
    pub fn text(&self) -> String {
        tlog_proof(self.event.position, &self.path, &self.note)
    }
}
