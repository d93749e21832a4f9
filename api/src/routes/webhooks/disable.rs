//! `DELETE /v1/access/webhooks/{id}` (RT-070): the endpoint is called no more. What it was told stays on record.

use super::WebhookView;
use crate::{
    http::{
        auth::Merchant,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{context, input},
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    log::Log,
    unit::Unit,
    vocab::{
        bytes::Hash32,
        event::{Event, WebhookEndpointCreated},
        id::EndpointId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::Scope,
    },
};
use ledger::webhook_endpoint::{Command, WebhookEndpoint};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The reason kept when the merchant asks.
const REQUESTED: &str = "requested";

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(disable_webhook))
}

/// Disable a webhook endpoint.
///
/// Nothing is sent to it any more; deliveries that wait are given up.
#[utoipa::path(
    delete, path = "/v1/access/webhooks/{id}", tag = "access", operation_id = "disable_webhook",
    params(
        ("id" = String, Path, description = "The endpoint"),
        ("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The endpoint, disabled", body = WebhookView),
        (status = 400, description = "`idempotency_key_required`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`", body = Problem),
        (status = 404, description = "`webhook_not_found`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
async fn disable_webhook(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    merchant.require(Scope::Webhooks)?;
    let id: EndpointId = input::id(&id, Code::WebhookNotFound)?;
    let stream = StreamId::new(Category::WebhookEndpoint, id);
    let name = format!("DELETE /v1/access/webhooks/{id}");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: Hash32::of([]).0 };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, merchant.livemode(), &request_id));
            let mut endpoint = unit.load::<WebhookEndpoint>(stream).await.map_err(|error| rejection::read(&error))?;
            if endpoint.owner_id != Some(merchant.owner) || endpoint.livemode != Some(merchant.livemode()) {
                return Err(Problem::of(Code::WebhookNotFound));
            }
            unit.decide(&mut endpoint, Command::Disable { reason: REQUESTED.to_owned() }, None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let WebhookEndpoint::Disabled { endpoint, reason } = endpoint.state else { return Err(Problem::of(Code::Internal)) };
            let created_at = created_at(&log, stream).await?;
            let view = disabled(*endpoint, reason, merchant.livemode(), created_at);
            Ok(Draft { unit, answer: Answer::ok(view)? })
        })
        .await
}

fn disabled(created: WebhookEndpointCreated, reason: String, livemode: bool, created_at: Timestamp) -> WebhookView {
    WebhookView { status: "disabled", disabled_reason: Some(reason), ..WebhookView::active(created, livemode, created_at) }
}

async fn created_at(log: &Log, stream: StreamId) -> Result<Timestamp, Problem> {
    let events = log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
    let first = events.first().filter(|event| matches!(event.decode(), Ok(Event::WebhookEndpointCreated(_))));
    first.map(|event| event.envelope.recorded_at).ok_or_else(|| Problem::of(Code::WebhookNotFound))
}
