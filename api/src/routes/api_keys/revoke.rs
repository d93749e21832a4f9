//! `DELETE /v1/access/api-keys/{id}`.

use crate::{
    http::{
        auth::Merchant,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    services::keys,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    log::Log,
    unit::{Unit, load},
    vocab::{bytes::Hash32, id::ApiKeyId},
};
use ledger::api_key::{ApiKey, Command};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The reason kept when the owner asks.
const REQUESTED: &str = "requested";

/// A key that works no more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevokedApiKey {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ApiKeyId,
    /// `revoked`.
    #[schema(example = "revoked")]
    pub status: &'static str,
    /// Whether it moved real money.
    pub livemode: bool,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(revoke_api_key))
}

/// Revoke an API key.
///
/// It works no more, in any process, within a second; an overlap with its successor ends too. Revoking it again changes nothing.
#[utoipa::path(
    delete, path = "/v1/access/api-keys/{id}", tag = "access", operation_id = "revoke_api_key",
    params(
        ("id" = String, Path, description = "The key"),
        ("Idempotency-Key" = String, Header, description = "Unique to this operation, 1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "It is revoked", body = RevokedApiKey),
        (status = 400, description = "`idempotency_key_required`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_token`", body = Problem),
        (status = 403, description = "`dashboard_session_required`, `merchant_required`", body = Problem),
        (status = 404, description = "`api_key_not_found`", body = Problem),
        (status = 409, description = "`idempotency_in_progress`", body = Problem),
        (status = 422, description = "`idempotency_key_reused`", body = Problem),
    ),
    security(("bearer" = []))
)]
async fn revoke_api_key(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    id: Segment,
) -> Result<Response, Problem> {
    let id: ApiKeyId = id.id(Code::ApiKeyNotFound)?;
    let name = format!("DELETE /v1/access/api-keys/{id}");
    let operation = Operation { owner: merchant.owner, name, key: Some(key), request_hash: Hash32::of([]).0 };
    commands
        .run(operation, || async {
            let mut loaded = load::<ApiKey>(&log, keys::stream(id)).await.map_err(|error| rejection::read(&error))?;
            let Some(livemode) = loaded.livemode.filter(|_| loaded.owner_id == Some(merchant.owner)) else {
                return Err(Problem::of(Code::ApiKeyNotFound));
            };
            let mut unit = Unit::new(&log, context(&merchant, livemode, &request_id));
            unit.decide(&mut loaded, Command::Revoke { reason: REQUESTED.to_owned() }, None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            Ok(Draft { unit, answer: Answer::ok(RevokedApiKey { id, status: "revoked", livemode })? })
        })
        .await
}
