//! Binary COPY, as PostgreSQL sends it: rows cut out of the stream, and the events' columns cut out of rows.

use crate::class::Failure;
use events::{
    leaf::{Entry, NO_LEAF},
    vocab::{
        bytes::Hash32,
        event::EventType,
        id::{EventId, OwnerId, SubjectId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use uuid::Uuid;

/// Signature, flags and length of the extension, before the first row.
const HEADER: usize = 19;
/// A row that says "no more rows".
const TRAILER: i16 = -1;

/// Cuts a COPY stream into whole rows.
#[derive(Default)]
pub(crate) struct Rows {
    pending: Vec<u8>,
    begun: bool,
}

impl Rows {
    /// Takes what arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.pending.extend_from_slice(chunk);
    }
    /// Bytes held.
    pub fn len(&self) -> usize {
        self.pending.len()
    }
    /// The whole rows held, one after another; what is cut off stays.
    pub fn take(&mut self) -> Result<Vec<u8>, Failure> {
        if !self.begun {
            if self.pending.len() < HEADER {
                return Ok(Vec::new());
            }
            self.pending.drain(..HEADER);
            self.begun = true;
        }
        let end = whole_rows(&self.pending)?;
        let rest = self.pending.split_off(end);
        Ok(std::mem::replace(&mut self.pending, rest))
    }
}

/// How many bytes at the front of `bytes` are whole rows.
fn whole_rows(bytes: &[u8]) -> Result<usize, Failure> {
    let mut reader = Fields(bytes);
    let mut end = 0;
    while let Some(columns) = reader.count() {
        if columns == TRAILER {
            break;
        }
        for _ in 0..columns {
            if reader.field()?.is_none() {
                return Ok(end);
            }
        }
        end = bytes.len() - reader.0.len();
    }
    Ok(end)
}

/// Reads fields off the front of a slice.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }
    fn count(&mut self) -> Option<i16> {
        self.bytes(2)?.try_into().ok().map(i16::from_be_bytes)
    }
    /// The next field: `None` when it is cut off, `Some(None)` when it is NULL.
    fn field(&mut self) -> Result<Option<Option<&'a [u8]>>, Failure> {
        let Some(length) = self.bytes(4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes) else { return Ok(None) };
        match length {
            -1 => Ok(Some(None)),
            length => {
                let length = usize::try_from(length).map_err(|_| Failure::Unreadable("a field has a negative length"))?;
                Ok(self.bytes(length).map(Some))
            }
        }
    }
    fn optional<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<Option<T>, Failure> {
        match self.field()? {
            None => Err(Failure::Unreadable("a row ends early")),
            Some(None) => Ok(None),
            Some(Some(bytes)) => read(bytes).map(Some).ok_or(Failure::Unreadable("a column has another type than expected")),
        }
    }
    fn required<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Result<T, Failure> {
        self.optional(read)?.ok_or(Failure::Unreadable("a column is null"))
    }
}

fn long(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}
fn short(bytes: &[u8]) -> Option<i16> {
    bytes.try_into().ok().map(i16::from_be_bytes)
}
fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
fn boolean(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

/// A row of `log.events` as stored, before anything is believed about it.
#[derive(Clone, Debug)]
pub(crate) struct StoredRow<'a> {
    pub position: i64,
    pub version: i64,
    pub recorded_at: i64,
    pub stream_id: Uuid,
    pub event_id: Uuid,
    pub owner_id: Option<Uuid>,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub subject_id: Option<Uuid>,
    pub schema_version: i16,
    pub livemode: bool,
    pub category: &'a str,
    pub event_type: &'a str,
    pub actor: &'a str,
    pub request_id: Option<&'a str>,
    pub prev_leaf: &'a [u8],
    pub leaf: &'a [u8],
    pub payload: &'a [u8],
    pub sealed: Option<&'a [u8]>,
}

/// The rows in `page`, which holds whole rows only.
pub(crate) fn stored_rows(page: &[u8]) -> impl Iterator<Item = Result<StoredRow<'_>, Failure>> {
    let mut fields = Fields(page);
    std::iter::from_fn(move || fields.count().map(|columns| stored_row(&mut fields, columns)))
}

