//! Solana Pay: a payment as a transaction request, which a phone's wallet opens from a QR code or a link. A plain transfer request
//! would not do: a payment has two legs and a memo.
//!
//! The link is `solana:` and the address of `/v1/pay/solana/{payment_id}`. The wallet asks it twice: by GET for what to show, by POST
//! with its own address for the transaction to sign. The answers are those of the specification.

mod open;

use super::input;
use crate::{
    http::{
        answers,
        body::Body,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::chain_payment::ChainPayment,
    state::{Settings, State},
};
use axum::{
    Json, Router,
    extract::State as Part,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{
    log::Log,
    unit::load,
    vocab::{
        event::ProductCreated,
        id::{PaymentId, ProductId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::product::Product;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What wallets show where a merchant has no picture of his own.
const ICON: &str = include_str!("icon.svg");
const ICON_PATH: &str = "/v1/pay/solana/icon.svg";

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(open::routes())
        .routes(routes!(describe, transaction))
        .merge(Router::new().route(ICON_PATH, get(icon)).into())
}

impl Settings {
    /// The Solana Pay link of a payment. Its address has no query, so by the specification it is not encoded, and its QR code stays
    /// small.
    pub fn solana_pay_url(&self, payment: PaymentId) -> String {
        format!("solana:{}/v1/pay/solana/{payment}", self.public_api_url)
    }
}

/// Who asks for a payment.
#[derive(Serialize, ToSchema)]
struct Description {
    /// The merchant's name, or the product's title.
    label: String,
    /// A picture: SVG, PNG or WebP.
    icon: String,
}

/// What a wallet shows of a payment
#[utoipa::path(get, path = "/v1/pay/solana/{payment_id}", tag = "pay", operation_id = "describe_solana_pay",
    params(("payment_id" = String, Path)),
    responses((status = 200, description = "Who asks for the payment", body = Description), answers::Public))]
async fn describe(
    Part(payments): Part<ChainPayment>,
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    id: Segment,
) -> Result<Json<Description>, Problem> {
    let payment = payments.find(id.id(Code::PaymentNotFound)?).await?;
    let product = product(&log, payment.state.facts().map(|facts| facts.product_id)).await?;
    let pictures = [&product.branding.logo_url, &product.image_url];
    let picture = pictures.into_iter().flatten().find(|url| url.starts_with("https://"));
    Ok(Json(Description {
        label: product.branding.merchant_name.unwrap_or(product.title),
        icon: picture.cloned().unwrap_or_else(|| format!("{}{ICON_PATH}", settings.public_api_url)),
    }))
}

/// A wallet that wants to pay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = PayingWallet)]
struct Account {
    /// Its address.
    account: String,
}

/// What the wallet is to sign and send.
#[derive(Serialize, ToSchema)]
struct Requested {
    /// The unsigned transaction, base64.
    transaction: String,
    /// What it pays.
    message: String,
    /// When the payment ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The transaction that a wallet signs for a payment
#[utoipa::path(post, path = "/v1/pay/solana/{payment_id}", tag = "pay", operation_id = "request_solana_pay_transaction",
    params(("payment_id" = String, Path)), request_body = Account,
    responses((status = 200, description = "The transaction to sign", body = Requested), answers::Write))]
async fn transaction(
    Part(payments): Part<ChainPayment>,
    Part(log): Part<Log>,
    id: Segment,
    Body { value: body, .. }: Body<Account>,
) -> Result<Json<Requested>, Problem> {
    let account = input::solana_wallet("account", &body.account)?;
    let (payment, _, built) = payments.build(id.id(Code::PaymentNotFound)?, Some(account)).await?;
    let product = product(&log, Some(payment.product_id)).await?;
    Ok(Json(Requested { transaction: STANDARD.encode(built.transaction), message: product.title, expires_at: payment.expires_at }))
}

async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")], ICON).into_response()
}

async fn product(log: &Log, id: Option<ProductId>) -> Result<ProductCreated, Problem> {
    let missing = || Problem::of(Code::ProductNotFound);
    let product = load::<Product>(log, StreamId::new(Category::Product, id.ok_or_else(missing)?)).await;
    match product.map_err(|error| rejection::read(&error))?.state {
        Product::Active(facts) | Product::Archived(facts) => Ok(*facts),
        Product::Absent => Err(missing()),
    }
}
