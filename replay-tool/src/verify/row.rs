//! What one row shows by itself: its leaf, its payload, its receipt. Needs no other row, so pages are checked on every core.

use super::{
    claims::{self, ClaimStep},
    receipts::{self, ReceiptKeys},
};
use crate::{
    class::{Break, BreakClass, Failure},
    copy::{StoredRow, stored_rows},
};
use events::{
    codec, leaf,
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{EventId, OwnerId},
        stream::{Actor, StreamId},
    },
};

/// An event whose row is whole, ready to be held against the others.
pub(crate) struct Entry {
    pub position: u64,
    pub stream: StreamId,
    pub version: u64,
    pub event_id: EventId,
    pub owner_id: Option<OwnerId>,
    pub livemode: bool,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    pub prev_leaf: Hash32,
    pub leaf: Hash32,
    pub event: Event,
    pub claims: Vec<ClaimStep>,
}

impl Entry {
    pub fn broken(&self, class: BreakClass, detail: impl Into<String>) -> Break {
        Break::of(class, self.position, self.event_id, self.stream, detail)
    }
}

/// The whole rows of a page, up to the first that is broken, and that break.
pub(crate) struct CheckedPage {
    pub entries: Vec<Entry>,
    pub broken: Option<Break>,
}

/// Checks every row of `page`. Rows before position `from` are taken to be what their leaves say.
pub(crate) fn check_page(page: &[u8], from: u64, keys: &ReceiptKeys) -> Result<CheckedPage, Failure> {
    let rows = stored_rows(page)?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        match check_row(row, from, keys) {
            Ok(entry) => entries.push(entry),
            Err(broken) => return Ok(CheckedPage { entries, broken: Some(broken) }),
        }
    }
    Ok(CheckedPage { entries, broken: None })
}

/// In this order: the columns make sense, the leaf is theirs, sealed data has a subject, the payload decodes and is canonical,
/// the receipt in it is signed.
fn check_row(row: &StoredRow<'_>, from: u64, keys: &ReceiptKeys) -> Result<Entry, Break> {
    // A negative position is behind none; it shows as a gap when rows are put in order.
    let position = u64::try_from(row.position).unwrap_or(u64::MAX);
    let invalid = |detail: &'static str| Break {
        class: BreakClass::FieldInvalid,
        position,
        event_id: Some(EventId(row.event_id)),
        stream: None,
        detail: detail.to_owned(),
    };
    let bound = row.entry().map_err(invalid)?;
    let stored_leaf = Hash32::try_from(row.leaf).map_err(|_| invalid("leaf is not 32 bytes"))?;
    let (event_type, stream) = (bound.event_type, bound.stream);
    let broken = |class, detail: String| Break::of(class, position, bound.event_id, stream, detail);
    if position >= from {
        check_leaf(&bound, &stored_leaf).map_err(|detail| broken(BreakClass::LeafMismatch, detail))?;
    }
    if stream.category != event_type.category() {
        return Err(invalid("event_type does not belong to the stream's category"));
    }
    row.actor.parse::<Actor>().map_err(|_| invalid("actor is not of a known kind"))?;
    check_subject(row).map_err(|detail| broken(BreakClass::SealedWithoutSubject, detail.to_owned()))?;
    let event = codec::decode(event_type, bound.schema_version, row.payload)
        .map_err(|error| broken(BreakClass::PayloadUndecodable, error.to_string()))?;
    if position >= from && !codec::is_canonical(&event, bound.schema_version, row.payload) {
        return Err(broken(BreakClass::PayloadNotCanonical, format!("{} encodes again to other bytes", event_type.as_str())));
    }
    if let (Event::ReceiptCreated(receipt), true) = (&event, position >= from) {
        receipts::check(receipt, keys).map_err(|(class, detail)| broken(class, detail))?;
    }
    Ok(Entry {
        position,
        stream,
        version: bound.version,
        event_id: bound.event_id,
        owner_id: bound.owner_id,
        livemode: bound.livemode,
        recorded_at: row.recorded_at,
        prev_leaf: bound.prev_leaf,
        leaf: stored_leaf,
        claims: claims::steps(bound.owner_id, bound.livemode, &event),
        event,
    })
}

fn check_leaf(bound: &leaf::Entry<'_>, stored: &Hash32) -> Result<(), String> {
    let entry = bound.encode().map_err(|error| error.to_string())?;
    match leaf::leaf_hash(&entry) {
        computed if computed == *stored => Ok(()),
        computed => Err(format!("the row hashes to {computed}, its leaf is {stored}")),
    }
}

fn check_subject(row: &StoredRow<'_>) -> Result<(), &'static str> {
    match (row.sealed, row.subject_id) {
        (Some(_), None) => Err("there is sealed data and no subject"),
        (None, Some(_)) => Err("a subject is named and nothing is sealed"),
        _ => Ok(()),
    }
}
