//! `GET /v1/access/webhooks`, `GET /v1/access/webhooks/{id}` (RT-070).

use super::WebhookView;
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
use events::vocab::id::EndpointId;
use projections::{
    Reader,
    webhook_endpoints::{self, WebhookEndpoint},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

const ENDPOINTS: &str = "webhook_endpoints";

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

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_webhooks)).routes(routes!(get_webhook))
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
    fresh.wait(ENDPOINTS, Some(merchant.owner), min).await?;
    find(&reader, &merchant, &id).await.map(|endpoint| Json(endpoint.into()))
}

/// Another owner's endpoint, or one of the other mode, is one that does not exist (INV-19).
pub(super) async fn find(reader: &Reader, merchant: &Merchant, id: &str) -> Result<WebhookEndpoint, Problem> {
    let id: EndpointId = input::id(id, Code::WebhookNotFound)?;
    let found = webhook_endpoints::find(reader, merchant.owner, id).await.map_err(|error| rejection::read(&error))?;
    found.filter(|row| row.meta.livemode == merchant.livemode()).ok_or_else(|| Problem::of(Code::WebhookNotFound))
}
