use super::samples::*;
use crate::{
    Cited,
    payment_session::{Command, Create, PaymentSession, Rejection},
    requirement::{Binding, canonical, requirement_json},
    spec::given,
};
use events::vocab::{bytes::Hash32, event::*, personal::Personal, rail::RailId, words::TransferRole};

fn author(live: &Live) -> Command {
    Command::AuthorRequirement {
        owner_id: id(OWNER),
        session: Cited::new(id(SESSION_EVENT), live.session.clone()),
        payment: Box::new(live.payment.clone()),
        network: NETWORK.into(),
        x402: None,
    }
}
fn activated(live: &Live) -> EntitlementActivated {
    EntitlementActivated {
        entitlement_id: id(6),
        access_product_id: id(3),
        evidence: crate::evidence::Evidence::Receipt(Box::new(live.evidence())).citation(),
        active_from: at(60),
        expires_at: at(60).plus_days(30),
    }
}
fn confirm(activated: EntitlementActivated) -> Command {
    Command::Confirm { entitlement: Cited::new(id(ACTIVATED_EVENT), activated) }
}
fn open(live: &Live) -> Vec<Event> {
    vec![live.session.clone().into(), live.requirement.clone().into()]
}

#[test]
fn a_session_seals_who_buys() {
    let facts = given::<PaymentSession>([]).when(Command::Create(Box::new(session_create()))).facts();
    assert_eq!(facts[0].personal, Some((id(7), customer())));
    assert!(!format!("{:?}", facts[0].event).contains("cust_123"));
}

#[test]
fn rejections_of_a_session_in_order_of_precedence() {
    let refuse = |change: fn(&mut Create), why| {
        let mut create = session_create();
        change(&mut create);
        given::<PaymentSession>([]).when(Command::Create(Box::new(create))).refused(why);
    };
    refuse(|c| (c.personal, c.rail_id) = (Personal::default(), RailId::X402), Rejection::CustomerIdentityRequired);
    refuse(|c| c.personal.external_customer_id = Some("  ".into()), Rejection::CustomerIdentityRequired);
    refuse(|c| (c.rail_id, c.amount) = (RailId::BaseUsdc, 0), Rejection::AdapterNotImplemented { rail: RailId::BaseUsdc });
    refuse(|c| c.amount = 0, Rejection::AmountOutOfRange);
    refuse(|c| c.amount = 1 << 53, Rejection::AmountOutOfRange);
}

#[test]
fn the_requirement_lists_both_legs_and_hashes_everything_it_binds() {
    let live = Live::run();
    let requirement = &live.requirement;
    let legs: Vec<_> = requirement.required_transfers.iter().map(|leg| (leg.role, leg.pay_to, leg.amount.units())).collect();
    assert_eq!(legs, [(TransferRole::Merchant, wallet(1), 24_750_000), (TransferRole::Fee, wallet(2), 250_000)]);
    assert_eq!(requirement.session_event, id(SESSION_EVENT));

    let binding = Binding::authored(id(OWNER), &live.session, requirement);
    assert_eq!(binding, Binding::of(id(OWNER), &live.session, &live.payment, NETWORK));
    assert_eq!(binding.hash(), requirement.requirement_hash);
    assert_eq!(Hash32::of(canonical(&requirement_json(&binding))), requirement.requirement_hash);

    let changes: [fn(&mut Binding); 12] = [
        |b| b.owner_id = id(99),
        |b| b.session_id = id(99),
        |b| b.access_product_id = id(99),
        |b| b.product_id = id(99),
        |b| b.entitlement_id = id(99),
        |b| b.payment_id = id(99),
        |b| b.network.push('x'),
        |b| b.memo.push('0'),
        |b| b.gross = minor(1),
        |b| b.fee_policy.push('x'),
        |b| b.required_transfers[0].pay_to = wallet(99),
        |b| b.expires_at = at(1),
    ];
    for change in changes {
        let mut changed = binding.clone();
        change(&mut changed);
        assert_ne!(changed.hash(), requirement.requirement_hash, "{changed:?}");
    }
}

