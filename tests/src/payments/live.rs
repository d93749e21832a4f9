//! A live payment, stage by stage.

use super::{NETWORK, OpenSession, PRICE, Paid, Shop, activate, address, asset, context, customer, decided, pend, stream, terms};
use events::{
    clock::{new_id, random_bytes},
    log::Log,
    unit::{Loaded, Unit},
    vault::KeyPurpose,
    vocab::{
        bytes::{Hash32, SolanaAddress, TxSignature},
        event::{
            EntitlementOrigin, Event, EventType, ObservedPayment, ObservedTransfer, PaymentCreated, PaymentRequirementAuthored,
            ReceiptCreated, SettlementEvidenced,
        },
        id::*,
        money::Minor,
        rail::RailId,
        stream::Category,
        time::Timestamp,
        words::{Outcome, Platform, Trigger},
    },
};
use ledger::{
    Cited,
    entitlement::Entitlement,
    evidence::{Evidence, ReceiptEvidence},
    membership::{self, Membership, Standing},
    payment::{self, Payment},
    payment_session::{self, PaymentSession},
    proof::{self, Proof},
    receipt::{self, Receipt},
};

/// Opens a live session of a new person; see [`session_of`].
pub async fn session(log: &Log, shop: &Shop) -> OpenSession {
    let subject_id = log.vault().new_subject(shop.owner_id).await.unwrap();
    session_of(log, shop, subject_id).await
}

/// Opens a live session with its requirement, payment and pending entitlement, in one append.
pub async fn session_of(log: &Log, shop: &Shop, subject_id: SubjectId) -> OpenSession {
    let open = OpenSession { correlation_id: new_id(), session_id: new_id(), payment_id: new_id(), entitlement_id: new_id(), subject_id };
    let expires_at = log.clock().now().plus_seconds(1_800);
    let mut unit = Unit::new(log, context(shop.owner_id, true, open.correlation_id));
    let mut session = unit.start::<PaymentSession>(stream(Category::PaymentSession, open.session_id));
    let create = payment_session::Create {
        session_id: open.session_id,
        app_id: shop.app_id,
        access_product_id: shop.access_product_id,
        product_id: shop.product_id,
        payment_id: open.payment_id,
        entitlement_id: open.entitlement_id,
        subject_id: open.subject_id,
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        payment_protocol: None,
        amount: PRICE,
        expires_at,
        personal: customer(),
    };
    let session_event = unit.decide(&mut session, payment_session::Command::Create(Box::new(create)), None).unwrap()[0];
    let mut payment = unit.start::<Payment>(stream(Category::Payment, open.payment_id));
    let command = payment::Command::Create(Box::new(new_payment(shop, &open, expires_at)));
    let payment_event = unit.decide(&mut payment, command, Some(session_event)).unwrap()[0];
    let author = payment_session::Command::AuthorRequirement {
        owner_id: shop.owner_id,
        session: Cited::new(session_event, session.state.session().unwrap().clone()),
        payment: Box::new(payment.state.facts().unwrap().clone()),
        network: NETWORK.to_owned(),
        x402: None,
    };
    let requirement_event = unit.decide(&mut session, author, Some(payment_event)).unwrap()[0];
    let mut entitlement = unit.start::<Entitlement>(stream(Category::Entitlement, open.entitlement_id));
    let origin = EntitlementOrigin::Session { session_id: open.session_id, payment_id: open.payment_id };
    let pend = pend(shop, open.entitlement_id, open.subject_id, origin);
    unit.decide(&mut entitlement, pend, Some(requirement_event)).unwrap();
    unit.commit().await.unwrap();
    open
}

fn new_payment(shop: &Shop, open: &OpenSession, expires_at: Timestamp) -> payment::Create {
    let rate = ledger::fee::rate(&ledger::fee::LAUNCH, ledger::fee::Surface::Access(None));
    payment::Create {
        payment_id: open.payment_id,
        product_id: shop.product_id,
        access_product_id: Some(shop.access_product_id),
        session_id: Some(open.session_id),
        entitlement_id: Some(open.entitlement_id),
        subject_id: open.subject_id,
        nonce: random_bytes(),
        asset: asset(),
        amount: PRICE,
        fee_bps: rate.bps,
        fee_policy: rate.policy,
        merchant_wallet: address(),
        fee_wallet: Some(address()),
        payer_wallet: None,
        membership: Some(terms()),
        identity_required: false,
        place: None,
        quote: None,
        expires_at,
        fee_source: events::vocab::words::FeeSource::BuyerTransfer,
        personal: events::vocab::personal::Personal::default(),
    }
}

