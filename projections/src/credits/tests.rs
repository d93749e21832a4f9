use super::*;
use crate::testkit::{Sample, Written};
use events::{
    clock::new_id,
    vocab::{
        event::{CreditsBurned, CreditsGranted},
        stream::{Category, StreamId},
    },
};

#[test]
fn a_new_month_begins_with_what_its_plan_grants() {
    let sample = Sample::new();
    let written =
        |event: Event| Written { stream: StreamId::new(Category::Credits, sample.owner), event_id: new_id(), event, personal: None };
    let granted = |period: &str, credits| {
        written(CreditsGranted { owner_id: sample.owner, period: period.into(), plan: "sandbox".into(), credits }.into())
    };
    let burned = || written(CreditsBurned { owner_id: sample.owner, receipt_id: new_id(), credits: 1 }.into());
    let row = |events: &[Written]| sample.fold::<Credits>(events).get(sample.owner).unwrap().clone();
    let november = row(&[granted("2026-11", 100), burned(), burned(), granted("2026-11", 1_000)]);
    assert_eq!((november.period.as_str(), november.granted, november.burned), ("2026-11", 1_000, 2));
    let december = row(&[granted("2026-11", 100), burned(), granted("2026-12", 100), burned()]);
    assert_eq!((december.period.as_str(), december.granted, december.burned, december.burned_in_all), ("2026-12", 100, 1, 2));
}
