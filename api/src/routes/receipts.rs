//! RT-038 to RT-040, RT-044: receipts, and their verification, computed anew on every call from the stored bytes (INV-76).

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
    services::read_receipt::{self, FullReceipt, PublicReceipt, Verdict},
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    log::Log,
    vault::Vault,
    vocab::{
        bytes::{Hash32, TxSignature},
        id::ReceiptId,
        time::Timestamp,
    },
};
use projections::{
    Reader,
    receipts::{self, Filter, Receipt},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(verify)).routes(routes!(public))
}

/// Which receipts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Page, from 1.
    page: Option<u32>,
    /// Receipts of a page: 1 to 100, 20 unless told.
    per_page: Option<u32>,
    /// `next_cursor` of the page before; instead of `page`.
    cursor: Option<String>,
    /// Paid by this wallet.
    wallet: Option<String>,
    /// For this hosted or access product.
    product_id: Option<String>,
    /// Text in the transaction, the wallet, the hash, the id, the invoice number, the buyer's name or the billing reference.
    q: Option<String>,
}

/// Receipts, newest first.
#[derive(Serialize, ToSchema)]
struct ReceiptList {
    /// All that match.
    total: u64,
    page: u32,
    per_page: u32,
    receipts: Vec<ReceiptRow>,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A receipt in a list.
#[derive(Serialize, ToSchema)]
struct ReceiptRow {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    #[schema(value_type = String)]
    tx_sig: TxSignature,
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    verify_url: String,
}

/// Receipts
#[utoipa::path(get, path = "/v1/receipts", tag = "receipts", operation_id = "list_receipts", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of receipts", body = ReceiptList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<ReceiptList>, Problem> {
    let asked = Asked::by_page(query.page, query.per_page, query.cursor.as_deref())?;
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "product_id", "a uuid");
    let filter = Filter {
        wallet: query.wallet.filter(|wallet| !wallet.is_empty()),
        product_id: query.product_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?,
        q: query.q.filter(|q| !q.trim().is_empty()),
    };
    fresh.wait("receipts", Some(merchant.owner), min).await?;
    let found = receipts::list(&reader, merchant.owner, true, &filter, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, total) = (found.items, found.total);
    let more = asked.cut(&mut rows, |receipt| (receipt.meta.created_at, receipt.meta.id));
    let row = |receipt: Receipt| {
        let receipt_id = ReceiptId(receipt.meta.id);
        ReceiptRow {
            receipt_id,
            tx_sig: receipt.tx_signature,
            receipt_hash: receipt.receipt_hash,
            schema_version: receipt.schema_version,
            created_at: receipt.issued_at,
            verify_url: settings.verify_url(receipt_id),
        }
    };
    Ok(Json(ReceiptList {
        total,
        page: query.page.unwrap_or(1),
        per_page: asked.limit,
        receipts: rows.into_iter().map(row).collect(),
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One receipt
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}", tag = "receipts", operation_id = "get_receipt",
    params(("receipt_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The receipt", body = FullReceipt), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<FullReceipt>, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", Some(merchant.owner), min).await?;
    Ok(Json(read_receipt::full(&reader, &settings, merchant.owner, id).await?))
}

/// Verify a receipt
///
/// For anyone. Hash and signature are computed from the stored bytes on every call.
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}/verify", tag = "receipts", operation_id = "verify_receipt",
    params(("receipt_id" = String, Path)),
    responses((status = 200, description = "Whether hash and signature hold", body = Verdict), answers::Public))]
async fn verify(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(vault): Part<Vault>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Verdict>, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", None, min.or_head(&log)).await?;
    let receipt = receipts::find_public(&reader, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    Ok(Json(read_receipt::verdict(&vault, &clock, &receipt).await?))
}

/// The public proof
///
/// For anyone: what the receipt says, whether it holds, and of the merchant's notes the invoice number, the buyer's name and the
/// billing reference.
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}/public", tag = "receipts", operation_id = "get_public_receipt",
    params(("receipt_id" = String, Path)),
    responses((status = 200, description = "The receipt with its verification", body = PublicReceipt), answers::Public))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn public(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(vault): Part<Vault>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    min: MinPosition,
    id: Segment,
) -> Result<Json<PublicReceipt>, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", None, min.or_head(&log)).await?;
    Ok(Json(read_receipt::public(&reader, &vault, &clock, &settings, id).await?))
}
