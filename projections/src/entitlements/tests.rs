use super::*;
use crate::testkit::{START, Sample};

#[test]
fn an_activation_cites_its_evidence() {
    let sample = Sample::new();
    let rows = sample.fold::<Entitlements>(&sample.events());
    let entitlement = rows.get(sample.entitlement).unwrap();
    assert_eq!((entitlement.status, entitlement.sandbox), (EntitlementStatus::Active, false));
    assert_eq!((entitlement.evidence.as_deref(), entitlement.receipt_id), (Some("receipt"), Some(sample.receipt)));
    assert_eq!((entitlement.active_from, entitlement.expires_at), (Some(START), Some(START.plus_days(30))));
    assert_eq!(entitlement.external_customer_id.as_deref(), Some("customer-7"));
}

#[test]
fn erasure_takes_the_person_and_leaves_the_entitlement() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.erased());
    let rows = sample.fold::<Entitlements>(&events);
    let entitlement = rows.get(sample.entitlement).unwrap();
    assert_eq!((&entitlement.email, &entitlement.external_customer_id, &entitlement.identity_value), (&None, &None, &None));
    assert_eq!(entitlement.status, EntitlementStatus::Active);
}
