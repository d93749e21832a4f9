use super::*;
use crate::testkit::{Sample, Written};
use events::vocab::{
    event::{ApprovalApplied, ApprovalApproved, ApprovalRejected, ApprovalRequested, ReviewedSetting},
    id::ApprovalId,
    rail::RailId,
    stream::{Category, StreamId},
};

fn written(n: u128, event: Event, of: ApprovalId) -> Written {
    Written { stream: StreamId::new(Category::Approval, of), event_id: EventId(Uuid::from_u128(n)), event, personal: None }
}

fn asked(sample: &Sample, approval_id: ApprovalId) -> Event {
    let reviewed = ReviewedSetting {
        setting_id: sample.setting,
        owner_id: sample.owner,
        rail_id: RailId::SolanaUsdc,
        payout_address: None,
        fee_collection: None,
    };
    let subject = ApprovalSubject::RailSettingVerification(reviewed);
    ApprovalRequested { approval_id, subject, by: "staff-1".into(), reason: "looked at".into(), signed: None }.into()
}

#[test]
fn an_approval_says_who_asked_who_agreed_and_what_came_of_it() {
    let sample = Sample::new();
    let id = ApprovalId(Uuid::from_u128(77));
    let events = [
        written(1, asked(&sample, id), id),
        written(2, ApprovalApproved { approval_id: id, by: "staff-2".into(), reason: "so did I".into(), signed: None }.into(), id),
        written(3, ApprovalApplied { approval_id: id, applied_event: EventId(Uuid::from_u128(9)), by: "staff-1".into() }.into(), id),
    ];
    let (pending, applied) = (sample.fold::<Approvals>(&events[..1]), sample.fold::<Approvals>(&events));
    let (pending, applied) = (pending.get(id).unwrap(), applied.get(id).unwrap());
    assert_eq!(
        (pending.status, pending.action, pending.target),
        (ApprovalStatus::Pending, ApprovalAction::RailSettingVerification, sample.setting.0)
    );
    assert_eq!((applied.status, applied.applied_event), (ApprovalStatus::Applied, Some(EventId(Uuid::from_u128(9)))));
    assert_eq!((applied.requested_by.as_str(), applied.decided_by.as_deref()), ("staff-1", Some("staff-2")));
}

#[test]
fn a_refused_approval_keeps_the_reason() {
    let sample = Sample::new();
    let id = ApprovalId(Uuid::from_u128(77));
    let rejected = ApprovalRejected { approval_id: id, by: "staff-2".into(), reason: "another wallet".into() };
    let rows = sample.fold::<Approvals>(&[written(1, asked(&sample, id), id), written(2, rejected.into(), id)]);
    let row = rows.get(id).unwrap();
    assert_eq!((row.status, row.decided_because.as_deref()), (ApprovalStatus::Rejected, Some("another wallet")));
}
