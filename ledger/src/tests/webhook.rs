use super::samples::*;
use crate::{
    spec::given,
    webhook_delivery::{Answer, Attempt, Command, Emit, RETRY_SECONDS, Rejection, WebhookDelivery, disables_endpoint},
    webhook_endpoint::{self, WebhookEndpoint},
};
use events::{
    decider::Decider,
    vocab::{bytes::Hash32, event::*, id::DeliveryId, words::WebhookEvent},
};

fn emit(body: &str) -> Command {
    Command::Emit(Box::new(Emit {
        endpoint_id: id(90),
        event: WebhookEvent::PaymentConfirmed,
        source_event: id(CONFIRMED_EVENT),
        source_position: 7,
        subject_id: id(7),
        body: body.into(),
    }))
}
fn tried(attempt: u32, answer: Answer, jitter_permille: u16) -> Command {
    Command::RecordAttempt(Box::new(Attempt { attempt, answer, duration_ms: 12, now: at(0), jitter_permille }))
}
fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after: None }
}
fn timeout() -> Answer {
    Answer::None { error: "timeout".into() }
}
fn emitted() -> Vec<Event> {
    given::<WebhookDelivery>([]).when(emit("{}")).events()
}
fn failed_times(times: u32) -> Vec<Event> {
    (1..=times).fold(emitted(), |history, attempt| {
        let events = given::<WebhookDelivery>(&history).when(tried(attempt, timeout(), 0)).events();
        [history, events].concat()
    })
}
fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().as_str()).collect()
}

