//! `POST /v1/pay/transaction` and `POST /v1/pay/submit`: a payment as a transaction, for wallets that sign what the checkout gives
//! them. The buyer needs no credential; the chain says what was paid.

use super::input;
use crate::{
    http::{
        answers,
        body::Body,
        fresh::HILT_POSITION,
        problem::{Code, Problem},
        request_id::RequestId,
    },
    services::{
        chain_payment::{ChainPayment, Submit},
        identity::wallet_source,
    },
    state::State,
};
use axum::{
    Json,
    extract::State as Part,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::PaymentId,
    money::Minor,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(transaction)).routes(routes!(submit))
}

/// A payment to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct TransactionRequest {
    /// The payment.
    payment_id: String,
    /// The wallet that will sign; not needed where the payment names it.
    payer_wallet: Option<String>,
}

/// A transaction for the buyer's wallet.
#[derive(Serialize, ToSchema)]
struct BuiltTransaction {
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// The unsigned transaction, base64: both transfers, the token accounts that are missing, and the memo.
    transaction: String,
    /// The memo that ties the transaction to the payment.
    #[schema(example = "HILT:9f86d081884c7d659a2feaa0c55ad015")]
    memo: String,
    /// Who signs, and pays the network.
    #[schema(value_type = String)]
    payer_wallet: SolanaAddress,
    #[schema(value_type = u64)]
    amount_minor_units: Minor,
    asset_symbol: String,
    /// The last block height at which the network takes it; after that, ask again.
    last_valid_block_height: u64,
    /// When the payment ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Build a payment's transaction
#[utoipa::path(post, path = "/v1/pay/transaction", tag = "pay", operation_id = "build_payment_transaction", request_body = TransactionRequest,
    responses((status = 200, description = "The transaction to sign", body = BuiltTransaction), answers::Write))]
async fn transaction(Part(payments): Part<ChainPayment>, Body { value: body, .. }: Body<TransactionRequest>) -> Result<Response, Problem> {
    let payment_id = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let payer = body.payer_wallet.as_deref().map(|wallet| input::solana_wallet("payer_wallet", wallet)).transpose()?;
    let (payment, payer_wallet, built) = payments.build(payment_id, payer).await?;
    let answer = BuiltTransaction {
        payment_id,
        transaction: STANDARD.encode(built.transaction),
        memo: payment.memo(),
        payer_wallet,
        amount_minor_units: payment.amount,
        asset_symbol: payment.asset.symbol,
        last_valid_block_height: built.last_valid_block_height,
        expires_at: payment.expires_at,
    };
    Ok(Json(answer).into_response())
}

/// A signed transaction.
#[derive(Clone, Debug, Deserialize, ToSchema)]
struct SubmitRequest {
    /// The payment.
    payment_id: String,
    /// The wallet that signed.
    payer_wallet: String,
    /// The wallet's software.
    #[schema(example = "EXTERNAL_PHANTOM")]
    wallet_source: Option<String>,
    /// The signed transaction, base64.
    transaction: String,
}

/// A transaction that was sent.
#[derive(Serialize, ToSchema)]
struct SubmittedTransaction {
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// `PENDING_CONFIRMATION`, or what it has become since.
    status: &'static str,
    #[schema(value_type = String)]
    tx_signature: TxSignature,
}

/// Send a payment's signed transaction
///
/// For wallets that sign and do not send. The transaction must be the payment's: signed by the payer alone, with its memo and exactly
/// its transfers. It is sent and recorded as by `POST /v1/pay/broadcast`.
#[utoipa::path(post, path = "/v1/pay/submit", tag = "pay", operation_id = "submit_payment_transaction", request_body = SubmitRequest,
    responses((status = 200, description = "Sent, now or before", body = SubmittedTransaction), answers::Write))]
async fn submit(
    Part(payments): Part<ChainPayment>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<SubmitRequest>,
) -> Result<Response, Problem> {
    let payment_id = input::id(&body.payment_id, Code::PaymentNotFound)?;
    let payer = input::solana_wallet("payer_wallet", &body.payer_wallet)?;
    let wallet_source = wallet_source(body.wallet_source.as_deref())?;
    let bytes = STANDARD.decode(&body.transaction).map_err(|_| Problem::field(Code::ValidationFailed, "transaction", "is base64"))?;
    let submit = Submit { payment_id, transaction: &bytes, payer, wallet_source, request_id: &request_id };
    let sent = payments.submit(&submit).await?;
    let position: HeaderMap = sent.position.map(|position| (HILT_POSITION, position.into())).into_iter().collect();
    Ok((position, Json(SubmittedTransaction { payment_id, status: sent.status, tx_signature: sent.tx })).into_response())
}
