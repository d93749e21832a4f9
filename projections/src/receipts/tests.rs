use super::*;
use crate::testkit::{Sample, Written};
use events::{
    clock::new_id,
    vocab::{
        event::ReceiptInvoiceMetadataSaved,
        personal::Personal,
        stream::{Category, StreamId},
    },
};

#[test]
fn a_receipt_keeps_the_signed_bytes() {
    let sample = Sample::new();
    let rows = sample.fold::<Receipts>(&sample.events());
    let receipt = rows.get(sample.receipt).unwrap();
    assert_eq!(receipt.receipt_hash, Hash32::of(&receipt.receipt_json));
    assert_eq!(receipt.payment_id, Some(sample.payment));
}

#[test]
fn what_is_saved_for_the_invoice_changes_nothing_that_is_signed_and_is_erased_with_its_person() {
    let sample = Sample::new();
    let mut events = sample.events();
    let before = sample.fold::<Receipts>(&events).get(sample.receipt).unwrap().clone();
    let personal = Personal {
        name: Some("Ada Buyer".into()),
        email: Some("ada@example.com".into()),
        text: Some("paid late".into()),
        metadata: Some(r#"{"invoice_number":"INV-7"}"#.into()),
        ..Personal::default()
    };
    events.push(Written {
        stream: StreamId::new(Category::Receipt, sample.receipt),
        event_id: new_id(),
        event: ReceiptInvoiceMetadataSaved { receipt_id: sample.receipt, subject_id: sample.subject }.into(),
        personal: Some((sample.subject, personal)),
    });
    let saved = sample.fold::<Receipts>(&events).get(sample.receipt).unwrap().clone();
    assert_eq!((saved.invoice_number.as_deref(), saved.buyer_name.as_deref()), (Some("INV-7"), Some("Ada Buyer")));
    assert_eq!((saved.receipt_json, saved.receipt_hash, saved.ed25519_sig), (before.receipt_json, before.receipt_hash, before.ed25519_sig));
    events.push(sample.erased());
    let erased = sample.fold::<Receipts>(&events).get(sample.receipt).unwrap().clone();
    let left = [erased.invoice_number, erased.buyer_name, erased.buyer_email, erased.billing_reference, erased.notes];
    assert_eq!(left, [None, None, None, None, None]);
}
