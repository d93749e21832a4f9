//! A merchant's own subscription of Hilt, which Stripe keeps (OBJ-11). Buyers' payments never meet it (INV-79).

use crate::vocab::{id::OwnerId, time::Timestamp, words::*};
use serde::{Deserialize, Serialize};

/// A page at Stripe on which the merchant may subscribe (RT-051). Nothing is bought by its being there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkspaceBillingCheckoutStarted {
    pub owner_id: OwnerId,
    pub plan: BillingPlan,
    pub interval: BillingInterval,
    /// Stripe's price.
    pub price_id: String,
    /// Stripe's customer, whose subscription it becomes.
    pub customer_id: String,
    /// Stripe's checkout session.
    pub checkout_session_id: String,
}

/// What Stripe says of the merchant's subscription and invoices (RT-053), whole, where it is not what is on record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorkspaceBillingSynced {
    pub owner_id: OwnerId,
    /// Absent when Stripe does not know the customer any more.
    pub customer_id: Option<String>,
    pub subscription: Option<BillingSubscription>,
    /// The newest, newest first.
    pub invoices: Vec<BillingInvoice>,
}

/// A subscription, as Stripe has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BillingSubscription {
    pub subscription_id: String,
    pub status: SubscriptionStatus,
    pub price_id: String,
    /// What the price stands for; absent when no configured price is this one.
    pub plan: Option<BillingPlan>,
    pub interval: Option<BillingInterval>,
    pub current_period_start: Timestamp,
    pub current_period_end: Timestamp,
    pub cancel_at_period_end: bool,
    pub canceled_at: Option<Timestamp>,
}

/// An invoice, as Stripe has it. Its page and its PDF have addresses that open it for anyone, so they are not kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BillingInvoice {
    pub invoice_id: String,
    /// Absent on a draft.
    pub number: Option<String>,
    pub status: InvoiceStatus,
    /// ISO 4217, in lower case.
    pub currency: String,
    /// In the currency's minor unit; below zero on a credit.
    pub total: i64,
    pub amount_paid: i64,
    pub created_at: Timestamp,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
}
