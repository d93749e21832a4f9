//! Events that no rule of the service would have let through are found by name and position.

#[path = "replay_lifecycle/approvals.rs"]
mod approvals;

use events::{
    clock::{new_id, random_bytes},
    vault::KeyPurpose,
    vocab::{
        bytes::{Hash32, Signature64, TxSignature},
        event::{
            ActivationEvidence, AttestedBalance, EntitlementActivated, Event, EventType, FeeDue, PaymentConfirmed, PaymentCreated,
            ReceiptCreated, SettlementEvidenced, StateAttested, WebhookEmitted,
        },
        id::{DeliveryId, ProofId, ReceiptId},
        money::{Minor, Total},
        stream::Category,
        words::{Account, WebhookEvent},
    },
};
use hilt_tests::{
    payments,
    tampering::{World, world},
};
use replay_tool::{Break, BreakClass};

async fn broken_by(world: &World, stream: (Category, uuid::Uuid), event: impl Into<Event>) -> (Break, u64) {
    let stream = payments::stream(stream.0, stream.1);
    let position = payments::force(&world.log, world.shop.owner_id, true, stream, event).await;
    (world.broken().await, position)
}

#[tokio::test]
async fn access_without_evidence_is_found() {
    let world = world().await;
    // The receipt is real, and another entitlement's.
    let (_, event) = payments::first(
        &world.log,
        payments::stream(Category::Entitlement, world.paid[0].session.entitlement_id),
        EventType::EntitlementActivated,
    )
    .await;
    let Event::EntitlementActivated(activated) = event else { panic!("asked for by type") };
    let stolen = EntitlementActivated { entitlement_id: world.open.entitlement_id, ..activated };
    let (found, position) = broken_by(&world, (Category::Entitlement, world.open.entitlement_id.0), stolen).await;
    assert_eq!((found.class, found.position), (BreakClass::ActivationWithoutEvidence, position), "{found}");
}

#[tokio::test]
async fn access_on_invented_evidence_is_found() {
    let world = world().await;
    let invented = EntitlementActivated {
        entitlement_id: world.open.entitlement_id,
        access_product_id: world.shop.access_product_id,
        evidence: ActivationEvidence::Receipt {
            proof_id: new_id(),
            receipt_id: new_id(),
            payment_id: world.open.payment_id,
            membership_id: None,
            receipt_mapped_event: new_id(),
        },
        active_from: world.log.clock().now(),
        expires_at: world.log.clock().now().plus_days(30),
    };
    let (found, position) = broken_by(&world, (Category::Entitlement, world.open.entitlement_id.0), invented).await;
    assert_eq!((found.class, found.position), (BreakClass::ActivationWithoutEvidence, position), "{found}");
}

/// The settlement of the first payment, as if it were `proof`'s.
async fn settlement_for(world: &World, proof: ProofId) -> SettlementEvidenced {
    let paid = payments::stream(Category::Proof, world.paid[0].proof_id);
    let (_, event) = payments::first(&world.log, paid, EventType::SettlementEvidenced).await;
    let Event::SettlementEvidenced(settled) = event else { panic!("asked for by type") };
    let stream = payments::stream(Category::Proof, proof);
    let look = payments::first(&world.log, stream, EventType::VerificationAttempted).await.0;
    SettlementEvidenced { proof_id: proof, payment_id: world.proven.payment_id, verification_event: look, ..settled }
}

#[tokio::test]
async fn settlement_without_a_passed_look_is_found() {
    let world = world().await;
    let (proof, _) = payments::prove(&world.log, &world.shop, &world.open).await;
    let settled = SettlementEvidenced { transfer_id: "another".to_owned(), ..settlement_for(&world, proof).await };
    let (found, position) = broken_by(&world, (Category::Proof, proof.0), settled).await;
    assert_eq!((found.class, found.position), (BreakClass::SettlementWithoutVerification, position), "{found}");
}

