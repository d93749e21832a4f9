//! Webhook endpoints (RT-069, RT-070): whom to tell, of what, and what became of it.

mod create;
mod disable;
mod read;

use crate::state::State;
use events::vocab::{
    event::WebhookEndpointCreated,
    id::EndpointId,
    time::Timestamp,
    words::{AttemptOutcome, WebhookEvent},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(create::routes()).merge(read::routes()).merge(disable::routes())
}

/// A webhook endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: EndpointId,
    /// Your own words for it.
    pub label: Option<String>,
    /// Where messages go.
    #[schema(example = "https://api.example.com/hilt/webhook")]
    pub url: String,
    /// What it is told of.
    #[schema(value_type = Vec<String>, example = json!(["payment.confirmed", "membership.activated"]))]
    pub subscribed_events: Vec<WebhookEvent>,
    /// Access products or hosted products it is told of; empty means all.
    pub product_ids: Vec<Uuid>,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// Why it is disabled: `requested`, or `gone` after the receiver answered 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Whether it is told of real money.
    pub livemode: bool,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl WebhookView {
    fn active(created: WebhookEndpointCreated, livemode: bool, created_at: Timestamp) -> Self {
        WebhookView {
            id: created.endpoint_id,
            label: created.label,
            url: created.url,
            subscribed_events: created.subscribed_events,
            product_ids: created.product_ids,
            status: "active",
            disabled_reason: None,
            livemode,
            created_at,
        }
    }
}

/// A delivery: one event to one endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub id: Uuid,
    /// What it tells of.
    #[schema(value_type = String, example = "payment.confirmed")]
    pub event: WebhookEvent,
    /// The event's id, sent as `webhook-id`.
    pub event_id: Uuid,
    /// The event's position in the log, sent as `sequence`.
    pub sequence: u64,
    /// `pending`, `retry_scheduled`, `delivered` or `dead_lettered`.
    pub status: &'static str,
    /// Every attempt so far, in order.
    pub attempts: Vec<AttemptView>,
    /// When it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// Why it is not tried any more.
    pub dead_letter_reason: Option<String>,
    /// When it was emitted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// 1, 2, 3 …
    pub attempt: u32,
    /// `success` or `failure`.
    #[schema(value_type = String)]
    pub outcome: AttemptOutcome,
    /// HTTP status, when there was an answer.
    pub status_code: Option<u16>,
    /// A stable code, when it failed.
    #[schema(example = "timeout")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub attempted_at: Timestamp,
}
