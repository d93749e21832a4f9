//! RT-060 `GET /v1/access/products[/{id}]`.

use super::{apps::PageQuery, create_access_product::AccessProductView};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::isolation,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vocab::{
        id::AccessProductId,
        rail::RailId,
        stream::{Category, StreamId},
    },
};
use projections::{
    Reader,
    access_products::{self, AccessProduct},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Access products, newest first.
#[derive(Serialize, ToSchema)]
struct AccessProductList {
    items: Vec<AccessProductView>,
    /// All access products.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

impl From<AccessProduct> for AccessProductView {
    fn from(product: AccessProduct) -> Self {
        AccessProductView {
            id: AccessProductId(product.meta.id),
            access_product_id: AccessProductId(product.meta.id),
            product_id: product.product_id,
            access_app_id: product.app_id,
            external_product_id: product.external_product_id,
            title: product.title,
            description: product.description,
            amount_minor_units: product.amount.units(),
            merchant_wallet: product.merchant_wallet.to_string(),
            entitlement_duration_days: product.entitlement_duration_days,
            default_rail: product.default_rail.to_string(),
            allowed_rails: product.allowed_rails.iter().map(RailId::to_string).collect(),
            status: product.status.to_string(),
            livemode: product.meta.livemode,
            live_mode_confirmed: product.live_mode_confirmed,
            created_at: product.meta.created_at,
        }
    }
}

/// Access products
#[utoipa::path(get, path = "/v1/access/products", tag = "access", operation_id = "list_access_products", params(PageQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of access products", body = AccessProductList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<PageQuery>,
) -> Result<Json<AccessProductList>, Problem> {
    let asked = query.asked()?;
    fresh.wait("access_products", Some(merchant.owner), min).await?;
    let page = access_products::list(&reader, merchant.owner, merchant.livemode(), asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |product| (product.meta.created_at, product.meta.id));
    let items = rows.into_iter().map(AccessProductView::from).collect();
    Ok(Json(AccessProductList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// One access product
#[utoipa::path(get, path = "/v1/access/products/{id}", tag = "access", operation_id = "get_access_product", params(("id" = String, Path)),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The access product", body = AccessProductView), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(log): Part<Log>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<AccessProductView>, Problem> {
    let id: AccessProductId = id.id(Code::ProductNotFound)?;
    fresh.wait("access_products", Some(merchant.owner), min).await?;
    let product = access_products::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    match product.filter(|product| product.meta.livemode == merchant.livemode()) {
        Some(product) => Ok(Json(AccessProductView::from(product))),
        None => Err(isolation::missing(&log, merchant.owner, StreamId::new(Category::AccessProduct, id), Code::ProductNotFound).await),
    }
}
