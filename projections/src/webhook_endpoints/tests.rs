use super::*;
use crate::testkit::Sample;

#[test]
fn a_receiver_is_active_until_disabled() {
    let sample = Sample::new();
    let mut events = sample.events();
    assert_eq!(sample.fold::<WebhookEndpoints>(&events).get(sample.endpoint).unwrap().status, EndpointStatus::Active);
    let created = events.iter().find(|written| matches!(written.event, Event::WebhookEndpointCreated(_))).unwrap().clone();
    let disabled = events::vocab::event::WebhookEndpointDisabled { endpoint_id: sample.endpoint, reason: "gone".to_owned() };
    events.push(crate::testkit::Written { event: disabled.into(), event_id: events::clock::new_id(), ..created });
    let rows = sample.fold::<WebhookEndpoints>(&events);
    assert_eq!(rows.get(sample.endpoint).unwrap().disabled_reason.as_deref(), Some("gone"));
}
