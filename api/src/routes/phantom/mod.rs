//! Phantom on a phone (RT-020..024): the checkout page opens Phantom by links; Phantom comes back by links, whose parameters the page
//! hands in here. Nothing that Phantom says is evidence of a payment: a signature is checked, a transaction is sent by the service
//! itself, and the chain says what became of it.

mod transaction;

use super::input;
use crate::{
    http::{
        body::{Body, Params},
        fresh::{HILT_POSITION, OwnWrites},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        identity::{self, Complete, Proved},
        phantom::{self, Connection, Step, WalletAnswer},
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::{
    clock::Clock,
    log::Log,
    unit::{Unit, is_conflict},
    vault::Vault,
    vocab::{
        bytes::SolanaAddress,
        id::{IdentitySessionId, PaymentId, ProductId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{payment::Payment, phantom_session, product::Product};
use rails::phantom::{SESSION_SECRET, sign_message, signed_message};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// A caller that loses a race looks again this many times.
const ATTEMPTS: u32 = 8;

/// Phantom's answer to the connect link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ConnectAnswer {
    /// The payment.
    pub payment_id: String,
    /// Phantom's X25519 key, base58.
    pub phantom_encryption_public_key: Option<String>,
    /// What it appended.
    #[serde(flatten)]
    pub answer: WalletAnswer,
}

/// A connected wallet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhantomConnected {
    /// The payment.
    pub payment_id: String,
    /// The wallet.
    pub wallet_address: String,
    /// The connection.
    pub phantom_session_id: String,
    /// When it ends, with the payment.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A message to be signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct MessageUrl {
    /// The payment.
    pub payment_id: String,
    /// The identity session whose message it is.
    pub identity_session_id: String,
}

/// Phantom's answer to a message link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct MessageAnswer {
    /// The payment.
    pub payment_id: String,
    /// The identity session.
    pub identity_session_id: String,
    /// What it appended.
    #[serde(flatten)]
    pub answer: WalletAnswer,
}

/// A link that opens Phantom.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhantomUrl {
    /// The link.
    #[schema(example = "https://phantom.app/ul/v1/signMessage?...")]
    pub url: String,
    /// When it is of no use any more.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// What Phantom appends to the way back.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    /// The payment.
    payment_id: String,
    /// connect, message or transaction.
    step: String,
    /// The identity session, with a message.
    identity_session_id: Option<String>,
    /// Phantom's key, with connect.
    phantom_encryption_public_key: Option<String>,
    /// Nonce of `data`.
    nonce: Option<String>,
    /// The encrypted answer.
    data: Option<String>,
    /// Phantom's code when it refuses.
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(connect_callback))
        .routes(routes!(message_url))
        .routes(routes!(message_callback))
        .routes(routes!(way_back))
        .merge(transaction::routes())
}

