//! Webhooks out.

use crate::vocab::{bytes::Hash32, id::*, time::Timestamp, words::*};
use serde::{Deserialize, Serialize};

/// A receiver is registered (RT-069).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointCreated {
    pub endpoint_id: EndpointId,
    pub label: Option<String>,
    pub url: String,
    pub subscribed_events: Vec<WebhookEvent>,
    /// Access product or hosted product ids; empty means all.
    pub product_ids: Vec<uuid::Uuid>,
    /// SHA-256 of the signing secret; the secret itself is kept encrypted, outside the log.
    pub secret_hash: Hash32,
}

/// The merchant changed whom to tell, or of what. All settings as they are from now on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointReconfigured {
    pub endpoint_id: EndpointId,
    pub label: Option<String>,
    pub url: String,
    pub subscribed_events: Vec<WebhookEvent>,
    /// Access product or hosted product ids; empty means all.
    pub product_ids: Vec<uuid::Uuid>,
}

/// A new signing secret is in use (RT-070). The one before it goes on signing beside it for a while.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointSecretRotated {
    pub endpoint_id: EndpointId,
    /// SHA-256 of the new secret.
    pub secret_hash: Hash32,
    /// Until when the secret before it signs too. Those before that one sign no more.
    pub previous_valid_until: Timestamp,
}

/// The receiver is not called for a while. What happens meanwhile is kept for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointPaused {
    pub endpoint_id: EndpointId,
}

/// The receiver is called again, after a pause or after it was disabled for failing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointResumed {
    pub endpoint_id: EndpointId,
}

/// The merchant wants a test message. This event is its source.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointTestRequested {
    pub endpoint_id: EndpointId,
    /// Whose key seals its body: the workspace's own.
    pub subject_id: SubjectId,
}

/// The merchant wants deliveries made again that were emitted in a span of time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointRedeliveryRequested {
    pub endpoint_id: EndpointId,
    /// Which of them.
    pub scope: RedeliveryScope,
    /// Emitted at this time or later.
    pub since: Timestamp,
    /// Emitted before this time.
    pub until: Timestamp,
}

/// The receiver is not called any more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEndpointDisabled {
    pub endpoint_id: EndpointId,
    pub reason: String,
}

/// A delivery is due: once per event and endpoint (OPS-54). Sealed beside it: the body, byte for byte as every attempt sends it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookEmitted {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    pub event: WebhookEvent,
    /// The event it tells of; also the `webhook-id` header.
    pub source_event: EventId,
    pub source_position: u64,
    pub body_hash: Hash32,
}

/// One attempt was made (TR-43). Sealed beside it, when the receiver answered: the beginning of its answer, as JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookDeliveryAttempted {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    /// 1, 2, 3 …
    pub attempt: u32,
    pub outcome: AttemptOutcome,
    pub status_code: Option<u16>,
    /// A stable code such as `timeout`, `connect_failed`, `private_address`, `http_status`.
    pub error: Option<String>,
    pub duration_ms: u32,
    pub attempted_at: Timestamp,
    /// Where it was sent. Attempts of schema 1 do not say.
    pub url: Option<String>,
    /// How many secrets signed it: two while one is being rotated out. Attempts of schema 1 do not say.
    pub signatures: Option<u8>,
}

/// The beginning of a receiver's answer, sealed beside the attempt as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceiverAnswer {
    /// Names and values, without those that carry credentials.
    pub headers: Vec<(String, String)>,
    /// What it said, as text.
    pub body: String,
    /// Whether it said more.
    pub truncated: bool,
}

/// The receiver has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookDelivered {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    pub attempt: u32,
}

/// It will be tried again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookRetryScheduled {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    /// The attempt that failed.
    pub attempt: u32,
    pub next_attempt_at: Timestamp,
}

/// It will not be tried again by itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookDeadLettered {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    pub attempts: u32,
    pub reason: String,
}

/// It is to be made again, whatever came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WebhookRedeliveryRequested {
    pub delivery_id: DeliveryId,
    pub endpoint_id: EndpointId,
    /// The request of a span of time that it is part of.
    pub requested_by: Option<EventId>,
    /// Why, when staff asked: a stable code.
    pub reason: Option<String>,
}
