//! `POST /v1/access/webhooks/{id}/rotate-secret` (RT-070, INV-88).

use super::{
    WebhookView,
    edit::{Asked, Edit},
};
use crate::{
    http::{
        answers,
        body::{Body, OptionalBody},
        idempotency::{Answer, RequiredKey},
        problem::Problem,
    },
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::clock::Clock;
use ledger::webhook_endpoint::Command;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::webhooks::sign::Secret;

/// How long both secrets sign when the caller does not say: a day.
const OVERLAP: u32 = 86_400;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(rotate_webhook_secret))
}

/// How to change over.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct Rotation {
    /// For how long the present secret signs beside the new one, 0 to 604800; a day when absent. 0 ends it at once, such as when it
    /// has become known.
    #[schema(example = 86_400)]
    overlap_seconds: Option<u32>,
}

/// An endpoint with its new signing secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Rotated {
    /// The endpoint; `previous_secret_valid_until` tells until when the secret before signs too.
    #[serde(flatten)]
    webhook: WebhookView,
    /// The new secret. Shown once: a repeated request gets `null` here.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    signing_secret: String,
}

/// Rotate a webhook endpoint's signing secret
///
/// While both sign, `webhook-signature` holds two signatures, separated by a space: receivers take a message that either secret
/// verifies. A secret that was being rotated out before ends at once.
#[utoipa::path(post, path = "/v1/access/webhooks/{id}/rotate-secret", tag = "access", operation_id = "rotate_webhook_secret",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = Option<Rotation>, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The endpoint, with its new signing secret", body = Rotated), answers::Write))]
async fn rotate_webhook_secret(
    Part(edit): Part<Edit>,
    Part(clock): Part<Clock>,
    asked: Asked,
    RequiredKey(_): RequiredKey,
    OptionalBody(Body { value, hash }): OptionalBody<Rotation>,
) -> Result<Response, Problem> {
    let secret = Secret::generate();
    let overlap_seconds = value.overlap_seconds.unwrap_or(OVERLAP);
    let command = Command::RotateSecret { secret_hash: secret.hash(), overlap_seconds, now: clock.now() };
    let answer = |_: &events::unit::Unit<'_>, webhook| {
        Ok(Answer::ok(Rotated { webhook, signing_secret: secret.reveal() })?.once(&["/signing_secret"]))
    };
    edit.run_as(asked.with(hash), command, Some(&secret), answer).await
}
