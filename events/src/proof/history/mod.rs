//! The complete history of one payment, in one file that proves itself.
//!
//! It holds every event of every stream that the payment touched, up to one signed checkpoint. What is proved by what:
//!
//! - **Nothing is made up or altered:** each event's leaf is in the checkpoint's tree, at its position.
//! - **Nothing is left out between:** each event binds the leaf of the event before it in its stream, down to version 0. So with one
//!   event, all before it are fixed.
//! - **Nothing is left out at the end:** an append-only tree does not show where a stream ends. The log therefore signs, under its own
//!   key, which streams there are and with which leaf each ends ([`Statement`]). A statement that is wrong is evidence against the
//!   log's operator that anyone can show: any later event of such a stream below the checkpoint contradicts it. Whoever has all entries
//!   need not take the operator's word: [`Scan`] goes through them and finds any event that was left out.

mod build;
mod scan;
mod statement;
mod verify;

pub use build::{HistoryError, build};
pub use scan::{Scan, ScanBreak};
pub use statement::{Statement, StreamEnd};
pub use verify::{HistoryBreak, HistoryRule, VerifiedEvent, VerifiedHistory, verify};

use crate::vocab::id::PaymentId;
use serde::{Deserialize, Serialize};

/// The format's name, first in every file and every statement.
pub const FORMAT: &str = "hilt-history/v1";

/// A payment's history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// [`FORMAT`].
    pub format: String,
    /// Whose history it is.
    pub payment_id: PaymentId,
    /// The signed checkpoint that it goes up to, with the signatures of witnesses.
    pub checkpoint: String,
    /// The log's word that these are all streams, and where each ends: a signed note. `None` where nobody could sign it.
    pub statement: Option<String>,
    /// Every stream, by name.
    pub streams: Vec<StreamHistory>,
}

/// Every event of one stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamHistory {
    /// The stream: its category, a hyphen and its id.
    pub stream: String,
    /// Its events from version 0 on.
    pub events: Vec<ProvenEvent>,
}

/// An event and its place in the tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEvent {
    /// Its place in the log, and the index of its leaf.
    pub position: u64,
    /// The bytes whose hash, after a zero byte, is the leaf; hex.
    pub entry: String,
    /// The payload, MessagePack, whose SHA-256 the entry holds; hex. Personal data is never in it.
    pub payload: String,
    /// The hashes that lead from the leaf to the checkpoint's root, lowest first; base64.
    pub inclusion: Vec<String>,
}
