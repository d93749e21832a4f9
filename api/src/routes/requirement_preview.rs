//! What a session would ask for on a rail that buyers do not see yet (RT-063, AC-71): for staff, who decide whether it is released.

use super::input;
use crate::{
    http::{
        answers,
        auth::Staff,
        body::Params,
        problem::{Code, Problem},
        rejection,
    },
    services::{
        gates,
        products::{self, ProductRef},
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    unit::load,
    vocab::{
        id::{OwnerId, RailSettingId},
        money::Minor,
        rail::{Mode, RailId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    evm_requirement::{self, Author, BASE},
    fee::{self, Surface},
    rail_gates::Blocker,
    rail_setting::{FeeStatus, RailSetting},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(preview))
}

/// Whose product, on which rail.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The workspace.
    owner_id: String,
    /// The access product's id.
    product_id: Option<String>,
    /// The merchant's own id of it.
    external_product_id: Option<String>,
    /// `base_usdc` or `evm_usdc`.
    rail_id: String,
    /// CAIP-2; needed for `evm_usdc`.
    network: Option<String>,
    /// Another amount than the product's price.
    amount_minor_units: Option<u64>,
}

/// A requirement that nobody is asked for.
#[derive(Serialize, ToSchema)]
struct Preview {
    rail_id: &'static str,
    /// Whether buyers could be asked for it now.
    session_creatable: bool,
    /// Why not.
    blockers: Vec<&'static str>,
    #[schema(value_type = Object)]
    payment_requirement: Value,
}

/// What a session would ask for
///
/// Changes nothing, and buyers are shown nothing of it.
#[utoipa::path(get, path = "/v1/admin/access/payment-requirements/preview", tag = "admin", operation_id = "preview_payment_requirement",
    params(Asked), security(("bearer" = [])), responses((status = 200, description = "The requirement", body = Preview), answers::Preview))]
async fn preview(
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    _staff: Staff,
    Params(asked): Params<Asked>,
) -> Result<Json<Preview>, Problem> {
    let owner: OwnerId = asked.owner_id.parse().map_err(|_| Problem::field(Code::ValidationFailed, "owner_id", "a uuid"))?;
    let rail = input::rail("rail_id", &asked.rail_id)?;
    let named = ProductRef::parse(&asked.external_product_id, &[&asked.product_id])?;
    let product = products::find(&log, owner, true, &named).await?.product;
    let options = gates::evaluate(&log, &platform, &settings, owner, Mode::Live, &product).await?;
    let stream = StreamId::new(Category::RailSetting, RailSettingId::of(owner, Mode::Live, rail));
    let setting = load::<RailSetting>(&log, stream).await.map_err(|error| rejection::read(&error))?;
    let (saved, active) = match setting.state {
        RailSetting::Saved { setting, fees, .. } => (Some(setting), fees == FeeStatus::Active),
        RailSetting::Absent => (None, false),
    };
    let rate = fee::rate(&fee::Rates { no_plan: settings.access_fee_bps, ..fee::LAUNCH }, Surface::Access(None));
    let network = asked.network.clone().unwrap_or_else(|| if rail == RailId::BaseUsdc { BASE.to_owned() } else { String::new() });
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    let stopped = rails.get(rail).has_stopped(&network);
    let requirement = evm_requirement::author(Author {
        rail_id: rail,
        network,
        payout_address: saved.as_ref().and_then(|setting| setting.payout_address.clone()).unwrap_or_default(),
        fee_collection: saved.and_then(|setting| setting.fee_collection),
        fee_collection_active: active,
        gross: gross(&asked, product.amount)?,
        fee_bps: rate.bps,
        fee_policy: rate.policy,
        fee_wallet: settings.evm_fee_wallet.clone(),
    });
    let requirement = requirement.map_err(|refused| rejection::decided(refused.code(), refused))?;
    let verdict = options.verdict(rail);
    let mut blockers: Vec<_> =
        verdict.into_iter().flat_map(|verdict| verdict.blockers.iter().map(|blocker: &Blocker| blocker.code())).collect();
    // The rail goes on as long as one of its chains does.
    if stopped && !blockers.contains(&Blocker::KillSwitched.code()) {
        blockers.push(Blocker::KillSwitched.code());
    }
    Ok(Json(Preview {
        rail_id: rail.as_str(),
        session_creatable: !stopped && verdict.is_some_and(|verdict| verdict.creatable()),
        blockers,
        payment_requirement: requirement.json(),
    }))
}

fn gross(asked: &Asked, price: Minor) -> Result<Minor, Problem> {
    match asked.amount_minor_units {
        None => Ok(price),
        Some(units) => Minor::new(units).ok().filter(|amount| *amount != Minor::ZERO).ok_or_else(|| Problem::of(Code::AmountOutOfRange)),
    }
}
