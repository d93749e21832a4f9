use super::samples::*;
use crate::{
    Cited,
    proof::{Basis, Command, Fingerprint, Proof, Rejection, Settle, Stages, solana_fingerprint},
    spec::given,
};
use events::vocab::{
    event::*,
    rail::RailId,
    words::{Outcome, Trigger},
};

fn map(live: &Live) -> Command {
    Command::MapReceipt { settlement_event: id(SETTLEMENT_EVENT), receipt: Box::new(Cited::new(id(RECEIPT_EVENT), live.receipt.clone())) }
}
fn settled(live: &Live) -> Command {
    Command::Settle(Box::new(settle(&live.payment)))
}
fn fingerprinted(live: &Live) -> Vec<Event> {
    vec![live.proof.clone().into()]
}
fn verified(live: &Live) -> Vec<Event> {
    vec![live.proof.clone().into(), live.passed.clone().into()]
}
fn evidenced(live: &Live) -> Vec<Event> {
    [verified(live), vec![live.settlement.clone().into()]].concat()
}
fn mapped(live: &Live) -> Vec<Event> {
    [evidenced(live), vec![live.mapped.clone().into()]].concat()
}

#[test]
fn each_stage_cites_the_one_before() {
    let live = Live::run();
    assert_eq!(live.proof.requirement_event, id(REQUIREMENT_EVENT));
    assert_eq!(live.proof.requirement_hash, Some(live.requirement.requirement_hash));
    assert_eq!((live.passed.proof_event, live.passed.attempt), (id(PROOF_EVENT), 1));
    assert_eq!(live.settlement.verification_event, id(VERIFICATION_EVENT));
    assert_eq!((live.mapped.settlement_event, live.mapped.receipt_event), (id(SETTLEMENT_EVENT), id(RECEIPT_EVENT)));
    assert_eq!(live.confirmed.settlement_event, id(SETTLEMENT_EVENT));
    assert_eq!(live.membership.payment_event, id(CONFIRMED_EVENT));

    let history = mapped(&live);
    let stages = Stages::of([PROOF_EVENT, VERIFICATION_EVENT, SETTLEMENT_EVENT, MAPPED_EVENT].map(id).into_iter().zip(&history));
    assert_eq!(stages.settled, Some(id(SETTLEMENT_EVENT)));
    assert_eq!(stages.mapped, Some((id(MAPPED_EVENT), id(10))));
}

#[test]
fn a_later_stage_without_the_earlier_one_is_refused() {
    let live = Live::run();
    let passed = || look(Trigger::Proof, Outcome::Passed, None);
    for (history, command, why) in [
        (vec![], passed(), Rejection::NotRecorded),
        (vec![], settled(&live), Rejection::NotRecorded),
        (vec![], map(&live), Rejection::NotRecorded),
        (fingerprinted(&live), settled(&live), Rejection::NotVerified),
        (fingerprinted(&live), map(&live), Rejection::NotSettled),
        (verified(&live), map(&live), Rejection::NotSettled),
    ] {
        given::<Proof>(&history).when(command).refused(why);
    }
}

#[test]
fn an_unfinalized_or_failed_look_permits_no_settlement() {
    let live = Live::run();
    for (outcome, reason) in [(Outcome::Pending, "not_finalized"), (Outcome::Failed, "short_amount"), (Outcome::Error, "rpc")] {
        let looked = given::<Proof>(&fingerprinted(&live)).when(look(Trigger::Proof, outcome, Some(reason))).events();
        let history = [fingerprinted(&live), looked].concat();
        given::<Proof>(&history).when(settled(&live)).refused(Rejection::NotVerified);
        // And yet the next look may pass, as attempt number two.
        let passed = given::<Proof>(&history).when(look(Trigger::Watcher, Outcome::Passed, None)).events();
        assert_eq!(payload!(passed[0].clone(), VerificationAttempted).attempt, 2);
    }
}

#[test]
fn attempts_grow_by_one_unless_a_watcher_sees_the_same_again() {
    let live = Live::run();
    let mut history = fingerprinted(&live);
    for (trigger, outcome, reason, recorded) in [
        (Trigger::Watcher, Outcome::Pending, "not_found", true),
        (Trigger::Watcher, Outcome::Pending, "not_found", false),
        (Trigger::Confirm, Outcome::Pending, "not_found", true),
        (Trigger::Watcher, Outcome::Error, "timeout", true),
        (Trigger::Watcher, Outcome::Error, "timeout", false),
        (Trigger::Watcher, Outcome::Pending, "not_finalized", true),
    ] {
        let events = given::<Proof>(&history).when(look(trigger, outcome, Some(reason))).events();
        assert_eq!(events.len(), usize::from(recorded), "{trigger} {reason}");
        history.extend(events);
    }
    assert_eq!(payload!(history.last().unwrap().clone(), VerificationAttempted).attempt, 4);
    let done = given::<Proof>(&verified(&live));
    done.when(look(Trigger::Confirm, Outcome::Error, Some("late"))).nothing();
}

