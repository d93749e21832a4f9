//! What an owner is told of, in order: RT-070's feed, and the chain of `previous_sequence` that webhooks carry. One row for each event
//! that a webhook could tell; what it says is read from the log when it is asked for.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{ActivationEvidence, Event, EventType},
    id::{AccessProductId, EventId, ProductId},
    words::{DeliveryTrigger, WebhookEvent},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The projection.
pub struct AccessEvents;

/// A row of `access_events`. Its position is the event's own: it never changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessEvent {
    /// Id, owner, times. The id is the event's, but for sandbox access that begins: there it is the entitlement's, so that its end
    /// finds what product it was of.
    #[serde(flatten)]
    pub meta: Meta,
    /// The event.
    pub event_id: EventId,
    /// What subscribers call it.
    pub event: WebhookEvent,
    /// The hosted product, where the event names it.
    pub product_id: Option<ProductId>,
    /// The access product, where the event names it.
    pub access_product_id: Option<AccessProductId>,
}

impl Row for AccessEvent {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for AccessEvents {
    const NAME: &'static str = "access_events";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const APPENDS: bool = true;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = AccessEvent;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    /// Nothing but sandbox access is looked up: every other event begins a row of its own.
    fn keys(event: &Event) -> Keys {
        match event {
            Event::EntitlementActivated(e) if is_sandbox(&e.evidence) => Keys::row(e.entitlement_id),
            Event::EntitlementExpired(e) => Keys::row(e.entitlement_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<AccessEvent>, event: &Applied<'_>) -> Result<(), Poison> {
        let Some(told) = told(rows, event) else { return Ok(()) };
        let row = AccessEvent {
            meta: event.meta(told.id, None),
            event_id: event.event_id(),
            event: told.event,
            product_id: told.product_id,
            access_product_id: told.access_product_id,
        };
        rows.insert(event, row)
    }
}

/// What is told of an event.
struct Told {
    id: Uuid,
    event: WebhookEvent,
    product_id: Option<ProductId>,
    access_product_id: Option<AccessProductId>,
}

/// Whether an owner is told of `event`, and what. The rule for feed and webhooks alike.
fn told(rows: &Rows<AccessEvent>, event: &Applied<'_>) -> Option<Told> {
    let id = event.event_id().0;
    let of = |event, product_id, access_product_id| Some(Told { id, event, product_id, access_product_id });
    match event.event {
        Event::PaymentConfirmed(e) => of(WebhookEvent::PaymentConfirmed, Some(e.product_id), e.access_product_id),
        // One made by hand is of no sale that an owner could be told of.
        Event::ReceiptCreated(e) if e.payment_id.is_none() => None,
        Event::ReceiptCreated(e) => of(WebhookEvent::ReceiptCreated, e.product_id, e.access_product_id),
        Event::MembershipActivated(e) => of(WebhookEvent::MembershipActivated, Some(e.product_id), e.access_product_id),
        Event::MembershipExpired(e) => of(WebhookEvent::MembershipExpired, Some(e.product_id), e.access_product_id),
        // The merchant is told when it begins to fail; the rescue's own tries are not news.
        Event::DeliveryFailed(e) if e.trigger == DeliveryTrigger::Schedule => None,
        Event::DeliveryFailed(e) => of(WebhookEvent::DeliveryFailed, Some(e.product_id), e.access_product_id),
        Event::EntitlementActivated(e) if is_sandbox(&e.evidence) => {
            let first = rows.get(e.entitlement_id).is_none();
            let id = if first { e.entitlement_id.0 } else { id };
            Some(Told { id, event: WebhookEvent::MembershipActivated, product_id: None, access_product_id: Some(e.access_product_id) })
        }
        Event::EntitlementExpired(e) => {
            let begun = rows.get(e.entitlement_id)?;
            of(WebhookEvent::MembershipExpired, begun.product_id, begun.access_product_id)
        }
        _ => None,
    }
}

fn is_sandbox(evidence: &ActivationEvidence) -> bool {
    matches!(evidence, ActivationEvidence::Sandbox { .. })
}
