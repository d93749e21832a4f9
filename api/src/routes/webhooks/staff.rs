//! RT-115: deliveries that did not arrive, of all workspaces, and making one again, for staff.

use super::{
    deliveries::{DeliveryList, DeliveryView, status},
    redeliver::{Again, for_staff},
};
use crate::{
    http::{
        answers,
        auth::Staff,
        body::{Body, Params},
        fresh::{Fresh, MinPosition},
        idempotency::{Commands, Operation, OptionalKey},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::input,
    state::State,
};
use axum::{Json, extract::State as Part, response::Response};
use events::{
    clock::new_id,
    log::{Context, Log},
    vocab::{
        id::{DeliveryId, EndpointId, OwnerId},
        stream::{Category, StreamId},
    },
};
use projections::{
    Reader,
    webhook_deliveries::{self, DeliveryStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list_dead_letters)).routes(routes!(redeliver_for_staff))
}

/// Which deliveries.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Where they stand; `dead_letter` when absent.
    status: Option<String>,
    /// Of one workspace.
    owner_id: Option<String>,
    /// Of one endpoint.
    endpoint_id: Option<String>,
    /// Rows of the page, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Deliveries of all workspaces, newest first. What was sent is not among it: it is the customers'.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct StaffDeliveryList {
    items: Vec<StaffDelivery>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// A delivery and whose it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct StaffDelivery {
    #[schema(value_type = Option<String>, format = Uuid)]
    owner_id: Option<OwnerId>,
    livemode: bool,
    #[serde(flatten)]
    delivery: DeliveryView,
}

/// Why a delivery is made again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct Reason {
    /// A code of `a-z`, `0-9` and `_`.
    #[schema(example = "receiver_repaired")]
    reason: String,
}

/// List deliveries of all workspaces
#[utoipa::path(get, path = "/v1/admin/access/webhook-deliveries", tag = "admin", operation_id = "list_webhook_deliveries_for_staff",
    params(Which), security(("bearer" = [])),
    responses((status = 200, description = "A page of deliveries", body = StaffDeliveryList), answers::Read))]
async fn list_dead_letters(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    _: Staff,
    min: MinPosition,
    Params(which): Params<Which>,
) -> Result<Json<StaffDeliveryList>, Problem> {
    let asked = Asked::by_offset(which.limit, None, which.cursor.as_deref())?;
    let status = match which.status.as_deref() {
        None | Some("dead_letter") => DeliveryStatus::DeadLettered,
        Some(text) => status(text)?,
    };
    let owner: Option<OwnerId> = which.owner_id.as_deref().map(|id| input::word("owner_id", id)).transpose()?;
    let endpoint: Option<EndpointId> = which.endpoint_id.as_deref().map(|id| input::word("endpoint_id", id)).transpose()?;
    fresh.wait("webhook_deliveries", None, min).await?;
    let rows = webhook_deliveries::of_all_owners(&reader, status, owner, endpoint, asked.window()).await.map_err(rejection::query)?;
    let whose: Vec<_> = rows.iter().map(|row| (row.meta.owner_id, row.meta.livemode)).collect();
    let DeliveryList { items, has_more, next_cursor } = DeliveryList::cut(&asked, rows);
    let items = items.into_iter().zip(whose).map(|(delivery, (owner_id, livemode))| StaffDelivery { owner_id, livemode, delivery });
    Ok(Json(StaffDeliveryList { items: items.collect(), has_more, next_cursor }))
}

/// Redeliver one delivery of any workspace
#[utoipa::path(post, path = "/v1/admin/access/webhook-deliveries/{id}/redeliver", tag = "admin",
    operation_id = "redeliver_webhook_for_staff",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Reason, security(("bearer" = [])),
    responses((status = 202, description = "It will be made", body = Again), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn redeliver_for_staff(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    staff: Staff,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value, hash }: Body<Reason>,
) -> Result<Response, Problem> {
    let id: DeliveryId = id.id(Code::WebhookDeliveryNotFound)?;
    let (owner, livemode) = whose(&log, id).await?;
    let name = format!("POST /v1/admin/access/webhook-deliveries/{{id}}/redeliver {id}");
    let operation = Operation { owner, name, key, request_hash: hash };
    let context = || Context {
        owner_id: Some(owner),
        livemode,
        actor: staff.actor.clone(),
        request_id: Some(request_id.clone()),
        correlation_id: new_id(),
    };
    commands.run(operation, || for_staff(&log, context(), owner, id, &value.reason)).await
}

/// The workspace and mode of a delivery.
async fn whose(log: &Log, id: DeliveryId) -> Result<(OwnerId, bool), Problem> {
    let events = log.first_events(&[StreamId::new(Category::WebhookDelivery, id)]).await.map_err(|error| rejection::read(&error))?;
    let first = events.first().ok_or_else(|| Problem::of(Code::WebhookDeliveryNotFound))?;
    let owner = first.envelope.owner_id.ok_or_else(|| Problem::of(Code::WebhookDeliveryNotFound))?;
    Ok((owner, first.envelope.livemode))
}
