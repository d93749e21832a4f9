use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_failed_attempt_waits_for_its_retry() {
    let sample = Sample::new();
    let rows = sample.fold::<WebhookDeliveries>(&sample.events());
    let delivery = rows.get(sample.delivery).unwrap();
    assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::RetryScheduled, Some(START.plus_seconds(5))));
    assert_eq!((delivery.attempts.len(), delivery.body.as_deref()), (1, Some("{}")));
    let attempt = &delivery.attempts[0];
    assert_eq!((attempt.next_attempt_at, attempt.signatures), (Some(START.plus_seconds(5)), Some(1)));
    assert_eq!(attempt.response.as_ref().unwrap().body, "not now");
}

#[test]
fn erasure_takes_the_body() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.erased());
    let rows = sample.fold::<WebhookDeliveries>(&events);
    let delivery = rows.get(sample.delivery).unwrap();
    assert_eq!((&delivery.body, &delivery.attempts[0].response), (&None, &None));
}