#[test]
fn a_delivery_is_emitted_once_for_an_event_and_a_receiver() {
    let facts = given::<WebhookDelivery>([]).when(emit(r#"{"email":"a@b.c"}"#)).facts();
    let event = payload!(facts[0].event.clone(), WebhookEmitted);
    assert_eq!(event.delivery_id, DeliveryId::of(id(CONFIRMED_EVENT), id(90)));
    assert_eq!(event.body_hash, Hash32::of(r#"{"email":"a@b.c"}"#));
    assert_eq!(facts[0].personal.as_ref().unwrap().1.text.as_deref(), Some(r#"{"email":"a@b.c"}"#));
    given::<WebhookDelivery>(&emitted()).when(emit("{}")).nothing();
    given::<WebhookDelivery>(&emitted()).when(emit("{ }")).refused(Rejection::AlreadyExists);
}

#[test]
fn the_schedule_of_q_14_and_then_the_dead_letter() {
    for (attempt, wait) in (1..).zip(RETRY_SECONDS) {
        let history = failed_times(attempt - 1);
        let events = given::<WebhookDelivery>(&history).when(tried(attempt, status(500), 0)).events();
        assert_eq!(payload!(events[1].clone(), WebhookRetryScheduled).next_attempt_at, at(wait));
        let late = given::<WebhookDelivery>(&history).when(tried(attempt, timeout(), 100)).events();
        assert_eq!(payload!(late[1].clone(), WebhookRetryScheduled).next_attempt_at.micros(), at(0).micros() + wait * 1_100_000);
    }
    let last = given::<WebhookDelivery>(&failed_times(9)).when(tried(10, timeout(), 0)).events();
    let dead = payload!(last[1].clone(), WebhookDeadLettered);
    assert_eq!((dead.attempts, dead.reason.as_str()), (10, "attempts_exhausted"));
}

#[test]
fn retry_after_is_honoured_upward_and_up_to_a_day() {
    let next = |retry_after| {
        let answer = Answer::Status { code: 429, retry_after: Some(retry_after) };
        let events = given::<WebhookDelivery>(&emitted()).when(tried(1, answer, 0)).events();
        payload!(events[1].clone(), WebhookRetryScheduled).next_attempt_at
    };
    assert_eq!((next(1), next(60), next(u32::MAX)), (at(5), at(60), at(86_400)));
}

#[test]
fn only_2xx_is_a_delivery_and_410_ends_the_receiver() {
    let delivery = given::<WebhookDelivery>(&emitted());
    for code in [200, 204, 299] {
        let events = delivery.when(tried(1, status(code), 0)).events();
        assert_eq!(types(&events), ["webhook.delivery_attempted", "webhook.delivered"]);
    }
    for code in [199, 301, 404, 500] {
        let events = delivery.when(tried(1, status(code), 0)).events();
        assert_eq!(types(&events), ["webhook.delivery_attempted", "webhook.retry_scheduled"]);
    }
    let gone = delivery.when(tried(1, status(410), 0)).facts();
    assert!(disables_endpoint(&gone));
    assert!(!disables_endpoint(&delivery.when(tried(1, status(500), 0)).facts()));
}

#[test]
fn rejections_of_an_attempt_in_order_of_precedence() {
    given::<WebhookDelivery>([]).when(tried(1, status(200), 0)).refused(Rejection::NotFound);
    given::<WebhookDelivery>(&emitted()).when(tried(2, status(200), 0)).refused(Rejection::OutOfOrder { next: 1 });
    given::<WebhookDelivery>(&emitted()).when(tried(0, status(200), 0)).refused(Rejection::OutOfOrder { next: 1 });
    given::<WebhookDelivery>(&failed_times(1)).when(tried(1, status(200), 0)).nothing();
    let done = [emitted(), given::<WebhookDelivery>(&emitted()).when(tried(1, status(200), 0)).events()].concat();
    let done = given::<WebhookDelivery>(&done);
    done.when(tried(1, status(200), 0)).nothing();
    done.when(tried(2, status(200), 0)).refused(Rejection::Closed);
    done.when(Command::GiveUp { reason: String::new() }).refused(Rejection::Closed);
    let open = given::<WebhookDelivery>(&emitted());
    open.when(Command::GiveUp { reason: String::new() }).refused(Rejection::ReasonRequired);
    assert_eq!(types(&open.when(Command::GiveUp { reason: "endpoint_disabled".into() }).events()), ["webhook.dead_lettered"]);
}

#[test]
fn a_receiver_needs_a_url_that_can_be_called() {
    let create = |url: &str, https_only| {
        webhook_endpoint::Command::Create(Box::new(webhook_endpoint::Create {
            endpoint_id: id(90),
            label: None,
            url: url.into(),
            subscribed_events: vec![WebhookEvent::ReceiptCreated, WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated],
            product_ids: vec![id(4), id(3), id(4)],
            secret_hash: Hash32::of("secret"),
            https_only,
        }))
    };
    let endpoint = given::<WebhookEndpoint>([]);
    for (url, https_only) in [
        ("nonsense", true),
        ("http://example.com/", true),
        ("ftp://example.com/", false),
        ("https://user:pass@example.com/", true),
        ("https://example.com/#part", true),
        (&format!("https://example.com/{}", "a".repeat(2_048)), true),
    ] {
        let refused = WebhookEndpoint::decide(&WebhookEndpoint::Absent, create(url, https_only));
        assert_eq!(refused.map_err(|why| why.code()), Err("invalid_webhook_url"), "{url}");
    }
    assert_eq!(endpoint.when(create("http://localhost:9/hook", false)).events().len(), 1);
    let events = endpoint.when(create("https://api.example.com/hilt", true)).events();
    let created = payload!(events[0].clone(), WebhookEndpointCreated);
    assert_eq!(created.subscribed_events, [WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated]);
    assert_eq!(created.product_ids.len(), 2);
    given::<WebhookEndpoint>(&events).when(create("https://api.example.com/hilt", true)).nothing();

    let disable = |reason: &str| webhook_endpoint::Command::Disable { reason: reason.into() };
    endpoint.when(disable("gone")).refused(webhook_endpoint::Rejection::NotFound);
    given::<WebhookEndpoint>(&events).when(disable("")).refused(webhook_endpoint::Rejection::ReasonRequired);
    let disabled = [events.clone(), given::<WebhookEndpoint>(&events).when(disable("gone")).events()].concat();
    given::<WebhookEndpoint>(&disabled).when(disable("gone")).nothing();
}
