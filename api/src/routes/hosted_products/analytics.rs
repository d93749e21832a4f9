//! RT-007: how a product sells. Counts and sums are exact; nothing is rounded but the rate, which is text.

use super::own_product;
use crate::{
    http::{
        answers,
        auth::Merchant,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    routes::sales::SalesView,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{id::ProductId, time::Timestamp},
};
use projections::{
    Reader, deliveries, memberships,
    payments::{self, Figures},
    products::Product,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get))
}

/// How a product sells.
#[derive(Serialize, ToSchema)]
struct Analytics {
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    /// Every payment that a buyer started: the sum of the four counts below.
    payment_count: u64,
    confirmed_count: u64,
    failed_count: u64,
    expired_count: u64,
    pending_count: u64,
    /// What buyers paid in the product's present asset, in its minor unit.
    gross_amount_minor_units: u64,
    /// The merchant's part of it.
    merchant_amount_minor_units: u64,
    /// Hilt's part of it.
    fee_minor_units: u64,
    asset_symbol: String,
    asset_decimals: u8,
    /// What buyers paid, asset by asset: amounts of different assets are never added up.
    sales: Vec<SalesView>,
    /// Memberships in a paid period.
    active_memberships: u64,
    /// Purchases that could not be handed over so far.
    delivery_failed_count: u64,
    /// Confirmed payments of started ones, as a decimal text with four places, rounded down; `"0.0000"` before the first.
    #[schema(example = "0.7500")]
    conversion_rate: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_payment_at: Option<Timestamp>,
}

impl Analytics {
    fn new(product: Product, figures: Figures, active_memberships: u64, delivery_failed_count: u64) -> Self {
        let present = figures.sales.iter().find(|sales| sales.asset_mint == product.asset_mint);
        Analytics {
            product_id: ProductId(product.meta.id),
            payment_count: figures.payment_count,
            confirmed_count: figures.confirmed_count,
            failed_count: figures.failed_count,
            expired_count: figures.expired_count,
            pending_count: figures.pending_count,
            gross_amount_minor_units: present.map_or(0, |sales| sales.gross),
            merchant_amount_minor_units: present.map_or(0, |sales| sales.merchant),
            fee_minor_units: present.map_or(0, |sales| sales.fee),
            asset_symbol: product.asset_symbol,
            asset_decimals: product.asset_decimals,
            active_memberships,
            delivery_failed_count,
            conversion_rate: rate(figures.confirmed_count, figures.payment_count),
            last_payment_at: figures.last_payment_at,
            sales: figures.sales.into_iter().map(SalesView::from).collect(),
        }
    }
}

/// `part / whole` with four decimal places, rounded down.
fn rate(part: u64, whole: u64) -> String {
    let places = (u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{:04}", places / 10_000, places % 10_000)
}

/// How a product sells
#[utoipa::path(get, path = "/v1/products/{product_id}/analytics", tag = "products", operation_id = "get_product_analytics",
    params(("product_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Exact counts and sums", body = Analytics), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Analytics>, Problem> {
    let id: ProductId = id.id(Code::ProductNotFound)?;
    let product = own_product(&reader, &fresh, &merchant, min, id).await?;
    for name in ["payments", "memberships", "deliveries"] {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let now = clock.now();
    let figures = payments::figures_of_product(&reader, merchant.owner, id, now).await.map_err(rejection::query)?;
    let figures = figures.ok_or_else(|| Problem::of(Code::Internal))?;
    let active = memberships::count_active(&reader, merchant.owner, id, now).await.map_err(rejection::query)?;
    let failed = deliveries::count_failed(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    Ok(Json(Analytics::new(product, figures, active, failed)))
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_is_exact_text() {
        for (part, whole, text) in [(0, 0, "0.0000"), (0, 5, "0.0000"), (3, 4, "0.7500"), (2, 3, "0.6666"), (7, 7, "1.0000")] {
            assert_eq!(rate(part, whole), text);
        }
        assert_eq!(rate(u64::MAX, u64::MAX), "1.0000");
    }
}