#[tokio::test]
async fn a_transfer_that_settles_twice_is_found() {
    let world = world().await;
    world.tamper("DELETE FROM log.claims WHERE scope = 'transfer'").await;
    let second = world.paid[1].proof_id;
    let stream = payments::stream(Category::Proof, second);
    let (_, event) = payments::first(&world.log, stream, EventType::SettlementEvidenced).await;
    let Event::SettlementEvidenced(settled) = event else { panic!("asked for by type") };
    let again = SettlementEvidenced { transfer_id: settlement_for(&world, second).await.transfer_id, ..settled };
    let (found, position) = broken_by(&world, (Category::Proof, second.0), again).await;
    assert_eq!((found.class, found.position), (BreakClass::TransferReused, position), "{found}");
}

#[tokio::test]
async fn stages_that_cite_nothing_are_found() {
    let world = world().await;
    let payment = payments::stream(Category::Payment, world.paid[0].session.payment_id);
    let (_, event) = payments::first(&world.log, payment, EventType::PaymentConfirmed).await;
    let Event::PaymentConfirmed(confirmed) = event else { panic!("asked for by type") };
    // The cited settlement exists, of another payment.
    let confirmed = PaymentConfirmed { payment_id: world.open.payment_id, ..confirmed };
    let (found, position) = broken_by(&world, (Category::Payment, world.open.payment_id.0), confirmed).await;
    assert_eq!((found.class, found.position), (BreakClass::StageWithoutCause, position), "{found}");

    let world = hilt_tests::tampering::world().await;
    let source = world.log.read(3, 1).await.unwrap().remove(0).envelope.event_id;
    let endpoint = new_id();
    let emitted = WebhookEmitted {
        delivery_id: DeliveryId::of(source, endpoint),
        endpoint_id: endpoint,
        event: WebhookEvent::PaymentConfirmed,
        source_event: source,
        source_position: 4,
        body_hash: Hash32::of("body"),
    };
    let (found, position) = broken_by(&world, (Category::WebhookDelivery, emitted.delivery_id.0), emitted).await;
    assert_eq!((found.class, found.position), (BreakClass::StageWithoutCause, position), "{found}");
}

#[tokio::test]
async fn money_that_does_not_add_up_is_found() {
    let world = world().await;
    let payment = payments::stream(Category::Payment, world.open.payment_id);
    let (_, event) = payments::first(&world.log, payment, EventType::PaymentCreated).await;
    let Event::PaymentCreated(created) = event else { panic!("asked for by type") };
    let id = new_id();
    let fee_amount = created.fee_amount.checked_add(Minor::new(1).unwrap()).unwrap();
    let created = PaymentCreated { payment_id: id, nonce: hex::encode(random_bytes::<16>()), fee_amount, ..created };
    let (found, position) = broken_by(&world, (Category::Payment, id.0), created).await;
    assert_eq!((found.class, found.position), (BreakClass::AmountsDoNotSum, position), "{found}");
}

#[tokio::test]
async fn a_trial_balance_is_summed_and_a_false_one_is_found() {
    let world = world().await;
    let summed = world.verify().await.unwrap().trial_balance.unwrap();
    let line = |account| summed.iter().find(|line| line.account == account).unwrap().clone();
    assert!(summed.iter().all(|line| line.livemode && line.asset.symbol == "USDC"), "{summed:?}");
    assert_eq!((line(Account::Buyer).debit, line(Account::Buyer).credit), (Total(50_000_000), Total(0)));
    assert_eq!(line(Account::Merchant).credit.0 + line(Account::Fee).credit.0, 50_000_000);

    let head = world.log.head().await.unwrap().next_position;
    let first = world.position("settlement.evidenced", 0).await;
    let halved =
        summed.iter().map(|line| AttestedBalance { debit: Total(line.debit.0 / 2), credit: Total(line.credit.0 / 2), ..line.clone() });
    let attest = async |at_position, trial_balance| {
        let attestation_id = new_id();
        let said =
            StateAttested { attestation_id, at_position, form: "f".to_owned(), root: Hash32::of(""), projections: vec![], trial_balance };
        let stream = payments::stream(Category::State, attestation_id.0);
        payments::force(&world.log, world.shop.owner_id, true, stream, said).await
    };
    attest(first - 1, vec![]).await;
    attest(first, halved.collect()).await;
    attest(head - 1, summed.clone()).await;
    let report = world.verify().await.unwrap();
    assert_eq!((report.trial_balance.as_ref(), report.attested_balances), (Some(&summed), 3));

    let position = attest(first - 1, summed).await;
    let found = world.broken().await;
    assert_eq!((found.class, found.position), (BreakClass::TrialBalanceMismatch, position), "{found}");
}

