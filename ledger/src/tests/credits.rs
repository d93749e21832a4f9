use super::samples::*;
use crate::{
    credits::{Command, Credits, Plan, Rejection, next_period, period},
    spec::given,
};
use events::vocab::{event::*, time::Timestamp};

const MONTH: i64 = 31 * 24 * 3_600;

fn plan(credits: u32) -> Plan {
    Plan { name: format!("plan-{credits}"), credits, templates: None }
}
fn burn(receipt: u128, credits: u32, now: Timestamp) -> Command {
    Command::Burn { owner_id: id(9), receipt_id: id(receipt), credits: 1, plan: plan(credits), now }
}
fn granted(credits: u32, now: Timestamp) -> Event {
    CreditsGranted { owner_id: id(9), period: period(now), plan: format!("plan-{credits}"), credits }.into()
}
fn burned(receipt: u128) -> Event {
    CreditsBurned { owner_id: id(9), receipt_id: id(receipt), credits: 1 }.into()
}

#[test]
fn a_month_grants_once_and_a_receipt_pays_once() {
    let now = at(0);
    given::<Credits>([]).when(burn(1, 2, now)).then(&[granted(2, now), burned(1)]);
    let once = [granted(2, now), burned(1)];
    given::<Credits>(&once).when(burn(1, 2, now)).nothing();
    given::<Credits>(&once).when(burn(2, 2, now)).then(&[burned(2)]);
    let twice = [granted(2, now), burned(1), burned(2)];
    given::<Credits>(&twice).when(burn(3, 2, now)).refused(Rejection::Insufficient);
    given::<Credits>(&twice).when(burn(2, 2, now)).nothing();
}

#[test]
fn the_next_month_begins_anew_and_what_was_left_lapses() {
    let (now, later) = (at(0), at(0).plus_seconds(MONTH));
    let spent = [granted(2, now), burned(1)];
    given::<Credits>(&spent).when(burn(2, 2, later)).then(&[granted(2, later), burned(2)]);
    let next = [spent.to_vec(), vec![granted(2, later), burned(2), burned(3)]].concat();
    given::<Credits>(&next).when(burn(4, 2, later)).refused(Rejection::Insufficient);
}

#[test]
fn a_larger_plan_counts_at_once_and_a_smaller_one_from_the_next_month() {
    let now = at(0);
    let spent = [granted(1, now), burned(1)];
    given::<Credits>(&spent).when(burn(2, 5, now)).then(&[granted(5, now), burned(2)]);
    let large = [granted(5, now), burned(1)];
    given::<Credits>(&large).when(burn(2, 1, now)).then(&[burned(2)]);
    given::<Credits>([]).when(burn(1, 0, now)).refused(Rejection::Insufficient);
}

#[test]
fn a_period_is_a_calendar_month_in_utc() {
    let at = |micros| period(Timestamp::from_micros(micros));
    assert_eq!(at(1_798_761_599_999_999), "2026-12");
    assert_eq!(at(1_798_761_600_000_000), "2027-01");
    let next = |micros| next_period(Timestamp::from_micros(micros)).micros();
    assert_eq!(next(1_798_761_599_999_999), 1_798_761_600_000_000);
    assert_eq!(next(1_798_761_600_000_000), 1_801_440_000_000_000, "the first of February");
}