/// Announces a transaction for `open` and records its proof and a first look that finds it not yet final.
pub async fn prove(log: &Log, shop: &Shop, open: &OpenSession) -> (ProofId, TxSignature) {
    let (proof_id, tx) = (new_id(), TxSignature(random_bytes()));
    let mut unit = Unit::new(log, context(shop.owner_id, true, open.correlation_id));
    let session = unit.load::<PaymentSession>(stream(Category::PaymentSession, open.session_id)).await.unwrap();
    let mut payment = unit.load::<Payment>(stream(Category::Payment, open.payment_id)).await.unwrap();
    let broadcast = payment::Command::RecordBroadcast { tx, payer_wallet: None, wallet_source: None, now: log.clock().now() };
    let cause = payment.last_event;
    unit.decide(&mut payment, broadcast, cause).unwrap();
    let mut proof = unit.start::<Proof>(stream(Category::Proof, proof_id));
    let fingerprint = proof::Fingerprint {
        proof_id,
        rail_id: RailId::SolanaUsdc,
        network: NETWORK.to_owned(),
        signed: proof::Signed::Transaction(tx),
        x402: None,
        trigger: Trigger::Proof,
        payment: payment.state.facts().unwrap().clone(),
        basis: proof::Basis::Requirement(Box::new(requirement(&session))),
    };
    let fingerprinted = unit.decide(&mut proof, proof::Command::Fingerprint(Box::new(fingerprint)), payment.last_event).unwrap()[0];
    let look = look(fingerprinted, Outcome::Pending, None);
    unit.decide(&mut proof, look, Some(fingerprinted)).unwrap();
    unit.commit().await.unwrap();
    (proof_id, tx)
}

/// The requirement of a session that was loaded, as later stages cite it.
fn requirement(session: &Loaded<PaymentSession>) -> Cited<PaymentRequirementAuthored> {
    let id = session.first(EventType::PaymentRequirementAuthored).unwrap();
    Cited::new(id, session.state.open().unwrap().requirement.clone())
}

fn look(proof_event: EventId, outcome: Outcome, observed: Option<ObservedPayment>) -> proof::Command {
    proof::Command::RecordVerification(Box::new(proof::Verification {
        proof_event,
        verifier: "made_up".to_owned(),
        trigger: Trigger::Watcher,
        outcome,
        reason: (outcome != Outcome::Passed).then(|| "not_finalized".to_owned()),
        observed,
    }))
}

