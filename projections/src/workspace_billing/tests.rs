use super::*;
use crate::testkit::{Sample, Written};
use events::{
    clock::new_id,
    vocab::{
        event::{WorkspaceBillingCheckoutStarted, WorkspaceBillingSynced},
        stream::{Category, StreamId},
        words::{BillingInterval, BillingPlan, SubscriptionStatus},
    },
};

#[test]
fn the_newest_word_of_stripe_stands_and_a_checkout_does_not_touch_it() {
    let sample = Sample::new();
    let written = |event: Event| Written {
        stream: StreamId::new(Category::WorkspaceBilling, sample.owner),
        event_id: new_id(),
        event,
        personal: None,
    };
    let started = |session: &str| {
        written(
            WorkspaceBillingCheckoutStarted {
                owner_id: sample.owner,
                plan: BillingPlan::Growth,
                interval: BillingInterval::Monthly,
                price_id: "price_1".into(),
                customer_id: "cus_1".into(),
                checkout_session_id: session.into(),
            }
            .into(),
        )
    };
    let subscription = |status| BillingSubscription {
        subscription_id: "sub_1".into(),
        status,
        price_id: "price_1".into(),
        plan: Some(BillingPlan::Growth),
        interval: Some(BillingInterval::Monthly),
        current_period_start: Timestamp::from_micros(0),
        current_period_end: Timestamp::from_micros(1),
        cancel_at_period_end: false,
        canceled_at: None,
    };
    let synced = |customer: Option<&str>, subscription| {
        let customer_id = customer.map(str::to_owned);
        written(WorkspaceBillingSynced { owner_id: sample.owner, customer_id, subscription, invoices: vec![] }.into())
    };
    let row = |events: &[Written]| sample.fold::<WorkspaceBilling>(events).get(sample.owner).unwrap().clone();

    let begun = row(&[started("cs_1")]);
    assert_eq!((begun.customer_id.as_deref(), begun.checkout_session_id.as_deref()), (Some("cus_1"), Some("cs_1")));
    assert!(begun.checkout_started_at.is_some() && begun.synced_at.is_none() && begun.subscription.is_none());

    let active = subscription(SubscriptionStatus::Active);
    let canceled = subscription(SubscriptionStatus::Canceled);
    let events = [started("cs_1"), synced(Some("cus_1"), Some(active)), synced(Some("cus_1"), Some(canceled.clone())), started("cs_2")];
    let later = row(&events);
    assert_eq!((later.subscription, later.checkout_session_id.as_deref()), (Some(canceled), Some("cs_2")));
    assert!(later.synced_at.is_some() && later.checkout_started_at >= later.synced_at);

    let gone = row(&[started("cs_1"), synced(None, None)]);
    assert_eq!((gone.customer_id, gone.subscription), (None, None));
}