#[test]
fn a_requirement_needs_its_session_and_the_payment_made_for_it() {
    let live = Live::run();
    let created = Event::from(live.session.clone());
    given::<PaymentSession>([]).when(author(&live)).refused(Rejection::NotFound);
    let refuse = |change: fn(&mut Live), field| {
        let mut other = live.clone();
        change(&mut other);
        given::<PaymentSession>([created.clone()]).when(author(&other)).refused(Rejection::RequirementMismatch { field });
    };
    refuse(|l| l.session.session_id = id(99), "session_event");
    refuse(|l| l.payment.payment_id = id(99), "payment_id");
    refuse(|l| l.payment.session_id = None, "session_id");
    refuse(|l| l.payment.access_product_id = Some(id(99)), "access_product_id");
    refuse(|l| l.payment.product_id = id(99), "product_id");
    refuse(|l| l.payment.entitlement_id = None, "entitlement_id");
    refuse(|l| l.payment.subject_id = id(99), "subject_id");
    refuse(|l| l.payment.amount = minor(1), "amount");
    refuse(|l| l.payment.expires_at = at(1), "expires_at");
}

#[test]
fn a_requirement_is_written_once() {
    let live = Live::run();
    given::<PaymentSession>(&open(&live)).when(author(&live)).nothing();
    let mut other = live.clone();
    other.payment.nonce = "00".into();
    given::<PaymentSession>(&open(&live)).when(author(&other)).refused(Rejection::RequirementAuthored);
}

#[test]
fn a_session_is_confirmed_by_its_own_activation_and_only_after_its_requirement() {
    let live = Live::run();
    let session = given::<PaymentSession>(&open(&live));
    let before = given::<PaymentSession>([live.session.clone().into()]);
    before.when(confirm(activated(&live))).refused(Rejection::RequirementMissing);
    let events = session.when(confirm(activated(&live))).events();
    let Event::PaymentSessionConfirmed(confirmed) = &events[0] else { panic!("{events:?}") };
    assert_eq!((confirmed.entitlement_event, confirmed.receipt_id), (id(ACTIVATED_EVENT), id(10)));

    let mut other = activated(&live);
    other.entitlement_id = id(99);
    session.when(confirm(other)).refused(Rejection::EntitlementMismatch { field: "entitlement_id" });
    let mut sandbox = activated(&live);
    sandbox.evidence = ActivationEvidence::Sandbox { sandbox_session_id: id(1), confirmed_event: id(2) };
    session.when(confirm(sandbox)).refused(Rejection::EntitlementMismatch { field: "evidence" });

    let done = given::<PaymentSession>([open(&live), events].concat());
    done.when(confirm(activated(&live))).nothing();
    done.when(Command::Expire { now: at(9_999), transaction_recorded: false }).refused(Rejection::AlreadyConfirmed);
    done.when(Command::Fail { reason: "tx_err".into() }).refused(Rejection::AlreadyConfirmed);
}

#[test]
fn a_session_expires_unless_a_transaction_may_still_be_confirmed() {
    let live = Live::run();
    let session = given::<PaymentSession>(&open(&live));
    let expire = |seconds, transaction_recorded| Command::Expire { now: at(seconds), transaction_recorded };
    session.when(expire(1_799, true)).refused(Rejection::NotExpiredYet);
    session.when(expire(1_800, true)).refused(Rejection::PendingConfirmation);
    let events = session.when(expire(1_800, false)).events();
    let over = given::<PaymentSession>([open(&live), events].concat());
    over.when(expire(1_801, false)).nothing();
    over.when(confirm(activated(&live))).refused(Rejection::Expired);
    session.when(Command::Fail { reason: " ".into() }).refused(Rejection::ReasonRequired);
}
