use super::*;
use crate::testkit::Sample;

#[test]
fn every_stage_names_its_event() {
    let sample = Sample::new();
    let events = sample.events();
    let rows = sample.fold::<PaymentSessions>(&events);
    let session = rows.get(sample.session).unwrap();
    let of = |event_type| events.iter().rfind(|written| written.event.event_type() == event_type).unwrap().event_id;
    let stages = &session.stages;
    let reached = [
        (stages.created, EventType::PaymentSessionCreated),
        (stages.requirement, EventType::PaymentRequirementAuthored),
        (stages.proof, EventType::ProofFingerprinted),
        (stages.verification, EventType::VerificationAttempted),
        (stages.settlement, EventType::SettlementEvidenced),
        (stages.receipt, EventType::ReceiptMapped),
        (stages.entitlement, EventType::EntitlementActivated),
        (stages.confirmed, EventType::PaymentSessionConfirmed),
    ];
    for (stage, event_type) in reached {
        assert_eq!(stage.unwrap().event_id, of(event_type), "{}", event_type.as_str());
    }
    assert_eq!((session.status, stages.attempts.len()), (SessionStatus::Confirmed, 2));
    assert_eq!(session.email.as_deref(), Some("buyer@example.com"));
}

#[test]
fn erasure_leaves_nothing_personal() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.erased());
    let rows = sample.fold::<PaymentSessions>(&events);
    let session = rows.get(sample.session).unwrap();
    assert_eq!((&session.email, &session.external_customer_id, &session.metadata), (&None, &None, &None));
    assert_eq!(session.status, SessionStatus::Confirmed);
}

#[test]
fn a_refused_proof_of_somebody_else_does_not_show() {
    let (sample, other) = (Sample::new(), Sample::new());
    let refused = events::vocab::event::ProofRejected {
        rail_id: RailId::SolanaUsdc,
        session_id: Some(other.session),
        payment_id: None,
        reason: "payment_requirement_mismatch".to_owned(),
        field: None,
    };
    let mut events = sample.asked();
    events.push(crate::testkit::Written {
        stream: events::vocab::stream::StreamId::new(events::vocab::stream::Category::Proof, sample.proof),
        event_id: events::clock::new_id(),
        event: refused.into(),
        personal: None,
    });
    let rows = sample.fold::<PaymentSessions>(&events);
    assert!(rows.get(sample.session).unwrap().stages.rejections.is_empty());
}
