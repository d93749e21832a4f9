use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_failed_attempt_waits_for_its_retry() {
    let sample = Sample::new();
    let rows = sample.fold::<WebhookDeliveries>(&sample.events());
    let delivery = rows.get(sample.delivery).unwrap();
    assert_eq!((delivery.status, delivery.next_attempt_at), (DeliveryStatus::RetryScheduled, Some(START.plus_seconds(5))));
    assert_eq!((delivery.attempts.len(), delivery.body.as_deref()), (1, Some("{}")));
}

#[test]
fn erasure_takes_the_body() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.erased());
    assert_eq!(sample.fold::<WebhookDeliveries>(&events).get(sample.delivery).unwrap().body, None);
}
