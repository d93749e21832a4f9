//! What merchants owe Hilt for payments whose buyers sent no fee (OBJ-25, Q-18): a merchant's own, and for staff everybody's. Nothing
//! collects them yet.

use crate::{
    http::{
        answers,
        auth::{Merchant, Staff},
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{
    Json,
    extract::{FromRef, State as Part},
};
use events::{
    log::Log,
    vocab::{
        id::{AccessProductId, OwnerId, PaymentId, ProductId, SessionId},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    fees::{self, Fee, Total},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list_fees))
}

/// Those of it for staff.
pub fn staff_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(staff_fees))
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Whose, and which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StaffPage {
    /// The workspace; all of them unless told.
    owner_id: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Fees that are due, newest first.
#[derive(Serialize, ToSchema)]
struct FeeList {
    fees: Vec<FeeView>,
    /// All that are due.
    count: u64,
    /// The sums of all that are due, an asset each.
    totals: Vec<FeeTotal>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// A fee that is due.
#[derive(Serialize, ToSchema)]
struct FeeView {
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// Who owes it.
    #[schema(value_type = Option<String>, format = Uuid)]
    owner_id: Option<OwnerId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_session_id: Option<SessionId>,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = Option<String>, format = Uuid)]
    access_product_id: Option<AccessProductId>,
    /// In the asset's minor unit.
    amount_minor_units: u64,
    asset_symbol: String,
    asset_decimals: u8,
    token_mint: String,
    fee_bps: u16,
    fee_policy: String,
    /// The transaction that paid the merchant.
    tx_signature: String,
    /// `due`.
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
}

/// What is due in one asset.
#[derive(Serialize, ToSchema)]
struct FeeTotal {
    asset_symbol: String,
    asset_decimals: u8,
    token_mint: String,
    /// In the asset's minor unit.
    amount_minor_units: u64,
    /// Of how many payments.
    count: u64,
}

impl From<Fee> for FeeView {
    fn from(row: Fee) -> Self {
        FeeView {
            payment_id: PaymentId(row.meta.id),
            owner_id: row.meta.owner_id,
            payment_session_id: row.session_id,
            product_id: row.product_id,
            access_product_id: row.access_product_id,
            amount_minor_units: row.amount.units(),
            asset_symbol: row.asset_symbol,
            asset_decimals: row.asset_decimals,
            token_mint: row.asset_mint.to_string(),
            fee_bps: row.fee_bps.get(),
            fee_policy: row.fee_policy,
            tx_signature: row.tx_signature.to_string(),
            status: "due",
            due_at: row.meta.created_at,
        }
    }
}

impl From<Total> for FeeTotal {
    fn from(total: Total) -> Self {
        FeeTotal {
            asset_symbol: total.asset_symbol,
            asset_decimals: total.asset_decimals,
            token_mint: total.asset_mint.to_string(),
            amount_minor_units: total.amount,
            count: total.count,
        }
    }
}

/// Reads what is due.
#[derive(Clone)]
struct Due {
    reader: Reader,
    fresh: Fresh,
    log: Log,
}

impl FromRef<State> for Due {
    fn from_ref(state: &State) -> Self {
        Due { reader: state.reader.clone(), fresh: state.fresh.clone(), log: state.log.clone() }
    }
}

impl Due {
    async fn list(&self, owner: Option<OwnerId>, asked: Asked) -> Result<Json<FeeList>, Problem> {
        let page = fees::list(&self.reader, owner, asked.window()).await.map_err(rejection::query)?;
        let totals = fees::totals(&self.reader, owner).await.map_err(rejection::query)?;
        let (mut rows, count) = (page.items, page.total);
        let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
        Ok(Json(FeeList {
            fees: rows.into_iter().map(FeeView::from).collect(),
            count,
            totals: totals.into_iter().map(FeeTotal::from).collect(),
            has_more: more.has_more,
            next_cursor: more.next_cursor,
        }))
    }
}

/// Fees that you owe
///
/// Of payments over x402, whose buyers make one transfer: the merchant has received it whole and owes Hilt the fee.
#[utoipa::path(get, path = "/v1/access/fees", tag = "access", operation_id = "list_fees", params(Page),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of fees, and what all of them come to", body = FeeList), answers::Read))]
async fn list_fees(
    Part(due): Part<Due>,
    merchant: Merchant,
    min: MinPosition,
    Params(page): Params<Page>,
) -> Result<Json<FeeList>, Problem> {
    let asked = Asked::by_offset(page.limit, None, page.cursor.as_deref())?;
    due.fresh.wait("fees", Some(merchant.owner), min).await?;
    due.list(Some(merchant.owner), asked).await
}

/// Fees that merchants owe
#[utoipa::path(get, path = "/v1/admin/access/fees", tag = "admin", operation_id = "staff_fees", params(StaffPage),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of fees, and what all of them come to", body = FeeList), answers::Read))]
async fn staff_fees(
    Part(due): Part<Due>,
    _staff: Staff,
    min: MinPosition,
    Params(page): Params<StaffPage>,
) -> Result<Json<FeeList>, Problem> {
    let asked = Asked::by_offset(page.limit, None, page.cursor.as_deref())?;
    let not_an_id = |_: uuid::Error| Problem::field(Code::ValidationFailed, "owner_id", "a uuid");
    let owner = page.owner_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?;
    due.fresh.wait("fees", None, min.or_head(&due.log)).await?;
    due.list(owner, asked).await
}
