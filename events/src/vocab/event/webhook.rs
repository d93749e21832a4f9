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

/// One attempt was made (TR-43).
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
