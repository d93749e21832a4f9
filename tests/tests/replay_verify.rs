//! A log that holds is told from one that somebody altered, whatever was altered, by name and position.

use events::{
    leaf,
    vocab::{bytes::Hash32, stream::Recorded},
};
use hilt_tests::tampering::{World, world};
use replay_tool::{Break, BreakClass, VerifyOptions};

#[tokio::test]
async fn a_log_written_by_the_service_holds() {
    let world = world().await;
    let report = world.verify().await.unwrap();
    let head = world.log.head().await.unwrap();
    assert_eq!(report.events, head.next_position);
    assert_eq!(report.root, head.frontier.root().to_string());
    assert_eq!((report.receipts, report.checkpoints, report.signed_size), (2, 2, world.signed[1]));
    assert_eq!((report.log_key, report.receipt_keys), ("given", "database"));

    let options = VerifyOptions { checkpoints: vec![world.note.clone()], from: 10, ..VerifyOptions::default() };
    let service = replay_tool::verify(world.log.pool(), &options, &|_| {}).await.unwrap();
    assert_eq!((service.events, service.checkpoints, service.log_key), (report.events, 3, "database"));

    let auditor = world.database.auditor_pool().await;
    assert_eq!(replay_tool::verify(&auditor, &options, &|_| {}).await.unwrap().root, report.root);
    replay_tool::trail(&auditor, &world.paid[0].receipt_id.to_string()).await.unwrap();
    replay_tool::inspect(&auditor, "0").await.unwrap();
}

#[tokio::test]
async fn every_altered_column_is_found() {
    use BreakClass::{FieldInvalid, LeafMismatch, PositionGap};
    let world = world().await;
    let at = world.position("payment_session.created", 0).await;
    let columns = [
        ("position", "position + 1000000", PositionGap),
        ("version", "version + 5", LeafMismatch),
        ("recorded_at", "recorded_at + 1", LeafMismatch),
        ("stream_id", "gen_random_uuid()", LeafMismatch),
        ("event_id", "gen_random_uuid()", LeafMismatch),
        ("owner_id", "gen_random_uuid()", LeafMismatch),
        ("owner_id", "NULL", LeafMismatch),
        ("correlation_id", "gen_random_uuid()", LeafMismatch),
        ("causation_id", "gen_random_uuid()", LeafMismatch),
        ("subject_id", "gen_random_uuid()", LeafMismatch),
        ("schema_version", "2", LeafMismatch),
        ("livemode", "NOT livemode", LeafMismatch),
        ("category", "'payment'", LeafMismatch),
        ("category", "'unheard_of'", FieldInvalid),
        ("event_type", "'payment_session.expired'", LeafMismatch),
        ("event_type", "'unheard.of'", FieldInvalid),
        ("actor", "'system:other'", LeafMismatch),
        ("request_id", "'req_other'", LeafMismatch),
        ("request_id", "NULL", LeafMismatch),
        ("prev_leaf", "sha256('other')", LeafMismatch),
        ("leaf", "sha256('other')", LeafMismatch),
        ("payload", "payload || '\\x00'", LeafMismatch),
        ("payload", "overlay(payload placing '\\x00' from 20)", LeafMismatch),
        ("sealed", "overlay(sealed placing '\\x00' from 30)", LeafMismatch),
    ];
    for (column, value, class) in columns {
        let found = world.found_after(&format!("UPDATE log.events SET {column} = {value} WHERE position = {at}")).await;
        assert_eq!(found, (class, at), "{column} = {value}");
    }
    world.verify().await.unwrap();
}

#[tokio::test]
async fn altered_order_and_ends_are_found() {
    use BreakClass::{
        CheckpointMismatch, CheckpointSignatureInvalid, ClaimMismatch, HeadMismatch, LeafMismatch, LogTruncated, PositionGap, RootMismatch,
        StreamVersionGap,
    };
    let world = world().await;
    let head = world.log.head().await.unwrap().next_position;
    let (middle, signed) = (world.signed[0], world.signed[1]);
    let session = world.position("payment_session.created", 0).await;
    let requirement = world.position("payment_requirement.authored", session).await;
    let claim = world.position("payment.created", 0).await;
    let swap = |a: u64, b: u64| {
        format!(
            "UPDATE log.events SET position = 9000000 WHERE position = {a};
             UPDATE log.events SET position = {a} WHERE position = {b};
             UPDATE log.events SET position = {b} WHERE position = 9000000"
        )
    };
    let cases = [
        // Two events of one stream, and two that only the tree puts in order.
        (swap(session, requirement), StreamVersionGap, session),
        (swap(session, session + 1), RootMismatch, middle),
        (format!("DELETE FROM log.events WHERE position = {session}"), PositionGap, session),
        (format!("DELETE FROM log.events WHERE position >= {}", head - 2), LogTruncated, head - 2),
        (format!("DELETE FROM log.events WHERE position >= {}", signed - 2), LogTruncated, signed - 2),
        (
            format!("DELETE FROM log.events WHERE position >= {0}; UPDATE log.head SET next_position = {0}, epoch = epoch + 1", signed - 2),
            LogTruncated,
            signed - 2,
        ),
        ("DELETE FROM log.events".to_owned(), LogTruncated, 0),
        (format!("UPDATE log.head SET next_position = {}", head - 3), HeadMismatch, head - 3),
        (format!("UPDATE log.head SET next_position = {}", head + 3), LogTruncated, head),
        ("UPDATE log.head SET recorded_at = recorded_at + 1".to_owned(), HeadMismatch, head - 1),
        ("UPDATE log.head SET frontier = overlay(frontier placing '\\x00' from 7)".to_owned(), RootMismatch, head),
        (forged_row(head), LeafMismatch, head),
        (format!("UPDATE log.tree_heads SET root = sha256('other') WHERE size = {middle}"), CheckpointMismatch, middle),
        (format!("UPDATE log.tree_heads SET size = {} WHERE size = {middle}", middle - 1), CheckpointMismatch, middle - 1),
        (
            format!("UPDATE log.tree_heads SET note = replace(note, E'{middle}\\n', E'{}\\n') WHERE size = {middle}", middle - 1),
            CheckpointSignatureInvalid,
            middle,
        ),
        (format!("UPDATE log.tree_heads SET note = 'nothing' WHERE size = {signed}"), CheckpointSignatureInvalid, signed),
        ("DELETE FROM log.claims WHERE scope = 'memo'".to_owned(), ClaimMismatch, claim),
        (format!("UPDATE log.claims SET stream_id = gen_random_uuid() WHERE position = {claim}"), ClaimMismatch, claim),
        (format!("UPDATE log.claims SET position = 2 WHERE position = {claim}"), ClaimMismatch, 2),
        ("INSERT INTO log.claims VALUES ('slug', 'mine', 'product', gen_random_uuid(), 3)".to_owned(), ClaimMismatch, 3),
    ];
    for (statements, class, position) in cases {
        assert_eq!(world.found_after(&statements).await, (class, position), "{statements}");
    }
    world.verify().await.unwrap();
}

