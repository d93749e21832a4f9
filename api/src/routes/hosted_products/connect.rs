//! RT-010: a buyer starts a checkout. He needs no credential; what he gets is a payment to make within thirty minutes.

use crate::{
    http::{answers, body::Body, fresh::HILT_POSITION, path::Segment, problem::Problem, request_id::RequestId},
    routes::input,
    services::{
        buyer::IdentityFields,
        hosted,
        open_checkout::{Ask, Checkout},
        phantom::{self, PhantomMobile},
    },
    state::{Settings, State},
};
use axum::{
    Json,
    extract::State as Part,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use events::{
    log::Log,
    vocab::{event::PaymentCreated, id::PaymentId, money::Minor, time::Timestamp},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(connect))
}

/// Who pays, and for whom.
#[derive(Clone, Deserialize, ToSchema)]
struct Connect {
    /// The wallet that will pay, and no other.
    payer_wallet: String,
    /// What the buyer of a tip jar gives, in the asset's minor unit.
    amount_minor_units: Option<u64>,
    /// The buyer's identity.
    #[serde(flatten)]
    identity: IdentityFields,
}

/// A payment to make.
#[derive(Serialize, ToSchema)]
struct Connected {
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// 16 random bytes in hex; the transaction's memo is `HILT:` and this.
    nonce: String,
    /// The memo itself.
    memo: String,
    #[schema(value_type = u64)]
    amount_minor_units: Minor,
    #[schema(value_type = u64)]
    merchant_amount_minor_units: Minor,
    #[schema(value_type = u64)]
    fee_minor_units: Minor,
    /// Null when the fee comes to nothing.
    fee_wallet: Option<String>,
    token_mint: String,
    asset_symbol: String,
    asset_decimals: u8,
    merchant_wallet: String,
    /// Whether the buyer's identity must be verified before the payment settles.
    identity_required: bool,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// `PENDING_SIGNATURE`.
    status: &'static str,
    /// How a buyer on a phone reaches his wallet.
    phantom_mobile: Option<PhantomMobile>,
}

impl Connected {
    fn new(payment: &PaymentCreated, phantom_mobile: Option<PhantomMobile>) -> Self {
        Connected {
            payment_id: payment.payment_id,
            nonce: payment.nonce.clone(),
            memo: payment.memo(),
            amount_minor_units: payment.amount,
            merchant_amount_minor_units: payment.merchant_amount,
            fee_minor_units: payment.fee_amount,
            fee_wallet: payment.fee_wallet.map(|wallet| wallet.to_string()),
            token_mint: payment.asset.mint.to_string(),
            asset_symbol: payment.asset.symbol.clone(),
            asset_decimals: payment.asset.decimals,
            merchant_wallet: payment.merchant_wallet.to_string(),
            identity_required: payment.identity_required,
            expires_at: payment.expires_at,
            status: "PENDING_SIGNATURE",
            phantom_mobile,
        }
    }
}

/// Start a checkout
#[utoipa::path(post, path = "/v1/products/p/{slug}/connect", tag = "checkout", operation_id = "connect", request_body = Connect,
    params(("slug" = String, Path)),
    responses((status = 201, description = "The payment to make", body = Connected), answers::Write))]
async fn connect(
    Part(log): Part<Log>,
    Part(checkout): Part<Checkout>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    Segment(slug): Segment,
    Body { value: body, .. }: Body<Connect>,
) -> Result<Response, Problem> {
    let hosted = hosted::by_slug(&log, &slug).await?.selling()?;
    let payer = input::solana_wallet("payer_wallet", &body.payer_wallet)?;
    let identity = body.identity.parse()?;
    let ask = Ask {
        hosted: &hosted,
        payer: Some(payer),
        amount: body.amount_minor_units,
        identity: identity.as_ref(),
        deep_links: true,
        request_id: &request_id,
    };
    let opened = checkout.open(&ask).await?;
    let link = |key| phantom::connect(&settings, &slug, opened.payment.payment_id, key);
    let answer = Connected::new(&opened.payment, opened.phantom.as_ref().map(link));
    Ok((StatusCode::CREATED, [(HILT_POSITION, opened.position.to_string())], Json(answer)).into_response())
}
