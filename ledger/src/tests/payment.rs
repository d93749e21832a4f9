use super::samples::*;
use crate::{
    Cited, fee,
    payment::{Command, Payment, Rejection},
    spec::given,
};
use events::vocab::{
    event::*,
    money::FeeBps,
    time::Timestamp,
    words::{Outcome, TransferRole, Trigger},
};

fn broadcast(n: u8, seconds: i64) -> Command {
    Command::RecordBroadcast { tx: tx(n), payer_wallet: Some(wallet(3)), wallet_source: None, now: at(seconds) }
}
fn attempt(n: u8, trigger: Trigger, reason: &str) -> Command {
    Command::RecordAttempt { tx: tx(n), trigger, outcome: Outcome::Pending, reason: Some(reason.into()) }
}
fn confirm(live: &Live, paid_at: Timestamp) -> Command {
    Command::Confirm {
        settlement: Cited::new(id(SETTLEMENT_EVENT), live.settlement.clone()),
        identity_session_id: None,
        paid_at,
        now: at(60),
    }
}
fn linked(n: u8) -> Event {
    PaymentBroadcastRecorded { payment_id: id(5), tx_signature: tx(n), payer_wallet: Some(wallet(3)), wallet_source: None }.into()
}
fn failed(n: u8) -> Event {
    PaymentFailed { payment_id: id(5), tx_signature: tx(n), reason: "tx_err".into(), place: None, failed_at: at(9) }.into()
}
fn expired() -> Event {
    PaymentExpired { payment_id: id(5), place: None, expired_at: at(1_800) }.into()
}

#[test]
fn a_payment_states_its_split_its_rate_and_its_memo() {
    let created = Live::run().payment;
    assert_eq!((created.merchant_amount.units(), created.fee_amount.units()), (24_750_000, 250_000));
    assert_eq!(created.fee_bps.get(), 100);
    assert_eq!(created.memo(), "HILT:abababababababababababababababab");
}

#[test]
fn a_zero_fee_has_no_wallet_and_no_leg() {
    let mut create = payment_create();
    create.amount = 1;
    create.fee_wallet = None;
    let events = given::<Payment>([]).when(Command::Create(Box::new(create))).events();
    let Event::PaymentCreated(created) = &events[0] else { panic!("{events:?}") };
    assert_eq!(created.fee_amount.units(), 0);
    let legs = crate::requirement::required_transfers(created);
    assert_eq!(legs.iter().map(|leg| leg.role).collect::<Vec<_>>(), [TransferRole::Merchant]);
}

#[test]
fn an_amount_that_json_cannot_carry_and_a_fee_without_a_wallet_are_refused_in_this_order() {
    for amount in [0, 1 << 53, u64::MAX] {
        let mut create = payment_create();
        (create.amount, create.fee_wallet) = (amount, None);
        given::<Payment>([]).when(Command::Create(Box::new(create))).refused(Rejection::AmountOutOfRange);
    }
    let mut create = payment_create();
    create.fee_wallet = None;
    given::<Payment>([]).when(Command::Create(Box::new(create))).refused(Rejection::FeeWalletRequired);
}

#[test]
fn rejections_of_a_broadcast_in_order_of_precedence() {
    let mut bound = Live::run().payment;
    bound.payer_wallet = Some(wallet(4));
    let created = Event::from(bound);
    given::<Payment>([]).when(broadcast(1, 0)).refused(Rejection::NotFound);
    // Another transaction, too late and from the wrong wallet: the first of the three is the answer.
    given::<Payment>([created.clone(), linked(2)]).when(broadcast(1, 9_999)).refused(Rejection::TxConflict);
    given::<Payment>([created.clone(), failed(2)]).when(broadcast(1, 9_999)).refused(Rejection::TxConflict);
    given::<Payment>([created.clone(), failed(1)]).when(broadcast(1, 9_999)).refused(Rejection::Failed);
    given::<Payment>([created.clone(), expired()]).when(broadcast(1, 0)).refused(Rejection::Expired);
    given::<Payment>([created.clone()]).when(broadcast(1, 1_800)).refused(Rejection::Expired);
    given::<Payment>([created.clone()]).when(broadcast(1, 1_799)).refused(Rejection::PayerWalletMismatch);
    given::<Payment>([created, linked(1)]).when(broadcast(1, 9_999)).refused(Rejection::PayerWalletMismatch);
}

