//! A merchant's own subscription of Hilt, as Stripe keeps it (OBJ-11): what was begun, what Stripe last said, and the plan that follows.

use crate::check::{rejections, web_url};
use events::{
    decider::Decider,
    vocab::{
        event::{BillingInvoice, BillingSubscription, Event, WorkspaceBillingCheckoutStarted, WorkspaceBillingSynced},
        id::OwnerId,
        stream::Fact,
        time::Timestamp,
        words::{BillingInterval, BillingPlan, SubscriptionStatus},
    },
};
use std::collections::BTreeMap;

/// What `metadata[hilt_product]` of everything that is made at Stripe for a workspace says.
pub const STRIPE_PRODUCT: &str = "hilt_workspace";
/// How long a plan goes on after a period that was paid for, in seconds: Stripe finalizes the next invoice an hour after it was drafted, and
/// what it says then has to be asked for.
const LEEWAY: i64 = 3 * 86_400;

/// Stripe's prices, and what each stands for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prices(BTreeMap<(BillingPlan, BillingInterval), String>);

impl Prices {
    /// These prices.
    pub fn new(prices: BTreeMap<(BillingPlan, BillingInterval), String>) -> Self {
        Prices(prices)
    }
    /// The price of `plan`, if there is one.
    pub fn of(&self, plan: BillingPlan, interval: BillingInterval) -> Option<&str> {
        self.0.get(&(plan, interval)).map(String::as_str)
    }
    /// What `price` stands for, if it is one of these.
    pub fn meaning(&self, price: &str) -> Option<(BillingPlan, BillingInterval)> {
        self.0.iter().find(|(_, known)| *known == price).map(|(meaning, _)| *meaning)
    }
}

/// A workspace's billing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct WorkspaceBilling {
    /// Stripe's customer.
    pub customer_id: Option<String>,
    /// What Stripe last said of the subscription.
    pub subscription: Option<BillingSubscription>,
    /// The newest invoices, newest first.
    pub invoices: Vec<BillingInvoice>,
    /// The checkout session that was opened last.
    pub checkout_session_id: Option<String>,
}

/// A subscription among those that a customer has at Stripe.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// It.
    pub subscription: BillingSubscription,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is asked of a workspace's billing.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Put on record that a checkout session was opened.
    StartCheckout(Box<WorkspaceBillingCheckoutStarted>),
    /// Put on record what Stripe says, if it is something new.
    Sync {
        /// Whose.
        owner_id: OwnerId,
        /// Stripe's customer; `None` when it knows none any more.
        customer_id: Option<String>,
        /// Every subscription of the customer to a plan of a workspace.
        subscriptions: Vec<Seen>,
        /// The newest invoices, newest first.
        invoices: Vec<BillingInvoice>,
    },
}

rejections! {
    /// Why a billing command is refused.
    pub enum Rejection {
        /// A second subscription would be paid for beside the first.
        SubscriptionExists = "subscription_exists", "the workspace has a subscription that has not ended";
    }
}

impl Decider for WorkspaceBilling {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match command {
            Command::StartCheckout(started) if state.checkout_session_id.as_ref() == Some(&started.checkout_session_id) => Ok(vec![]),
            Command::StartCheckout(started) => state.may_start().map(|()| vec![(*started).into()]),
            Command::Sync { owner_id, customer_id, subscriptions, invoices } => {
                let subscription = counting(subscriptions);
                let known = (&state.customer_id, &state.subscription, &state.invoices);
                if known == (&customer_id, &subscription, &invoices) {
                    return Ok(vec![]);
                }
                Ok(vec![WorkspaceBillingSynced { owner_id, customer_id, subscription, invoices }.into()])
            }
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match event {
            Event::WorkspaceBillingCheckoutStarted(started) => WorkspaceBilling {
                customer_id: Some(started.customer_id.clone()),
                checkout_session_id: Some(started.checkout_session_id.clone()),
                ..state
            },
            Event::WorkspaceBillingSynced(synced) => WorkspaceBilling {
                customer_id: synced.customer_id.clone(),
                subscription: synced.subscription.clone(),
                invoices: synced.invoices.clone(),
                ..state
            },
            _ => state,
        }
    }
}

impl WorkspaceBilling {
    /// Whether a checkout may be started: not beside a subscription that goes on, paid or not.
    pub fn may_start(&self) -> Result<(), Rejection> {
        match &self.subscription {
            Some(subscription) if goes_on(subscription.status) => Err(Rejection::SubscriptionExists),
            _ => Ok(()),
        }
    }

    /// The plan that the merchant has at `now`. Only a subscription that is paid for, or tried, counts (INV-55), and no longer than what it
    /// was paid for.
    pub fn plan(&self, now: Timestamp) -> Option<BillingPlan> {
        let subscription = self.subscription.as_ref()?;
        let paid = matches!(subscription.status, SubscriptionStatus::Active | SubscriptionStatus::Trialing);
        subscription.plan.filter(|_| paid && now < subscription.current_period_end.plus_seconds(LEEWAY))
    }
}

/// Whether a subscription in that state may still be paid for, so that another would be paid for beside it.
const fn goes_on(status: SubscriptionStatus) -> bool {
    match status {
        SubscriptionStatus::Trialing
        | SubscriptionStatus::Active
        | SubscriptionStatus::PastDue
        | SubscriptionStatus::Unpaid
        | SubscriptionStatus::Paused => true,
        // It waits for its first payment for a day at most, on a page that the merchant may have left.
        SubscriptionStatus::Incomplete | SubscriptionStatus::IncompleteExpired | SubscriptionStatus::Canceled => false,
    }
}

/// Of several subscriptions the one that counts: what is paid for before what is owed before what has ended, and of equals the newest.
fn counting(subscriptions: Vec<Seen>) -> Option<BillingSubscription> {
    let rank = |status| match status {
        SubscriptionStatus::Active => 7,
        SubscriptionStatus::Trialing => 6,
        SubscriptionStatus::PastDue => 5,
        SubscriptionStatus::Unpaid => 4,
        SubscriptionStatus::Paused => 3,
        SubscriptionStatus::Incomplete => 2,
        SubscriptionStatus::Canceled => 1,
        SubscriptionStatus::IncompleteExpired => 0,
    };
    let order = |seen: &Seen| (rank(seen.subscription.status), seen.created_at, seen.subscription.subscription_id.clone());
    subscriptions.into_iter().max_by_key(order).map(|seen| seen.subscription)
}

/// Where Stripe sends the merchant back to, valid; the rule that `text` breaks otherwise. Stripe fills in `{CHECKOUT_SESSION_ID}`.
pub fn return_url(text: &str) -> Result<String, &'static str> {
    web_url(Some(text)).and_then(|url| url.ok_or("is required"))
}
