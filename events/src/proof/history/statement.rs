//! The log's signed word of where a payment's streams end.

use super::FORMAT;
use crate::{
    proof::{Checkpoint, NoteError, NoteKey, note::sign_note},
    vault::Signer,
    vocab::{
        bytes::Hash32,
        id::{OwnerId, PaymentId},
        stream::StreamId,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;
use uuid::Uuid;

/// Where a stream ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StreamEnd {
    /// The stream.
    pub stream: StreamId,
    /// How many events it has.
    pub events: u64,
    /// The leaf of the last.
    pub last_leaf: Hash32,
}

/// That below a checkpoint a payment's business transactions have events in these streams of its owner and in no other, and that
/// these streams have so many events and no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The payment.
    pub payment_id: PaymentId,
    /// Its workspace.
    pub owner_id: OwnerId,
    /// The business transactions that the payment's own stream belongs to, in order.
    pub correlation_ids: Vec<Uuid>,
    /// The streams, in order.
    pub streams: Vec<StreamEnd>,
}

impl Statement {
    /// The signed text. It begins with [`FORMAT`], as no checkpoint does: a checkpoint begins with the log's name.
    pub fn body(&self) -> String {
        let mut body = format!("{FORMAT}\n{}payment {}\nowner {}\n", self.checkpoint.body(), self.payment_id, self.owner_id);
        // Writing to a String does not fail.
        for correlation in &self.correlation_ids {
            _ = writeln!(body, "correlation {correlation}");
        }
        for StreamEnd { stream, events, last_leaf } in &self.streams {
            _ = writeln!(body, "stream {stream} {events} {}", STANDARD.encode(last_leaf.0));
        }
        body
    }

    /// The note, signed as the log signs its checkpoints.
    pub fn sign(&self, signer: &Signer) -> String {
        sign_note(&self.body(), &self.checkpoint.origin, signer)
    }

    /// Whether `note` is this statement, signed by `key`.
    pub fn is_in(&self, note: &str, key: &NoteKey) -> Result<bool, NoteError> {
        Ok(key.open(note)? == self.body())
    }
}