#[test]
fn the_same_broadcast_again_changes_nothing_even_after_the_end() {
    let created = Event::from(Live::run().payment);
    given::<Payment>([created.clone()]).when(broadcast(1, 1_799)).then(&[linked(1)]);
    given::<Payment>([created, linked(1)]).when(broadcast(1, 9_999)).nothing();
}

#[test]
fn a_watchers_repeated_look_is_not_recorded_and_a_persons_is() {
    let created = Event::from(Live::run().payment);
    let seen = given::<Payment>([created.clone(), linked(1)]).when(attempt(1, Trigger::Watcher, "not_found")).events();
    let history = [vec![created, linked(1)], seen].concat();
    let payment = given::<Payment>(&history);
    payment.when(attempt(1, Trigger::Watcher, "not_found")).nothing();
    assert_eq!(payment.when(attempt(1, Trigger::Watcher, "not_finalized")).events().len(), 1);
    assert_eq!(payment.when(attempt(1, Trigger::Confirm, "not_found")).events().len(), 1);
    payment.when(attempt(2, Trigger::Confirm, "not_found")).refused(Rejection::TxConflict);
}

#[test]
fn a_confirmation_links_the_transaction_first_and_happens_once() {
    let live = Live::run();
    let created = Event::from(live.payment.clone());
    let events = given::<Payment>([created.clone()]).when(confirm(&live, at(30))).events();
    let types: Vec<_> = events.iter().map(|event| event.event_type().as_str()).collect();
    assert_eq!(types, ["payment.broadcast_recorded", "payment.confirmed"]);
    given::<Payment>([created.clone(), linked(1)]).when(confirm(&live, at(30))).then(&[events[1].clone()]);
    let history = [vec![created], events].concat();
    given::<Payment>(&history).when(confirm(&live, at(30))).nothing();
    given::<Payment>(&history).when(attempt(1, Trigger::Confirm, "late")).nothing();
    let mut other = live;
    other.settlement.tx_signature = tx(2);
    given::<Payment>(&history).when(confirm(&other, at(30))).refused(Rejection::TxConflict);
}

#[test]
fn rejections_of_a_confirmation_in_order_of_precedence() {
    let live = Live::run();
    let created = Event::from(live.payment.clone());
    given::<Payment>([]).when(confirm(&live, at(30))).refused(Rejection::NotFound);
    given::<Payment>([created.clone(), linked(2)]).when(confirm(&live, at(9_999))).refused(Rejection::TxConflict);
    given::<Payment>([created.clone(), failed(1)]).when(confirm(&live, at(30))).refused(Rejection::Failed);
    given::<Payment>([created.clone(), expired()]).when(confirm(&live, at(30))).refused(Rejection::Expired);
    given::<Payment>([created.clone()]).when(confirm(&live, at(1_800))).refused(Rejection::Expired);
    let mut other = live.clone();
    other.settlement.payment_id = id(99);
    given::<Payment>([created.clone()]).when(confirm(&other, at(30))).refused(Rejection::SettlementMismatch { field: "payment_id" });
    let mut short = live.clone();
    short.settlement.gross = minor(24_999_999);
    given::<Payment>([created]).when(confirm(&short, at(30))).refused(Rejection::SettlementMismatch { field: "gross" });
    let mut bound = live.payment.clone();
    bound.payer_wallet = Some(wallet(4));
    given::<Payment>([bound.into()]).when(confirm(&live, at(30))).refused(Rejection::PayerWalletMismatch);
}

#[test]
fn a_recorded_transaction_keeps_a_payment_confirmable_after_its_end() {
    let live = Live::run();
    let payment = given::<Payment>([live.payment.clone().into(), linked(1)]);
    payment.when(Command::Expire { now: at(9_999) }).refused(Rejection::PendingConfirmation);
    payment.when(confirm(&live, at(9_999))).then(&[live.confirmed.into()]);
}