/// Hand in Phantom's answer to the connect link.
#[utoipa::path(
    post, path = "/v1/pay/phantom/connect/callback", tag = "phantom", operation_id = "phantom_connect_callback",
    request_body = ConnectAnswer,
    responses(
        (status = 200, description = "Connected, now or before", body = PhantomConnected),
        (status = 404, description = "`payment_not_found`", body = Problem),
        (status = 409, description = "`phantom_session_missing`, `payment_finished`", body = Problem),
        (status = 410, description = "`payment_expired`", body = Problem),
        (status = 422, description = "`phantom_payload_invalid`, `phantom_refused`, `payer_wallet_mismatch`", body = Problem),
    )
)]
async fn connect_callback(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<ConnectAnswer>,
) -> Result<Response, Problem> {
    let payment_id: PaymentId = input::id(&body.payment_id, Code::PaymentNotFound)?;
    for _ in 0..ATTEMPTS {
        let mut connection = Connection::find(&log, &vault, payment_id, clock.now()).await?;
        let wallet_key = body.phantom_encryption_public_key.as_deref().unwrap_or_default();
        let (key, answer) = connection.first_answer(wallet_key, &body.answer)?;
        let mut unit = Unit::new(&log, connection.context(&request_id));
        let command = phantom_session::Command::Connect {
            phantom_public_key: SolanaAddress(key.0),
            wallet: answer.wallet,
            payer_wallet: connection.facts.payer_wallet,
            now: clock.now(),
        };
        let (id, expires_at, cause) = (connection.id(), connection.facts.expires_at, connection.session.last_event);
        unit.decide(&mut connection.session, command, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        let mut headers = HeaderMap::new();
        if !unit.is_empty() {
            // Before the event: whoever sees the connection finds the wallet's token.
            let kept = vault.put_secret(id.0, SESSION_SECRET, answer.session.as_bytes()).await;
            kept.map_err(|error| rejection::read(&error))?;
            match unit.commit().await {
                Ok(appended) => headers = wrote(&own_writes, &connection, appended.last_position),
                Err(error) if is_conflict(&error) => continue,
                Err(error) => return Err(rejection::append(error)),
            }
        }
        let answer = PhantomConnected {
            payment_id: payment_id.to_string(),
            wallet_address: answer.wallet.to_string(),
            phantom_session_id: id.to_string(),
            expires_at,
        };
        return Ok((headers, Json(answer)).into_response());
    }
    Err(Problem::of(Code::Conflict).retry_after(1))
}

/// A link that asks Phantom to sign an identity session's message.
#[utoipa::path(
    post, path = "/v1/pay/phantom/message-url", tag = "phantom", operation_id = "phantom_message_url",
    request_body = MessageUrl,
    responses(
        (status = 200, description = "The link", body = PhantomUrl),
        (status = 404, description = "`payment_not_found`, `identity_session_not_found`", body = Problem),
        (status = 409, description = "`phantom_session_missing`", body = Problem),
        (status = 410, description = "`payment_expired`, `identity_session_expired`", body = Problem),
        (status = 422, description = "`wallet_mismatch`, `slug_mismatch`", body = Problem),
    )
)]
async fn message_url(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    Body { value: body, .. }: Body<MessageUrl>,
) -> Result<Json<PhantomUrl>, Problem> {
    let payment_id: PaymentId = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let session_id: IdentitySessionId = input::id(&body.identity_session_id, Code::IdentitySessionNotFound)?;
    let connection = Connection::find(&log, &vault, payment_id, clock.now()).await?;
    let connected = connection.connected(&vault).await?;
    let opened = identity::open(&log, &vault, session_id).await?;
    let started = opened.loaded.state.started().ok_or_else(|| Problem::of(Code::IdentitySessionNotFound))?;
    if started.wallet != connected.wallet {
        return Err(Problem::field(Code::WalletMismatch, "identity_session_id", "is another wallet's than the connected one"));
    }
    if started.product_id != connection.facts.product_id {
        return Err(Problem::field(Code::SlugMismatch, "identity_session_id", "is for another product"));
    }
    if clock.now() >= started.expires_at {
        return Err(Problem::of(Code::IdentitySessionExpired));
    }
    let message = opened.personal.text.as_deref().ok_or_else(|| Problem::of(Code::IdentityErased))?;
    let back = phantom::redirect_link(&settings, payment_id, Step::Message(session_id));
    let url = sign_message(&connected.channel, &connection.dapp(), phantom::nonce(), &back, &connected.token, message);
    Ok(Json(PhantomUrl { url, expires_at: started.expires_at }))
}

