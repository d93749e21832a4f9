use super::samples::*;
use crate::{
    Cited,
    fee_leg::{self, FeeLeg},
    payment, payment_session,
    payment_session::{PaymentSession, Rejection},
    proof::{self, Proof, Signed},
    requirement::{Binding, required_transfers},
    spec::given,
    x402::{Accepts, MAX_TIMEOUT_SECONDS, Terms},
};
use events::{
    decider::Decider as _,
    vocab::{
        bytes::Hash32,
        event::*,
        money::Minor,
        words::{FeeSource, Outcome, PaymentProtocol, TransferRole, Trigger},
    },
};

const RESOURCE: &str = "https://api.example.com/ai/pro";

fn terms() -> Terms {
    Terms { resource: RESOURCE.into(), fee_payer: wallet(9), max_timeout_seconds: MAX_TIMEOUT_SECONDS }
}

fn receivable() -> PaymentCreated {
    let create = payment::Create { fee_source: FeeSource::MerchantReceivable, fee_wallet: None, ..payment_create() };
    let facts = payment::Payment::decide(&payment::Payment::Absent, payment::Command::Create(Box::new(create))).unwrap();
    payload!(facts[0].event.clone(), PaymentCreated)
}

fn created() -> (Vec<Event>, PaymentSessionCreated) {
    let create = payment_session::Create { payment_protocol: Some(PaymentProtocol::X402), ..session_create() };
    let events = given::<PaymentSession>([]).when(payment_session::Command::Create(Box::new(create))).events();
    (events.clone(), payload!(events[0].clone(), PaymentSessionCreated))
}

fn author(session: &PaymentSessionCreated, payment: PaymentCreated, x402: Option<Terms>) -> payment_session::Command {
    payment_session::Command::AuthorRequirement {
        owner_id: id(OWNER),
        session: Cited::new(id(SESSION_EVENT), session.clone()),
        payment: Box::new(payment),
        network: NETWORK.into(),
        x402,
    }
}

fn authored() -> PaymentRequirementAuthored {
    let (events, session) = created();
    let authored = given::<PaymentSession>(&events).when(author(&session, receivable(), Some(terms()))).events();
    payload!(authored[0].clone(), PaymentRequirementAuthored)
}

#[test]
fn the_buyer_makes_one_transfer_of_everything_to_the_merchant() {
    let legs = required_transfers(&receivable());
    assert_eq!(legs, [RequiredTransfer { role: TransferRole::Merchant, pay_to: wallet(1), amount: Minor::new(25_000_000).unwrap() }]);
    let requirement = authored();
    let accepts = Accepts::authored(&requirement, RESOURCE).unwrap();
    assert_eq!((accepts.pay_to, accepts.amount, accepts.fee_payer), (wallet(1), Minor::new(25_000_000).unwrap(), wallet(9)));
    assert_eq!(requirement.x402.as_ref().unwrap().payment_requirements_hash, accepts.hash());
    // Whoever changes what clients are asked for changes the requirement's own hash.
    let (_, session) = created();
    let binding = Binding::authored(id(OWNER), &session, &requirement);
    assert_eq!(binding.hash(), requirement.requirement_hash);
    assert_ne!(binding.for_x402(Hash32([1; 32])).hash(), requirement.requirement_hash);
}

