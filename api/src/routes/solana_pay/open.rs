//! Opening a payment that a phone's wallet will make: nobody knows yet which wallet that is.

use crate::{
    http::{
        answers,
        body::Body,
        fresh::HILT_POSITION,
        path::Segment,
        problem::{Code, Problem},
        request_id::RequestId,
    },
    services::{
        buyer::IdentityFields,
        hosted,
        open_checkout::{Ask, Checkout},
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
use workers::settle::Settler;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(open))
}

/// What is bought, and for whom.
#[derive(Clone, Deserialize, ToSchema)]
struct SolanaPay {
    /// What the buyer of a tip jar gives, in the asset's minor unit.
    amount_minor_units: Option<u64>,
    /// The buyer's identity.
    #[serde(flatten)]
    identity: IdentityFields,
}

/// A payment to make from a phone.
#[derive(Serialize, ToSchema)]
struct SolanaPayOpened {
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// What the wallet opens, from a link or a QR code.
    #[schema(example = "solana:https://api.hilt.so/v1/pay/solana/0190f3c4-7f00-7000-8000-000000000000")]
    url: String,
    /// The memo that the transaction carries.
    memo: String,
    #[schema(value_type = u64)]
    amount_minor_units: Minor,
    #[schema(value_type = u64)]
    merchant_amount_minor_units: Minor,
    #[schema(value_type = u64)]
    fee_minor_units: Minor,
    token_mint: String,
    asset_symbol: String,
    asset_decimals: u8,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// `PENDING_SIGNATURE`.
    status: &'static str,
}

impl SolanaPayOpened {
    fn new(payment: &PaymentCreated, settings: &Settings) -> Self {
        SolanaPayOpened {
            payment_id: payment.payment_id,
            url: settings.solana_pay_url(payment.payment_id),
            memo: payment.memo(),
            amount_minor_units: payment.amount,
            merchant_amount_minor_units: payment.merchant_amount,
            fee_minor_units: payment.fee_amount,
            token_mint: payment.asset.mint.to_string(),
            asset_symbol: payment.asset.symbol.clone(),
            asset_decimals: payment.asset.decimals,
            expires_at: payment.expires_at,
            status: "PENDING_SIGNATURE",
        }
    }
}

/// Start a checkout by Solana Pay
///
/// The wallet that pays shows itself when it opens the link. A product whose buyers must verify who they are is paid from a wallet
/// that is known beforehand, through `connect`.
#[utoipa::path(post, path = "/v1/products/p/{slug}/solana-pay", tag = "checkout", operation_id = "open_solana_pay", request_body = SolanaPay,
    params(("slug" = String, Path)),
    responses((status = 201, description = "The payment to make", body = SolanaPayOpened), answers::Write))]
async fn open(
    Part(log): Part<Log>,
    Part(checkout): Part<Checkout>,
    Part(settler): Part<Settler>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    Segment(slug): Segment,
    Body { value: body, .. }: Body<SolanaPay>,
) -> Result<Response, Problem> {
    let hosted = hosted::by_slug(&log, &slug).await?.selling()?;
    if hosted.product.membership.as_ref().is_some_and(|config| config.identity_required) {
        return Err(Problem::new(
            Code::IdentityVerificationRequired,
            "buyers of this product verify who they are, with a wallet that is known",
        )
        .next_action("Start the checkout with connect."));
    }
    if settler.chain().is_none() {
        return Err(Problem::new(Code::ChainUnavailable, "this deployment has no Solana RPC configured"));
    }
    let identity = body.identity.parse()?;
    let ask = Ask {
        hosted: &hosted,
        payer: None,
        amount: body.amount_minor_units,
        identity: identity.as_ref(),
        deep_links: false,
        request_id: &request_id,
    };
    let opened = checkout.open(&ask).await?;
    let answer = SolanaPayOpened::new(&opened.payment, &settings);
    Ok((StatusCode::CREATED, [(HILT_POSITION, opened.position.to_string())], Json(answer)).into_response())
}
