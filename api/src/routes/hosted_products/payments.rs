//! RT-006: the payments of a product, for its merchant.

use super::own_product;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        id::{MembershipId, PaymentId, ProductId, ReceiptId},
        money::{FeeBps, Minor},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    payments::{self, Payment, PaymentStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which payments.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `PENDING_SIGNATURE`, `PENDING_CONFIRMATION`, `CONFIRMED`, `FAILED` or `EXPIRED`; letter case does not matter.
    status: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// Rows to skip.
    offset: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Payments, newest first.
#[derive(Serialize, ToSchema)]
struct PaymentList {
    items: Vec<PaymentView>,
    /// All that match.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A payment, as the merchant sees it.
#[derive(Serialize, ToSchema)]
struct PaymentView {
    #[schema(value_type = String, format = Uuid)]
    id: PaymentId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    /// `PENDING_SIGNATURE`, `PENDING_CONFIRMATION`, `CONFIRMED`, `FAILED` or `EXPIRED`, at the time of the answer.
    status: &'static str,
    #[schema(value_type = u64)]
    amount_minor_units: Minor,
    #[schema(value_type = u64)]
    merchant_amount_minor_units: Minor,
    #[schema(value_type = u64)]
    fee_minor_units: Minor,
    #[schema(value_type = u16)]
    fee_bps: FeeBps,
    asset_symbol: String,
    asset_decimals: u8,
    #[schema(value_type = String)]
    token_mint: SolanaAddress,
    #[schema(value_type = String)]
    merchant_wallet: SolanaAddress,
    #[schema(value_type = Option<String>)]
    payer_wallet: Option<SolanaAddress>,
    #[schema(value_type = Option<String>)]
    tx_signature: Option<TxSignature>,
    identity_required: bool,
    customer_reference_type: Option<String>,
    customer_reference_value: Option<String>,
    customer_reference_display: Option<String>,
    /// A stable code.
    failure_reason: Option<String>,
    #[schema(value_type = Option<String>, format = Uuid)]
    membership_id: Option<MembershipId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        PaymentView {
            id: PaymentId(payment.meta.id),
            product_id: payment.product_id,
            status: payment.status.as_str(),
            amount_minor_units: payment.amount,
            merchant_amount_minor_units: payment.merchant_amount,
            fee_minor_units: payment.fee_amount,
            fee_bps: payment.fee_bps,
            asset_symbol: payment.asset_symbol,
            asset_decimals: payment.asset_decimals,
            token_mint: payment.asset_mint,
            merchant_wallet: payment.merchant_wallet,
            payer_wallet: payment.payer_wallet,
            tx_signature: payment.tx_signature,
            identity_required: payment.identity_required,
            customer_reference_type: payment.identity_type,
            customer_reference_value: payment.identity_value,
            customer_reference_display: payment.identity_display,
            failure_reason: payment.failure_reason,
            membership_id: payment.membership_id,
            receipt_id: payment.receipt_id,
            created_at: payment.meta.created_at,
            expires_at: payment.expires_at,
            confirmed_at: payment.confirmed_at,
            failed_at: payment.failed_at,
        }
    }
}

/// Payments of a product
#[utoipa::path(get, path = "/v1/products/{product_id}/payments", tag = "products", operation_id = "list_product_payments",
    params(("product_id" = String, Path), ListQuery), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of payments", body = PaymentList), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
    Params(query): Params<ListQuery>,
) -> Result<Json<PaymentList>, Problem> {
    let asked = Asked::by_offset(query.limit, query.offset, query.cursor.as_deref())?;
    let unknown =
        || Problem::field(Code::ValidationFailed, "status", "PENDING_SIGNATURE, PENDING_CONFIRMATION, CONFIRMED, FAILED or EXPIRED");
    let status = query.status.map(|text| PaymentStatus::parse(&text.to_uppercase()).ok_or_else(unknown)).transpose()?;
    let id: ProductId = id.id(Code::ProductNotFound)?;
    own_product(&reader, &fresh, &merchant, min, id).await?;
    fresh.wait("payments", Some(merchant.owner), min).await?;
    let page = payments::list_of_product(&reader, merchant.owner, id, status, asked.window(), clock.now()).await;
    let page = page.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |payment| (payment.meta.created_at, payment.meta.id));
    let items = rows.into_iter().map(PaymentView::from).collect();
    Ok(Json(PaymentList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}
