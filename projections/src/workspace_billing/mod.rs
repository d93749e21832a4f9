//! Merchants' own subscriptions of Hilt (OBJ-11), as Stripe keeps them.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{BillingInvoice, BillingSubscription, Event, EventType},
    id::OwnerId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct WorkspaceBilling;

/// A row of `workspace_billing`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Billing {
    /// Id, which is the owner's, and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Stripe's customer; `None` when Stripe knows none.
    pub customer_id: Option<String>,
    /// The checkout session that was opened last.
    pub checkout_session_id: Option<String>,
    /// When it was.
    pub checkout_started_at: Option<Timestamp>,
    /// The subscription that counts, as Stripe last told it.
    pub subscription: Option<BillingSubscription>,
    /// The newest invoices, newest first.
    pub invoices: Vec<BillingInvoice>,
    /// When Stripe last told something new.
    pub synced_at: Option<Timestamp>,
}

impl Row for Billing {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for WorkspaceBilling {
    const NAME: &'static str = "workspace_billing";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Billing;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::WorkspaceBillingCheckoutStarted(e) => Keys::row(e.owner_id),
            Event::WorkspaceBillingSynced(e) => Keys::row(e.owner_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Billing>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::WorkspaceBillingCheckoutStarted(e) => change(rows, event, e.owner_id, |row, at| {
                row.customer_id = Some(e.customer_id.clone());
                row.checkout_session_id = Some(e.checkout_session_id.clone());
                row.checkout_started_at = Some(at);
            }),
            Event::WorkspaceBillingSynced(e) => change(rows, event, e.owner_id, |row, at| {
                row.customer_id = e.customer_id.clone();
                row.subscription = e.subscription.clone();
                row.invoices = e.invoices.clone();
                row.synced_at = Some(at);
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

/// Changes the owner's row, which the first event makes, as of the event's time.
fn change(rows: &mut Rows<Billing>, event: &Applied<'_>, owner: OwnerId, change: impl Fn(&mut Billing, Timestamp)) -> Result<(), Poison> {
    let at = event.recorded_at();
    if rows.update_if_present(event, owner, |row| change(row, at)) {
        return Ok(());
    }
    let mut first = Billing {
        meta: event.meta(owner, None),
        customer_id: None,
        checkout_session_id: None,
        checkout_started_at: None,
        subscription: None,
        invoices: Vec::new(),
        synced_at: None,
    };
    change(&mut first, at);
    rows.insert(event, first)
}
