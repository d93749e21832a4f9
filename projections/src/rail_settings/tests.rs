use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_setting_is_verified_until_it_is_saved_again() {
    let sample = Sample::new();
    let mut events = sample.set_up();
    assert_eq!(sample.fold::<RailSettings>(&events).get(sample.setting).unwrap().status, SettingStatus::Verified);
    let saved = events.iter().find(|written| matches!(written.event, Event::RailSettingSaved(_))).unwrap().clone();
    let mut labelled = saved.clone();
    let Event::RailSettingSaved(setting) = &mut labelled.event else { unreachable!() };
    setting.label = Some("Primary".to_owned());
    events.push(labelled);
    assert_eq!(sample.fold::<RailSettings>(&events).get(sample.setting).unwrap().status, SettingStatus::Verified, "a label is no payout");
    let mut moved = saved;
    let Event::RailSettingSaved(setting) = &mut moved.event else { unreachable!() };
    setting.payout_address = None;
    events.pop();
    events.push(moved);
    let rows = sample.fold::<RailSettings>(&events);
    let setting = rows.get(sample.setting).unwrap();
    assert_eq!((setting.status, setting.meta.created_at), (SettingStatus::Saved, START.plus_seconds(3)));
    assert_eq!(setting.meta.updated_at, START.plus_seconds(7));
}
