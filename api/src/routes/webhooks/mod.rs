//! Webhook endpoints (RT-069, RT-070): whom to tell, of what, and what became of it.

mod change;
mod create;
mod deliveries;
mod edit;
mod read;
mod redeliver;
mod rotate;
mod staff;

pub(super) use create::known;

use crate::state::State;
use events::vocab::{id::EndpointId, time::Timestamp, words::WebhookEvent};
use ledger::webhook_endpoint::WebhookEndpoint;
use projections::webhook_endpoints;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(create::routes())
        .merge(read::routes())
        .merge(change::routes())
        .merge(rotate::routes())
        .merge(deliveries::routes())
        .merge(redeliver::routes())
}

/// Its routes for staff.
pub fn staff_routes() -> OpenApiRouter<State> {
    staff::routes()
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
    /// `active`, `paused` (what happens is kept for it) or `disabled`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// Why it is disabled: `requested` when you deleted it, `gone` after it answered 410, `failing` after every attempt failed for
    /// five days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Until when the signing secret before the present one signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub previous_secret_valid_until: Option<Timestamp>,
    /// How attempts at it went; only where endpoints are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<WebhookHealth>,
    /// Whether it is told of real money.
    pub livemode: bool,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// How attempts at an endpoint went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookHealth {
    /// The first attempt that failed since the last one that succeeded; null while the last one succeeded. After five days of
    /// nothing but failures the endpoint is disabled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// The last attempt that failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_failure_at: Option<Timestamp>,
    /// The last attempt that succeeded.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success_at: Option<Timestamp>,
}

impl WebhookView {
    /// An endpoint as its stream has it; `None` if there is none.
    fn of(state: &WebhookEndpoint, livemode: bool, created_at: Timestamp) -> Option<Self> {
        let receiver = state.receiver()?;
        let (status, disabled_reason) = match state {
            WebhookEndpoint::Absent | WebhookEndpoint::Active(_) => ("active", None),
            WebhookEndpoint::Paused(_) => ("paused", None),
            WebhookEndpoint::Disabled { reason, .. } => ("disabled", Some(reason.clone())),
        };
        Some(WebhookView {
            id: receiver.endpoint_id,
            label: receiver.label.clone(),
            url: receiver.url.clone(),
            subscribed_events: receiver.subscribed_events.clone(),
            product_ids: receiver.product_ids.clone(),
            status,
            disabled_reason,
            previous_secret_valid_until: receiver.previous_secret.map(|(_, until)| until),
            health: None,
            livemode,
            created_at,
        })
    }
}

impl From<webhook_endpoints::WebhookEndpoint> for WebhookView {
    fn from(row: webhook_endpoints::WebhookEndpoint) -> Self {
        WebhookView {
            id: EndpointId(row.meta.id),
            label: row.label,
            url: row.url,
            subscribed_events: row.subscribed_events,
            product_ids: row.product_ids,
            status: row.status.as_str(),
            disabled_reason: row.disabled_reason,
            previous_secret_valid_until: row.previous_secret_valid_until,
            health: Some(WebhookHealth {
                failing_since: row.failing_since,
                last_failure_at: row.last_failure_at,
                last_success_at: row.last_success_at,
            }),
            livemode: row.meta.livemode,
            created_at: row.meta.created_at,
        }
    }
}
