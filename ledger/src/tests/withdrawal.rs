//! Taking back what was handed over, when its membership has ended.

use super::samples::*;
use crate::{
    Cited,
    delivery::{Again, Attempt, Command, Delivery, Outcome, RETRY_MINUTES, Rejection, Request, TakeBack, TakenBack, Withdrawal},
    spec::given,
};
use events::{
    decider::Decider,
    vocab::{
        event::*,
        id::MembershipId,
        time::Timestamp,
        words::{DeliveryMode, DeliveryType},
    },
};

fn sent(membership_id: Option<MembershipId>) -> Vec<Event> {
    let request = Command::Request(Box::new(Request {
        payment: Cited::new(id(CONFIRMED_EVENT), Live::run().confirmed),
        access_product_id: None,
        membership_id,
        subject_id: id(7),
        delivery_type: DeliveryType::TelegramInvite,
        mode: DeliveryMode::TelegramBot,
    }));
    let outcome = Outcome::Sent { link: None };
    let attempt = Attempt { attempt: 1, mode: DeliveryMode::TelegramBot, outcome, now: at(1) };
    let history = given::<Delivery>([]).when(request).events();
    add(history, Command::RecordAttempt(Box::new(attempt)))
}
fn add(history: Vec<Event>, command: Command) -> Vec<Event> {
    let events = given::<Delivery>(&history).when(command).events();
    [history, events].concat()
}
fn ends() -> Command {
    Command::RequestWithdrawal { ended: id(50) }
}
fn ended() -> Vec<Event> {
    add(sent(Some(Live::run().membership.membership_id)), ends())
}
fn tried(attempt: u32, outcome: TakenBack, now: Timestamp) -> Command {
    Command::RecordWithdrawal(Box::new(TakeBack { attempt, mode: DeliveryMode::TelegramBot, outcome, now }))
}
fn failed(again: Again) -> TakenBack {
    TakenBack::Failed { reason: "provider_unavailable".into(), again }
}
const LATER: Again = Again::OnSchedule { retry_after: None };
fn due(history: &[Event], now: Timestamp) -> Option<u32> {
    Delivery::fold(history).case().unwrap().withdrawal_due(now)
}
fn withdrawal(history: &[Event]) -> Withdrawal {
    Delivery::fold(history).case().unwrap().withdrawal
}

#[test]
fn it_is_asked_for_once_and_cites_the_end() {
    let history = ended();
    assert_eq!(payload!(history.last().unwrap().clone(), DeliveryWithdrawalRequested).ended_event, id(50));
    assert_eq!(due(&history, at(0)), Some(1));
    given::<Delivery>(&history).when(ends()).nothing();
    let done = add(history, tried(1, TakenBack::Out { was_in: true }, at(2)));
    assert!(payload!(done.last().unwrap().clone(), DeliveryWithdrawn).was_in);
    given::<Delivery>(&done).when(ends()).nothing();
    given::<Delivery>(&done).when(tried(2, failed(LATER), at(3))).refused(Rejection::NotDue);
}

#[test]
fn what_fails_is_tried_again_on_the_rescues_schedule_and_then_left_to_a_person() {
    let (mut history, mut now) = (ended(), at(10));
    for (attempt, minutes) in (1..).zip(RETRY_MINUTES) {
        history = add(history, tried(attempt, failed(LATER), now));
        let next = now.plus_seconds(minutes * 60);
        assert_eq!(payload!(history.last().unwrap().clone(), DeliveryWithdrawalFailed).retry_at, Some(next));
        assert_eq!((due(&history, next.plus_seconds(-1)), due(&history, next)), (None, Some(attempt + 1)));
        given::<Delivery>(&history).when(tried(attempt + 1, failed(LATER), next.plus_seconds(-1))).refused(Rejection::NotDue);
        given::<Delivery>(&history).when(tried(attempt, failed(LATER), next)).nothing();
        now = next;
    }
    history = add(history, tried(6, failed(LATER), now));
    assert_eq!((withdrawal(&history), due(&history, at(10_000_000))), (Withdrawal::GivenUp, None));
    // A further end is a further reason to try.
    assert_eq!(due(&add(history, ends()), now), Some(1));
}

#[test]
fn what_only_a_person_can_do_is_not_tried_again() {
    let history = add(ended(), tried(1, failed(Again::Never), at(2)));
    assert_eq!(withdrawal(&history), Withdrawal::GivenUp);
}

#[test]
fn whoever_may_stay_stays_and_whoever_is_let_in_again_is_not_taken_out() {
    let history = add(ended(), tried(1, TakenBack::Moot { reason: "access_runs_again" }, at(2)));
    assert_eq!(withdrawal(&history), Withdrawal::None);
    let again = add(ended(), Command::RequestRetry { mode: DeliveryMode::TelegramBot, access_runs: true });
    assert_eq!((withdrawal(&again), due(&again, at(100))), (Withdrawal::None, None));
}

#[test]
fn refusals() {
    given::<Delivery>([]).when(ends()).refused(Rejection::NotFound);
    given::<Delivery>(sent(None)).when(ends()).refused(Rejection::NoMembership);
    let history = sent(Some(Live::run().membership.membership_id));
    given::<Delivery>(&history).when(tried(1, failed(LATER), at(2))).refused(Rejection::NotDue);
    given::<Delivery>(ended()).when(tried(2, failed(LATER), at(2))).refused(Rejection::OutOfOrder { next: 1 });
}
