use super::samples::{at, id};
use crate::{
    spec::given,
    workspace_billing::{Command, Prices, Rejection, Seen, WorkspaceBilling, return_url},
};
use events::{
    decider::Decider as _,
    vocab::{
        event::{BillingInvoice, BillingSubscription, Event, WorkspaceBillingCheckoutStarted, WorkspaceBillingSynced},
        time::Timestamp,
        words::{BillingInterval, BillingPlan, InvoiceStatus, SubscriptionStatus},
    },
};

const DAY: i64 = 86_400;

fn subscription(id: &str, status: SubscriptionStatus) -> BillingSubscription {
    BillingSubscription {
        subscription_id: id.into(),
        status,
        price_id: "price_growth".into(),
        plan: Some(BillingPlan::Growth),
        interval: Some(BillingInterval::Monthly),
        current_period_start: at(0),
        current_period_end: at(30 * DAY),
        cancel_at_period_end: false,
        canceled_at: None,
    }
}

fn seen(id: &str, status: SubscriptionStatus, created_at: Timestamp) -> Seen {
    Seen { subscription: subscription(id, status), created_at }
}

fn invoice() -> BillingInvoice {
    BillingInvoice {
        invoice_id: "in_1".into(),
        number: None,
        status: InvoiceStatus::Draft,
        currency: "usd".into(),
        total: -500,
        amount_paid: 0,
        created_at: at(0),
        period_start: at(0),
        period_end: at(30 * DAY),
    }
}

fn started(session: &str) -> WorkspaceBillingCheckoutStarted {
    WorkspaceBillingCheckoutStarted {
        owner_id: id(1),
        plan: BillingPlan::Growth,
        interval: BillingInterval::Monthly,
        price_id: "price_growth".into(),
        customer_id: "cus_1".into(),
        checkout_session_id: session.into(),
    }
}

fn start(session: &str) -> Command {
    Command::StartCheckout(Box::new(started(session)))
}

fn sync(subscriptions: Vec<Seen>) -> Command {
    Command::Sync { owner_id: id(1), customer_id: Some("cus_1".into()), subscriptions, invoices: vec![invoice()] }
}

fn synced(subscription: Option<BillingSubscription>) -> Event {
    WorkspaceBillingSynced { owner_id: id(1), customer_id: Some("cus_1".into()), subscription, invoices: vec![invoice()] }.into()
}

#[test]
fn a_checkout_is_started_once_and_again_until_somebody_has_subscribed() {
    given::<WorkspaceBilling>([]).when(start("cs_1")).then(&[started("cs_1").into()]);
    let begun = given::<WorkspaceBilling>([started("cs_1").into()]);
    begun.when(start("cs_1")).nothing();
    begun.when(start("cs_2")).then(&[started("cs_2").into()]);
    use SubscriptionStatus::*;
    for status in [Trialing, Active, PastDue, Unpaid, Paused] {
        let subscribed = given::<WorkspaceBilling>([started("cs_1").into(), synced(Some(subscription("sub_1", status)))]);
        subscribed.when(start("cs_2")).refused(Rejection::SubscriptionExists);
        subscribed.when(start("cs_1")).nothing();
    }
    for status in [Incomplete, IncompleteExpired, Canceled] {
        let ended = given::<WorkspaceBilling>([started("cs_1").into(), synced(Some(subscription("sub_1", status)))]);
        ended.when(start("cs_2")).then(&[started("cs_2").into()]);
    }
}

#[test]
fn what_stripe_says_is_put_on_record_once() {
    use SubscriptionStatus::*;
    let begun = given::<WorkspaceBilling>([started("cs_1").into()]);
    begun.when(sync(vec![])).then(&[synced(None)]);
    let active = synced(Some(subscription("sub_1", Active)));
    begun.when(sync(vec![seen("sub_1", Active, at(1))])).then(std::slice::from_ref(&active));
    let known = given::<WorkspaceBilling>([started("cs_1").into(), active]);
    known.when(sync(vec![seen("sub_1", Active, at(1))])).nothing();
    known.when(sync(vec![seen("sub_1", PastDue, at(1))])).then(&[synced(Some(subscription("sub_1", PastDue)))]);
    let gone = Command::Sync { owner_id: id(1), customer_id: None, subscriptions: vec![], invoices: vec![] };
    let forgotten = WorkspaceBillingSynced { owner_id: id(1), customer_id: None, subscription: None, invoices: vec![] };
    known.when(gone).then(&[forgotten.into()]);
}

#[test]
fn of_several_subscriptions_the_one_that_is_paid_for_counts() {
    use SubscriptionStatus::*;
    let counts = |seen: Vec<Seen>, expected: (&str, SubscriptionStatus)| {
        given::<WorkspaceBilling>([]).when(sync(seen)).then(&[synced(Some(subscription(expected.0, expected.1)))]);
    };
    counts(vec![seen("sub_new", Canceled, at(9)), seen("sub_old", Active, at(1))], ("sub_old", Active));
    counts(vec![seen("sub_1", Active, at(1)), seen("sub_2", Active, at(2))], ("sub_2", Active));
    counts(vec![seen("sub_2", Incomplete, at(2)), seen("sub_1", PastDue, at(1))], ("sub_1", PastDue));
    counts(vec![seen("sub_a", Canceled, at(1)), seen("sub_b", Canceled, at(1))], ("sub_b", Canceled));
}

#[test]
fn a_plan_is_had_while_it_is_paid_for() {
    let plan = |status, now| WorkspaceBilling::fold(&[synced(Some(subscription("sub_1", status)))]).plan(now);
    for status in SubscriptionStatus::ALL {
        let paid = matches!(status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
        assert_eq!(plan(*status, at(DAY)), paid.then_some(BillingPlan::Growth), "{status}");
    }
    assert_eq!(plan(SubscriptionStatus::Active, at(33 * DAY - 1)), Some(BillingPlan::Growth));
    assert_eq!(plan(SubscriptionStatus::Active, at(33 * DAY)), None, "nobody has heard of a next period");
    let unknown = BillingSubscription { plan: None, interval: None, ..subscription("sub_1", SubscriptionStatus::Active) };
    assert_eq!(WorkspaceBilling::fold(&[synced(Some(unknown))]).plan(at(1)), None);
}

#[test]
fn prices_lead_to_plans_and_back() {
    let prices = Prices::new([((BillingPlan::Growth, BillingInterval::Yearly), "price_gy".to_owned())].into());
    assert_eq!(prices.of(BillingPlan::Growth, BillingInterval::Yearly), Some("price_gy"));
    assert_eq!(prices.of(BillingPlan::Growth, BillingInterval::Monthly), None);
    assert_eq!(prices.meaning("price_gy"), Some((BillingPlan::Growth, BillingInterval::Yearly)));
    assert_eq!(prices.meaning("price_other"), None);
}

#[test]
fn a_way_back_is_a_web_address() {
    for good in ["https://app.hilt.so/dashboard/billing?stripe=success", "https://app.hilt.so/?session={CHECKOUT_SESSION_ID}"] {
        assert_eq!(return_url(good), Ok(good.to_owned()));
    }
    for bad in ["", " ", "javascript:alert(1)", "/dashboard", "https://", "https://u:p@app.hilt.so/"] {
        assert!(return_url(bad).is_err(), "{bad}");
    }
}
