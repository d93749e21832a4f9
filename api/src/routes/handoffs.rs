//! Buyers who are known before checkout: `POST /v1/products/{product_id}/handoff-link` (RT-008) and
//! `POST /v1/products/p/{slug}/resolve-handoff` (RT-011).

use super::context;
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        fresh::{HILT_POSITION, OwnWrites},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        buyer::Identity,
        handoffs::{self, HandoffLink, Issue},
        hosted,
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use events::{
    clock::{Clock, new_id},
    log::{Context, Log},
    unit::{Unit, is_conflict},
    vault::Vault,
    vocab::{
        id::{HandoffId, ProductId},
        stream::Actor,
        time::Timestamp,
        words::{ActorKind, HandoffSource},
    },
};
use ledger::handoff::{self, Handoff};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A buyer whom the merchant knows.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateHandoff {
    /// The kind of identity.
    #[schema(example = "TELEGRAM_USER_ID")]
    pub identity_type: String,
    /// The identity.
    #[schema(example = "728255790")]
    pub identity_value: String,
    /// Its handle.
    #[schema(example = "@buyer")]
    pub identity_display: Option<String>,
    /// How long the link lives: 1 to 1440, 30 when left out.
    #[schema(example = 30)]
    pub expires_in_minutes: Option<u32>,
}

/// A token to read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ResolveHandoff {
    /// The token.
    #[schema(example = "hilt_handoff_...")]
    pub handoff_token: String,
}

/// Who the buyer is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResolvedHandoff {
    /// The product.
    pub product_id: String,
    /// Its public name.
    pub slug: String,
    /// The kind of identity.
    pub identity_type: String,
    /// The identity.
    pub identity_value: String,
    /// Its handle.
    pub identity_display: Option<String>,
    /// When the handoff ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// Always true: what is not valid is refused.
    pub valid: bool,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_handoff)).routes(routes!(resolve_handoff))
}

/// Send a buyer whom you know to the checkout page.
#[utoipa::path(
    post, path = "/v1/products/{product_id}/handoff-link", tag = "products", operation_id = "create_handoff_link",
    params(("product_id" = String, Path, description = "The product")),
    request_body = CreateHandoff,
    responses(
        (status = 201, description = "The link", body = HandoffLink),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`, `live_key_required`", body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 410, description = "`product_archived`", body = Problem),
        (status = 422, description = "`validation_failed`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn create_handoff(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    product_id: Segment,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<CreateHandoff>,
) -> Result<Response, Problem> {
    let product_id: ProductId = product_id.id(Code::ProductNotFound)?;
    let hosted = hosted::of_owner(&log, merchant.owner, product_id).await?.selling()?;
    if hosted.product.access_product_id.is_some() {
        return Err(Problem::of(Code::ProductNotFound));
    }
    let display = body.identity_display.as_deref();
    let identity = Identity::parse(&body.identity_type, &body.identity_value, display, |part| format!("identity_{part}"))?;
    let minutes = body.expires_in_minutes.unwrap_or(handoff::DEFAULT_MINUTES);
    let name = format!("POST /v1/products/{product_id}/handoff-link");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    let handoff_id: HandoffId = new_id();
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let mut handoff = unit.start::<Handoff>(handoffs::stream(handoff_id));
            let issue = Issue { hosted: &hosted, identity: &identity, source: HandoffSource::Merchant, minutes, now: clock.now() };
            let link = handoffs::issue(&mut unit, &mut handoff, &vault, &settings, issue).await?;
            Ok(Draft { unit, answer: Answer::created(link)? })
        })
        .await
}

/// Read a handoff token: who the buyer is. Reading has no effect on any payment and may be repeated until the token ends.
#[utoipa::path(
    post, path = "/v1/products/p/{slug}/resolve-handoff", tag = "checkout", operation_id = "resolve_handoff",
    params(("slug" = String, Path, description = "The product's public name")),
    request_body = ResolveHandoff,
    responses(
        (status = 200, description = "The buyer", body = ResolvedHandoff),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 410, description = "`handoff_expired`", body = Problem),
        (status = 422, description = "`invalid_handoff_token`, `validation_failed`", body = Problem),
    )
)]
async fn resolve_handoff(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Segment(slug): Segment,
    Body { value: body, .. }: Body<ResolveHandoff>,
) -> Result<Response, Problem> {
    let hosted = hosted::by_slug(&log, &slug).await?;
    let mut handoff = handoffs::find(&log, &vault, &hosted, &body.handoff_token).await?;
    let mut unit = Unit::new(&log, public_context(&handoff, &request_id));
    let cause = handoff.last_event;
    let decided = unit.decide(&mut handoff, handoff::Command::Resolve { now: clock.now() }, cause);
    decided.map_err(|refused| rejection::decided(refused.code(), refused))?;
    let (identity, issued) = handoffs::identity(&log, &vault, &handoff).await?;
    let mut headers = HeaderMap::new();
    if !unit.is_empty() {
        match unit.commit().await {
            Ok(appended) => {
                own_writes.wrote(hosted.owner, appended.last_position);
                headers.insert(HILT_POSITION, appended.last_position.into());
            }
            // Another page read it at the same moment, and that is on record.
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(rejection::append(error)),
        }
    }
    let answer = ResolvedHandoff {
        product_id: issued.product_id.to_string(),
        slug: hosted.product.slug.clone(),
        identity_type: identity.identity_type.to_string(),
        identity_value: identity.value,
        identity_display: identity.display,
        expires_at: issued.expires_at,
        valid: true,
    };
    Ok((headers, Json(answer)).into_response())
}

fn public_context(handoff: &events::unit::Loaded<Handoff>, request_id: &str) -> Context {
    Context {
        owner_id: handoff.owner_id,
        livemode: handoff.livemode.unwrap_or(true),
        actor: Actor { kind: ActorKind::Public, id: None },
        request_id: Some(request_id.to_owned()),
        correlation_id: handoff.correlation_id.unwrap_or(handoff.stream.id),
    }
}
