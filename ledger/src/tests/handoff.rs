use super::samples::*;
use crate::{
    handoff::{Command, Handoff, Issue, Rejection},
    spec::given,
};
use events::vocab::{
    event::*,
    personal::Personal,
    words::{HandoffSource, IdentityType},
};

fn issue(source: HandoffSource) -> Issue {
    Issue {
        handoff_id: id(40),
        product_id: id(2),
        subject_id: id(6),
        source,
        identity_type: IdentityType::DiscordUserId,
        identity: Personal { identity_value: Some("80351110224678912".into()), ..Personal::default() },
        minutes: 30,
        now: at(0),
    }
}
fn issued(source: HandoffSource) -> Event {
    let (handoff_id, product_id, subject_id) = (id(40), id(2), id(6));
    HandoffIssued { handoff_id, product_id, subject_id, source, identity_type: IdentityType::DiscordUserId, expires_at: at(1_800) }.into()
}
fn command(issue: Issue) -> Command {
    Command::Issue(Box::new(issue))
}
fn started() -> Event {
    DiscordConnectStarted { handoff_id: id(40), product_id: id(2), expires_at: at(600) }.into()
}
fn resolved() -> Event {
    HandoffResolved { handoff_id: id(40), resolved_at: at(60) }.into()
}

#[test]
fn a_merchants_handoff_is_issued_with_the_identity_sealed() {
    let facts = given::<Handoff>([]).when(command(issue(HandoffSource::Merchant))).facts();
    assert_eq!(facts[0].event, issued(HandoffSource::Merchant));
    assert_eq!(facts[0].personal.as_ref().unwrap().1.identity_value.as_deref(), Some("80351110224678912"));
    for minutes in [0, 1_441, u32::MAX] {
        let asked = Issue { minutes, ..issue(HandoffSource::Merchant) };
        given::<Handoff>([]).when(command(asked)).refused(Rejection::MinutesOutOfRange);
    }
}

#[test]
fn discord_answers_once_in_time_and_for_the_product_it_was_asked_for() {
    let start = Command::Start { handoff_id: id(40), product_id: id(2), now: at(0) };
    given::<Handoff>([]).when(start.clone()).then(&[started()]);
    given::<Handoff>([started()]).when(start).refused(Rejection::AlreadyExists);
    let answer = issue(HandoffSource::Discord);
    given::<Handoff>([started()]).when(command(answer.clone())).then(&[issued(HandoffSource::Discord)]);
    given::<Handoff>([]).when(command(answer.clone())).refused(Rejection::FlowMismatch);
    given::<Handoff>([started()]).when(command(issue(HandoffSource::Merchant))).refused(Rejection::FlowMismatch);
    let late = Issue { product_id: id(3), now: at(600), ..answer.clone() };
    given::<Handoff>([started()]).when(command(late)).refused(Rejection::FlowMismatch);
    given::<Handoff>([started()]).when(command(Issue { now: at(600), ..answer.clone() })).refused(Rejection::Expired);
    given::<Handoff>([started(), issued(HandoffSource::Discord)]).when(command(answer)).refused(Rejection::AlreadyExists);
}

#[test]
fn it_is_resolved_again_and_again_until_its_end_and_recorded_once() {
    let resolve = |seconds| Command::Resolve { now: at(seconds) };
    let known = issued(HandoffSource::Merchant);
    given::<Handoff>([]).when(resolve(60)).refused(Rejection::NotFound);
    given::<Handoff>([started()]).when(resolve(60)).refused(Rejection::NotFound);
    given::<Handoff>([known.clone()]).when(resolve(60)).then(&[resolved()]);
    given::<Handoff>([known.clone(), resolved()]).when(resolve(1_799)).nothing();
    given::<Handoff>([known.clone(), resolved()]).when(resolve(1_800)).refused(Rejection::Expired);
    given::<Handoff>([known]).when(resolve(1_800)).refused(Rejection::Expired);
}
