//! `POST /v1/access/api-keys/{id}/rotate`.

use super::{IssuedApiKey, shown_once};
use crate::{
    http::{
        auth::Merchant,
        body::{Body, OptionalBody},
        idempotency::{Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{context, input},
    services::keys,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{clock::Clock, log::Log, unit::Unit, vocab::id::ApiKeyId};
use ledger::api_key::ApiKey;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long both keys work when the caller does not say: a day.
const OVERLAP_SECONDS: u32 = 86_400;

/// How a key gives way to the next.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RotateApiKey {
    /// How long the old key works beside the new one, from 0 to 2592000 seconds; a day when absent.
    #[schema(example = 3600)]
    pub overlap_seconds: Option<u32>,
    /// When the new key stops working by itself; when absent, that of the old one.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<String>,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(rotate_api_key))
}

/// Rotate an API key.
///
/// Makes a key that may do the same. The old one works until the overlap ends, so that callers can be changed over one by one; revoke
/// it to end it sooner.
#[utoipa::path(
    post, path = "/v1/access/api-keys/{id}/rotate", tag = "access", operation_id = "rotate_api_key",
    params(
        ("id" = String, Path, description = "The key to replace"),
        ("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters"),
    ),
    request_body(content = Option<RotateApiKey>, content_type = "application/json"),
    responses(
        (status = 201, description = "The new key, shown once", body = IssuedApiKey),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_token`", body = Problem),
        (status = 403, description = "`dashboard_session_required`, `merchant_required`", body = Problem),
        (status = 404, description = "`api_key_not_found`", body = Problem),
        (status = 409, description = "`api_key_revoked`, `api_key_expired`, `api_key_rotated`, `idempotency_in_progress`", body = Problem),
        (status = 422, description = "`overlap_out_of_range`, `invalid_expiry`, `validation_failed`, `idempotency_key_reused`", body = Problem),
    ),
    security(("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn rotate_api_key(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    id: Segment,
    OptionalBody(Body { value: body, hash }): OptionalBody<RotateApiKey>,
) -> Result<Response, Problem> {
    let id: ApiKeyId = id.id(Code::ApiKeyNotFound)?;
    let overlap_seconds = body.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    let expires_at = body.expires_at.as_deref().map(|text| input::instant("expires_at", text)).transpose()?;
    let name = format!("POST /v1/access/api-keys/{id}/rotate");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut old = events::unit::load::<ApiKey>(&log, keys::stream(id)).await.map_err(|error| rejection::read(&error))?;
            let Some(livemode) = old.livemode.filter(|_| old.owner_id == Some(merchant.owner)) else {
                return Err(Problem::of(Code::ApiKeyNotFound));
            };
            let mut unit = Unit::new(&log, context(&merchant, livemode, &request_id));
            let (now, ends) = (clock.now(), old.state.working(clock.now()).and_then(|(issued, _)| issued.expires_at));
            let issued = keys::decide_rotation(&mut unit, &mut old, overlap_seconds, expires_at.or(ends), now)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            Ok(Draft { unit, answer: shown_once(issued, livemode, now)? })
        })
        .await
}
