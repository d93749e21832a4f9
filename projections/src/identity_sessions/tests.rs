use super::*;
use crate::testkit::{Sample, Written};
use events::{
    clock::new_id,
    vocab::{
        bytes::Hash32,
        event::{IdentitySessionConsumed, IdentitySessionExpired, IdentitySessionStarted, IdentitySessionVerified},
        id::IdentitySessionId,
        stream::StreamId,
        words::IdentityType,
    },
};

fn written(session_id: IdentitySessionId, event: impl Into<Event>) -> Written {
    let event = event.into();
    Written { stream: StreamId::new(event.event_type().category(), session_id), event_id: new_id(), event, personal: None }
}

fn started(sample: &Sample, session_id: IdentitySessionId) -> Written {
    let started = IdentitySessionStarted {
        session_id,
        product_id: sample.product,
        subject_id: sample.subject,
        wallet: sample.wallet,
        wallet_source: None,
        identity_type: IdentityType::TelegramUserId,
        message_hash: Hash32::of("message"),
        expires_at: crate::testkit::START.plus_seconds(600),
    };
    written(session_id, started)
}

#[test]
fn a_proof_is_found_until_a_payment_has_used_it() {
    let (sample, id) = (Sample::new(), new_id::<IdentitySessionId>());
    let mut events = vec![started(&sample, id)];
    assert_eq!(sample.fold::<IdentitySessions>(&events).get(id).unwrap().status, IdentityStatus::Pending);
    events.push(written(id, IdentitySessionVerified { session_id: id, verified_at: crate::testkit::START }));
    assert_eq!(sample.fold::<IdentitySessions>(&events).get(id).unwrap().status, IdentityStatus::Verified);
    events.push(written(id, IdentitySessionConsumed { session_id: id, payment_id: sample.payment, payment_event: new_id() }));
    let rows = sample.fold::<IdentitySessions>(&events);
    let row = rows.get(id).unwrap();
    assert_eq!((row.status, row.payment_id), (IdentityStatus::Consumed, Some(sample.payment)));
}

#[test]
fn what_nobody_signed_is_expired() {
    let (sample, id) = (Sample::new(), new_id::<IdentitySessionId>());
    let events = [started(&sample, id), written(id, IdentitySessionExpired { session_id: id, expired_at: crate::testkit::START })];
    assert_eq!(sample.fold::<IdentitySessions>(&events).get(id).unwrap().status, IdentityStatus::Expired);
}
