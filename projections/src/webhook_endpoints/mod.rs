//! Webhook receivers (OBJ-28): RT-069.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType, WebhookDeliveryAttempted},
    time::Timestamp,
    words::{AttemptOutcome, WebhookEvent},
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
    /// active, paused or disabled.
    pub status: EndpointStatus,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
    /// Until when the secret before the present one signs too; the time may be over.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// The first failed attempt since the last one that succeeded; `None` while the last attempt succeeded.
    pub failing_since: Option<Timestamp>,
    /// The last attempt that failed.
    pub last_failure_at: Option<Timestamp>,
    /// The last attempt that succeeded.
    pub last_success_at: Option<Timestamp>,
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
    const VERSION: i32 = 2;
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
            Event::WebhookEndpointReconfigured(e) => Keys::row(e.endpoint_id),
            Event::WebhookEndpointSecretRotated(e) => Keys::row(e.endpoint_id),
            Event::WebhookEndpointPaused(e) => Keys::row(e.endpoint_id),
            Event::WebhookEndpointResumed(e) => Keys::row(e.endpoint_id),
            Event::WebhookEndpointDisabled(e) => Keys::row(e.endpoint_id),
            Event::WebhookDeliveryAttempted(e) => Keys::row(e.endpoint_id),
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
                    previous_secret_valid_until: None,
                    failing_since: None,
                    last_failure_at: None,
                    last_success_at: None,
                },
            ),
            Event::WebhookEndpointReconfigured(e) => rows.update(event, e.endpoint_id, |row| {
                row.label.clone_from(&e.label);
                row.url.clone_from(&e.url);
                row.subscribed_events.clone_from(&e.subscribed_events);
                row.product_ids.clone_from(&e.product_ids);
            }),
            Event::WebhookEndpointSecretRotated(e) => rows.update(event, e.endpoint_id, |row| {
                row.previous_secret_valid_until = Some(e.previous_valid_until);
            }),
            Event::WebhookEndpointPaused(e) => rows.update(event, e.endpoint_id, |row| row.status = EndpointStatus::Paused),
            Event::WebhookEndpointResumed(e) => rows.update(event, e.endpoint_id, |row| {
                row.status = EndpointStatus::Active;
                row.disabled_reason = None;
                // What failed before somebody looked after it does not count against it.
                row.failing_since = None;
            }),
            Event::WebhookDeliveryAttempted(e) => rows.update(event, e.endpoint_id, |row| row.note(e)),
            Event::WebhookEndpointDisabled(e) => rows.update(event, e.endpoint_id, |row| {
                row.status = EndpointStatus::Disabled;
                row.disabled_reason = Some(e.reason.clone());
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

impl WebhookEndpoint {
    fn note(&mut self, attempted: &WebhookDeliveryAttempted) {
        match attempted.outcome {
            AttemptOutcome::Success => {
                self.last_success_at = Some(attempted.attempted_at);
                self.failing_since = None;
            }
            AttemptOutcome::Failure => {
                self.last_failure_at = Some(attempted.attempted_at);
                self.failing_since = self.failing_since.or(Some(attempted.attempted_at));
            }
        }
    }
}

words! {
    /// Whether a receiver is called.
    pub enum EndpointStatus {
        /// It is.
        Active = "active",
        /// Not for a while; what happens is kept for it.
        Paused = "paused",
        /// It is not.
        Disabled = "disabled",
    }
}
