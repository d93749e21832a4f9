//! What an owner may spend on receipts made by hand.

use crate::{
    http::{
        answers,
        auth::Merchant,
        fresh::{Fresh, MinPosition},
        problem::Problem,
        rejection,
    },
    services::plans::OwnerPlans,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{clock::Clock, vocab::time::Timestamp};
use ledger::credits::{self, Credits};
use projections::Reader;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(balance))
}

/// The credits of this calendar month.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditBalance)]
struct Balance {
    plan: String,
    /// The calendar month in UTC, `YYYY-MM`.
    period: String,
    /// What the plan grants for it.
    granted: u32,
    /// Burned in it.
    burned: u32,
    /// Left of it; it lapses when the month ends.
    balance: u32,
    /// When the next month's credits are there.
    #[schema(value_type = String, format = DateTime)]
    renews_at: Timestamp,
    /// What a receipt made by hand burns.
    manual_receipt_cost: u32,
}

/// Credits
#[utoipa::path(get, path = "/v1/credits", tag = "receipts", operation_id = "get_credits",
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The balance", body = Balance), answers::Read))]
async fn balance(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(plans): Part<OwnerPlans>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
) -> Result<Json<Balance>, Problem> {
    fresh.wait("credits", Some(merchant.owner), min).await?;
    let found = projections::credits::find(&reader, merchant.owner).await.map_err(rejection::query)?;
    let known = found.map_or_else(Credits::default, |row| Credits::recorded(row.period, row.plan, row.granted, row.burned));
    let now = clock.now();
    let plan = plans.of(merchant.owner).await?;
    let balance = known.balance(&plan, now);
    Ok(Json(Balance {
        plan: plan.name,
        balance: balance.granted.saturating_sub(balance.burned),
        period: balance.period,
        granted: balance.granted,
        burned: balance.burned,
        renews_at: credits::next_period(now),
        manual_receipt_cost: credits::MANUAL_RECEIPT,
    }))
}
