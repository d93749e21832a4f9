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

use crate::vocab::{bytes::Hash32, stream::Envelope};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The previous leaf of a stream's first event.
pub const NO_LEAF: Hash32 = Hash32([0; 32]);

/// Text longer than a two-byte length can say; refused before anything is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is longer than 65535 bytes")]
pub struct FieldTooLong(pub &'static str);

/// The entry of an event.
pub fn entry(envelope: &Envelope, prev_leaf: &Hash32, payload: &[u8], sealed: Option<&[u8]>) -> Result<Vec<u8>, FieldTooLong> {
    let mut out = Vec::with_capacity(384);
    out.push(1);
    text(&mut out, "category", envelope.stream.category.as_str())?;
    out.extend_from_slice(envelope.stream.id.as_bytes());
    out.extend_from_slice(&envelope.version.to_be_bytes());
    out.extend_from_slice(&prev_leaf.0);
    out.extend_from_slice(envelope.event_id.0.as_bytes());
    text(&mut out, "event type", envelope.event_type.as_str())?;
    out.extend_from_slice(&envelope.schema_version.to_be_bytes());
    out.extend_from_slice(&envelope.recorded_at.micros().to_be_bytes());
    uuid(&mut out, envelope.owner_id.map(Uuid::from));
    out.push(u8::from(envelope.livemode));
    uuid(&mut out, Some(envelope.correlation_id));
    uuid(&mut out, envelope.causation_id.map(Uuid::from));
    uuid(&mut out, envelope.subject_id.map(Uuid::from));
    text(&mut out, "actor", &envelope.actor.to_string())?;
    text(&mut out, "request id", envelope.request_id.as_deref().unwrap_or_default())?;
    out.extend_from_slice(&Sha256::digest(payload));
    match sealed {
        Some(sealed) => out.extend_from_slice(&Sha256::digest(sealed)),
        None => out.extend_from_slice(&NO_LEAF.0),
    }
    Ok(out)
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
