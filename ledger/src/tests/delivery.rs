use super::samples::*;
use crate::{
    Cited,
    delivery::{Again, Attempt, Automation, Command, Delivery, Outcome, RETRY_MINUTES, Rejection, Request, Settings},
    spec::given,
};
use events::{
    decider::Decider,
    vocab::{
        event::*,
        id::AccessDeliveryId,
        time::Timestamp,
        words::{DeliveryMode, DeliveryStatus, DeliveryTrigger, DeliveryType},
    },
};

fn request() -> Command {
    let live = Live::run();
    Command::Request(Box::new(Request {
        payment: Cited::new(id(CONFIRMED_EVENT), live.confirmed),
        access_product_id: Some(id(3)),
        membership_id: Some(live.membership.membership_id),
        subject_id: id(7),
        delivery_type: DeliveryType::TelegramInvite,
        mode: DeliveryMode::TelegramBot,
    }))
}
fn tried(attempt: u32, outcome: Outcome, now: Timestamp) -> Command {
    Command::RecordAttempt(Box::new(Attempt { attempt, mode: DeliveryMode::TelegramBot, outcome, now }))
}
fn sent() -> Outcome {
    Outcome::Sent { link: Some("https://t.me/+abc".into()) }
}
fn failed(retry_after: Option<u32>) -> Outcome {
    Outcome::Failed { reason: "provider_unavailable".into(), link: None, again: Again::OnSchedule { retry_after } }
}
fn retry() -> Command {
    Command::RequestRetry { mode: DeliveryMode::TelegramBot, access_runs: true }
}
fn requested() -> Vec<Event> {
    given::<Delivery>([]).when(request()).events()
}
fn add(history: Vec<Event>, command: Command) -> Vec<Event> {
    let events = given::<Delivery>(&history).when(command).events();
    [history, events].concat()
}
/// When the attempt after `history` is due.
fn due(history: &[Event]) -> Timestamp {
    history
        .iter()
        .rev()
        .find_map(|event| if let Event::DeliveryRescueScheduled(e) = event { Some(e.due_at) } else { None })
        .unwrap_or(at(0))
}
fn failed_times(times: u32) -> Vec<Event> {
    (1..=times).fold(requested(), |history, attempt| {
        let now = due(&history);
        add(history, tried(attempt, failed(None), now))
    })
}
fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().as_str()).collect()
}
fn status(history: &[Event]) -> DeliveryStatus {
    Delivery::fold(history).status()
}

#[test]
fn a_payment_has_one_delivery_and_cites_what_permits_it() {
    let history = requested();
    let event = payload!(history[0].clone(), DeliveryRequested);
    assert_eq!((event.delivery_id, event.payment_event), (AccessDeliveryId::of(id(5)), id(CONFIRMED_EVENT)));
    assert_eq!(status(&history), DeliveryStatus::Pending);
    given::<Delivery>(&history).when(request()).nothing();
}

#[test]
fn it_is_handed_over_and_the_link_is_sealed() {
    let facts = given::<Delivery>(requested()).when(tried(1, sent(), at(1))).facts();
    assert_eq!(facts.len(), 2);
    let attempted = payload!(facts[0].event.clone(), DeliveryAttempted);
    assert_eq!((attempted.attempt, attempted.trigger), (1, DeliveryTrigger::Settlement));
    let (subject, personal) = facts[1].personal.clone().unwrap();
    assert_eq!((subject, personal.text.as_deref()), (id(7), Some("https://t.me/+abc")));
    let history = add(requested(), tried(1, sent(), at(1)));
    assert_eq!(status(&history), DeliveryStatus::Sent);
    given::<Delivery>(&history).when(tried(1, failed(None), at(2))).nothing();
    given::<Delivery>(&history).when(tried(2, sent(), at(2))).refused(Rejection::NotDue);
}

