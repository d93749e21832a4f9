//! The entry is unambiguous: from its bytes alone every field can be read back, so no two events share an entry.

use events::{
    clock::random_bytes,
    leaf::{Entry, NO_LEAF, leaf_hash},
    vocab::{
        bytes::Hash32,
        event::EventType,
        id::{EventId, OwnerId, SubjectId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use std::collections::HashSet;
use uuid::Uuid;

/// Fields of an entry, read by the table in the format's documentation and nothing else.
#[derive(PartialEq, Debug)]
struct Fields {
    category: String,
    stream_id: Uuid,
    version: u64,
    prev_leaf: [u8; 32],
    event_id: Uuid,
    event_type: String,
    schema_version: u16,
    recorded_at: i64,
    owner_id: Uuid,
    livemode: u8,
    correlation_id: Uuid,
    causation_id: Uuid,
    subject_id: Uuid,
    actor: String,
    request_id: String,
    payload_hash: [u8; 32],
    sealed_hash: [u8; 32],
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (bytes, rest) = self.0.split_first_chunk::<N>().unwrap();
        self.0 = rest;
        *bytes
    }
    fn uuid(&mut self) -> Uuid {
        Uuid::from_bytes(self.bytes())
    }
    fn text(&mut self) -> String {
        let length = usize::from(u16::from_be_bytes(self.bytes()));
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8(text.to_vec()).unwrap()
    }
}

fn read(entry: &[u8]) -> Fields {
    let mut reader = Reader(entry);
    assert_eq!(reader.bytes(), [1], "the format");
    let fields = Fields {
        category: reader.text(),
        stream_id: reader.uuid(),
        version: u64::from_be_bytes(reader.bytes()),
        prev_leaf: reader.bytes(),
        event_id: reader.uuid(),
        event_type: reader.text(),
        schema_version: u16::from_be_bytes(reader.bytes()),
        recorded_at: i64::from_be_bytes(reader.bytes()),
        owner_id: reader.uuid(),
        livemode: reader.bytes::<1>()[0],
        correlation_id: reader.uuid(),
        causation_id: reader.uuid(),
        subject_id: reader.uuid(),
        actor: reader.text(),
        request_id: reader.text(),
        payload_hash: reader.bytes(),
        sealed_hash: reader.bytes(),
    };
    assert!(reader.0.is_empty(), "bytes follow the last field");
    fields
}

fn uuid() -> Uuid {
    Uuid::from_bytes(random_bytes())
}
fn optional() -> Option<Uuid> {
    (random_bytes::<1>()[0] < 128).then(uuid)
}
/// Text in which the parts of neighbours can be mistaken for one another.
fn text() -> String {
    let [length, bytes @ ..] = random_bytes::<9>();
    bytes.iter().take(usize::from(length % 9)).map(|byte| ['a', 'b', ':', '\u{1f}', 'é', '1'][usize::from(byte % 6)]).collect()
}

#[test]
fn every_field_is_read_back_from_the_bytes() {
    let mut leaves = HashSet::new();
    for _ in 0..5_000 {
        let [category, event_type, livemode, ..] = random_bytes::<4>();
        let category = Category::ALL[usize::from(category) % Category::ALL.len()];
        let event_type = EventType::ALL[usize::from(event_type) % EventType::ALL.len()];
        let (actor, request_id) = (text(), text());
        let entry = Entry {
            stream: StreamId { category, id: uuid() },
            version: u64::from_be_bytes(random_bytes()),
            prev_leaf: Hash32(random_bytes()),
            event_id: EventId(uuid()),
            event_type,
            schema_version: u16::from_be_bytes(random_bytes()),
            recorded_at: Timestamp::from_micros(i64::from_be_bytes(random_bytes())),
            owner_id: optional().map(OwnerId),
            livemode: livemode < 128,
            correlation_id: uuid(),
            causation_id: optional().map(EventId),
            subject_id: optional().map(SubjectId),
            actor: &actor,
            request_id: &request_id,
            payload_hash: Hash32(random_bytes()),
            sealed_hash: NO_LEAF,
        };
        let bytes = entry.encode().unwrap();
        let expected = Fields {
            category: category.as_str().to_owned(),
            stream_id: entry.stream.id,
            version: entry.version,
            prev_leaf: entry.prev_leaf.0,
            event_id: entry.event_id.0,
            event_type: event_type.as_str().to_owned(),
            schema_version: entry.schema_version,
            recorded_at: entry.recorded_at.micros(),
            owner_id: entry.owner_id.map(Uuid::from).unwrap_or_default(),
            livemode: u8::from(entry.livemode),
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id.map(Uuid::from).unwrap_or_default(),
            subject_id: entry.subject_id.map(Uuid::from).unwrap_or_default(),
            actor: actor.clone(),
            request_id: request_id.clone(),
            payload_hash: entry.payload_hash.0,
            sealed_hash: entry.sealed_hash.0,
        };
        assert_eq!(read(&bytes), expected);
        assert_eq!(Entry::decode(&bytes).unwrap().encode().unwrap(), bytes, "and so the program reads it");
        let cut = usize::from(livemode) % bytes.len();
        assert!(Entry::decode(&bytes[..cut]).is_err() && Entry::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(leaves.insert(leaf_hash(&bytes)));
    }
}

#[test]
fn text_that_its_length_cannot_say_is_refused() {
    let long = "a".repeat(65_536);
    let entry = Entry {
        stream: StreamId { category: Category::Ticket, id: Uuid::nil() },
        version: 0,
        prev_leaf: NO_LEAF,
        event_id: EventId(Uuid::nil()),
        event_type: EventType::TicketReopened,
        schema_version: 1,
        recorded_at: Timestamp::from_micros(0),
        owner_id: None,
        livemode: false,
        correlation_id: Uuid::nil(),
        causation_id: None,
        subject_id: None,
        actor: "system",
        request_id: &long,
        payload_hash: NO_LEAF,
        sealed_hash: NO_LEAF,
    };
    assert_eq!(entry.encode().unwrap_err().0, "request id");
    assert!(Entry { request_id: &long[1..], ..entry }.encode().is_ok());
}