#[test]
fn what_the_chain_shows_in_time_wins_over_what_was_announced() {
    let live = Live::run();
    let created = Event::from(live.payment.clone());
    let events = given::<Payment>([created.clone(), linked(2)]).when(confirm(&live, at(30))).events();
    let types: Vec<_> = events.iter().map(|event| event.event_type().as_str()).collect();
    assert_eq!(types, ["payment.broadcast_recorded", "payment.confirmed"]);
    let history = [vec![created, linked(2)], events].concat();
    assert_eq!(<Payment as events::decider::Decider>::fold(&history).tx(), Some(tx(1)));
}

#[test]
fn a_payment_ends_once() {
    let live = Live::run();
    let created = Event::from(live.payment.clone());
    let fail = |n: u8| Command::Fail { tx: tx(n), reason: "tx_err".into(), now: at(9) };
    given::<Payment>([created.clone()]).when(Command::Expire { now: at(1_799) }).refused(Rejection::NotExpiredYet);
    given::<Payment>([created.clone()]).when(Command::Expire { now: at(1_800) }).then(&[expired()]);
    given::<Payment>([created.clone(), expired()]).when(Command::Expire { now: at(1_800) }).nothing();
    given::<Payment>([created.clone(), expired()]).when(fail(1)).refused(Rejection::Expired);
    given::<Payment>([created.clone(), linked(1)]).when(fail(1)).then(&[failed(1)]);
    given::<Payment>([created.clone(), linked(2)]).when(fail(1)).refused(Rejection::TxConflict);
    given::<Payment>([created.clone(), failed(1)]).when(fail(1)).nothing();
    given::<Payment>([created, live.confirmed.into()]).when(fail(1)).refused(Rejection::AlreadyConfirmed);
}

#[test]
fn the_fee_rates_of_mon_13() {
    use fee::{LAUNCH, Plan, Surface, rate};
    let enterprise = FeeBps::new(20).unwrap();
    for (surface, bps) in [
        (Surface::Workspace, 10),
        (Surface::Access(None), 100),
        (Surface::Access(Some(Plan::Starter)), 100),
        (Surface::Access(Some(Plan::Growth)), 70),
        (Surface::Access(Some(Plan::Scale)), 45),
        (Surface::Access(Some(Plan::Enterprise(enterprise))), 20),
    ] {
        assert_eq!(rate(&LAUNCH, surface).bps.get(), bps, "{surface:?}");
    }
}

#[test]
fn a_payment_that_waits_for_an_identity_keeps_its_transaction_and_settles_with_the_proof_only() {
    let live = Live::run();
    let mut bound = live.payment.clone();
    bound.identity_required = true;
    let created = Event::from(bound);
    let link = |n, paid_at| Command::LinkPaid { tx: tx(n), payer: wallet(3), paid_at: at(paid_at) };
    given::<Payment>([]).when(link(1, 0)).refused(Rejection::NotFound);
    given::<Payment>([created.clone()]).when(link(1, 10)).then(&[linked(1)]);
    given::<Payment>([created.clone(), linked(1)]).when(link(1, 9_999)).nothing();
    // A transaction that was only announced gives way to the one that pays, if that was in time.
    given::<Payment>([created.clone(), linked(2)]).when(link(1, 10)).then(&[linked(1)]);
    given::<Payment>([created.clone(), linked(2)]).when(link(1, 9_999)).refused(Rejection::TxConflict);
    given::<Payment>([created.clone()]).when(link(1, 9_999)).refused(Rejection::Expired);
    given::<Payment>([created.clone(), failed(1)]).when(link(1, 10)).refused(Rejection::Failed);
    given::<Payment>([created.clone(), expired()]).when(link(1, 10)).refused(Rejection::Expired);
    given::<Payment>([created.clone()]).when(confirm(&live, at(60))).refused(Rejection::IdentityRequired);
    let proved = match confirm(&live, at(60)) {
        Command::Confirm { settlement, paid_at, now, .. } => {
            Command::Confirm { settlement, identity_session_id: Some(id(40)), paid_at, now }
        }
        other => other,
    };
    let events = given::<Payment>([created]).when(proved).events();
    let Some(Event::PaymentConfirmed(confirmed)) = events.last() else { panic!("{events:?}") };
    assert_eq!(confirmed.identity_session_id, Some(id(40)));
}