/// INV-71.
#[test]
fn a_failure_is_tried_again_on_schedule_and_then_waits_for_a_person() {
    for (attempt, minutes) in (1..).zip(RETRY_MINUTES) {
        let history = failed_times(attempt - 1);
        let now = due(&history);
        let events = given::<Delivery>(&history).when(tried(attempt, failed(None), now)).events();
        assert_eq!(types(&events), ["delivery.attempted", "delivery.failed", "delivery.rescue_scheduled"]);
        assert_eq!(payload!(events[2].clone(), DeliveryRescueScheduled).due_at, now.plus_seconds(minutes * 60));
        let trigger = payload!(events[1].clone(), DeliveryFailed).trigger;
        assert_eq!(trigger == DeliveryTrigger::Settlement, attempt == 1, "only the first begins a series");
    }
    let history = failed_times(6);
    let last = ["delivery.attempted", "delivery.failed", "delivery.rescue_exhausted", "delivery.manual_review_opened"];
    assert_eq!(types(&history[history.len() - 4..]), last);
    assert_eq!(status(&history), DeliveryStatus::ManualReview);
    assert_eq!(Delivery::fold(&history).case().unwrap().due(at(1_000_000)), None);
}

#[test]
fn a_try_is_not_made_before_its_time() {
    let history = failed_times(1);
    given::<Delivery>(&history).when(tried(2, sent(), at(59))).refused(Rejection::NotDue);
    assert_eq!(given::<Delivery>(&history).when(tried(2, sent(), at(60))).events().len(), 2);
}

#[test]
fn the_provider_may_ask_for_more_time_but_not_for_less_or_for_ever() {
    for (asked, wait) in [(None, 60), (Some(5), 60), (Some(600), 600), (Some(u32::MAX), 86_400)] {
        let events = given::<Delivery>(requested()).when(tried(1, failed(asked), at(0))).events();
        assert_eq!(payload!(events[2].clone(), DeliveryRescueScheduled).due_at, at(wait), "{asked:?}");
    }
}

/// TR-23.
#[test]
fn a_merchant_may_have_it_tried_at_any_time_and_the_schedule_begins_again() {
    for history in [failed_times(1), failed_times(6), add(requested(), tried(1, sent(), at(1)))] {
        let next = Delivery::fold(&history).case().unwrap().attempts + 1;
        let history = add(history, retry());
        assert_eq!(payload!(history.last().unwrap().clone(), DeliveryRetryRequested).attempt, next);
        assert_eq!(status(&history), DeliveryStatus::Pending);
        given::<Delivery>(&history).when(retry()).nothing();
        let again = add(history.clone(), tried(next, failed(None), at(10_000_000)));
        assert_eq!(due(&again), at(10_000_060));
        assert_eq!(status(&add(history, tried(next, sent(), at(10_000_000)))), DeliveryStatus::Sent);
    }
}

#[test]
fn what_nobody_should_get_any_more_is_not_tried_again() {
    let never = Outcome::Failed { reason: "membership_not_active".into(), link: None, again: Again::Never };
    let history = add(requested(), tried(1, never, at(1)));
    assert_eq!(types(&history[1..]), ["delivery.attempted", "delivery.failed"]);
    assert_eq!(status(&history), DeliveryStatus::Failed);
}

#[test]
fn refusals() {
    given::<Delivery>([]).when(tried(1, sent(), at(0))).refused(Rejection::NotFound);
    given::<Delivery>([]).when(retry()).refused(Rejection::NotFound);
    given::<Delivery>(requested()).when(tried(2, sent(), at(0))).refused(Rejection::OutOfOrder { next: 1 });
    given::<Delivery>(requested()).when(tried(0, sent(), at(0))).refused(Rejection::OutOfOrder { next: 1 });
    let over = Command::RequestRetry { mode: DeliveryMode::StaticValue, access_runs: false };
    given::<Delivery>(failed_times(6)).when(over).refused(Rejection::MembershipNotActive);
    let mut other = Live::run().confirmed;
    other.payment_id = id(99);
    let mut command = request();
    if let Command::Request(request) = &mut command {
        request.payment.event = other;
    }
    given::<Delivery>(requested()).when(command).refused(Rejection::AlreadyExists);
}