/// Settles a proven session: the second look passes, and everything that follows commits in one append.
pub async fn settle(log: &Log, shop: &Shop, open: &OpenSession, proof_id: ProofId, tx: TxSignature) -> Paid {
    let (payer, slot, now) = (address(), 1_234, log.clock().now());
    let receipt_id = new_id();
    let mut unit = Unit::new(log, context(shop.owner_id, true, open.correlation_id));
    let mut proof = unit.load::<Proof>(stream(Category::Proof, proof_id)).await.unwrap();
    let mut payment = unit.load::<Payment>(stream(Category::Payment, open.payment_id)).await.unwrap();
    let facts = payment.state.facts().unwrap().clone();

    let observed = observed(&facts, payer, slot);
    let fingerprinted = proof.first(EventType::ProofFingerprinted).unwrap();
    let verified = unit.decide(&mut proof, look(fingerprinted, Outcome::Passed, Some(observed)), Some(fingerprinted)).unwrap()[0];
    let settle = proof::Settle {
        verification_event: verified,
        payment: facts.clone(),
        transfer_id: format!("{NETWORK}/{tx}"),
        payer,
        slot,
        merchant_amount: facts.merchant_amount,
        fee_amount: facts.fee_amount,
    };
    let settled = unit.decide(&mut proof, proof::Command::Settle(Box::new(settle)), Some(verified)).unwrap()[0];
    let settlement = Cited::new(settled, proof.state.settled().unwrap().clone());

    let receipt = issue_receipt(log, &mut unit, receipt_id, &facts, &settlement, now).await;
    let map = proof::Command::MapReceipt { settlement_event: settled, receipt: Box::new(receipt.clone()) };
    let mapped = unit.decide(&mut proof, map, Some(receipt.id)).unwrap()[0];
    let Event::ReceiptMapped(mapping) = decided(&unit, mapped) else { panic!("a mapping follows from MapReceipt") };

    let confirm = payment::Command::Confirm { settlement: settlement.clone(), identity_session_id: None, paid_at: now, now };
    let confirmed = *unit.decide(&mut payment, confirm, Some(settled)).unwrap().last().unwrap();
    let Payment::Confirmed { confirmed: paid, .. } = &payment.state else { panic!("the payment is confirmed") };
    let membership_id = MembershipId::of(shop.product_id, open.subject_id);
    let mut membership = unit.load::<Membership>(stream(Category::Membership, membership_id)).await.unwrap();
    let member = membership.state.member().filter(|member| member.standing != Standing::Revoked);
    let current_end = member.map(|member| member.period_end);
    let pay = membership::Pay {
        membership_id,
        access_product_id: Some(shop.access_product_id),
        subject_id: open.subject_id,
        terms: terms(),
        platform: Some(Platform::Telegram),
        personal: customer(),
        payment: Cited::new(confirmed, (**paid).clone()),
        now,
    };
    unit.decide(&mut membership, membership::Command::Pay(Box::new(pay)), Some(confirmed)).unwrap();

    let mut session = unit.load::<PaymentSession>(stream(Category::PaymentSession, open.session_id)).await.unwrap();
    let evidence = ReceiptEvidence {
        owner_id: shop.owner_id,
        livemode: true,
        session: session.state.session().unwrap().clone(),
        requirement: session.state.open().unwrap().requirement.clone(),
        proof: proof.state.proof().unwrap().clone(),
        settlement,
        payment: (**paid).clone(),
        receipt,
        mapped: Cited::new(mapped, mapping),
        membership_id: Some(membership_id),
    };
    let evidence = Evidence::Receipt(Box::new(evidence));
    let activated = activate(&mut unit, shop, open.entitlement_id, evidence, mapped, (now, current_end)).await;
    let Event::EntitlementActivated(activation) = decided(&unit, activated) else { panic!("the evidence belongs to the entitlement") };
    let confirm = payment_session::Command::Confirm { entitlement: Cited::new(activated, activation) };
    unit.decide(&mut session, confirm, Some(activated)).unwrap();
    unit.commit().await.unwrap();
    Paid { session: *open, proof_id, receipt_id, membership_id, tx }
}

fn observed(facts: &PaymentCreated, payer: SolanaAddress, slot: u64) -> ObservedPayment {
    let transfer = |account, received: Minor| ObservedTransfer { account, mint: facts.asset.mint, received };
    ObservedPayment {
        slot,
        block_time: Some(1_700_000_000),
        payer: Some(payer),
        memo: Some(facts.memo()),
        transfers: vec![transfer(facts.merchant_wallet, facts.merchant_amount), transfer(facts.fee_wallet.unwrap(), facts.fee_amount)],
    }
}

async fn issue_receipt(
    log: &Log,
    unit: &mut Unit<'_>,
    receipt_id: ReceiptId,
    payment: &PaymentCreated,
    settlement: &Cited<SettlementEvidenced>,
    issued_at: Timestamp,
) -> Cited<ReceiptCreated> {
    let signer = log.vault().signer(KeyPurpose::Receipt).await.unwrap();
    let facts = receipt::ReceiptFacts {
        receipt_id,
        payment: payment.clone(),
        settlement: settlement.clone(),
        network: NETWORK.to_owned(),
        issued_at,
    };
    let bytes = receipt::canonical_bytes(&facts);
    let create = receipt::Create {
        facts,
        receipt_hash: Hash32::of(&bytes),
        signature: signer.sign(&bytes),
        kid: signer.kid().to_owned(),
        credits_burned: 0,
    };
    let mut stream = unit.start::<Receipt>(stream(Category::Receipt, receipt_id));
    let created = unit.decide(&mut stream, receipt::Command::Create(Box::new(create)), Some(settlement.id)).unwrap()[0];
    let Receipt::Issued(event) = &stream.state else { panic!("the receipt is issued") };
    Cited::new(created, (**event).clone())
}
