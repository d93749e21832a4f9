use super::samples::*;
use crate::{
    spec::given,
    webhook_delivery::{Answer, Attempt, Command, Emit, RETRY_SECONDS, Rejection, WebhookDelivery, disables_endpoint},
    webhook_endpoint::{self, Receiver, WebhookEndpoint},
};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::*,
        id::DeliveryId,
        words::{RedeliveryScope, WebhookEvent},
    },
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
    Command::RecordAttempt(Box::new(Attempt {
        attempt,
        answer,
        duration_ms: 12,
        now: at(0),
        url: "https://example.com/hook".into(),
        signatures: 1,
        response: None,
        jitter_permille,
    }))
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

fn again() -> Command {
    Command::Redeliver { requested_by: None, reason: None }
}

#[test]
fn one_that_is_made_again_is_due_at_once_and_its_schedule_begins_anew() {
    let dead = [failed_times(9), given::<WebhookDelivery>(&failed_times(9)).when(tried(10, timeout(), 0)).events()].concat();
    let asked = [dead.clone(), given::<WebhookDelivery>(&dead).when(again()).events()].concat();
    assert_eq!(types(&asked[asked.len() - 1..]), ["webhook.redelivery_requested"]);
    let due = given::<WebhookDelivery>(&asked);
    due.when(again()).nothing();
    due.when(tried(10, timeout(), 0)).nothing();
    let failed = due.when(tried(11, timeout(), 0)).events();
    assert_eq!(payload!(failed[1].clone(), WebhookRetryScheduled).next_attempt_at, at(RETRY_SECONDS[0]));
    let arrived = [asked.clone(), due.when(tried(11, status(200), 0)).events()].concat();
    assert_eq!(types(&given::<WebhookDelivery>(&arrived).when(again()).events()), ["webhook.redelivery_requested"]);
    // One that waits for another attempt does not wait any longer.
    assert_eq!(types(&given::<WebhookDelivery>(&failed_times(2)).when(again()).events()), ["webhook.redelivery_requested"]);
    given::<WebhookDelivery>(&emitted()).when(again()).nothing();
    given::<WebhookDelivery>([]).when(again()).refused(Rejection::NotFound);
    for reason in ["", "Because I say so."] {
        let staff = Command::Redeliver { requested_by: None, reason: Some(reason.into()) };
        given::<WebhookDelivery>(&dead).when(staff).refused(Rejection::ReasonRequired);
    }
}

#[test]
fn a_test_is_tried_once() {
    let test = Command::Emit(Box::new(Emit {
        endpoint_id: id(90),
        event: WebhookEvent::Test,
        source_event: id(CONFIRMED_EVENT),
        source_position: 7,
        subject_id: id(7),
        body: "{}".into(),
    }));
    let emitted = given::<WebhookDelivery>([]).when(test).events();
    let failed = given::<WebhookDelivery>(&emitted).when(tried(1, status(500), 0)).events();
    assert_eq!(payload!(failed[1].clone(), WebhookDeadLettered).reason, "test_failed");
    let answered = given::<WebhookDelivery>(&emitted).when(tried(1, status(204), 0)).events();
    assert_eq!(types(&answered), ["webhook.delivery_attempted", "webhook.delivered"]);
}

