//! Payload bytes: MessagePack in named-field form, written once; old schema versions are upcast on read and never rewritten.

use crate::{
    upcasters::UPCASTERS,
    vocab::event::{Event, EventType, PayloadDecoder, PayloadEncoder},
};
use serde::{Serialize, de::DeserializeOwned};
use std::io;

pub use crate::upcasters::Upcaster;

/// A payload that cannot be written or read. The text names the event type and never shows the payload.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    /// The type is not in the vocabulary.
    #[error("unknown event type {0}")]
    UnknownType(String),
    /// No upcaster leads from this schema version to today's.
    #[error("{event_type} has no reader for schema version {schema_version}")]
    UnknownSchema {
        /// The event's type.
        event_type: &'static str,
        /// The version it was written with.
        schema_version: u16,
    },
    /// The bytes are not a payload of that type.
    #[error("{event_type} does not decode: {why}")]
    Undecodable {
        /// The event's type.
        event_type: &'static str,
        /// Which rule of the format is broken.
        why: String,
    },
    /// Decoding and encoding again gave other bytes: the payload has no stable form and must not be stored.
    #[error("{event_type} does not encode to stable bytes")]
    Unstable {
        /// The event's type.
        event_type: &'static str,
    },
}

struct Encode;
impl PayloadEncoder for Encode {
    type Output = Result<Vec<u8>, rmp_serde::encode::Error>;
    fn encode<T: Serialize>(self, payload: &T) -> Self::Output {
        rmp_serde::to_vec_named(payload)
    }
}

/// Holds what is written against bytes that are there, and keeps nothing.
struct SameAs<'a>(&'a [u8]);
impl io::Write for SameAs<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl PayloadEncoder for SameAs<'_> {
    type Output = bool;
    fn encode<T: Serialize>(mut self, payload: &T) -> bool {
        rmp_serde::encode::write_named(&mut self, payload).is_ok() && self.0.is_empty()
    }
}

struct Decode<'a>(&'a [u8]);
impl PayloadDecoder for Decode<'_> {
    type Error = String;
    fn decode<T: DeserializeOwned>(self) -> Result<T, String> {
        // `from_slice` would accept trailing bytes, and a hash over them would vouch for what nobody read.
        let mut reader = rmp_serde::Deserializer::new(self.0);
        let payload = T::deserialize(&mut reader).map_err(|error| error.to_string())?;
        match reader.get_ref().is_empty() {
            true => Ok(payload),
            false => Err("bytes follow the payload".to_owned()),
        }
    }
}

/// The bytes to store for `event`: they decode to the same event and encode again to the same bytes.
pub fn encode(event: &Event) -> Result<Vec<u8>, CodecError> {
    let event_type = event.event_type();
    let name = event_type.as_str();
    let bytes = event.encode_with(Encode).map_err(|error| CodecError::Undecodable { event_type: name, why: error.to_string() })?;
    let again = decode(event_type, event_type.schema_version(), &bytes)?;
    match again == *event && again.encode_with(Encode).is_ok_and(|second| second == bytes) {
        true => Ok(bytes),
        false => Err(CodecError::Unstable { event_type: name }),
    }
}

/// The event stored as `bytes` with `schema_version`, brought to today's schema.
pub fn decode(event_type: EventType, schema_version: u16, bytes: &[u8]) -> Result<Event, CodecError> {
    decode_with(UPCASTERS, event_type, schema_version, bytes)
}

/// [`decode`] with the given upcasters.
pub fn decode_with(upcasters: &[Upcaster], event_type: EventType, schema_version: u16, bytes: &[u8]) -> Result<Event, CodecError> {
    let name = event_type.as_str();
    let undecodable = |why: String| CodecError::Undecodable { event_type: name, why };
    if schema_version == event_type.schema_version() {
        return Event::decode_with(event_type, Decode(bytes)).map_err(undecodable);
    }
    let mut rest = bytes;
    let mut value = rmpv::decode::read_value(&mut rest).map_err(|error| undecodable(error.to_string()))?;
    for version in schema_version..event_type.schema_version() {
        let step = upcasters
            .iter()
            .find(|step| step.event_type == event_type && step.from == version)
            .ok_or(CodecError::UnknownSchema { event_type: name, schema_version })?;
        value = (step.upcast)(value);
    }
    if schema_version > event_type.schema_version() {
        return Err(CodecError::UnknownSchema { event_type: name, schema_version });
    }
    let mut upcast = Vec::new();
    rmpv::encode::write_value(&mut upcast, &value).map_err(|error| undecodable(error.to_string()))?;
    Event::decode_with(event_type, Decode(&upcast)).map_err(undecodable)
}

/// Whether `bytes`, stored with `schema_version` and decoded as `event`, are the only bytes this program would write for it. Bytes of an
/// older schema are held against their own values, since the event as read today says more or less than they do.
pub fn is_canonical(event: &Event, schema_version: u16, bytes: &[u8]) -> bool {
    if schema_version == event.event_type().schema_version() {
        return event.encode_with(SameAs(bytes));
    }
    let mut again = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    rmpv::decode::read_value(&mut rest).is_ok_and(|value| rmpv::encode::write_value(&mut again, &value).is_ok()) && again == bytes
}
