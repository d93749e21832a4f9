//! `POST /v1/access/webhooks/{id}/redeliver` and `POST …/deliveries/{delivery_id}/redeliver` (RT-070).

use super::edit::{Asked, Edit, load};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segments,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{context, input},
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::Clock,
    log::{Context, Log},
    unit::{Loaded, Unit},
    vocab::{
        bytes::Hash32,
        id::{DeliveryId, EndpointId, OwnerId},
        stream::{Category, StreamId},
        time::Timestamp,
        words::RedeliveryScope,
    },
};
use ledger::{
    webhook_delivery::{Command as Delivery, WebhookDelivery},
    webhook_endpoint::{Command, WebhookEndpoint},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(redeliver_webhooks)).routes(routes!(redeliver_webhook))
}

/// Which deliveries to make again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct Redelivery {
    /// Those emitted at this time or later.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T00:00:00Z")]
    since: String,
    /// Those emitted before this time; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
    /// `failed` (the default): those given up or waiting for another attempt. `all`: those that arrived too.
    #[schema(example = "failed")]
    status: Option<String>,
}

/// What will be made again.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Accepted {
    /// The endpoint.
    #[schema(value_type = String, format = Uuid)]
    endpoint_id: EndpointId,
    /// Emitted at this time or later.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Emitted before this time.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// `failed` or `all`.
    #[schema(value_type = String)]
    status: RedeliveryScope,
}

/// A delivery that is made again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Again {
    /// The delivery.
    #[schema(value_type = String, format = Uuid)]
    id: DeliveryId,
    /// `pending`.
    #[schema(example = "pending")]
    status: &'static str,
}

/// Redeliver what an endpoint missed
///
/// Deliveries of a span of time are made again, with the same ids and bodies; the answer comes before they are made. Receivers know
/// a repeat by its `webhook-id`.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/redeliver", tag = "access", operation_id = "redeliver_webhooks",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Redelivery, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 202, description = "They will be made", body = Accepted), answers::Write))]
async fn redeliver_webhooks(
    Part(edit): Part<Edit>,
    Part(clock): Part<Clock>,
    asked: Asked,
    Body { value, hash }: Body<Redelivery>,
) -> Result<Response, Problem> {
    let since = time("since", &value.since)?;
    let until = value.until.as_deref().map_or_else(|| Ok(clock.now()), |until| time("until", until))?;
    let scope = value.status.as_deref().map_or(Ok(RedeliveryScope::Failed), |status| input::word("status", status))?;
    let endpoint_id = asked.endpoint()?;
    let answer = |_: &Unit<'_>, _| Answer::accepted(Accepted { endpoint_id, since, until, status: scope });
    edit.run_as(asked.with(hash), Command::Redeliver { scope, since, until }, None, answer).await
}

/// Redeliver one delivery
///
/// It is made again at once, whatever came of it, with the same id and body; if it fails, the schedule begins anew.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/deliveries/{delivery_id}/redeliver", tag = "access",
    operation_id = "redeliver_webhook",
    params(("id" = String, Path), ("delivery_id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 202, description = "It will be made", body = Again), answers::Write))]
async fn redeliver_webhook(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    Segments(id, delivery_id): Segments,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
) -> Result<Response, Problem> {
    let id: EndpointId = input::id(&id, Code::WebhookNotFound)?;
    let delivery_id: DeliveryId = input::id(&delivery_id, Code::WebhookDeliveryNotFound)?;
    let name = format!("POST /v1/access/webhooks/{{id}}/deliveries/{{delivery_id}}/redeliver {delivery_id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: Hash32::of([]).0 };
    commands
        .run(operation, || async {
            let unit = Unit::new(&log, context(&merchant, merchant.livemode(), &request_id));
            let endpoint = load(&unit, &merchant, id).await?;
            again(unit, endpoint, merchant.owner, id, delivery_id, None).await
        })
        .await
}

/// For staff: the same to any owner's delivery.
pub(super) async fn for_staff<'l>(
    log: &'l Log,
    context: Context,
    owner: OwnerId,
    delivery: DeliveryId,
    reason: &str,
) -> Result<Draft<'l>, Problem> {
    let unit = Unit::new(log, context);
    let loaded = find(&unit, owner, delivery).await?;
    let endpoint_id = endpoint_of(&loaded.state).ok_or_else(|| Problem::of(Code::WebhookDeliveryNotFound))?;
    let endpoint = unit.load::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, endpoint_id)).await;
    again(unit, endpoint.map_err(|error| rejection::read(&error))?, owner, endpoint_id, delivery, Some(reason)).await
}

async fn again<'l>(
    mut unit: Unit<'l>,
    endpoint: Loaded<WebhookEndpoint>,
    owner: OwnerId,
    endpoint_id: EndpointId,
    delivery: DeliveryId,
    reason: Option<&str>,
) -> Result<Draft<'l>, Problem> {
    if let WebhookEndpoint::Disabled { .. } = endpoint.state {
        return Err(Problem::of(Code::WebhookDisabled).next_action("Resume the endpoint first, if it was disabled for failing."));
    }
    let mut loaded = find(&unit, owner, delivery).await?;
    if endpoint_of(&loaded.state) != Some(endpoint_id) {
        return Err(Problem::of(Code::WebhookDeliveryNotFound));
    }
    if let Some(correlation) = loaded.correlation_id {
        unit.correlate(correlation);
    }
    let cause = loaded.last_event;
    unit.decide(&mut loaded, Delivery::Redeliver { requested_by: None, reason: reason.map(str::to_owned) }, cause)
        .map_err(|refused| rejection::decided(refused.code(), refused))?;
    Ok(Draft { unit, answer: Answer::accepted(Again { id: delivery, status: "pending" })? })
}

async fn find(unit: &Unit<'_>, owner: OwnerId, delivery: DeliveryId) -> Result<Loaded<WebhookDelivery>, Problem> {
    let loaded = unit.load::<WebhookDelivery>(StreamId::new(Category::WebhookDelivery, delivery)).await;
    let loaded = loaded.map_err(|error| rejection::read(&error))?;
    if loaded.owner_id == Some(owner) { Ok(loaded) } else { Err(Problem::of(Code::WebhookDeliveryNotFound)) }
}

fn endpoint_of(delivery: &WebhookDelivery) -> Option<EndpointId> {
    match delivery {
        WebhookDelivery::Absent => None,
        WebhookDelivery::Due { emitted, .. }
        | WebhookDelivery::Delivered { emitted, .. }
        | WebhookDelivery::DeadLettered { emitted, .. } => Some(emitted.endpoint_id),
    }
}

fn time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).map_err(|rule| Problem::field(Code::ValidationFailed, field, rule.to_string()))
}
