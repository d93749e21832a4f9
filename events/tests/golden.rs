//! Frozen bytes of every event type: what was written once can be read forever, and is still written the same.

mod samples;

use events::{
    codec::{self, CodecError, Upcaster},
    vocab::{
        event::{
            ActivationEvidence, ApprovalRequested, ApprovalSubject, EntitlementActivated, Event, EventType, TicketWaitingOnMerchant,
            TreasuryWalletChange,
        },
        rail::RailId,
    },
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

/// Variants that the sample of their type does not show.
#[test]
fn further_variants_write_and_read_their_frozen_bytes() {
    let membership = ActivationEvidence::Membership { membership_id: samples::id(3), linked_event: samples::id(4) };
    let activated = EntitlementActivated {
        entitlement_id: samples::id(1),
        access_product_id: samples::id(2),
        evidence: membership,
        active_from: samples::at(0),
        expires_at: samples::at(2_592_000),
    };
    let wallet = "11111111111111111111111111111112".to_owned();
    let change = TreasuryWalletChange { treasury_id: samples::id(7), rail_id: RailId::SolanaUsdc, wallet };
    let requested = ApprovalRequested {
        approval_id: samples::id(5),
        subject: ApprovalSubject::HiltTreasuryWalletChange(change),
        by: "staff-1".into(),
        reason: "key ceremony".into(),
        signed: None,
    };
    for (event, frozen) in [(Event::from(activated), ACTIVATED_ON_MEMBERSHIP), (Event::from(requested), TREASURY_APPROVAL)] {
        let event_type = event.event_type();
        assert_eq!(hex::encode(codec::encode(&event).unwrap()), frozen, "{event_type:?} is written in another form");
        assert_eq!(codec::decode(event_type, event_type.schema_version(), &hex::decode(frozen).unwrap()).unwrap(), event);
    }
}

const ACTIVATED_ON_MEMBERSHIP: &str = "\
     85ae656e7469746c656d656e745f6964c41001010101010101010101010101010101b16163636573735f70726f647563745f6964c410020202020202\
     02020202020202020202a865766964656e636581aa6d656d6265727368697082ad6d656d626572736869705f6964c410030303030303030303030303\
     03030303ac6c696e6b65645f6576656e74c41004040404040404040404040404040404ab6163746976655f66726f6dcf000652e68bb52240aa657870\
     697265735f6174cf000655420af26240";
const TREASURY_APPROVAL: &str = "\
     85ab617070726f76616c5f6964c41005050505050505050505050505050505a77375626a65637481bb68696c745f74726561737572795f77616c6c65\
     745f6368616e676583ab74726561737572795f6964c41007070707070707070707070707070707a77261696c5f6964ab736f6c616e615f75736463a6\
     77616c6c6574d9203131313131313131313131313131313131313131313131313131313131313132a26279a773746166662d31a6726561736f6eac6b\
     657920636572656d6f6e79a67369676e6564c0";
