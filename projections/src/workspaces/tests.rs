use super::*;
use crate::testkit::Sample;

#[test]
fn a_profile_is_there_until_its_merchant_is_erased() {
    let sample = Sample::new();
    let mut events = sample.changed();
    let again = events.last().unwrap().clone();
    events.push(crate::testkit::Written { event_id: events::clock::new_id(), ..again });
    let rows = sample.fold::<Workspaces>(&events);
    let workspace = rows.get(sample.subject).unwrap();
    assert_eq!((rows.len(), workspace.meta.owner_id), (1, Some(sample.owner)));
    assert_eq!(workspace.profile.as_ref().unwrap()["merchant_name"], "Example Merchant");
    events.push(sample.erased());
    assert_eq!(sample.fold::<Workspaces>(&events).get(sample.subject).unwrap().profile, None);
}
