use super::samples::*;
use crate::{
    receipt::{Command, Receipt, Rejection, canonical_bytes, receipt_document},
    spec::given,
};
use events::vocab::bytes::Hash32;

#[test]
fn a_receipt_is_its_canonical_json() {
    let live = Live::run();
    let facts = receipt_facts(&live.payment, &live.settlement);
    assert_eq!(live.receipt.receipt_json.as_bytes(), canonical_bytes(&facts));
    assert_eq!(live.receipt.receipt_hash, Hash32::of(&live.receipt.receipt_json));
    let document = receipt_document(&facts);
    let transaction = document["transaction"].as_object().unwrap();
    let keys: Vec<_> = transaction.keys().map(String::as_str).collect();
    assert_eq!(keys, ["amount_raw", "memo", "token_mint", "tx_sig"]);
    assert_eq!(transaction["amount_raw"], 25_000_000);
    assert_eq!(document["schema_version"], "1.0");
    // RFC 8785: keys sorted, no blanks.
    assert!(live.receipt.receipt_json.starts_with(r#"{"counterparty_wallet":""#));
}

#[test]
fn a_receipt_holds_nothing_of_the_person() {
    let live = Live::run();
    assert!(!live.receipt.receipt_json.contains("cust_123"));
    assert!(!live.receipt.receipt_json.contains(&live.payment.subject_id.to_string()));
}

#[test]
fn a_receipt_of_something_else_or_signed_over_something_else_is_refused() {
    let live = Live::run();
    let mut other = live.settlement.clone();
    other.payment_id = id(99);
    let mut create = receipt_create(receipt_facts(&live.payment, &other));
    create.receipt_hash = Hash32([0; 32]);
    let refuse = |create, why| given::<Receipt>([]).when(Command::Create(Box::new(create))).refused(why);
    refuse(create, Rejection::SettlementMismatch { field: "payment_id" });
    let mut create = receipt_create(receipt_facts(&live.payment, &live.settlement));
    create.facts.issued_at = at(61);
    refuse(create, Rejection::HashMismatch);
}

#[test]
fn a_receipt_is_issued_once() {
    let live = Live::run();
    let issued = given::<Receipt>([live.receipt.clone().into()]);
    let mut later = receipt_facts(&live.payment, &live.settlement);
    later.issued_at = at(99);
    issued.when(Command::Create(Box::new(receipt_create(later)))).nothing();
    let mut other = live.clone();
    other.settlement.tx_signature = tx(2);
    let other = receipt_create(receipt_facts(&other.payment, &other.settlement));
    issued.when(Command::Create(Box::new(other))).refused(Rejection::AlreadyIssued);
}