fn stored_row<'a>(fields: &mut Fields<'a>, columns: i16) -> Result<StoredRow<'a>, Failure> {
    if columns != 19 {
        return Err(Failure::Unreadable("an event has 19 columns"));
    }
    Ok(StoredRow {
        position: fields.required(long)?,
        version: fields.required(long)?,
        recorded_at: fields.required(long)?,
        stream_id: fields.required(uuid)?,
        event_id: fields.required(uuid)?,
        owner_id: fields.optional(uuid)?,
        correlation_id: fields.required(uuid)?,
        causation_id: fields.optional(uuid)?,
        subject_id: fields.optional(uuid)?,
        schema_version: fields.required(short)?,
        livemode: fields.required(boolean)?,
        category: fields.required(text)?,
        event_type: fields.required(text)?,
        actor: fields.required(text)?,
        request_id: fields.optional(text)?,
        prev_leaf: fields.required(Some)?,
        leaf: fields.required(Some)?,
        payload: fields.required(Some)?,
        sealed: fields.optional(Some)?,
    })
}

impl<'a> StoredRow<'a> {
    /// Appends the entry that the columns give, whatever they hold: the layout of `events::leaf`.
    pub fn write_entry(&self, out: &mut Vec<u8>, payload_hash: &Hash32, sealed_hash: &Hash32) {
        fn text(out: &mut Vec<u8>, text: &str) {
            out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out.push(1);
        text(out, self.category);
        out.extend_from_slice(self.stream_id.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(self.prev_leaf);
        out.extend_from_slice(self.event_id.as_bytes());
        text(out, self.event_type);
        out.extend_from_slice(&self.schema_version.to_be_bytes());
        out.extend_from_slice(&self.recorded_at.to_be_bytes());
        out.extend_from_slice(self.owner_id.unwrap_or_default().as_bytes());
        out.push(u8::from(self.livemode));
        for id in [Some(self.correlation_id), self.causation_id, self.subject_id] {
            out.extend_from_slice(id.unwrap_or_default().as_bytes());
        }
        text(out, self.actor);
        text(out, self.request_id.unwrap_or_default());
        out.extend_from_slice(&payload_hash.0);
        out.extend_from_slice(&sealed_hash.0);
    }

    /// What the row's leaf has to bind, or the column that has no place in the vocabulary.
    pub fn entry(&self) -> Result<Entry<'a>, &'static str> {
        // The entry has one form for null and for these, so the columns must have one, too.
        if [self.owner_id, self.causation_id, self.subject_id].contains(&Some(Uuid::nil())) || self.request_id == Some("") {
            return Err("a column holds the value that stands for null");
        }
        let category: Category = self.category.parse().map_err(|_| "category is not in the vocabulary")?;
        Ok(Entry {
            stream: StreamId::new(category, self.stream_id),
            version: u64::try_from(self.version).map_err(|_| "version is negative")?,
            prev_leaf: Hash32::try_from(self.prev_leaf).map_err(|_| "prev_leaf is not 32 bytes")?,
            event_id: EventId(self.event_id),
            event_type: EventType::parse(self.event_type).ok_or("event_type is not in the vocabulary")?,
            schema_version: u16::try_from(self.schema_version).map_err(|_| "schema_version is negative")?,
            recorded_at: Timestamp::from_micros(self.recorded_at),
            owner_id: self.owner_id.map(OwnerId),
            livemode: self.livemode,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id.map(EventId),
            subject_id: self.subject_id.map(SubjectId),
            actor: self.actor,
            request_id: self.request_id.unwrap_or_default(),
            payload_hash: Hash32::of(self.payload),
            sealed_hash: self.sealed.map_or(NO_LEAF, Hash32::of),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
        let mut out = vec![0; HEADER];
        for row in rows {
            out.extend_from_slice(&i16::try_from(row.len()).unwrap().to_be_bytes());
            for field in *row {
                match field {
                    None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                    Some(bytes) => {
                        out.extend_from_slice(&i32::try_from(bytes.len()).unwrap().to_be_bytes());
                        out.extend_from_slice(bytes);
                    }
                }
            }
        }
        out.extend_from_slice(&TRAILER.to_be_bytes());
        out
    }

    #[test]
    fn rows_are_whole_wherever_the_stream_is_cut() {
        let bytes = stream(&[&[Some(b"one"), None], &[Some(b""), Some(b"two")], &[None, None]]);
        let whole = &bytes[HEADER..bytes.len() - 2];
        for cut in 0..bytes.len() {
            let mut rows = Rows::default();
            rows.push(&bytes[..cut]);
            let mut taken = rows.take().unwrap();
            assert_eq!(whole_rows(&taken).unwrap(), taken.len(), "cut at {cut}");
            rows.push(&bytes[cut..]);
            taken.extend(rows.take().unwrap());
            assert_eq!(taken, whole, "cut at {cut}");
        }
    }
}
