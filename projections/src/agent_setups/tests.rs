use super::*;
use crate::testkit::Sample;

#[test]
fn an_approved_intent_says_who_approved_what() {
    let sample = Sample::new();
    let rows = sample.fold::<AgentSetups>(&sample.events());
    let setup = rows.get(sample.setup).unwrap();
    assert_eq!((setup.status, setup.decided_by, setup.has_manifest), (SetupStatus::Approved, Some(sample.owner), true));
    assert_eq!((setup.granted_permissions.as_slice(), setup.live_key_id), ([Scope::Read].as_slice(), Some(sample.key)));
}