/// Hand in Phantom's signature over an identity session's message.
#[utoipa::path(
    post, path = "/v1/pay/phantom/message/callback", tag = "phantom", operation_id = "phantom_message_callback",
    request_body = MessageAnswer,
    responses(
        (status = 200, description = "Verified, now or before", body = Proved),
        (status = 404, description = "`payment_not_found`, `identity_session_not_found`", body = Problem),
        (status = 409, description = "`phantom_session_missing`", body = Problem),
        (status = 410, description = "`payment_expired`, `identity_session_expired`", body = Problem),
        (status = 422, description = "`phantom_payload_invalid`, `phantom_refused`, `invalid_signature`, `wallet_mismatch`", body = Problem),
    )
)]
async fn message_callback(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<MessageAnswer>,
) -> Result<Response, Problem> {
    let payment_id: PaymentId = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let session_id: IdentitySessionId = input::id(&body.identity_session_id, Code::IdentitySessionNotFound)?;
    let connection = Connection::find(&log, &vault, payment_id, clock.now()).await?;
    let connected = connection.connected(&vault).await?;
    let plain = connected.open(&body.answer)?;
    let signature = signed_message(&plain).map_err(phantom::invalid("data"))?;
    let complete = Complete { session_id, wallet: connected.wallet, signature, now: clock.now(), request_id: &request_id };
    let (proved, _) = identity::complete(&log, &vault, &complete).await?;
    let position = signed(&log, &vault, &clock, payment_id, &request_id, session_id).await?;
    let headers = position.map(|position| wrote(&own_writes, &connection, position)).unwrap_or_default();
    Ok((headers, Json(proved)).into_response())
}

/// Records that the wallet signed. The proof itself is on record already, so a crash before this line costs a line of history.
async fn signed(
    log: &Log,
    vault: &Vault,
    clock: &Clock,
    payment_id: PaymentId,
    request_id: &str,
    identity_session_id: IdentitySessionId,
) -> Result<Option<u64>, Problem> {
    for _ in 0..ATTEMPTS {
        let mut connection = Connection::find(log, vault, payment_id, clock.now()).await?;
        let mut unit = Unit::new(log, connection.context(request_id));
        let cause = connection.session.last_event;
        let command = phantom_session::Command::SignMessage { identity_session_id };
        unit.decide(&mut connection.session, command, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        if unit.is_empty() {
            return Ok(None);
        }
        match unit.commit().await {
            Ok(appended) => return Ok(Some(appended.last_position)),
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(rejection::append(error)),
        }
    }
    Err(Problem::of(Code::Conflict).retry_after(1))
}

/// Where Phantom returns to: leads on to the checkout page, which hands the answer in. The answer goes into the fragment, which
/// browsers send to nobody.
#[utoipa::path(
    get, path = "/v1/pay/phantom/return", tag = "phantom", operation_id = "phantom_return",
    params(Returned),
    responses(
        (status = 303, description = "To the checkout page"),
        (status = 404, description = "`payment_not_found`", body = Problem),
    )
)]
async fn way_back(
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    Params(returned): Params<Returned>,
) -> Result<Response, Problem> {
    let payment_id: PaymentId = input::id(&returned.payment_id, Code::PaymentNotFound)?;
    let stream = StreamId::new(Category::Payment, payment_id);
    let payment = events::unit::load::<Payment>(&log, stream).await.map_err(|error| rejection::read(&error))?;
    let facts = payment.state.facts().ok_or_else(|| Problem::of(Code::PaymentNotFound))?;
    let slug = slug(&log, facts.product_id).await?;
    let answer = [
        ("phantom", Some(&returned.step)),
        ("payment_id", Some(&returned.payment_id)),
        ("identity_session_id", returned.identity_session_id.as_ref()),
        ("phantom_encryption_public_key", returned.phantom_encryption_public_key.as_ref()),
        ("nonce", returned.nonce.as_ref()),
        ("data", returned.data.as_ref()),
        ("errorCode", returned.error_code.as_ref()),
    ];
    let answer = answer.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let fragment = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let to = format!("{}/p/{slug}#{fragment}", settings.public_web_url);
    let location = HeaderValue::from_str(&to).map_err(|_| Problem::of(Code::Internal))?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

async fn slug(log: &Log, product_id: ProductId) -> Result<String, Problem> {
    let product = events::unit::load::<Product>(log, StreamId::new(Category::Product, product_id)).await;
    let product = product.map_err(|error| rejection::read(&error))?;
    product.state.facts().map(|product| product.slug.clone()).ok_or_else(|| Problem::of(Code::PaymentNotFound))
}

fn wrote(own_writes: &OwnWrites, connection: &Connection, position: u64) -> HeaderMap {
    if let Some(owner) = connection.payment.owner_id {
        own_writes.wrote(owner, position);
    }
    HeaderMap::from_iter([(HILT_POSITION, position.into())])
}
