//! A buyer proves that a wallet pays for an identity: `POST /v1/pay/identity/start` (RT-014) and `POST /v1/pay/identity/complete`
//! (RT-015).

use super::input;
use crate::{
    http::{
        body::Body,
        fresh::{HILT_POSITION, OwnWrites},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        buyer::IdentityFields,
        hosted::{self, Hosted},
        identity::{self, Complete, Proved},
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use events::{
    clock::{Clock, new_id, random_bytes},
    log::{Context, Log},
    unit::Unit,
    vault::Vault,
    vocab::{
        bytes::Signature64,
        id::IdentitySessionId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::{ActorKind, IdentityType},
    },
};
use ledger::identity_session::{self, Challenge, IdentitySession, SIGN_SECONDS};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Who wants to pay for which identity.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct StartIdentity {
    /// The product's public name.
    #[schema(example = "telegram01")]
    pub slug: String,
    /// The wallet that will pay.
    pub wallet_address: String,
    /// The wallet's software.
    #[schema(example = "EXTERNAL_PHANTOM")]
    pub wallet_source: Option<String>,
    /// The identity.
    #[serde(flatten)]
    pub identity: IdentityFields,
}

/// What the wallet is to sign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StartedIdentity {
    /// The session.
    pub session_id: String,
    /// `PENDING`.
    pub status: &'static str,
    /// The wallet.
    pub wallet_address: String,
    /// The wallet's software.
    pub wallet_source: Option<String>,
    /// The kind of identity.
    pub identity_type: String,
    /// The identity.
    pub identity_value: String,
    /// Its handle.
    pub identity_display: Option<String>,
    /// The text to sign, byte for byte in UTF-8.
    pub challenge_message: String,
    /// When the time for that is over.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The wallet's signature.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CompleteIdentity {
    /// The session.
    pub session_id: String,
    /// The wallet that signed.
    pub wallet_address: String,
    /// Ed25519 over `challenge_message`, base64.
    pub signed_message_b64: String,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(complete))
}

/// Ask for the message that ties a wallet to an identity.
#[utoipa::path(
    post, path = "/v1/pay/identity/start", tag = "pay", operation_id = "start_identity_session",
    request_body = StartIdentity,
    responses(
        (status = 201, description = "The message to sign", body = StartedIdentity),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 410, description = "`product_archived`", body = Problem),
        (status = 422, description = "`invalid_wallet`, `validation_failed`", body = Problem),
    )
)]
async fn start(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<StartIdentity>,
) -> Result<Response, Problem> {
    let hosted = hosted::by_slug(&log, &body.slug).await?.selling()?;
    let wallet = input::solana_wallet("wallet_address", &body.wallet_address)?;
    let wallet_source = identity::wallet_source(body.wallet_source.as_deref())?;
    let identity = body.identity.required()?;
    accepted(&hosted, identity.identity_type)?;
    let session_id: IdentitySessionId = new_id();
    let now = clock.now();
    let expires_at = now.plus_seconds(SIGN_SECONDS);
    let challenge = Challenge {
        origin: &settings.public_web_url,
        slug: &hosted.product.slug,
        identity_type: identity.identity_type,
        identity_value: &identity.value,
        identity_display: identity.display.as_deref(),
        wallet,
        session_id,
        nonce: random_bytes(),
        issued_at: now,
        expires_at,
    };
    let message = challenge.to_string();
    let start = identity_session::Start {
        session_id,
        product_id: hosted.product.product_id,
        subject_id: identity.subject(&vault, hosted.owner).await?,
        wallet,
        wallet_source: wallet_source.clone(),
        identity_type: identity.identity_type,
        identity: identity.personal(),
        message: message.clone(),
        expires_at,
    };
    let context = Context {
        owner_id: Some(hosted.owner),
        livemode: hosted.loaded.livemode.unwrap_or(true),
        actor: Actor { kind: ActorKind::Public, id: None },
        request_id: Some(request_id),
        correlation_id: session_id.0,
    };
    let mut unit = Unit::new(&log, context);
    let mut session = unit.start::<IdentitySession>(StreamId::new(Category::IdentitySession, session_id));
    unit.decide(&mut session, identity_session::Command::Start(Box::new(start)), None)
        .map_err(|refused| rejection::decided(refused.code(), refused))?;
    let appended = unit.commit().await.map_err(rejection::append)?;
    own_writes.wrote(hosted.owner, appended.last_position);
    let answer = StartedIdentity {
        session_id: session_id.to_string(),
        status: "PENDING",
        wallet_address: wallet.to_string(),
        wallet_source,
        identity_type: identity.identity_type.to_string(),
        identity_value: identity.value,
        identity_display: identity.display,
        challenge_message: message,
        expires_at,
    };
    Ok((StatusCode::CREATED, position_header(appended.last_position), Json(answer)).into_response())
}

/// Prove it with the wallet's signature.
#[utoipa::path(
    post, path = "/v1/pay/identity/complete", tag = "pay", operation_id = "complete_identity_session",
    request_body = CompleteIdentity,
    responses(
        (status = 200, description = "Verified, now or before", body = Proved),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 404, description = "`identity_session_not_found`", body = Problem),
        (status = 410, description = "`identity_session_expired`", body = Problem),
        (status = 422, description = "`wallet_mismatch`, `invalid_signature`, `invalid_wallet`, `validation_failed`", body = Problem),
    )
)]
async fn complete(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<CompleteIdentity>,
) -> Result<Response, Problem> {
    let session_id: IdentitySessionId = input::id(&body.session_id, Code::IdentitySessionNotFound)?;
    let wallet = input::solana_wallet("wallet_address", &body.wallet_address)?;
    let signature: Signature64 = body
        .signed_message_b64
        .parse()
        .map_err(|_| Problem::field(Code::InvalidSignature, "signed_message_b64", "is base64 of an Ed25519 signature, 64 bytes"))?;
    let complete = Complete { session_id, wallet, signature, now: clock.now(), request_id: &request_id };
    let (proved, position) = identity::complete(&log, &vault, &complete).await?;
    if let (Some(owner), Some(position)) = (proved.owner, position) {
        own_writes.wrote(owner, position);
    }
    let headers = position.map(position_header).unwrap_or_default();
    Ok((headers, Json(proved)).into_response())
}

/// A product that asks for one kind of identity takes no other.
fn accepted(hosted: &Hosted, identity_type: IdentityType) -> Result<(), Problem> {
    let asked = hosted.product.membership.as_ref().filter(|config| config.enabled).and_then(|config| config.identity_type);
    match asked {
        Some(asked) if asked != identity_type => {
            Err(Problem::field(Code::ValidationFailed, "customer_reference_type", format!("this product asks for {asked}")))
        }
        _ => Ok(()),
    }
}

fn position_header(position: u64) -> HeaderMap {
    HeaderMap::from_iter([(HILT_POSITION, position.into())])
}
