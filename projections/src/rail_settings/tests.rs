use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_setting_is_verified_until_it_is_saved_again() {
    let sample = Sample::new();
    let mut events = sample.set_up();
    assert_eq!(sample.fold::<RailSettings>(&events).get(sample.setting).unwrap().status, SettingStatus::Verified);
    let saved = events.iter().find(|written| matches!(written.event, Event::RailSettingSaved(_))).unwrap().clone();
    events.push(saved);
    let rows = sample.fold::<RailSettings>(&events);
    let setting = rows.get(sample.setting).unwrap();
    assert_eq!((setting.status, setting.meta.created_at), (SettingStatus::Saved, START.plus_seconds(3)));
    assert_eq!(setting.meta.updated_at, START.plus_seconds(7));
}
