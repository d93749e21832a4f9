//! Webhook receivers (OBJ-28): RT-069.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType},
    words::WebhookEvent,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The projection.
pub struct WebhookEndpoints;

/// A row of `webhook_endpoints`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The merchant's words for it.
    pub label: Option<String>,
    /// Where to call.
    pub url: String,
    /// Of what to tell.
    pub subscribed_events: Vec<WebhookEvent>,
    /// Of which products; empty means all.
    pub product_ids: Vec<Uuid>,
    /// active or disabled.
    pub status: EndpointStatus,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
}

impl Row for WebhookEndpoint {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for WebhookEndpoints {
    const NAME: &'static str = "webhook_endpoints";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = WebhookEndpoint;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::WebhookEndpointCreated(e) => Keys::row(e.endpoint_id),
            Event::WebhookEndpointDisabled(e) => Keys::row(e.endpoint_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<WebhookEndpoint>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::WebhookEndpointCreated(e) => rows.insert(
                event,
                WebhookEndpoint {
                    meta: event.meta(e.endpoint_id, None),
                    label: e.label.clone(),
                    url: e.url.clone(),
                    subscribed_events: e.subscribed_events.clone(),
                    product_ids: e.product_ids.clone(),
                    status: EndpointStatus::Active,
                    disabled_reason: None,
                },
            ),
            Event::WebhookEndpointDisabled(e) => rows.update(event, e.endpoint_id, |row| {
                row.status = EndpointStatus::Disabled;
                row.disabled_reason = Some(e.reason.clone());
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Whether a receiver is called.
    pub enum EndpointStatus {
        /// It is.
        Active = "active",
        /// It is not.
        Disabled = "disabled",
    }
}
