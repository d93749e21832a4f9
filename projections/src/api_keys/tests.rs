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
