use super::*;
use crate::testkit::Sample;

#[test]
fn a_product_shows_what_it_was_created_with() {
    let sample = Sample::new();
    let rows = sample.fold::<Products>(&sample.events());
    let product = rows.get(sample.product).unwrap();
    assert_eq!((product.meta.owner_id, product.status.as_str()), (Some(sample.owner), "ACTIVE"));
    assert_eq!((product.billing_interval_days, product.grace_period_days), (Some(30), Some(3)));
    assert_eq!(product.access_product_id, Some(sample.access_product));
}
