//! Merchants' own subscriptions of Hilt (OBJ-11), which Stripe keeps: pages on which they subscribe and look after it, and what Stripe says
//! of it, put on record. Nothing of a buyer's comes here (INV-79).

mod sync;

pub use crate::stripe::StripeError;
pub use sync::{BillingSync, run};

use crate::stripe::{NewCheckout, Stripe};
use events::{
    clock::Clock,
    log::{Log, ReadError},
    unit::{Loaded, Unit},
    vocab::{
        event::{BillingInvoice, BillingSubscription, EventType, WorkspaceBillingCheckoutStarted},
        id::OwnerId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{BillingInterval, BillingPlan},
    },
};
use ledger::workspace_billing::{Command, Prices, Rejection, STRIPE_PRODUCT, Seen, WorkspaceBilling};
use rails::stripe::{Page, Subscription};
use std::{fmt, sync::Arc};
use url::Url;

/// An hour, in seconds.
const HOUR: i64 = 3_600;

/// Billing at Stripe.
#[derive(Clone)]
pub struct Billing(Arc<Parts>);

impl fmt::Debug for Billing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.stripe.fmt(f)
    }
}

struct Parts {
    stripe: Stripe,
    prices: Prices,
    clock: Clock,
}

/// Why nothing came of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BillingError {
    /// A rule forbids it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The deployment has no price for it.
    #[error("no price is configured for {1} {0}")]
    NoPrice(BillingPlan, BillingInterval),
    /// Stripe knows no customer of this workspace.
    #[error("the workspace is no customer of Stripe's yet")]
    NoCustomer,
    /// Stripe did not do it.
    #[error(transparent)]
    Stripe(#[from] StripeError),
}

/// What a merchant would subscribe to.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose workspace.
    pub owner_id: OwnerId,
    /// The plan.
    pub plan: BillingPlan,
    /// How often it is paid for.
    pub interval: BillingInterval,
    /// Where his browser goes when he has.
    pub success_url: String,
    /// Where it goes when he has not.
    pub cancel_url: String,
    /// Names this request, so that asking again opens no second page.
    pub request: String,
}

/// The stream of a workspace's billing.
pub fn stream(owner: OwnerId) -> StreamId {
    StreamId::new(Category::WorkspaceBilling, owner.0)
}

/// When Stripe last told something new of it.
pub async fn synced_at(log: &Log, owner: OwnerId) -> Result<Option<Timestamp>, ReadError> {
    let events = log.read_stream(stream(owner), 0).await?;
    let synced = events.iter().rev().find(|event| event.envelope.event_type == EventType::WorkspaceBillingSynced);
    Ok(synced.map(|event| event.envelope.recorded_at))
}

impl Billing {
    /// Billing at the Stripe account that `key` is of. Fails when the system's root certificates cannot be read.
    pub fn new(api_url: Url, key: String, prices: Prices, clock: Clock) -> Result<Self, reqwest::Error> {
        Ok(Billing(Arc::new(Parts { stripe: Stripe::new(api_url, key)?, prices, clock })))
    }

    /// Opens a page on which the merchant may subscribe (RT-051). Only one is open at a time, and none beside a subscription that goes on,
    /// whether or not anybody has put it on record: of two, both would be paid for.
    pub async fn open_checkout(
        &self,
        unit: &mut Unit<'_>,
        loaded: &mut Loaded<WorkspaceBilling>,
        asked: &Asked,
    ) -> Result<Page, BillingError> {
        let Parts { stripe, prices, .. } = &*self.0;
        let price = prices.of(asked.plan, asked.interval).ok_or(BillingError::NoPrice(asked.plan, asked.interval))?;
        if let Some(open) = &loaded.state.checkout_session_id {
            // First, so that what it became is among the subscriptions that are looked at next.
            stripe.expire_checkout(open).await?;
        }
        self.sync(unit, loaded, asked.owner_id).await?;
        loaded.state.may_start()?;
        let customer = self.customer(loaded, asked.owner_id).await?;
        let owner = asked.owner_id.to_string();
        let metadata = [
            ("hilt_product", STRIPE_PRODUCT),
            ("hilt_owner_id", &owner),
            ("hilt_plan", asked.plan.as_str()),
            ("hilt_interval", asked.interval.as_str()),
        ];
        let new = NewCheckout {
            customer: &customer,
            price,
            success_url: &asked.success_url,
            cancel_url: &asked.cancel_url,
            metadata: &metadata,
            idempotency_key: &asked.request,
        };
        let page = stripe.create_checkout(&new).await?;
        let started = WorkspaceBillingCheckoutStarted {
            owner_id: asked.owner_id,
            plan: asked.plan,
            interval: asked.interval,
            price_id: price.to_owned(),
            customer_id: customer,
            checkout_session_id: page.id.clone(),
        };
        let cause = loaded.last_event;
        unit.decide(loaded, Command::StartCheckout(Box::new(started)), cause)?;
        Ok(page)
    }