/// A copy of the last event, appended with a new id and a leaf that nobody recomputed.
fn forged_row(head: u64) -> String {
    format!(
        "CREATE TEMP TABLE forged ON COMMIT DROP AS SELECT * FROM log.events WHERE position = {0};
         UPDATE forged SET position = {1}, event_id = gen_random_uuid(), version = version + 1;
         INSERT INTO log.events SELECT * FROM forged",
        head - 1,
        head
    )
}

/// Rewrites the event at `position` as somebody who also recomputes its leaf.
async fn rewrite(world: &World, position: u64, change: impl FnOnce(&mut Recorded)) -> Break {
    let mut event = world.log.read(position, 1).await.unwrap().remove(0);
    change(&mut event);
    let envelope = &event.envelope;
    let entry = leaf::entry(envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref()).unwrap();
    let bytes = |bytes: &[u8]| format!("'\\x{}'", hex::encode(bytes));
    world
        .tamper(&format!(
            "ALTER TABLE log.events DROP CONSTRAINT events_event_id; ALTER TABLE log.events DROP CONSTRAINT events_sealed_for_someone;
             ALTER TABLE log.events DROP CONSTRAINT events_stream_version;
             UPDATE log.events SET payload = {}, leaf = {}, prev_leaf = {}, recorded_at = {}, event_id = '{}', version = {},
             subject_id = {} WHERE position = {position}",
            bytes(&event.payload),
            bytes(&leaf::leaf_hash(&entry).0),
            bytes(&event.prev_leaf.0),
            envelope.recorded_at.micros(),
            envelope.event_id,
            envelope.version,
            envelope.subject_id.map_or("NULL".to_owned(), |id| format!("'{id}'")),
        ))
        .await;
    world.broken().await
}

#[tokio::test]
async fn a_forger_who_recomputes_leaves_is_found() {
    use BreakClass::{
        EventIdRepeated, PayloadNotCanonical, PayloadUndecodable, SealedWithoutSubject, StreamLeafMismatch, StreamVersionGap, TimeReversed,
    };
    type Change = fn(&mut Recorded, &Recorded);
    let cases: [(&str, Change, BreakClass, bool); 8] = [
        ("payment.created", |event, _| event.payload.push(0), PayloadUndecodable, false),
        // Another amount that decodes: only the next event of the stream, which binds the leaf, gives it away.
        ("payment_session.created", |event, _| *event.payload.last_mut().unwrap() ^= 1, StreamLeafMismatch, true),
        ("payment.created", |event, _| widen(&mut event.payload), PayloadNotCanonical, false),
        ("payment.created", |event, other| event.envelope.event_id = other.envelope.event_id, EventIdRepeated, false),
        ("payment.created", |event, _| event.envelope.version = 1, StreamVersionGap, false),
        ("payment.created", |event, _| event.prev_leaf = Hash32::of("other"), StreamLeafMismatch, false),
        ("payment.created", |event, _| event.envelope.recorded_at = event.envelope.recorded_at.plus_seconds(-60), TimeReversed, false),
        ("entitlement.pended", |event, _| event.envelope.subject_id = None, SealedWithoutSubject, false),
    ];
    for (event_type, change, class, at_next) in cases {
        let world = world().await;
        let position = world.position(event_type, 0).await;
        let other = world.log.read(0, 1).await.unwrap().remove(0);
        let next = world.position("payment_requirement.authored", 0).await;
        let found = rewrite(&world, position, |event| change(event, &other)).await;
        assert_eq!((found.class, found.position), (class, if at_next { next } else { position }), "{event_type}: {found}");
    }
}

/// Makes the map's header longer than it needs to be: MessagePack that decodes to the same values.
fn widen(payload: &mut Vec<u8>) {
    let fields = match payload[0] {
        0x80..=0x8f => u16::from(payload.remove(0) & 0x0f),
        0xde => return payload.splice(0..1, [0xdf, 0, 0]).for_each(drop),
        other => panic!("a payload is a map, not {other:#x}"),
    };
    payload.splice(0..0, [&[0xde], fields.to_be_bytes().as_slice()].concat());
}
