//! `GET /v1/access/webhooks/{id}/deliveries[/{delivery_id}]` (RT-070): what was sent, what came back, and what follows.

use super::read::{PageParams, find};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::{Segment, Segments},
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{
    event::ReceiverAnswer,
    id::{DeliveryId, EndpointId, OwnerId},
    time::Timestamp,
    words::{AttemptOutcome, WebhookEvent},
};
use projections::{
    Reader,
    webhook_deliveries::{self, DeliveryAttempt, DeliveryStatus, WebhookDelivery},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use workers::webhooks::sent;

/// The read models that these routes read.
const READS: [&str; 2] = ["webhook_endpoints", "webhook_deliveries"];

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_webhook_deliveries)).routes(routes!(get_webhook_delivery))
}

/// Which deliveries.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Rows of the page, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those that stand so: `pending`, `retry_scheduled`, `delivered` or `dead_lettered`.
    status: Option<String>,
}

/// Deliveries, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct DeliveryList {
    /// The deliveries.
    pub items: Vec<DeliveryView>,
    /// Whether older ones follow.
    pub has_more: bool,
    /// Where they begin.
    pub next_cursor: Option<String>,
}

/// A delivery: one event to one endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct DeliveryView {
    /// Its id.
    pub id: Uuid,
    /// The endpoint.
    #[schema(value_type = String, format = Uuid)]
    pub endpoint_id: EndpointId,
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
pub(super) struct AttemptView {
    /// 1, 2, 3 …
    pub attempt: u32,
    /// `success` or `failure`.
    #[schema(value_type = String)]
    pub outcome: AttemptOutcome,
    /// HTTP status, when there was an answer.
    pub status_code: Option<u16>,
    /// A stable code, when it failed: `timeout`, `connect_failed`, `private_address`, `invalid_url`, `request_failed`, `http_status`.
    #[schema(example = "timeout")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub attempted_at: Timestamp,
    /// When the next one was due, as it was decided then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// What was sent; only where one delivery is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<SentView>,
    /// What came back; only where one delivery is read, and null when nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<AnswerView>,
}

/// What was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SentView {
    /// Always `POST`.
    #[schema(example = "POST")]
    pub method: &'static str,
    /// Where to.
    pub url: Option<String>,
    /// Headers; of `webhook-signature` only how many signatures it held.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, byte for byte; null when the customer is erased.
    pub body: Option<String>,
}

/// The beginning of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AnswerView {
    /// Headers, without those that carry credentials.
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: Vec<(String, String)>,
    /// At most 2048 bytes of its body, as text.
    pub body: String,
    /// Whether it was longer.
    pub body_truncated: bool,
}

/// List an endpoint's deliveries
#[utoipa::path(get, path = "/v1/access/webhooks/{id}/deliveries", tag = "access", operation_id = "list_webhook_deliveries",
    params(("id" = String, Path, description = "The endpoint"), Which), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of deliveries", body = DeliveryList), answers::ReadOne))]
async fn list_webhook_deliveries(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Segment(id): Segment,
    Params(which): Params<Which>,
) -> Result<Json<DeliveryList>, Problem> {
    let PageParams { limit, cursor } = PageParams { limit: which.limit, cursor: which.cursor };
    let asked = Asked::by_offset(limit, None, cursor.as_deref())?;
    let status = which.status.as_deref().map(status).transpose()?;
    for name in READS {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let endpoint = EndpointId(find(&reader, &merchant, &id).await?.meta.id);
    let rows = webhook_deliveries::of_endpoint(&reader, merchant.owner, endpoint, status, asked.window()).await;
    Ok(Json(DeliveryList::cut(&asked, rows.map_err(rejection::query)?)))
}

/// Get a delivery, with what was sent and what came back
///
/// For each attempt the request and the beginning of the answer, its duration, why it failed, and when the next one was due.
#[utoipa::path(get, path = "/v1/access/webhooks/{id}/deliveries/{delivery_id}", tag = "access", operation_id = "get_webhook_delivery",
    params(("id" = String, Path, description = "The endpoint"), ("delivery_id" = String, Path, description = "The delivery")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The delivery", body = DeliveryView), answers::ReadOne))]
async fn get_webhook_delivery(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Segments(id, delivery_id): Segments,
) -> Result<Json<DeliveryView>, Problem> {
    for name in READS {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let endpoint = EndpointId(find(&reader, &merchant, &id).await?.meta.id);
    let row = delivery(&reader, merchant.owner, endpoint, &delivery_id).await?;
    Ok(Json(DeliveryView::whole(row)))
}

/// The delivery of that id to that endpoint.
pub(super) async fn delivery(reader: &Reader, owner: OwnerId, endpoint: EndpointId, id: &str) -> Result<WebhookDelivery, Problem> {
    let id: DeliveryId = input::id(id, Code::WebhookDeliveryNotFound)?;
    let found = webhook_deliveries::find(reader, owner, id).await.map_err(rejection::query)?;
    found.filter(|row| row.endpoint_id == endpoint).ok_or_else(|| Problem::of(Code::WebhookDeliveryNotFound))
}

/// Where a delivery stands.
pub(super) fn status(text: &str) -> Result<DeliveryStatus, Problem> {
    let rule = "is pending, retry_scheduled, delivered or dead_lettered";
    DeliveryStatus::parse(text).ok_or_else(|| Problem::field(Code::ValidationFailed, "status", rule))
}

impl DeliveryList {
    /// The page of `rows`.
    pub fn cut(asked: &Asked, mut rows: Vec<WebhookDelivery>) -> Self {
        let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
        let items = rows.into_iter().map(DeliveryView::from).collect();
        DeliveryList { items, has_more: more.has_more, next_cursor: more.next_cursor }
    }
}

impl DeliveryView {
    /// With what was sent and what came back.
    fn whole(row: WebhookDelivery) -> Self {
        let attempts = row.attempts.iter().map(|attempt| AttemptView {
            request: Some(SentView {
                method: "POST",
                url: attempt.url.clone(),
                headers: sent::headers(row.source_event, attempt.attempted_at, attempt.signatures),
                body: row.body.clone(),
            }),
            response: attempt.response.clone().map(AnswerView::from),
            ..AttemptView::from(attempt.clone())
        });
        let attempts = attempts.collect();
        DeliveryView { attempts, ..DeliveryView::from(row) }
    }
}

impl From<WebhookDelivery> for DeliveryView {
    fn from(row: WebhookDelivery) -> Self {
        DeliveryView {
            id: row.meta.id,
            endpoint_id: row.endpoint_id,
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
            next_attempt_at: attempt.next_attempt_at,
            request: None,
            response: None,
        }
    }
}

impl From<ReceiverAnswer> for AnswerView {
    fn from(answer: ReceiverAnswer) -> Self {
        AnswerView { headers: answer.headers, body: answer.body, body_truncated: answer.truncated }
    }
}