/// Whatever is asked in whatever order: attempts count up by one, a series has at most five scheduled tries, nothing is sent twice
/// without being asked for again, and a delivery that is not over always has a next try.
#[test]
fn random_histories() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for _ in 0..300 {
        let (mut history, mut now) = (requested(), 0);
        for _ in 0..40 {
            now += i64::try_from(random(20_000)).unwrap();
            let next = Delivery::fold(&history).case().unwrap().attempts + 1;
            let attempt = next.saturating_sub(u32::try_from(random(2)).unwrap());
            let command = match random(6) {
                0 => retry(),
                1 => tried(attempt, sent(), at(now)),
                2 => request(),
                _ => tried(attempt, failed(Some(u32::try_from(random(9_000)).unwrap())), at(now)),
            };
            if let Ok(facts) = Delivery::decide(&Delivery::fold(&history), command) {
                history.extend(facts.into_iter().map(|fact| fact.event));
            }
        }
        let attempts: Vec<u32> =
            history.iter().filter_map(|event| if let Event::DeliveryAttempted(e) = event { Some(e.attempt) } else { None }).collect();
        assert!(attempts.iter().zip(1..).all(|(attempt, expected)| *attempt == expected));
        let (mut scheduled, mut open) = (0, true);
        for event in &history {
            match event {
                Event::DeliveryRetryRequested(_) => (scheduled, open) = (0, true),
                Event::DeliveryRescueScheduled(_) => scheduled += 1,
                Event::DeliverySent(_) => assert!(std::mem::replace(&mut open, false), "sent twice"),
                _ => {}
            }
            assert!(scheduled <= RETRY_MINUTES.len());
        }
        let state = Delivery::fold(&history);
        let over = matches!(state.status(), DeliveryStatus::Sent | DeliveryStatus::ManualReview);
        assert_eq!(state.case().unwrap().due(at(now + 100_000)).is_none(), over);
    }
}

#[test]
fn what_no_bot_can_do_is_handed_over_as_the_products_own_value() {
    let config = |target: Option<&str>, role: Option<&str>, channel: Option<&str>| MembershipConfig {
        platform_target_id: target.map(str::to_owned),
        platform_role_id: role.map(str::to_owned),
        platform_channel_id: channel.map(str::to_owned),
        ..crate::product::plain_membership(30)
    };
    let all = Automation { telegram: true, discord: true };
    let mode =
        |delivery_type, membership, automation| Settings { delivery_type: Some(delivery_type), membership }.mode(automation).unwrap().1;
    use DeliveryType::{DiscordInvite, Redirect, TelegramInvite};
    assert_eq!(Settings::default().mode(all), None);
    assert_eq!(mode(Redirect, Some(config(Some("1"), Some("2"), None)), all), DeliveryMode::StaticValue);
    assert_eq!(mode(TelegramInvite, Some(config(Some("-100"), None, None)), all), DeliveryMode::TelegramBot);
    assert_eq!(mode(TelegramInvite, Some(config(Some(" "), None, None)), all), DeliveryMode::StaticValue);
    assert_eq!(mode(TelegramInvite, Some(config(Some("-100"), None, None)), Automation::default()), DeliveryMode::StaticValue);
    assert_eq!(mode(TelegramInvite, None, all), DeliveryMode::StaticValue);
    assert_eq!(mode(DiscordInvite, Some(config(Some("1"), Some("2"), None)), all), DeliveryMode::DiscordBot);
    assert_eq!(mode(DiscordInvite, Some(config(Some("1"), None, Some("3"))), all), DeliveryMode::DiscordBot);
    assert_eq!(mode(DiscordInvite, Some(config(Some("1"), None, None)), all), DeliveryMode::StaticValue);
}
