//! `PATCH` and `DELETE /v1/access/webhooks/{id}`, `POST …/pause`, `POST …/resume`, `POST …/test` (RT-070).

use super::{
    WebhookView,
    create::{label, products, subscribed, url_problem},
    edit::{Asked, Edit},
};
use crate::{
    http::{
        answers,
        body::{self, Body},
        idempotency::{Answer, RequiredKey},
        problem::{Code, Problem},
    },
    services::workspace,
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::vocab::id::{DeliveryId, EventId};
use ledger::webhook_endpoint::{Change, Command, DELETED};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::webhooks::address::Targets;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(change_webhook))
        .routes(routes!(delete_webhook))
        .routes(routes!(pause_webhook))
        .routes(routes!(resume_webhook))
        .routes(routes!(test_webhook))
}

/// What to change; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct ChangeWebhook {
    /// Your own words for it; null takes them away.
    #[serde(default, deserialize_with = "body::said")]
    #[schema(value_type = Option<String>)]
    label: Option<Option<String>>,
    /// Where messages go, by the rules of a new endpoint.
    url: Option<String>,
    /// What it is told of, whole. It counts for what happens from now on.
    subscribed_events: Option<Vec<String>>,
    /// Access products or hosted products it is told of, whole; an empty list means all.
    product_ids: Option<Vec<String>>,
}

/// A test message on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct TestSent {
    /// The delivery; see `GET /v1/access/webhooks/{id}/deliveries/{delivery_id}`.
    #[schema(value_type = String, format = Uuid)]
    delivery_id: DeliveryId,
    /// Its `webhook-id`.
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
}

/// Change a webhook endpoint
///
/// New filters count for what happens from now on; deliveries that wait go to the new URL.
#[utoipa::path(patch, path = "/v1/access/webhooks/{id}", tag = "access", operation_id = "change_webhook",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = ChangeWebhook, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The endpoint as it is now", body = WebhookView), answers::Write))]
async fn change_webhook(
    Part(edit): Part<Edit>,
    Part(settings): Part<Arc<Settings>>,
    asked: Asked,
    Body { value, hash }: Body<ChangeWebhook>,
) -> Result<Response, Problem> {
    let merchant = &asked.merchant;
    let targets = Targets { allow_private: settings.webhook_allow_private };
    if let Some(url) = &value.url {
        targets.parse(url, merchant.livemode()).map_err(|bad| url_problem(&bad))?;
    }
    let product_ids = match &value.product_ids {
        Some(ids) => Some(products(&edit.log, merchant, ids).await?),
        None => None,
    };
    let change = Change {
        label: value.label.map(label).transpose()?,
        url: value.url,
        subscribed_events: value.subscribed_events.as_deref().map(subscribed).transpose()?,
        product_ids,
        https_only: merchant.livemode() && !targets.allow_private,
    };
    edit.run(asked.with(hash), Command::Change(Box::new(change))).await
}

/// Delete a webhook endpoint
///
/// Nothing is sent to it any more, for good; deliveries that wait are given up. What it was told stays on record, and it is still
/// listed, as `disabled`.
#[utoipa::path(delete, path = "/v1/access/webhooks/{id}", tag = "access", operation_id = "delete_webhook",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The endpoint, disabled", body = WebhookView), answers::Write))]
async fn delete_webhook(Part(edit): Part<Edit>, asked: Asked, RequiredKey(_): RequiredKey) -> Result<Response, Problem> {
    edit.run(asked, Command::Disable { reason: DELETED.to_owned() }).await
}

/// Pause a webhook endpoint
///
/// Nothing is sent until it is resumed. What happens meanwhile is kept for it.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/pause", tag = "access", operation_id = "pause_webhook",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The endpoint, paused", body = WebhookView), answers::Write))]
async fn pause_webhook(Part(edit): Part<Edit>, asked: Asked) -> Result<Response, Problem> {
    edit.run(asked, Command::Pause).await
}

/// Resume a webhook endpoint
///
/// After a pause, what was kept is sent now. An endpoint that was disabled because it answered 410 or failed for days is called
/// again; what happened while it was disabled is in `GET /v1/access/events`, and what was given up can be redelivered.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/resume", tag = "access", operation_id = "resume_webhook",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The endpoint, active", body = WebhookView), answers::Write))]
async fn resume_webhook(Part(edit): Part<Edit>, asked: Asked) -> Result<Response, Problem> {
    edit.run(asked, Command::Resume).await
}

/// Send a test message
///
/// A signed message of type `webhook.test`, sent once. It tells of nothing and is not in the feed: its `previous_sequence` is null.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/test", tag = "access", operation_id = "test_webhook",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 202, description = "The message is on its way", body = TestSent), answers::Write))]
async fn test_webhook(Part(edit): Part<Edit>, asked: Asked) -> Result<Response, Problem> {
    let subject_id = workspace::merchant(&edit.vault, asked.merchant.owner).await?;
    let sent = |unit: &events::unit::Unit<'_>, webhook: WebhookView| {
        let event_id = unit.events().last().map(|(event_id, _, _)| event_id).ok_or_else(|| Problem::of(Code::Internal))?;
        Answer::accepted(TestSent { delivery_id: DeliveryId::of(event_id, webhook.id), event_id })
    };
    edit.run_as(asked, Command::Test { subject_id }, None, sent).await
}
