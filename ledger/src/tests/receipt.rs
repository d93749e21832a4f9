use super::samples::*;
use crate::{
    Cited,
    membership::{self, Membership},
    receipt::{Command, Receipt, Rejection, canonical_bytes, receipt_document},
    spec::given,
};
use events::vocab::{bytes::Hash32, event::*};

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

fn renewal(live: &Live, payment: u128, seconds: i64) -> membership::Command {
    let mut pay = pay(&live.confirmed);
    pay.payment = Cited::new(id(payment), PaymentConfirmed { payment_id: id(payment), ..live.confirmed.clone() });
    pay.now = at(seconds);
    membership::Command::Pay(Box::new(pay))
}

#[test]
fn a_second_payment_renews_from_the_current_end_and_a_late_one_from_now() {
    const DAY: i64 = 86_400;
    let live = Live::run();
    assert_eq!((live.membership.period_start, live.membership.period_end), (at(60), at(60 + 30 * DAY)));
    let first = vec![Event::from(live.membership.clone())];
    given::<Membership>(&first).when(renewal(&live, 5, 99)).nothing();
    let early = given::<Membership>(&first).when(renewal(&live, 201, 99)).events();
    let renewed = payload!(early[0].clone(), MembershipRenewed);
    assert_eq!((renewed.period_start, renewed.period_end), (at(60 + 30 * DAY), at(60 + 60 * DAY)));
    let late = given::<Membership>(&first).when(renewal(&live, 201, 90 * DAY)).events();
    assert_eq!(payload!(late[0].clone(), MembershipRenewed).period_start, at(90 * DAY));
    given::<Membership>([first, early].concat()).when(renewal(&live, 201, 99)).nothing();
}

#[test]
fn rejections_of_a_membership_payment_in_order_of_precedence() {
    let live = Live::run();
    let mut pay = pay(&live.confirmed);
    pay.membership_id = id(99);
    pay.terms.billing_interval_days = 0;
    let membership = given::<Membership>([live.membership.into()]);
    membership.when(membership::Command::Pay(Box::new(pay.clone()))).refused(membership::Rejection::InvalidMembershipConfig);
    pay.terms = TERMS;
    let mismatch = membership::Rejection::MembershipMismatch { field: "membership_id" };
    membership.when(membership::Command::Pay(Box::new(pay))).refused(mismatch);
}
