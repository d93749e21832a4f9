use super::*;
use crate::testkit::{START, Sample, Written};
use events::vocab::event::{EntitlementActivated, EntitlementExpired, ReceiptCreated};

fn kinds(rows: &Rows<AccessEvent>) -> Vec<&'static str> {
    let mut found: Vec<_> = rows.iter().map(|row| (row.meta.position, row.event.as_str())).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, kind)| kind).collect()
}

#[test]
fn a_sale_is_told_in_the_order_of_the_log_and_nothing_else_is() {
    let sample = Sample::new();
    let written = sample.events();
    let rows = sample.fold::<AccessEvents>(&written);
    let sale = ["payment.confirmed", "receipt.created", "membership.activated"];
    let in_the_log: Vec<_> = written.iter().map(|one| one.event.event_type().as_str()).filter(|kind| sale.contains(kind)).collect();
    assert_eq!(in_the_log.len(), 3, "{in_the_log:?}");
    assert_eq!(kinds(&rows)[..3], in_the_log);
    assert!(rows.iter().all(|row| row.product_id == Some(sample.product) && row.meta.owner_id.is_some()));
}

#[test]
fn receipts_made_by_hand_are_not_told() {
    let sample = Sample::new();
    let mut events = sample.events();
    let made = |written: &mut Written| {
        if let Event::ReceiptCreated(receipt) = &mut written.event {
            *receipt = ReceiptCreated { payment_id: None, ..receipt.clone() };
        }
    };
    events.iter_mut().for_each(made);
    assert!(!kinds(&sample.fold::<AccessEvents>(&events)).contains(&"receipt.created"));
}

#[test]
fn sandbox_access_begins_and_ends_like_a_membership_and_live_access_is_told_by_its_membership() {
    let sample = Sample::new();
    let entitlement = events::clock::new_id();
    let sandbox = EntitlementActivated {
        entitlement_id: entitlement,
        access_product_id: sample.access_product,
        evidence: ActivationEvidence::Sandbox { sandbox_session_id: events::clock::new_id(), confirmed_event: events::clock::new_id() },
        active_from: START,
        expires_at: START.plus_days(30),
    };
    let ended = |entitlement_id| EntitlementExpired { entitlement_id, expired_at: START.plus_days(30) };
    let events = vec![
        sample.at(sandbox, entitlement),
        sample.at(ended(entitlement), entitlement),
        sample.at(ended(sample.entitlement), sample.entitlement),
    ];
    let rows = sample.fold::<AccessEvents>(&events);
    assert_eq!(kinds(&rows), ["membership.activated", "membership.expired"]);
    assert!(rows.iter().all(|row| row.access_product_id == Some(sample.access_product)));
}