#[test]
fn what_the_receiver_said_is_sealed() {
    let Command::RecordAttempt(attempt) = tried(1, status(500), 0) else { panic!() };
    let said = Attempt { response: Some((id(7), r#"{"body":"who is a@b.c?"}"#.into())), ..*attempt };
    let facts = given::<WebhookDelivery>(&emitted()).when(Command::RecordAttempt(Box::new(said))).facts();
    assert_eq!(facts[0].personal.as_ref().unwrap().1.text.as_deref(), Some(r#"{"body":"who is a@b.c?"}"#));
    assert!(!format!("{:?}", facts[0].event).contains("a@b.c"));
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

fn registered() -> Vec<Event> {
    vec![
        WebhookEndpointCreated {
            endpoint_id: id(90),
            label: Some("main".into()),
            url: "https://example.com/".into(),
            subscribed_events: vec![WebhookEvent::PaymentConfirmed],
            product_ids: vec![id(4)],
            secret_hash: Hash32::of("first"),
        }
        .into(),
    ]
}
fn after(history: &[Event], command: webhook_endpoint::Command) -> Vec<Event> {
    [history, &given::<WebhookEndpoint>(history).when(command).events()].concat()
}
fn receiver(history: &[Event]) -> Receiver {
    WebhookEndpoint::fold(history).receiver().unwrap().clone()
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    use webhook_endpoint::{Change, Command::Change as Do, Rejection};
    let change = |change: Change| Do(Box::new(change));
    let before = registered();
    let endpoint = given::<WebhookEndpoint>(&before);
    endpoint.when(change(Change::default())).nothing();
    endpoint.when(change(Change { url: Some("https://example.com".into()), ..Change::default() })).nothing();
    let renamed = after(&before, change(Change { label: Some(None), ..Change::default() }));
    assert_eq!(receiver(&renamed), Receiver { label: None, ..receiver(&before) });
    let all = Change {
        label: Some(Some("other".into())),
        url: Some("https://example.org/h".into()),
        subscribed_events: Some(vec![WebhookEvent::MembershipExpired, WebhookEvent::PaymentConfirmed]),
        product_ids: Some(vec![]),
        https_only: true,
    };
    let now = receiver(&after(&before, change(all)));
    assert_eq!(now.subscribed_events, [WebhookEvent::PaymentConfirmed, WebhookEvent::MembershipExpired]);
    assert_eq!((now.url.as_str(), now.product_ids.len(), now.secret_hash), ("https://example.org/h", 0, Hash32::of("first")));
    for events in [vec![], vec![WebhookEvent::Test]] {
        let none = change(Change { subscribed_events: Some(events), ..Change::default() });
        endpoint.when(none).refused(Rejection::SubscribedEventsRequired);
    }
    let plain = change(Change { url: Some("http://example.com/".into()), https_only: true, ..Change::default() });
    endpoint.when(plain).refused(Rejection::InvalidUrl { rule: "a live endpoint needs https" });
}

#[test]
fn two_secrets_sign_while_one_is_rotated_out_and_never_three() {
    use webhook_endpoint::{Command, Rejection};
    let rotate = |secret: &str, overlap_seconds, now| Command::RotateSecret { secret_hash: Hash32::of(secret), overlap_seconds, now };
    let signing = |history: &[Event], now| receiver(history).signing(now).collect::<Vec<_>>();
    let one = registered();
    let two = after(&one, rotate("second", 60, at(0)));
    assert_eq!(signing(&two, at(59)), [Hash32::of("second"), Hash32::of("first")]);
    assert_eq!(signing(&two, at(60)), [Hash32::of("second")]);
    let three = after(&two, rotate("third", 60, at(10)));
    assert_eq!(signing(&three, at(11)), [Hash32::of("third"), Hash32::of("second")], "the first signs no more");
    let at_once = after(&two, rotate("third", 0, at(10)));
    assert_eq!(signing(&at_once, at(10)), [Hash32::of("third")]);
    given::<WebhookEndpoint>(&two).when(rotate("second", 60, at(0))).nothing();
    given::<WebhookEndpoint>(&one)
        .when(rotate("second", 604_801, at(0)))
        .refused(Rejection::OutOfRange { field: "overlap_seconds", rule: "is from 0 to 604800" });
}

#[test]
fn pausing_resuming_and_what_is_refused_meanwhile() {
    use webhook_endpoint::{Command, Rejection};
    let test = || Command::Test { subject_id: id(7) };
    let span = |since, until| Command::Redeliver { scope: RedeliveryScope::Failed, since: at(since), until: at(until) };
    let active = registered();
    let paused = after(&active, Command::Pause);
    given::<WebhookEndpoint>(&active).when(Command::Resume).nothing();
    given::<WebhookEndpoint>(&paused).when(Command::Pause).nothing();
    given::<WebhookEndpoint>(&paused).when(test()).refused(Rejection::Paused);
    assert_eq!(types(&given::<WebhookEndpoint>(&paused).when(Command::Resume).events()), ["webhook_endpoint.resumed"]);
    assert_eq!(types(&given::<WebhookEndpoint>(&active).when(test()).events()), ["webhook_endpoint.test_requested"]);
    assert_eq!(types(&given::<WebhookEndpoint>(&paused).when(span(0, 1)).events()), ["webhook_endpoint.redelivery_requested"]);
    given::<WebhookEndpoint>(&active).when(span(1, 1)).refused(Rejection::OutOfRange { field: "until", rule: "is later than since" });

    let failed = after(&active, Command::Disable { reason: webhook_endpoint::FAILING.into() });
    for command in [Command::Pause, test(), span(0, 1)] {
        given::<WebhookEndpoint>(&failed).when(command).refused(Rejection::Disabled);
    }
    assert_eq!(types(&given::<WebhookEndpoint>(&failed).when(Command::Resume).events()), ["webhook_endpoint.resumed"]);
    let deleted = after(&active, Command::Disable { reason: webhook_endpoint::DELETED.into() });
    for command in [Command::Resume, Command::Pause, Command::Change(Box::default())] {
        given::<WebhookEndpoint>(&deleted).when(command).refused(Rejection::Disabled);
    }
    given::<WebhookEndpoint>([]).when(Command::Pause).refused(Rejection::NotFound);
}

#[test]
fn a_receiver_is_given_up_after_five_days_of_nothing_but_failures() {
    use webhook_endpoint::Command;
    let days = |days: i64| at(days * 86_400);
    let active = registered();
    let give_up = |last| Command::GiveUp { since: at(0), last };
    given::<WebhookEndpoint>(&active).when(give_up(at(5 * 86_400 - 1))).nothing();
    let events = given::<WebhookEndpoint>(&active).when(give_up(days(5))).events();
    assert_eq!(payload!(events[0].clone(), WebhookEndpointDisabled).reason, "failing");
    given::<WebhookEndpoint>(&after(&active, Command::Pause)).when(give_up(days(9))).nothing();
    given::<WebhookEndpoint>(&after(&active, give_up(days(6)))).when(give_up(days(9))).nothing();
}
