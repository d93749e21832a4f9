//! Webhook deliveries (OBJ-29): OPS-50..54, and the queue that the delivering worker reads.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::words::AttemptOutcome;
use events::vocab::{
    bytes::Hash32,
    event::{Event, EventType, ReceiverAnswer},
    id::{EndpointId, EventId},
    time::Timestamp,
    words::WebhookEvent,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct WebhookDeliveries;

/// A row of `webhook_deliveries`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookDelivery {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The receiver.
    pub endpoint_id: EndpointId,
    /// What it tells of.
    pub event: WebhookEvent,
    /// The event it tells of; also the webhook-id.
    pub source_event: EventId,
    /// Position of that event.
    pub source_position: u64,
    /// The body, byte for byte. Personal.
    pub body: Option<String>,
    /// SHA-256 of the body, hex.
    pub body_hash: Hash32,
    /// pending, retry_scheduled, delivered or dead_lettered.
    pub status: DeliveryStatus,
    /// Every attempt, in order.
    pub attempts: Vec<DeliveryAttempt>,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it is not tried any more.
    pub dead_letter_reason: Option<String>,
}

impl Row for WebhookDelivery {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for WebhookDeliveries {
    const NAME: &'static str = "webhook_deliveries";
    const VERSION: i32 = 2;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["body", "attempts[].response"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = WebhookDelivery;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::WebhookEmitted(e) => Keys::row(e.delivery_id),
            Event::WebhookDeliveryAttempted(e) => Keys::row(e.delivery_id),
            Event::WebhookDelivered(e) => Keys::row(e.delivery_id),
            Event::WebhookRetryScheduled(e) => Keys::row(e.delivery_id),
            Event::WebhookDeadLettered(e) => Keys::row(e.delivery_id),
            Event::WebhookRedeliveryRequested(e) => Keys::row(e.delivery_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<WebhookDelivery>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::WebhookEmitted(e) => rows.insert(
                event,
                WebhookDelivery {
                    meta: event.meta(e.delivery_id, event.recorded.envelope.subject_id),
                    endpoint_id: e.endpoint_id,
                    event: e.event,
                    source_event: e.source_event,
                    source_position: e.source_position,
                    body: event.personal(|p| &p.text),
                    body_hash: e.body_hash,
                    status: DeliveryStatus::Pending,
                    attempts: Vec::new(),
                    next_attempt_at: None,
                    dead_letter_reason: None,
                },
            ),
            Event::WebhookDeliveryAttempted(e) => rows.update(event, e.delivery_id, |row| {
                row.attempts.push(DeliveryAttempt {
                    event_id: event.event_id(),
                    attempt: e.attempt,
                    outcome: e.outcome,
                    status_code: e.status_code,
                    error: e.error.clone(),
                    duration_ms: e.duration_ms,
                    attempted_at: e.attempted_at,
                    url: e.url.clone(),
                    signatures: e.signatures,
                    response: event.personal(|p| &p.text).and_then(|json| serde_json::from_str(&json).ok()),
                    next_attempt_at: None,
                });
            }),
            Event::WebhookDelivered(e) => rows.update(event, e.delivery_id, |row| {
                row.status = DeliveryStatus::Delivered;
                row.next_attempt_at = None;
            }),
            Event::WebhookRetryScheduled(e) => rows.update(event, e.delivery_id, |row| {
                row.status = DeliveryStatus::RetryScheduled;
                row.next_attempt_at = Some(e.next_attempt_at);
                if let Some(last) = row.attempts.last_mut() {
                    last.next_attempt_at = Some(e.next_attempt_at);
                }
            }),
            Event::WebhookRedeliveryRequested(e) => rows.update(event, e.delivery_id, |row| {
                row.status = DeliveryStatus::Pending;
                row.next_attempt_at = None;
                row.dead_letter_reason = None;
            }),
            Event::WebhookDeadLettered(e) => rows.update(event, e.delivery_id, |row| {
                row.status = DeliveryStatus::DeadLettered;
                row.next_attempt_at = None;
                row.dead_letter_reason = Some(e.reason.clone());
            }),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    row.body = None;
                    row.attempts.iter_mut().for_each(|attempt| attempt.response = None);
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where a delivery stands.
    pub enum DeliveryStatus {
        /// To be tried at once: never tried, or asked for again.
        Pending = "pending",
        /// Failed, and will be tried again.
        RetryScheduled = "retry_scheduled",
        /// The receiver has it.
        Delivered = "delivered",
        /// Not tried any more.
        DeadLettered = "dead_lettered",
    }
}

/// One attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// Its event.
    pub event_id: EventId,
    /// 1, 2, 3 …
    pub attempt: u32,
    /// What it came to.
    pub outcome: AttemptOutcome,
    /// HTTP status, when there was an answer.
    pub status_code: Option<u16>,
    /// A stable code, when it failed.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// When it was made.
    pub attempted_at: Timestamp,
    /// Where it was sent.
    pub url: Option<String>,
    /// How many secrets signed it.
    pub signatures: Option<u8>,
    /// The beginning of what the receiver answered. Personal.
    pub response: Option<ReceiverAnswer>,
    /// When the next one was due, as it was decided then.
    pub next_attempt_at: Option<Timestamp>,
}
