//! `GET /v1/access/webhooks`, `GET /v1/access/webhooks/{id}`, `GET /v1/access/webhooks/{id}/deliveries` (RT-070).

use super::{AttemptView, DeliveryView, WebhookView};
use crate::{
    http::{
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{id::EndpointId, words::Scope};
use projections::{
    Reader,
    webhook_deliveries::{self, DeliveryAttempt, WebhookDelivery},
    webhook_endpoints::{self, WebhookEndpoint},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const ENDPOINTS: &str = "webhook_endpoints";
const DELIVERIES: &str = "webhook_deliveries";

/// Which page of a list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Rows of the page, 1 to 100; 20 when absent.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Webhook endpoints, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// The endpoints.
    pub items: Vec<WebhookView>,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// Deliveries of an endpoint, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    /// The deliveries.
    pub items: Vec<DeliveryView>,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_webhooks)).routes(routes!(get_webhook)).routes(routes!(list_webhook_deliveries))
}

/// List webhook endpoints, disabled ones included.
#[utoipa::path(
    get, path = "/v1/access/webhooks", tag = "access", operation_id = "list_webhooks",
    params(PageParams),
    responses(
        (status = 200, description = "A page of endpoints", body = WebhookList),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
async fn list_webhooks(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(params): Params<PageParams>,
) -> Result<Json<WebhookList>, Problem> {
    merchant.require(Scope::Read)?;
    let asked = Asked::by_offset(params.limit, None, params.cursor.as_deref())?;
    fresh.wait(ENDPOINTS, Some(merchant.owner), min).await?;
    let page = webhook_endpoints::list(&reader, merchant.owner, merchant.livemode(), asked.window()).await;
    let mut rows = page.map_err(|error| rejection::read(&error))?.items;
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let items = rows.into_iter().map(WebhookView::from).collect();
    Ok(Json(WebhookList { items, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// Get a webhook endpoint.
#[utoipa::path(
    get, path = "/v1/access/webhooks/{id}", tag = "access", operation_id = "get_webhook",
    params(("id" = String, Path, description = "The endpoint")),
    responses(
        (status = 200, description = "The endpoint, without its secret", body = WebhookView),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 404, description = "`webhook_not_found`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
async fn get_webhook(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Segment(id): Segment,
) -> Result<Json<WebhookView>, Problem> {
    merchant.require(Scope::Read)?;
    fresh.wait(ENDPOINTS, Some(merchant.owner), min).await?;
    find(&reader, &merchant, &id).await.map(|endpoint| Json(endpoint.into()))
}

/// List the deliveries of a webhook endpoint.
#[utoipa::path(
    get, path = "/v1/access/webhooks/{id}/deliveries", tag = "access", operation_id = "list_webhook_deliveries",
    params(("id" = String, Path, description = "The endpoint"), PageParams),
    responses(
        (status = 200, description = "A page of deliveries with their attempts", body = DeliveryList),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 404, description = "`webhook_not_found`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
async fn list_webhook_deliveries(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Segment(id): Segment,
    Params(params): Params<PageParams>,
) -> Result<Json<DeliveryList>, Problem> {
    merchant.require(Scope::Read)?;
    let asked = Asked::by_offset(params.limit, None, params.cursor.as_deref())?;
    fresh.wait(ENDPOINTS, Some(merchant.owner), min).await?;
    fresh.wait(DELIVERIES, Some(merchant.owner), min).await?;
    let endpoint = EndpointId(find(&reader, &merchant, &id).await?.meta.id);
    let rows = webhook_deliveries::of_endpoint(&reader, merchant.owner, endpoint, asked.window()).await;
    let mut rows = rows.map_err(|error| rejection::read(&error))?;
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    let items = rows.into_iter().map(DeliveryView::from).collect();
    Ok(Json(DeliveryList { items, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// Another owner's endpoint, or one of the other mode, is one that does not exist (INV-19).
async fn find(reader: &Reader, merchant: &Merchant, id: &str) -> Result<WebhookEndpoint, Problem> {
    let id: EndpointId = input::id(id, Code::WebhookNotFound)?;
    let found = webhook_endpoints::find(reader, merchant.owner, id).await.map_err(|error| rejection::read(&error))?;
    found.filter(|row| row.meta.livemode == merchant.livemode()).ok_or_else(|| Problem::of(Code::WebhookNotFound))
}

impl From<WebhookEndpoint> for WebhookView {
    fn from(row: WebhookEndpoint) -> Self {
        WebhookView {
            id: EndpointId(row.meta.id),
            label: row.label,
            url: row.url,
            subscribed_events: row.subscribed_events,
            product_ids: row.product_ids,
            status: row.status.as_str(),
            disabled_reason: row.disabled_reason,
            livemode: row.meta.livemode,
            created_at: row.meta.created_at,
        }
    }
}

impl From<WebhookDelivery> for DeliveryView {
    fn from(row: WebhookDelivery) -> Self {
        DeliveryView {
            id: row.meta.id,
            event: row.event,
            event_id: row.source_event.0,
            sequence: row.source_position,
            status: row.status.as_str(),
            attempts: row.attempts.into_iter().map(AttemptView::from).collect(),
            next_attempt_at: row.next_attempt_at,
            dead_letter_reason: row.dead_letter_reason,
            created_at: row.meta.created_at,
        }
    }
}

impl From<DeliveryAttempt> for AttemptView {
    fn from(attempt: DeliveryAttempt) -> Self {
        AttemptView {
            attempt: attempt.attempt,
            outcome: attempt.outcome,
            status_code: attempt.status_code,
            error: attempt.error,
            duration_ms: attempt.duration_ms,
            attempted_at: attempt.attempted_at,
        }
    }
}
