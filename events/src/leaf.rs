//! The entry: a fixed binary header that binds everything there is to say about an event; its leaf hash is what the proof
//! tree holds.
//!
//! Layout, all integers big-endian, text as a two-byte length and UTF-8:
//!
//! | field | bytes |
//! |---|---|
//! | format, `1` | 1 |
//! | category | 2 + n |
//! | stream id | 16 |
//! | version | 8 |
//! | previous leaf of the stream (zero at version 0) | 32 |
//! | event id | 16 |
//! | event type | 2 + n |
//! | schema version | 2 |
//! | recorded at, µs since 1970 | 8 |
//! | owner id (zero when none) | 16 |
//! | livemode, `0` or `1` | 1 |
//! | correlation id | 16 |
//! | causation id (zero when none) | 16 |
//! | subject id (zero when none) | 16 |
//! | actor | 2 + n |
//! | request id (empty when none) | 2 + n |
//! | SHA-256 of the payload | 32 |
//! | SHA-256 of the sealed bytes (zero when none) | 32 |
//!
//! Binding the previous leaf lets a stream prove that it is complete; binding the hash of the sealed bytes lets a person be
//! erased while every proof still verifies.

use crate::vocab::{
    bytes::Hash32,
    event::EventType,
    id::{EventId, OwnerId, SubjectId},
    stream::{Envelope, StreamId},
    time::Timestamp,
};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The layout's own number.
const FORMAT: u8 = 1;

/// The previous leaf of a stream's first event.
pub const NO_LEAF: Hash32 = Hash32([0; 32]);

/// Text longer than a two-byte length can say; refused before anything is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is longer than 65535 bytes")]
pub struct FieldTooLong(pub &'static str);

/// What an entry binds, borrowed from wherever it is.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The stream.
    pub stream: StreamId,
    /// Place in it.
    pub version: u64,
    /// Leaf of the event before it there, [`NO_LEAF`] at version 0.
    pub prev_leaf: Hash32,
    /// The event's id.
    pub event_id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// The schema of its payload.
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
    /// Whose key seals the personal part.
    pub subject_id: Option<SubjectId>,
    /// Who caused it, as stored.
    pub actor: &'a str,
    /// The HTTP request; empty when none.
    pub request_id: &'a str,
    /// SHA-256 of the payload.
    pub payload_hash: Hash32,
    /// SHA-256 of the sealed bytes, [`NO_LEAF`] when there are none.
    pub sealed_hash: Hash32,
}

/// Bytes that are not an entry, and which rule of the layout they break.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotAnEntry(pub &'static str);

impl<'a> Entry<'a> {
    /// The entry's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, FieldTooLong> {
        let mut out = Vec::with_capacity(384);
        self.encode_into(&mut out)?;
        Ok(out)
    }

    /// Appends the entry's bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), FieldTooLong> {
        out.push(FORMAT);
        text(out, "category", self.stream.category.as_str())?;
        out.extend_from_slice(self.stream.id.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.prev_leaf.0);
        out.extend_from_slice(self.event_id.0.as_bytes());
        text(out, "event type", self.event_type.as_str())?;
        out.extend_from_slice(&self.schema_version.to_be_bytes());
        out.extend_from_slice(&self.recorded_at.micros().to_be_bytes());
        uuid(out, self.owner_id.map(Uuid::from));
        out.push(u8::from(self.livemode));
        uuid(out, Some(self.correlation_id));
        uuid(out, self.causation_id.map(Uuid::from));
        uuid(out, self.subject_id.map(Uuid::from));
        text(out, "actor", self.actor)?;
        text(out, "request id", self.request_id)?;
        out.extend_from_slice(&self.payload_hash.0);
        out.extend_from_slice(&self.sealed_hash.0);
        Ok(())
    }

    /// The entry that `bytes` are. There is one: encoding it gives the same bytes again.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, NotAnEntry> {
        let mut fields = Fields(bytes);
        if fields.array()? != [FORMAT] {
            return Err(NotAnEntry("the entry is of another format"));
        }
        let category = fields.text()?.parse().map_err(|_| NotAnEntry("category is not in the vocabulary"))?;
        let entry = Entry {
            stream: StreamId::new(category, Uuid::from_bytes(fields.array()?)),
            version: u64::from_be_bytes(fields.array()?),
            prev_leaf: Hash32(fields.array()?),
            event_id: EventId(Uuid::from_bytes(fields.array()?)),
            event_type: EventType::parse(fields.text()?).ok_or(NotAnEntry("event_type is not in the vocabulary"))?,
            schema_version: u16::from_be_bytes(fields.array()?),
            recorded_at: Timestamp::from_micros(i64::from_be_bytes(fields.array()?)),
            owner_id: fields.id()?.map(OwnerId),
            livemode: match fields.array()? {
                [0] => false,
                [1] => true,
                _ => return Err(NotAnEntry("livemode is neither 0 nor 1")),
            },
            correlation_id: Uuid::from_bytes(fields.array()?),
            causation_id: fields.id()?.map(EventId),
            subject_id: fields.id()?.map(SubjectId),
            actor: fields.text()?,
            request_id: fields.text()?,
            payload_hash: Hash32(fields.array()?),
            sealed_hash: Hash32(fields.array()?),
        };
        match fields.0.is_empty() {
            true => Ok(entry),
            false => Err(NotAnEntry("bytes follow the entry")),
        }
    }
}

