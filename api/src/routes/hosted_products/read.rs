//! RT-002, RT-003: a merchant reads his products.

use super::{own_product, view::ProductView};
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
    services::hosted,
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{log::Log, vault::Vault};
use projections::{
    Reader,
    products::{self, Filter, Product},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Which products.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `ACTIVE` or `ARCHIVED`; letter case does not matter.
    status: Option<String>,
    /// `PAYMENT_LINK` or `TIP_JAR`; letter case does not matter.
    product_type: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// Rows to skip.
    offset: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Products, newest first.
#[derive(Serialize, ToSchema)]
struct ProductList {
    items: Vec<ProductView>,
    /// All that match.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// Products
#[utoipa::path(get, path = "/v1/products", tag = "products", operation_id = "list_products", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of products", body = ProductList), answers::Read))]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<ProductList>, Problem> {
    let asked = Asked::by_offset(query.limit, query.offset, query.cursor.as_deref())?;
    let status = query.status.map(|status| status.to_uppercase());
    if !matches!(status.as_deref(), None | Some("ACTIVE" | "ARCHIVED")) {
        return Err(Problem::field(Code::ValidationFailed, "status", "ACTIVE or ARCHIVED"));
    }
    let unknown = |_| Problem::field(Code::ValidationFailed, "product_type", "PAYMENT_LINK or TIP_JAR");
    let product_type = query.product_type.map(|text| text.to_uppercase().parse()).transpose().map_err(unknown)?;
    fresh.wait("products", Some(merchant.owner), min).await?;
    let filter = Filter { status: status.as_deref(), product_type };
    let page = products::list(&reader, merchant.owner, true, filter, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |product| (product.meta.created_at, product.meta.id));
    let items = views(&log, &vault, &settings, rows).await?;
    Ok(Json(ProductList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// One product
#[utoipa::path(get, path = "/v1/products/{product_id}", tag = "products", operation_id = "get_product", params(("product_id" = String, Path)),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The product", body = ProductView), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<ProductView>, Problem> {
    let product = own_product(&reader, &fresh, &merchant, min, id.id(Code::ProductNotFound)?).await?;
    let mut views = views(&log, &vault, &settings, vec![product]).await?;
    views.pop().map(Json).ok_or_else(|| Problem::of(Code::Internal))
}

async fn views(log: &Log, vault: &Vault, settings: &Settings, rows: Vec<Product>) -> Result<Vec<ProductView>, Problem> {
    let sealed: Vec<_> = rows.iter().filter_map(|row| row.delivery_value_event).collect();
    let mut values = hosted::delivery_values(log, vault, &sealed).await?;
    let view = |row: Product| {
        let value = row.delivery_value_event.and_then(|event| values.remove(&event));
        ProductView::of_row(row, value, settings)
    };
    Ok(rows.into_iter().map(view).collect())
}
