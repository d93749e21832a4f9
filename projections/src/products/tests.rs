use super::*;
use crate::testkit::{START, Sample};

#[test]
fn a_product_shows_what_it_was_created_with() {
    let sample = Sample::new();
    let rows = sample.fold::<Products>(&sample.set_up());
    let product = rows.get(sample.product).unwrap();
    assert_eq!((product.meta.owner_id, product.status.as_str()), (Some(sample.owner), "ACTIVE"));
    let terms = &product.membership.as_ref().unwrap().terms;
    assert_eq!((terms.billing_interval_days, terms.grace_period_days), (30, 3));
    assert_eq!((product.access_product_id, product.delivery_value_event), (Some(sample.access_product), None));
    assert_eq!((product.payment_count, product.changed_at), (0, START));
}

#[test]
fn a_confirmed_payment_counts_and_is_no_change_of_the_product() {
    let sample = Sample::new();
    let events = [sample.set_up(), sample.asked(), sample.paid()].concat();
    let rows = sample.fold::<Products>(&events);
    let product = rows.get(sample.product).unwrap();
    assert_eq!((product.payment_count, product.changed_at), (1, START));
    assert!(product.meta.updated_at > START);
}

#[test]
fn changes_are_folded_and_the_delivery_value_only_pointed_at() {
    let sample = Sample::new();
    let changed = sample.changed();
    let rows = sample.fold::<Products>(&[sample.set_up(), changed.clone()].concat());
    let product = rows.get(sample.product).unwrap();
    assert_eq!((product.title.as_str(), product.amount.units(), product.max_payments), ("Inner Circle", 30_000_000, Some(500)));
    assert_eq!(product.branding.merchant_name.as_deref(), Some("Example Merchant"));
    assert_eq!(product.delivery_value_event, Some(changed[0].event_id));
    assert_eq!(product.status, "ARCHIVED");
    assert!(!serde_json::to_string(product).unwrap().contains("t.me"), "the link is in no row");
    assert!(product.changed_at > START);
}
