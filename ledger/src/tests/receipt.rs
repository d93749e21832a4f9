use super::samples::*;
use crate::{
    receipt::{
        Command, CreateManual, Invoice, ManualFacts, Receipt, Rejection, SaveInvoice, canonical_bytes, manual_canonical_bytes,
        manual_receipt_id, receipt_document,
    },
    spec::given,
};
use events::vocab::{
    bytes::{Hash32, Signature64},
    event::{Event, ReceiptProofSent},
    money::Minor,
    words::ReceiptSource,
};

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

fn manual(change: impl FnOnce(&mut ManualFacts)) -> Command {
    let mut facts = ManualFacts {
        receipt_id: manual_receipt_id(id(9), &tx(1)),
        subject_id: id(7),
        tx_signature: tx(1),
        wallet: wallet(1),
        counterparty_wallet: wallet(2),
        token_mint: wallet(3),
        amount: Minor::new(200_000).unwrap(),
        memo: Some("HILT:nonce".into()),
        network: "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".into(),
        seen_in_slot: None,
        issued_at: at(60),
    };
    change(&mut facts);
    let receipt_hash = Hash32::of(manual_canonical_bytes(&facts));
    let create = CreateManual { facts, receipt_hash, signature: Signature64([0; 64]), kid: "k".into(), credits_burned: 1 };
    Command::CreateManual(Box::new(create))
}

#[test]
fn a_receipt_made_by_hand_says_who_says_so_and_rests_on_no_settlement() {
    let made = given::<Receipt>([]).when(manual(|_| {})).events();
    let [Event::ReceiptCreated(created)] = &made[..] else { panic!("{made:?}") };
    assert_eq!((created.source, created.chain_verified, created.credits_burned), (ReceiptSource::MerchantSubmitted, false, 1));
    assert_eq!((created.payment_id, created.settlement_event, created.access_product_id), (None, None, None), "INV-93");
    assert!(
        created.receipt_json.contains(r#""chain_verified":false"#) && created.receipt_json.contains(r#""source":"merchant_submitted""#)
    );
    let seen = given::<Receipt>([]).when(manual(|facts| facts.seen_in_slot = Some(5))).events();
    assert!(matches!(&seen[..], [Event::ReceiptCreated(created)] if created.chain_verified));
    let issued = given::<Receipt>(&made);
    issued.when(manual(|facts| facts.issued_at = at(99))).nothing();
    issued.when(manual(|facts| facts.tx_signature = tx(2))).refused(Rejection::AlreadyIssued);
    assert_ne!(manual_receipt_id(id(9), &tx(1)), manual_receipt_id(id(8), &tx(1)), "another owner's is another receipt");
}

#[test]
fn what_is_signed_holds_no_free_text() {
    let receipt = given::<Receipt>([]);
    receipt.when(manual(|facts| facts.amount = Minor::ZERO)).refused(Rejection::AmountRequired);
    for memo in ["", "for Ada Buyer", "ada@example.com", &"x".repeat(65)] {
        receipt.when(manual(|facts| facts.memo = Some(memo.into()))).refused(Rejection::MemoCannotBeSigned);
    }
    assert_eq!(receipt.when(manual(|facts| facts.memo = None)).events().len(), 1);
}

#[test]
fn notes_for_the_invoice_are_sealed_beside_a_receipt_that_stays_as_it_is() {
    let live = Live::run();
    let save = |invoice| Command::SaveInvoice(Box::new(SaveInvoice { subject_id: id(7), invoice }));
    let invoice = Invoice {
        invoice_number: Some("INV-7".into()),
        buyer_name: Some("Ada".into()),
        buyer_email: Some("ada@example.com".into()),
        ..Invoice::default()
    };
    given::<Receipt>([]).when(save(invoice.clone())).refused(Rejection::NotFound);
    let receipt = given::<Receipt>([live.receipt.clone().into()]);
    let facts = receipt.when(save(invoice.clone())).facts();
    let (subject, personal) = facts[0].personal.clone().unwrap();
    assert_eq!((subject, personal.name.as_deref(), personal.email.as_deref()), (id(7), Some("Ada"), Some("ada@example.com")));
    assert_eq!(personal.metadata.as_deref(), Some(r#"{"billing_reference":null,"invoice_number":"INV-7"}"#));
    assert!(!format!("{:?}", facts[0].event).contains("INV-7"));
    let wrong = Invoice { buyer_email: Some("ada".into()), ..invoice.clone() };
    receipt.when(save(wrong)).refused(Rejection::InvalidEmail);
    let long = Invoice { notes: Some("x".repeat(4_001)), ..invoice };
    receipt.when(save(long)).refused(Rejection::TextTooLong { field: "notes", longest: 4_000 });
}

#[test]
fn a_proof_is_sent_of_a_receipt_that_exists() {
    let send = || Command::SendProof { mail_id: id(1), ticket_id: Some(id(2)) };
    given::<Receipt>([]).when(send()).refused(Rejection::NotFound);
    let live = Live::run();
    let issued = given::<Receipt>([live.receipt.clone().into()]);
    let sent = issued.when(send()).events();
    assert_eq!(sent, [ReceiptProofSent { receipt_id: live.receipt.receipt_id, mail_id: id(1), ticket_id: Some(id(2)) }.into()]);
    // It changes nothing about the receipt.
    let after = given::<Receipt>([vec![live.receipt.clone().into()], sent].concat());
    after.when(Command::Create(Box::new(receipt_create(receipt_facts(&live.payment, &live.settlement))))).nothing();
}