#[test]
fn rejections_of_a_look_in_order_of_precedence() {
    let live = Live::run();
    let wrong_memo = given::<Proof>(&fingerprinted(&live)).when(look(Trigger::Proof, Outcome::Failed, Some("wrong_memo"))).events();
    let history = [fingerprinted(&live), wrong_memo].concat();
    let Command::RecordVerification(mut wrong) = look(Trigger::Proof, Outcome::Failed, None) else { unreachable!() };
    wrong.proof_event = id(999);
    given::<Proof>(&history).when(Command::RecordVerification(wrong)).refused(Rejection::WrongStageCited { field: "proof_event" });
    given::<Proof>(&history).when(look(Trigger::Proof, Outcome::Passed, None)).refused(Rejection::Released);
    let proof = given::<Proof>(&fingerprinted(&live));
    proof.when(look(Trigger::Proof, Outcome::Failed, None)).refused(Rejection::ReasonRequired);
    let Command::RecordVerification(mut blind) = look(Trigger::Proof, Outcome::Passed, None) else { unreachable!() };
    blind.observed = None;
    proof.when(Command::RecordVerification(blind)).refused(Rejection::ObservationRequired);
}

#[test]
fn a_proof_must_fit_its_requirement() {
    let live = Live::run();
    let refuse = |change: fn(&mut Fingerprint), why| {
        let mut new = fingerprint(&live.payment, &live.requirement);
        change(&mut new);
        given::<Proof>([]).when(Command::Fingerprint(Box::new(new))).refused(why);
    };
    let mismatch = |field| Rejection::RequirementMismatch { field };
    refuse(|p| p.rail_id = RailId::TronUsdt, Rejection::RailDisabled { rail: RailId::TronUsdt });
    refuse(|p| p.payment.session_id = Some(id(99)), mismatch("payment_session_id"));
    refuse(|p| p.basis = Basis::Checkout(id(1)), mismatch("payment_session_id"));
    refuse(|p| p.network.push('x'), mismatch("network"));
    refuse(|p| p.payment.asset.mint = wallet(99), mismatch("asset"));
    refuse(|p| p.payment.nonce = "00".into(), mismatch("memo"));
    refuse(|p| p.payment.amount = minor(1), mismatch("gross_amount_minor_units"));
    refuse(|p| p.payment.merchant_amount = minor(1), mismatch("merchant_amount_minor_units"));
    refuse(|p| p.payment.fee_amount = minor(1), mismatch("hilt_fee_minor_units"));
}

#[test]
fn a_fingerprint_is_taken_once_and_a_replay_leaves_a_trace_and_no_change() {
    let live = Live::run();
    let again = || Command::Fingerprint(Box::new(fingerprint(&live.payment, &live.requirement)));
    given::<Proof>(&fingerprinted(&live)).when(again()).nothing();
    let mut other = fingerprint(&live.payment, &live.requirement);
    other.signed = crate::proof::Signed::Transaction(tx(2));
    given::<Proof>(&fingerprinted(&live)).when(Command::Fingerprint(Box::new(other))).refused(Rejection::Replayed);
    assert_ne!(solana_fingerprint(NETWORK, &tx(1)), solana_fingerprint("solana:devnet", &tx(1)));

    let replay = Command::RecordReplay {
        fingerprint: live.proof.fingerprint,
        rail_id: RailId::SolanaUsdc,
        tx: Some(tx(1)),
        session_id: None,
        payment_id: None,
    };
    let trace = given::<Proof>(&mapped(&live)).when(replay).events();
    assert_eq!(trace.len(), 1);
    given::<Proof>([mapped(&live), trace].concat()).when(settled(&live)).nothing();
}

#[test]
fn a_settlement_must_equal_the_requirement() {
    let live = Live::run();
    let refuse = |change: fn(&mut Settle), field| {
        let mut settle = settle(&live.payment);
        change(&mut settle);
        given::<Proof>(&verified(&live)).when(Command::Settle(Box::new(settle))).refused(Rejection::SettlementMismatch { field });
    };
    refuse(|s| s.payment.payment_id = id(99), "payment_id");
    refuse(|s| s.payment.session_id = None, "session_id");
    refuse(|s| s.payer = wallet(99), "payer");
    refuse(|s| s.slot = 78, "slot");
    refuse(|s| s.merchant_amount = minor(24_749_999), "merchant_amount");
    refuse(|s| s.fee_amount = minor(249_999), "fee_amount");
    refuse(|s| (s.payment.merchant_amount, s.merchant_amount) = (minor(1), minor(1)), "gross");
}

#[test]
fn one_transfer_settles_and_one_receipt_maps() {
    let live = Live::run();
    given::<Proof>(&evidenced(&live)).when(settled(&live)).nothing();
    let mut other = settle(&live.payment);
    other.transfer_id.push('x');
    given::<Proof>(&evidenced(&live)).when(Command::Settle(Box::new(other))).refused(Rejection::AlreadySettled);
    given::<Proof>(&mapped(&live)).when(map(&live)).nothing();
    let mut second = live.clone();
    second.receipt.receipt_id = id(99);
    given::<Proof>(&mapped(&live)).when(map(&second)).refused(Rejection::AlreadyMapped);
}

#[test]
fn a_receipt_of_another_settlement_does_not_map() {
    let live = Live::run();
    let refuse = |change: fn(&mut ReceiptCreated), field| {
        let mut other = live.clone();
        change(&mut other.receipt);
        given::<Proof>(&evidenced(&live)).when(map(&other)).refused(Rejection::ReceiptMismatch { field });
    };
    refuse(|r| r.settlement_event = Some(id(99)), "settlement_event");
    refuse(|r| r.payment_id = Some(id(99)), "payment_id");
    refuse(|r| r.product_id = Some(id(99)), "product_id");
    refuse(|r| r.tx_signature = tx(2), "tx_signature");
    refuse(|r| r.amount = minor(1), "amount");
    refuse(|r| r.wallet = wallet(99), "wallet");
}
