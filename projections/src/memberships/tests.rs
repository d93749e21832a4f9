use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_membership_begins_with_its_first_period() {
    let sample = Sample::new();
    let rows = sample.fold::<Memberships>(&sample.events());
    let membership = rows.get(sample.membership).unwrap();
    assert_eq!((membership.latest_payment_id, membership.history.len()), (sample.payment, 1));
    assert_eq!(membership.current_period_end_at, START.plus_days(30));
}

#[test]
fn a_renewal_adds_a_period() {
    let sample = Sample::new();
    let mut events = sample.events();
    let renewed = events::vocab::event::MembershipRenewed {
        membership_id: sample.membership,
        product_id: sample.product,
        subject_id: sample.subject,
        wallet: sample.wallet,
        payment_id: sample.payment,
        tx_signature: sample.tx,
        period_start: START.plus_days(30),
        period_end: START.plus_days(60),
        grace_period_days: 3,
        renewal_reminder_offsets_days: vec![7, 2, 1],
        platform: None,
        payment_event: events::clock::new_id(),
    };
    let begun = events.iter().find(|written| matches!(written.event, Event::MembershipActivated(_))).unwrap().clone();
    events.push(crate::testkit::Written { event: renewed.into(), event_id: events::clock::new_id(), ..begun });
    let rows = sample.fold::<Memberships>(&events);
    let membership = rows.get(sample.membership).unwrap();
    assert_eq!((membership.history.len(), membership.current_period_end_at), (2, START.plus_days(60)));
}
