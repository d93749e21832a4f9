use super::*;
use crate::testkit::{START, Sample};
use events::vocab::id::AccessDeliveryId;

#[test]
fn a_failed_delivery_waits_for_its_next_try() {
    let sample = Sample::new();
    let rows = sample.fold::<Deliveries>(&sample.events());
    let delivery = rows.get(AccessDeliveryId::of(sample.payment)).unwrap();
    assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::RetryScheduled, 1));
    assert_eq!((delivery.next_attempt_at, delivery.last_error.as_deref()), (Some(START.plus_seconds(60)), Some("provider_unavailable")));
    assert_eq!(delivery.history[0].error.as_deref(), Some("provider_unavailable"));
}

#[test]
fn what_is_handed_over_has_no_error_and_no_next_try() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.extend(sample.rescued());
    let rows = sample.fold::<Deliveries>(&events);
    let delivery = rows.get(AccessDeliveryId::of(sample.payment)).unwrap();
    assert_eq!((delivery.status, delivery.attempts, delivery.history.len()), (DeliveryStatus::Sent, 2, 2));
    assert_eq!((delivery.next_attempt_at, delivery.last_error.clone(), delivery.sent_at), (None, None, Some(START.plus_seconds(90))));
}

#[test]
fn exhausted_rescue_is_in_the_hands_of_a_person_until_the_merchant_wants_it_tried() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.extend(sample.given_up());
    let status =
        |events: &[crate::testkit::Written]| sample.fold::<Deliveries>(events).get(AccessDeliveryId::of(sample.payment)).unwrap().status;
    assert_eq!(status(&events), DeliveryStatus::ManualReview);
    events.push(sample.retry_requested());
    assert_eq!(status(&events), DeliveryStatus::Pending);
}

#[test]
fn what_is_taken_back_is_due_until_it_is_done_and_forgotten_when_it_is_handed_over_again() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.extend(sample.rescued());
    let row =
        |events: &[crate::testkit::Written]| sample.fold::<Deliveries>(events).get(AccessDeliveryId::of(sample.payment)).unwrap().clone();
    let [requested, failed, out] = sample.taken_back();
    events.push(requested);
    let asked = row(&events);
    assert_eq!((asked.withdrawal_status, asked.withdrawal_due_at.is_some()), (Some(WithdrawalStatus::Pending), true));
    events.push(failed);
    let later = row(&events);
    assert_eq!((later.withdrawal_status, later.withdrawal_due_at), (Some(WithdrawalStatus::RetryScheduled), Some(START.plus_seconds(60))));
    assert_eq!((later.withdrawal_error.as_deref(), later.status), (Some("provider_unavailable"), DeliveryStatus::Sent));
    events.push(out);
    let done = row(&events);
    assert_eq!((done.withdrawal_status, done.withdrawal_due_at), (Some(WithdrawalStatus::Done), None));
    assert_eq!((done.withdrawn_at, done.withdrawal_error), (Some(START.plus_seconds(90)), None));
    events.push(sample.retry_requested());
    let again = row(&events);
    assert_eq!((again.withdrawal_status, again.withdrawn_at, again.status), (None, None, DeliveryStatus::Pending));
}