    /// Opens the page on which the merchant looks after his subscription (RT-052).
    pub async fn open_portal(&self, state: &WorkspaceBilling, return_url: &str, request: &str) -> Result<Page, BillingError> {
        let customer = state.customer_id.as_deref().ok_or(BillingError::NoCustomer)?;
        match self.0.stripe.create_portal(customer, return_url, request).await {
            Err(StripeError::Missing) => Err(BillingError::NoCustomer),
            opened => Ok(opened?),
        }
    }

    /// Puts on record what Stripe says now, if it is something new (RT-053). Whoever was never a customer is not asked after.
    pub async fn sync(&self, unit: &mut Unit<'_>, loaded: &mut Loaded<WorkspaceBilling>, owner_id: OwnerId) -> Result<(), BillingError> {
        let Some(customer) = loaded.state.customer_id.clone() else { return Ok(()) };
        let command = match self.look(&customer).await? {
            Some((subscriptions, invoices)) => Command::Sync { owner_id, customer_id: Some(customer), subscriptions, invoices },
            None => Command::Sync { owner_id, customer_id: None, subscriptions: Vec::new(), invoices: Vec::new() },
        };
        let cause = loaded.last_event;
        unit.decide(loaded, command, cause)?;
        Ok(())
    }

    /// What Stripe says of a customer; `None` when it knows none any more.
    async fn look(&self, customer: &str) -> Result<Option<(Vec<Seen>, Vec<BillingInvoice>)>, StripeError> {
        let Parts { stripe, prices, .. } = &*self.0;
        if stripe.customer(customer).await?.is_none() {
            return Ok(None);
        }
        let (subscriptions, invoices) = tokio::try_join!(stripe.subscriptions(customer), stripe.invoices(customer))?;
        Ok(Some((subscriptions.into_iter().filter_map(|found| seen(prices, found)).collect(), invoices)))
    }

    /// The workspace's customer, made if there is none. Whoever asks at the same time makes the same one, and so does whoever comes back after a
    /// crash within the hour; later he makes one more, and the first has nothing. For longer the key must not be the same: Stripe repeats
    /// under it what it could not do.
    async fn customer(&self, loaded: &Loaded<WorkspaceBilling>, owner: OwnerId) -> Result<String, StripeError> {
        if let Some(customer) = &loaded.state.customer_id {
            return Ok(customer.clone());
        }
        let owner = owner.to_string();
        let after = loaded.version().map_or("none".to_owned(), |version| version.to_string());
        let key = format!("hilt-customer-{owner}-{after}-{}", self.0.clock.now().seconds().div_euclid(HOUR));
        Ok(self.0.stripe.create_customer(&[("hilt_owner_id", &owner)], &key).await?.id)
    }
}

/// A subscription to a plan of a workspace; of others that the customer may have, nothing. What it is to follows from its price, which the
/// merchant may have changed in the portal, and not from what was said when it was made.
fn seen(prices: &Prices, found: Subscription) -> Option<Seen> {
    let meaning = prices.meaning(&found.price_id);
    let ours = meaning.is_some() || found.metadata.get("hilt_product").is_some_and(|product| product == STRIPE_PRODUCT);
    ours.then(|| Seen {
        created_at: found.created_at,
        subscription: BillingSubscription {
            subscription_id: found.id,
            status: found.status,
            price_id: found.price_id,
            plan: meaning.map(|(plan, _)| plan),
            interval: meaning.map(|(_, interval)| interval),
            current_period_start: found.current_period_start,
            current_period_end: found.current_period_end,
            cancel_at_period_end: found.cancel_at_period_end,
            canceled_at: found.canceled_at,
        },
    })
}
