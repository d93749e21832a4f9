//! RT-057 `GET /v1/access/rail-settings[/{rail_id}]`.

use super::{
    input,
    save_rail_setting::{self, RailSettingView},
};
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
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{event::RailSettingSaved, id::RailSettingId, rail::Mode, time::Timestamp},
};
use ledger::{
    rail_setting::{FeeStatus, RailSetting as Setting, Status},
    rails::Rails,
};
use projections::{
    Reader,
    rail_settings::{self, RailSetting, SettingStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Live or sandbox.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ModeQuery {
    /// `live` (the default for live credentials) or `sandbox`.
    mode: Option<String>,
}

impl ModeQuery {
    fn mode(&self, merchant: &Merchant) -> Result<Mode, Problem> {
        match self.mode.as_deref().map(|text| input::word("mode", text)).transpose()? {
            Some(Mode::Live) => merchant.require_live().map(|_| Mode::Live),
            Some(Mode::Sandbox) => Ok(Mode::Sandbox),
            None => Ok(if merchant.livemode() { Mode::Live } else { Mode::Sandbox }),
        }
    }
}

/// The merchant's rail settings.
#[derive(Serialize, ToSchema)]
struct RailSettingList {
    rail_settings: Vec<RailSettingView>,
}

/// Rail settings
#[utoipa::path(get, path = "/v1/access/rail-settings", tag = "access", operation_id = "list_rail_settings", params(ModeQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Every setting of the mode", body = RailSettingList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ModeQuery>,
) -> Result<Json<RailSettingList>, Problem> {
    let settings = read(&reader, &fresh, &merchant, min, query.mode(&merchant)?).await?;
    let (rails, now) = (platform.shown().await.map_err(|error| rejection::read(&error))?, clock.now());
    Ok(Json(RailSettingList { rail_settings: settings.into_iter().filter_map(|setting| view(setting, &rails, now)).collect() }))
}

/// One rail setting
#[utoipa::path(get, path = "/v1/access/rail-settings/{rail_id}", tag = "access", operation_id = "get_rail_setting",
    params(("rail_id" = String, Path), ModeQuery), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The setting", body = RailSettingView), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    min: MinPosition,
    rail: Segment,
    Params(query): Params<ModeQuery>,
) -> Result<Json<RailSettingView>, Problem> {
    let mode = query.mode(&merchant)?;
    let rail = input::rail("rail_id", &rail.0)?;
    let settings = read(&reader, &fresh, &merchant, min, mode).await?;
    let setting = settings.into_iter().find(|setting| setting.rail_id == rail);
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    setting.and_then(|setting| view(setting, &rails, clock.now())).map(Json).ok_or_else(|| Problem::of(Code::RailSettingNotFound))
}

/// There are at most eight of a mode, so they need no pages.
async fn read(reader: &Reader, fresh: &Fresh, merchant: &Merchant, min: MinPosition, mode: Mode) -> Result<Vec<RailSetting>, Problem> {
    fresh.wait("rail_settings", Some(merchant.owner), min).await?;
    rail_settings::list(reader, merchant.owner, mode).await.map_err(rejection::query)
}

/// A row of the read model as the API shows it.
pub fn view(row: RailSetting, rails: &Rails, now: Timestamp) -> Option<RailSettingView> {
    let status = match row.status {
        SettingStatus::Saved => Status::Saved,
        SettingStatus::PendingReview => Status::PendingReview,
        SettingStatus::Verified => Status::Verified,
        SettingStatus::Rejected => Status::Rejected,
    };
    let fees = match row.fee_status {
        projections::rail_settings::FeeStatus::NotConfigured => FeeStatus::NotConfigured,
        projections::rail_settings::FeeStatus::PendingVerification => FeeStatus::PendingVerification,
        projections::rail_settings::FeeStatus::Active => FeeStatus::Active,
        projections::rail_settings::FeeStatus::Revoked => FeeStatus::Revoked,
    };
    let age = row.review_since.map(|since| now.seconds().saturating_sub(since.seconds()).max(0));
    let saved = RailSettingSaved {
        setting_id: RailSettingId(row.meta.id),
        rail_id: row.rail_id,
        mode: row.mode,
        enabled: row.enabled,
        payout_address: row.payout_address,
        label: row.label,
        fee_collection: row.fee_collection,
    };
    let view = save_rail_setting::view(&Setting::Saved { setting: Box::new(saved), status, fees }, rails.get(row.rail_id))?;
    Some(RailSettingView { pending_review_age_seconds: age, ..view })
}