#[tokio::test]
async fn a_fee_that_is_owed_twice_is_found() {
    let world = world().await;
    let payment = payments::stream(Category::Payment, world.paid[0].session.payment_id);
    let (_, event) = payments::first(&world.log, payment, EventType::PaymentCreated).await;
    let Event::PaymentCreated(created) = event else { panic!("asked for by type") };
    let settlement =
        payments::first(&world.log, payments::stream(Category::Proof, world.paid[0].proof_id), EventType::SettlementEvidenced).await.0;
    let due = FeeDue {
        payment_id: created.payment_id,
        session_id: created.session_id,
        product_id: created.product_id,
        access_product_id: created.access_product_id,
        amount: created.fee_amount,
        asset: created.asset,
        fee_bps: created.fee_bps,
        fee_policy: created.fee_policy,
        tx_signature: TxSignature(random_bytes()),
        settlement_event: settlement,
    };
    let fee = (Category::Fee, created.payment_id.0);
    payments::force(&world.log, world.shop.owner_id, true, payments::stream(fee.0, fee.1), due.clone()).await;
    world.verify().await.unwrap();
    let (found, position) = broken_by(&world, fee, due).await;
    assert_eq!((found.class, found.position), (BreakClass::EventUnfoldable, position), "{found}");
}

#[tokio::test]
async fn an_altered_receipt_is_found() {
    use BreakClass::{ReceiptContentMismatch, ReceiptHashMismatch, ReceiptRepeated, ReceiptSignatureInvalid};
    type Change = fn(&mut ReceiptCreated);
    let cases: [(Change, BreakClass); 7] = [
        (|receipt| receipt.receipt_json = receipt.receipt_json.replace("25000000", "26000000"), ReceiptHashMismatch),
        (|receipt| receipt.receipt_hash = Hash32::of("other"), ReceiptHashMismatch),
        (|receipt| receipt.ed25519_sig = Signature64(random_bytes()), ReceiptSignatureInvalid),
        (|receipt| receipt.kid = "0123456789abcdef".to_owned(), ReceiptSignatureInvalid),
        (|receipt| receipt.amount = Minor::new(1).unwrap(), ReceiptContentMismatch),
        (|_| {}, ReceiptRepeated),
        (reissue, ReceiptRepeated),
    ];
    for (change, class) in cases {
        let world = world().await;
        world.tamper("DELETE FROM log.claims WHERE scope = 'receipt_tx'").await;
        let stream = payments::stream(Category::Receipt, world.paid[0].receipt_id);
        let (_, event) = payments::first(&world.log, stream, EventType::ReceiptCreated).await;
        let Event::ReceiptCreated(mut receipt) = event else { panic!("asked for by type") };
        change(&mut receipt);
        if class == ReceiptSignatureInvalid {
            receipt.tx_signature = TxSignature(random_bytes());
        }
        if receipt.receipt_id != world.paid[0].receipt_id {
            let signer = world.log.vault().signer(KeyPurpose::Receipt).await.unwrap();
            receipt.ed25519_sig = signer.sign(receipt.receipt_json.as_bytes());
        }
        let (found, position) = broken_by(&world, (Category::Receipt, receipt.receipt_id.0), receipt).await;
        assert_eq!((found.class, found.position), (class, position), "{found}");
    }
}

/// The same payment's receipt under another id, whole but for the signature.
fn reissue(receipt: &mut ReceiptCreated) {
    let id: ReceiptId = new_id();
    receipt.receipt_json = receipt.receipt_json.replace(&receipt.receipt_id.to_string(), &id.to_string());
    receipt.receipt_hash = Hash32::of(&receipt.receipt_json);
    receipt.receipt_id = id;
}
