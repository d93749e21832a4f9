use super::*;
use crate::testkit::{START, Sample};
use events::vocab::{
    event::{TestClockAdvanced, TestClockCreated, TestClockDeleted},
    id::TestClockId,
};

#[test]
fn a_clock_shows_the_time_it_was_advanced_to_until_it_is_no_more() {
    let (sample, id) = (Sample::new(), events::clock::new_id::<TestClockId>());
    let later = START.plus_seconds(60);
    let created = TestClockCreated { test_clock_id: id, name: Some("renewals".to_owned()), frozen_time: START };
    let advanced = TestClockAdvanced { test_clock_id: id, from: START, frozen_time: later };
    let mut events = vec![sample.at(created, id), sample.at(advanced, id)];
    let rows = sample.fold::<TestClocks>(&events);
    assert_eq!(rows.get(id).map(|row| (row.frozen_time, row.deleted)), Some((later, false)));
    events.push(sample.at(TestClockDeleted { test_clock_id: id }, id));
    assert!(sample.fold::<TestClocks>(&events).get(id).is_some_and(|row| row.deleted));
}
