use super::*;
use crate::testkit::Sample;

#[test]
fn a_key_shows_its_prefix_and_no_hash() {
    let sample = Sample::new();
    let rows = sample.fold::<ApiKeys>(&sample.events());
    let key = rows.get(sample.key).unwrap();
    assert_eq!((key.prefix.as_str(), key.status), ("hk_live_ab", KeyStatus::Active));
    assert!(!serde_json::to_string(key).unwrap().contains("hash"));
}

#[test]
fn a_rotated_key_tells_its_successor_and_its_end() {
    use events::vocab::event::ApiKeyRotated;
    let sample = Sample::new();
    let (successor_id, works_until) = (events::clock::new_id(), crate::testkit::START.plus_seconds(60));
    let mut events = sample.events();
    events.push(sample.at(ApiKeyRotated { key_id: sample.key, successor_id, works_until }, sample.key));
    let rows = sample.fold::<ApiKeys>(&events);
    let key = rows.get(sample.key).unwrap();
    assert_eq!((key.status, key.rotated_to, key.works_until), (KeyStatus::Active, Some(successor_id), Some(works_until)));
}
