//! The merchant's own subscription of Hilt (RT-050 to RT-053), which Stripe keeps. His dashboard session only (INV-57), and never a buyer
//! (INV-79).

mod change;
mod summary;
mod totals;

use crate::{
    http::problem::{Code, Problem},
    state::{Settings, State},
};
use utoipa_axum::router::OpenApiRouter;
use workers::billing::Billing;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    summary::routes().merge(change::routes())
}

/// Stripe, where the deployment has an account.
fn stripe(settings: &Settings) -> Result<&Billing, Problem> {
    settings.billing.as_ref().ok_or_else(|| Problem::of(Code::StripeNotConfigured))
}
