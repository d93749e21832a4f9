use super::*;
use crate::testkit::Sample;

#[test]
fn a_receipt_keeps_the_signed_bytes() {
    let sample = Sample::new();
    let rows = sample.fold::<Receipts>(&sample.events());
    let receipt = rows.get(sample.receipt).unwrap();
    assert_eq!(receipt.receipt_hash, Hash32::of(&receipt.receipt_json));
    assert_eq!(receipt.payment_id, Some(sample.payment));
}
