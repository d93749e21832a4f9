use super::samples::*;
use crate::{
    spec::given,
    test_clock::{Command, Create, LATEST, Rejection, TestClock},
};
use events::vocab::{event::*, time::Timestamp};

fn create() -> Create {
    Create { test_clock_id: id(70), name: Some(" renewals ".into()), frozen_time: at(0), livemode: false }
}
fn created() -> Vec<Event> {
    given::<TestClock>([]).when(Command::Create(create())).events()
}
fn to(seconds: i64) -> Command {
    Command::Advance { frozen_time: at(seconds) }
}

#[test]
fn rejections_of_a_test_clock_in_order_of_precedence() {
    let nothing = given::<TestClock>([]);
    let mut create = Create { name: Some("x".repeat(201)), frozen_time: Timestamp::from_micros(0), livemode: true, ..create() };
    let mut refuse = |mend: fn(&mut Create), why| {
        nothing.when(Command::Create(create.clone())).refused(why);
        mend(&mut create);
    };
    refuse(|c| c.livemode = false, Rejection::LiveNotAllowed);
    refuse(|c| c.name = None, Rejection::NameTooLong);
    refuse(|c| c.frozen_time = LATEST, Rejection::OutOfRange);
    assert_eq!(nothing.when(Command::Create(create)).events().len(), 1);
    nothing.when(to(1)).refused(Rejection::NotFound);
    nothing.when(Command::Delete).refused(Rejection::NotFound);
}

#[test]
fn a_clock_goes_forward_only() {
    let clock = given::<TestClock>(created());
    clock.when(Command::Create(create())).nothing();
    clock.when(to(0)).refused(Rejection::NotForward { frozen_time: at(0) });
    clock.when(Command::Advance { frozen_time: LATEST.plus_seconds(1) }).refused(Rejection::OutOfRange);
    let advanced = clock.when(to(60)).events();
    assert_eq!(payload!(advanced[0].clone(), TestClockAdvanced).from, at(0));
    let later = given::<TestClock>([created(), advanced].concat());
    later.when(to(60)).refused(Rejection::NotForward { frozen_time: at(60) });
    later.when(to(59)).refused(Rejection::NotForward { frozen_time: at(60) });
}

#[test]
fn a_deleted_clock_is_no_more() {
    let deleted = given::<TestClock>(created()).when(Command::Delete).events();
    let gone = given::<TestClock>([created(), deleted].concat());
    gone.when(to(60)).refused(Rejection::NotFound);
    gone.when(Command::Delete).nothing();
}
