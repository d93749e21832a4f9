use super::*;
use crate::testkit::{START, Sample, hash};
use events::{
    clock::new_id,
    vocab::{
        event::{SandboxProofRejected, SandboxSessionConfirmed, SandboxSessionExpired, SubjectErased},
        id::SandboxSessionId,
        personal::Personal,
    },
};

#[test]
fn a_session_is_confirmed_or_expires_and_tells_of_wrong_proofs_but_not_of_the_right_one() {
    let sample = Sample::new();
    let (confirmed, expired): (SandboxSessionId, SandboxSessionId) = (new_id(), new_id());
    let created = |id| SandboxSessionCreated {
        sandbox_session_id: id,
        access_product_id: new_id(),
        product_id: new_id(),
        entitlement_id: new_id(),
        subject_id: sample.subject,
        wallet: None,
        rail_id: RailId::X402,
        proof_hash: hash(b"proof"),
        expires_at: START.plus_seconds(1800),
        test_clock_id: None,
    };
    let customer = Personal { external_customer_id: Some("cust_1".to_owned()), ..Personal::default() };
    let mut events = vec![
        sample.sealed(created(confirmed), confirmed, customer.clone()),
        sample.sealed(created(expired), expired, customer),
        sample.at(SandboxProofRejected { sandbox_session_id: confirmed, reason: "invalid_sandbox_proof".to_owned() }, confirmed),
        sample.at(SandboxSessionConfirmed { sandbox_session_id: confirmed, confirmed_at: START }, confirmed),
        sample.at(SandboxSessionExpired { sandbox_session_id: expired, expired_at: START }, expired),
    ];
    let rows = sample.fold::<SandboxSessions>(&events);
    let row = rows.get(confirmed).unwrap();
    assert_eq!((row.status, row.rejected_proofs, row.external_customer_id.as_deref()), (SandboxStatus::Confirmed, 1, Some("cust_1")));
    assert!(!serde_json::to_string(row).unwrap().contains("proof_hash"));
    assert_eq!(rows.get(expired).unwrap().status, SandboxStatus::Expired);
    events.push(
        sample.at(SubjectErased { subject_id: sample.subject, reason: "asked_by_subject".to_owned(), approval: None }, sample.subject),
    );
    assert_eq!(sample.fold::<SandboxSessions>(&events).get(confirmed).unwrap().external_customer_id, None);
}
