use super::*;
use crate::testkit::Sample;

#[test]
fn an_access_product_knows_the_product_behind_it() {
    let sample = Sample::new();
    let rows = sample.fold::<AccessProducts>(&sample.events());
    let product = rows.get(sample.access_product).unwrap();
    assert_eq!((product.product_id, product.status), (sample.product, ProductStatus::Active));
    assert_eq!(product.title, "Club, anew");
}
