//! RT-061 `GET /v1/access/products/available-rails`: three ideas that must not be collapsed: available, blocked, and able to create
//! a session (INV-24).

use super::{
    input,
    rails::{AdapterView, SessionOptions},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        problem::{Code, Problem},
    },
    services::{
        agent_setups, gates,
        products::{self, ProductRef},
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vocab::rail::{Mode, RailId},
};
use ledger::rail_gates::{Blocker, RailOptions, Verdict};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(available_rails))
}

/// Which product, and live or sandbox.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Setup {
    /// The merchant's own id of the product.
    pub external_product_id: Option<String>,
    /// The access product's id, or the hosted product's.
    pub product_id: Option<String>,
    /// `live` (the default for live credentials) or `sandbox`.
    pub mode: Option<String>,
}

impl Setup {
    /// The mode asked for; a sandbox key sees the sandbox only.
    pub async fn mode(&self, log: &Log, settings: &Settings, merchant: &Merchant) -> Result<Mode, Problem> {
        let asked = self.mode.as_deref().map(|text| input::word::<Mode>("mode", text)).transpose()?;
        let mode = asked.unwrap_or(if merchant.livemode() { Mode::Live } else { Mode::Sandbox });
        if mode == Mode::Live {
            agent_setups::require_live(log, settings, merchant).await?;
        }
        Ok(mode)
    }
}

/// Rails of a product.
#[derive(Serialize, ToSchema)]
struct ProductRails {
    /// `live` or `sandbox`.
    mode: &'static str,
    /// The rail of sessions that name none.
    default_rail: &'static str,
    /// Policy; not for buyers.
    allowed_rails: Vec<&'static str>,
    /// Allowed, configured, and through the platform's gates.
    available_rails: Vec<RailAvailability>,
    /// The rest, with what stands in the way.
    blocked_rails: Vec<RailAvailability>,
    /// What a checkout may offer.
    payment_session_options: SessionOptions,
}

/// One rail of a product.
#[derive(Serialize, ToSchema)]
pub struct RailAvailability {
    rail_id: &'static str,
    available: bool,
    /// What stands in the way, the first to fix first.
    blockers: Vec<&'static str>,
    payment_session: SessionAbility,
    /// The adapter's contract; null where none is registered.
    adapter: Option<AdapterView>,
}

/// Whether a rail can create a session.
#[derive(Serialize, ToSchema)]
struct SessionAbility {
    creatable: bool,
}

impl From<&Verdict> for RailAvailability {
    fn from(verdict: &Verdict) -> Self {
        RailAvailability {
            rail_id: verdict.rail.rail_id.as_str(),
            available: verdict.available(),
            blockers: verdict.blockers.iter().map(|blocker: &Blocker| blocker.code()).collect(),
            payment_session: SessionAbility { creatable: verdict.creatable() },
            adapter: verdict.rail.adapter.as_ref().map(|adapter| AdapterView::new(adapter, verdict.creatable())),
        }
    }
}

/// The available rails and the blocked ones.
pub fn halves(options: &RailOptions) -> [Vec<RailAvailability>; 2] {
    let half = |available: bool| options.rails.iter().filter(|v| v.available() == available).map(RailAvailability::from).collect();
    [half(true), half(false)]
}

/// Rails that a product can be paid on
///
/// Show buyers only `payment_session_options.session_creatable_rails`; everything else is for operators.
#[utoipa::path(get, path = "/v1/access/products/available-rails", tag = "access", operation_id = "available_rails", params(Setup),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The product's rails", body = ProductRails), answers::ReadOne))]
async fn available_rails(
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    Params(asked): Params<Setup>,
) -> Result<Json<ProductRails>, Problem> {
    let mode = asked.mode(&log, &settings, &merchant).await?;
    let named = ProductRef::parse(&asked.external_product_id, &[&asked.product_id])?;
    let product = find(&log, &merchant, mode, &named).await?;
    let options = gates::evaluate(&log, &platform, &settings, merchant.owner, mode, &product).await?;
    let [available_rails, blocked_rails] = halves(&options);
    Ok(Json(ProductRails {
        mode: mode.as_str(),
        default_rail: product.default_rail.as_str(),
        allowed_rails: product.allowed_rails.iter().map(|rail: &RailId| rail.as_str()).collect(),
        available_rails,
        blocked_rails,
        payment_session_options: SessionOptions::from(&options),
    }))
}

/// The product as that mode sees it. The sandbox may be tried on a live product, but never by a sandbox key.
pub async fn find(
    log: &Log,
    merchant: &Merchant,
    mode: Mode,
    named: &ProductRef,
) -> Result<events::vocab::event::AccessProductCreated, Problem> {
    let found = products::find(log, merchant.owner, mode == Mode::Live, named).await;
    match found {
        Err(problem) if problem.code == Code::ProductNotFound.as_str() && mode == Mode::Sandbox && merchant.livemode() => {
            products::find(log, merchant.owner, true, named).await
        }
        found => found,
    }
    .map(|found| found.product)
}
