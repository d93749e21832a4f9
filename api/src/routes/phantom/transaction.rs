//! Phantom signs the payment's transaction (RT-023, RT-024), and the service sends it.

use super::{ATTEMPTS, PhantomUrl, wrote};
use crate::{
    http::{
        body::Body,
        fresh::OwnWrites,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{input, pay::BroadcastRecorded},
    services::{
        chain_payment::{chain, refused, send},
        phantom::{self, Connection, Step, WALLET_SOURCE, WalletAnswer},
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    response::{IntoResponse, Response},
};
use events::{
    clock::Clock,
    log::{AppendError, Log},
    unit::Unit,
    vault::Vault,
    vocab::{bytes::TxSignature, id::PaymentId},
};
use ledger::{
    payment::{self, Payment},
    phantom_session,
};
use rails::{
    phantom::{sign_transaction, signed_transaction},
    solana::{build, message::Transaction},
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::settle::{Settler, expectation};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(transaction_url)).routes(routes!(transaction_callback))
}

/// A transaction to be signed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct TransactionUrl {
    /// The payment.
    pub payment_id: String,
}

/// Phantom's answer to a transaction link.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct TransactionAnswer {
    /// The payment.
    pub payment_id: String,
    /// What it appended.
    #[serde(flatten)]
    pub answer: WalletAnswer,
}

/// A link that asks Phantom to sign the payment's transaction.
#[utoipa::path(
    post, path = "/v1/pay/phantom/transaction-url", tag = "phantom", operation_id = "phantom_transaction_url",
    request_body = TransactionUrl,
    responses(
        (status = 200, description = "The link", body = PhantomUrl),
        (status = 404, description = "`payment_not_found`", body = Problem),
        (status = 409, description = "`phantom_session_missing`, `payment_finished`, `tx_conflict`", body = Problem),
        (status = 410, description = "`payment_expired`", body = Problem),
        (status = 422, description = "`tx_failed`: the wallet cannot pay as it stands", body = Problem),
        (status = 503, description = "`chain_unavailable`", body = Problem),
    )
)]
async fn transaction_url(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    Part(settler): Part<Settler>,
    Body { value: body, .. }: Body<TransactionUrl>,
) -> Result<Json<PhantomUrl>, Problem> {
    let payment_id: PaymentId = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let connection = Connection::find(&log, &vault, payment_id, clock.now()).await?;
    match &connection.payment.state {
        Payment::PendingSignature { .. } => {}
        Payment::PendingConfirmation { .. } => return Err(Problem::new(Code::TxConflict, "a transaction was sent for this payment")),
        _ => return Err(Problem::of(Code::PaymentFinished)),
    }
    let connected = connection.connected(&vault).await?;
    let (facts, chain) = (&connection.facts, chain(&settler)?);
    let built = build::build(&chain.rpc, &expectation(facts), connected.wallet, facts.asset.decimals).await.map_err(refused)?;
    let back = phantom::redirect_link(&settings, payment_id, Step::Transaction);
    let url = sign_transaction(&connected.channel, &connection.dapp(), phantom::nonce(), &back, &connected.token, &built.transaction);
    Ok(Json(PhantomUrl { url, expires_at: facts.expires_at }))
}

/// Hand in the transaction that Phantom signed. The service sends it and records it.
#[utoipa::path(
    post, path = "/v1/pay/phantom/transaction/callback", tag = "phantom", operation_id = "phantom_transaction_callback",
    request_body = TransactionAnswer,
    responses(
        (status = 200, description = "Sent and recorded, now or before", body = BroadcastRecorded),
        (status = 404, description = "`payment_not_found`", body = Problem),
        (status = 409, description = "`phantom_session_missing`, `tx_conflict`, `payment_finished`", body = Problem),
        (status = 410, description = "`payment_expired`", body = Problem),
        (status = 422, description = "`phantom_payload_invalid`, `phantom_refused`, `tx_failed`", body = Problem),
        (status = 503, description = "`chain_unavailable`", body = Problem),
    )
)]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn transaction_callback(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settler): Part<Settler>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<TransactionAnswer>,
) -> Result<Response, Problem> {
    let payment_id: PaymentId = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let connection = Connection::find(&log, &vault, payment_id, clock.now()).await?;
    let connected = connection.connected(&vault).await?;
    let bytes = signed_transaction(&connected.open(&body.answer)?).map_err(phantom::invalid("data"))?;
    let invalid = |rule: String| Problem::field(Code::PhantomPayloadInvalid, "data", rule);
    let transaction = Transaction::parse(&bytes).map_err(|error| invalid(error.to_string()))?;
    let facts = &connection.facts;
    build::check_signed(&transaction, &expectation(facts), connected.wallet, facts.asset.decimals)
        .map_err(|error| invalid(error.to_string()))?;
    let tx = transaction.id().ok_or_else(|| invalid("the transaction has no signature".into()))?;
    if connection.payment.state.tx() != Some(tx) {
        open_for(&connection.payment.state, tx)?;
        // Before it is recorded: a payment must not be tied to a transaction that the network refused. Should the service die in
        // between, the watcher finds it by its memo.
        send(chain(&settler)?, &tx, &bytes).await?;
    }
    let (status, position) = record(&log, &vault, &clock, payment_id, tx, &request_id).await?;
    let headers = position.map(|position| wrote(&own_writes, &connection, position)).unwrap_or_default();
    let answer = BroadcastRecorded { payment_id: payment_id.to_string(), status: status.to_owned(), tx_signature: tx.to_string() };
    Ok((headers, Json(answer)).into_response())
}

/// A payment that is over takes no transaction, and one that has another gets no second: nothing is sent for either.
fn open_for(payment: &Payment, tx: TxSignature) -> Result<(), Problem> {
    match payment.tx() {
        Some(linked) if linked != tx => Err(Problem::new(Code::TxConflict, "this payment is linked to a different transaction")),
        _ => Ok(()),
    }
}

async fn record(
    log: &Log,
    vault: &Vault,
    clock: &Clock,
    payment_id: PaymentId,
    tx: TxSignature,
    request_id: &str,
) -> Result<(&'static str, Option<u64>), Problem> {
    for _ in 0..ATTEMPTS {
        let mut connection = Connection::find(log, vault, payment_id, clock.now()).await?;
        let wallet = connection.session.state.connected().map(|connected| connected.wallet);
        let mut unit = Unit::new(log, connection.context(request_id));
        let cause = connection.session.last_event;
        let signed = phantom_session::Command::SignTransaction { tx };
        let signed = unit.decide(&mut connection.session, signed, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        let broadcast =
            payment::Command::RecordBroadcast { tx, payer_wallet: wallet, wallet_source: Some(WALLET_SOURCE.to_owned()), now: clock.now() };
        unit.decide(&mut connection.payment, broadcast, signed.last().copied())
            .map_err(|refused| rejection::decided(refused.code(), refused))?;
        let status = connection.payment.state.status().unwrap_or("PENDING_CONFIRMATION");
        if unit.is_empty() {
            return Ok((status, None));
        }
        match unit.commit().await {
            Ok(appended) => return Ok((status, Some(appended.last_position))),
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(rejection::append(error)),
        }
    }
    Err(Problem::of(Code::Conflict).retry_after(1))
}
