//! Frozen bytes of every event type: what was written once can be read forever, and is still written the same.

mod samples;

use events::{
    codec::{self, CodecError, Upcaster},
    vocab::event::{Event, EventType, TicketWaitingOnMerchant},
};
use rmpv::Value;
use std::path::PathBuf;

fn file(event_type: EventType) -> PathBuf {
    let name = format!("{}.v{}.hex", event_type.as_str(), event_type.schema_version());
    [env!("CARGO_MANIFEST_DIR"), "golden", &name].iter().collect()
}

fn golden(event_type: EventType) -> Vec<u8> {
    let path = file(event_type);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| {
        let bytes = codec::encode(&samples::sample(event_type)).unwrap();
        panic!("{} is missing; for a new type or schema version it holds\n{}", path.display(), hex::encode(bytes))
    });
    hex::decode(text.trim()).unwrap()
}

#[test]
fn every_type_writes_and_reads_its_frozen_bytes() {
    for event_type in EventType::ALL.iter().copied() {
        let (sample, frozen) = (samples::sample(event_type), golden(event_type));
        assert_eq!(sample.event_type(), event_type);
        assert_eq!(hex::encode(codec::encode(&sample).unwrap()), hex::encode(&frozen), "{event_type:?} is written in another form");
        assert_eq!(codec::decode(event_type, event_type.schema_version(), &frozen).unwrap(), sample, "{event_type:?} is read as another");
    }
}

#[test]
fn every_frozen_file_of_an_older_schema_still_decodes() {
    for entry in std::fs::read_dir(file(EventType::ProductCreated).parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".hex").expect("golden files end in .hex").to_owned();
        let (event_type, schema) = name.rsplit_once(".v").expect("golden files are named type.vN.hex");
        let event_type = EventType::parse(event_type).unwrap_or_else(|| panic!("{name}: a type was removed"));
        let bytes = hex::decode(std::fs::read_to_string(&path).unwrap().trim()).unwrap();
        codec::decode(event_type, schema.parse().unwrap(), &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn truncated_extended_and_altered_payloads_are_refused() {
    for event_type in EventType::ALL.iter().copied() {
        let bytes = golden(event_type);
        let decode = |bytes: &[u8]| codec::decode(event_type, event_type.schema_version(), bytes);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{event_type:?} cut to {length}");
        }
        assert!(decode(&[bytes.as_slice(), &[0xc0]].concat()).is_err(), "{event_type:?} with a byte more");
    }
}

/// An older form of `ticket.waiting_on_merchant`, as a future change would leave one behind: version 0 called the field `ticket`.
const RENAME: Upcaster = Upcaster {
    event_type: EventType::TicketWaitingOnMerchant,
    from: 0,
    upcast: |value| match value {
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(_, value)| (Value::from("ticket_id"), value)).collect()),
        other => other,
    },
};

#[test]
fn an_old_schema_is_upcast_on_read() {
    let Event::TicketWaitingOnMerchant(TicketWaitingOnMerchant { ticket_id }) = samples::sample(EventType::TicketWaitingOnMerchant) else {
        unreachable!()
    };
    let old = Value::Map(vec![(Value::from("ticket"), Value::from(ticket_id.0.as_bytes().as_slice()))]);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &old).unwrap();
    let read = codec::decode_with(&[RENAME], EventType::TicketWaitingOnMerchant, 0, &bytes).unwrap();
    assert_eq!(read, TicketWaitingOnMerchant { ticket_id }.into());
    let unknown = codec::decode_with(&[], EventType::TicketWaitingOnMerchant, 0, &bytes).unwrap_err();
    assert!(matches!(unknown, CodecError::UnknownSchema { schema_version: 0, .. }));
}

#[test]
fn a_schema_of_the_future_is_refused() {
    let bytes = golden(EventType::TicketReopened);
    let error = codec::decode(EventType::TicketReopened, 9, &bytes).unwrap_err();
    assert!(matches!(error, CodecError::UnknownSchema { schema_version: 9, .. }));
}
