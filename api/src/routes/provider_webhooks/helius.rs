//! `POST /v1/provider-webhooks/helius/solana` (RT-019).

use crate::{
    http::{
        body::RawBody,
        problem::{Code, Problem},
        request_id::RequestId,
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    http::{HeaderMap, header},
};
use events::vocab::bytes::Hash32;
use rails::helius;
use serde::Serialize;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::settle::Waker;

/// What was taken.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = HeliusReceived)]
pub struct Received {
    /// Transactions that will be looked up on the chain.
    pub received: usize,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(helius_solana))
}

/// Helius says that transactions happened. Each is looked up on the chain; those that pay nothing here are ignored.
#[utoipa::path(
    post, path = "/v1/provider-webhooks/helius/solana", tag = "provider webhooks", operation_id = "helius_webhook",
    request_body(content = serde_json::Value, description = "A raw or an enhanced webhook"),
    responses(
        (status = 200, description = "Taken", body = Received),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`invalid_provider_signature`", body = Problem),
        (status = 503, description = "`feature_disabled`: no secret is configured", body = Problem),
    )
)]
async fn helius_solana(
    Part(settings): Part<Arc<Settings>>,
    Part(waker): Part<Waker>,
    RequestId(request_id): RequestId,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<Received>, Problem> {
    let Some(secret) = &settings.helius_webhook_secret else {
        return Err(Problem::new(Code::FeatureDisabled, "HILT_HELIUS_WEBHOOK_SECRET is not set"));
    };
    let sent = headers.get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    // Hashes, so that not even the secret's length shows in the time that this takes.
    if !bool::from(Hash32::of(sent).0.ct_eq(&Hash32::of(secret.expose()).0)) {
        return Err(Problem::of(Code::InvalidProviderSignature));
    }
    let found = helius::signatures(&body).map_err(|rule| Problem::new(Code::MalformedRequest, rule.to_string()))?;
    for tx in &found {
        waker.wake(*tx, "helius", &request_id);
    }
    Ok(Json(Received { received: found.len() }))
}