#[test]
fn a_sessions_protocol_its_terms_and_its_fee_belong_together() {
    let (events, session) = created();
    let refuse = |payment, x402, field| {
        given::<PaymentSession>(&events).when(author(&session, payment, x402)).refused(Rejection::RequirementMismatch { field });
    };
    let live = Live::run();
    refuse(receivable(), None, "payment_protocol");
    refuse(live.payment.clone(), Some(terms()), "fee_source");
    let plain = vec![live.session.clone().into()];
    given::<PaymentSession>(&plain)
        .when(author(&live.session, live.payment.clone(), Some(terms())))
        .refused(Rejection::RequirementMismatch { field: "payment_protocol" });
    given::<PaymentSession>(&plain)
        .when(author(&live.session, receivable(), None))
        .refused(Rejection::RequirementMismatch { field: "fee_source" });
    let authored = given::<PaymentSession>(&events).when(author(&session, receivable(), Some(terms()))).events();
    let events = [events.clone(), authored].concat();
    let other = Terms { resource: "https://api.example.com/ai/other".into(), ..terms() };
    given::<PaymentSession>(&events).when(author(&session, receivable(), Some(other))).refused(Rejection::RequirementAuthored);
    given::<PaymentSession>(&events).when(author(&session, receivable(), Some(terms()))).nothing();
}

#[test]
fn a_fee_is_owed_once_the_payment_is_settled_and_only_where_the_buyer_sends_none() {
    let live = Live::run();
    let owe = |payment: &PaymentCreated, settlement: &SettlementEvidenced| fee_leg::Command::Owe {
        payment: Box::new(payment.clone()),
        settlement: Cited::new(id(SETTLEMENT_EVENT), settlement.clone()),
    };
    given::<FeeLeg>([]).when(owe(&live.payment, &live.settlement)).nothing();
    let due = given::<FeeLeg>([]).when(owe(&receivable(), &live.settlement)).events();
    let fee = payload!(due[0].clone(), FeeDue);
    assert_eq!((fee.amount, fee.settlement_event), (Minor::new(250_000).unwrap(), id(SETTLEMENT_EVENT)));
    given::<FeeLeg>(&due).when(owe(&receivable(), &live.settlement)).nothing();
    let other = SettlementEvidenced { fee_amount: Minor::ZERO, ..live.settlement.clone() };
    given::<FeeLeg>([]).when(owe(&receivable(), &other)).refused(fee_leg::Rejection::SettlementMismatch { field: "fee_amount" });
}

#[test]
fn what_is_no_transaction_is_kept_and_nothing_follows_from_it() {
    let requirement = authored();
    let asked = requirement.x402.clone().unwrap();
    let x402 = Some(X402Proof { payment_requirements_hash: asked.payment_requirements_hash, message_hash: None });
    let fingerprint = |signed, x402| {
        let new = proof::Fingerprint { signed, x402, payment: receivable(), ..fingerprint(&receivable(), &requirement) };
        proof::Command::Fingerprint(Box::new(new))
    };
    let unusable = Signed::Unusable(Hash32([3; 32]));
    let recorded = given::<Proof>([]).when(fingerprint(unusable, x402.clone())).events();
    assert_eq!(payload!(recorded[0].clone(), ProofFingerprinted).tx_signature, None);
    let passed = look(Trigger::Proof, Outcome::Passed, None);
    let verified = [recorded.clone(), given::<Proof>(&recorded).when(passed).events()].concat();
    let live = Live::run();
    let settle = proof::Command::Settle(Box::new(proof::Settle {
        verification_event: id(VERIFICATION_EVENT),
        payment: receivable(),
        transfer_id: live.settlement.transfer_id.clone(),
        payer: live.settlement.payer,
        slot: live.settlement.slot,
        merchant_amount: live.settlement.merchant_amount,
        fee_amount: live.settlement.fee_amount,
    }));
    given::<Proof>(&verified).when(settle).refused(proof::Rejection::SettlementMismatch { field: "tx_signature" });
    let foreign = Some(X402Proof { payment_requirements_hash: Hash32([1; 32]), message_hash: None });
    given::<Proof>([])
        .when(fingerprint(unusable, foreign))
        .refused(proof::Rejection::RequirementMismatch { field: "payment_requirements_hash" });
    let (one, other) = (proof::fingerprint(NETWORK, &unusable), proof::fingerprint(NETWORK, &Signed::Unusable(Hash32([4; 32]))));
    assert_ne!(one, other);
}