/// Reads fields off the front of an entry.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotAnEntry> {
        let (front, rest) = self.0.split_first_chunk().ok_or(NotAnEntry("the entry ends early"))?;
        self.0 = rest;
        Ok(*front)
    }
    fn text(&mut self) -> Result<&'a str, NotAnEntry> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (front, rest) = self.0.split_at_checked(length).ok_or(NotAnEntry("the entry ends early"))?;
        self.0 = rest;
        std::str::from_utf8(front).map_err(|_| NotAnEntry("a text is not UTF-8"))
    }
    fn id(&mut self) -> Result<Option<Uuid>, NotAnEntry> {
        Ok(Some(Uuid::from_bytes(self.array()?)).filter(|id| !id.is_nil()))
    }
}

/// The entry of an event.
pub fn entry(envelope: &Envelope, prev_leaf: &Hash32, payload: &[u8], sealed: Option<&[u8]>) -> Result<Vec<u8>, FieldTooLong> {
    let actor = envelope.actor.to_string();
    Entry {
        stream: envelope.stream,
        version: envelope.version,
        prev_leaf: *prev_leaf,
        event_id: envelope.event_id,
        event_type: envelope.event_type,
        schema_version: envelope.schema_version,
        recorded_at: envelope.recorded_at,
        owner_id: envelope.owner_id,
        livemode: envelope.livemode,
        correlation_id: envelope.correlation_id,
        causation_id: envelope.causation_id,
        subject_id: envelope.subject_id,
        actor: &actor,
        request_id: envelope.request_id.as_deref().unwrap_or_default(),
        payload_hash: Hash32::of(payload),
        sealed_hash: sealed.map_or(NO_LEAF, Hash32::of),
    }
    .encode()
}

/// RFC 6962 leaf hash of an entry: SHA-256 of `0x00 ‖ entry`.
pub fn leaf_hash(entry: &[u8]) -> Hash32 {
    Hash32(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

fn text(out: &mut Vec<u8>, field: &'static str, text: &str) -> Result<(), FieldTooLong> {
    let length = u16::try_from(text.len()).map_err(|_| FieldTooLong(field))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn uuid(out: &mut Vec<u8>, id: Option<Uuid>) {
    out.extend_from_slice(id.unwrap_or(Uuid::nil()).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::stream::Category;

    fn whole() -> Entry<'static> {
        Entry {
            stream: StreamId::new(Category::Payment, Uuid::from_bytes([1; 16])),
            version: 2,
            prev_leaf: Hash32([3; 32]),
            event_id: EventId(Uuid::from_bytes([4; 16])),
            event_type: EventType::PaymentCreated,
            schema_version: 3,
            recorded_at: Timestamp::from_micros(5),
            owner_id: Some(OwnerId(Uuid::from_bytes([6; 16]))),
            livemode: true,
            correlation_id: Uuid::from_bytes([7; 16]),
            causation_id: None,
            subject_id: Some(SubjectId(Uuid::from_bytes([8; 16]))),
            actor: "system:test",
            request_id: "",
            payload_hash: Hash32([9; 32]),
            sealed_hash: NO_LEAF,
        }
    }

    #[test]
    fn an_entry_reads_back_and_no_other_bytes_read_as_it() {
        let bytes = whole().encode().unwrap();
        for cut in 0..bytes.len() {
            assert!(Entry::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(Entry::decode(&[bytes.as_slice(), &[0]].concat()).unwrap_err(), NotAnEntry("bytes follow the entry"));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            // Whatever reads at all reads as other facts, which encode to what was read.
            if let Ok(entry) = Entry::decode(&flipped) {
                assert_eq!(entry.encode().unwrap(), flipped, "byte {at}");
            }
        }
    }
}
