//! `PUT /v1/access/rail-settings/{rail_id}` (RT-056).

use super::{context, input};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::agent_setups,
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    log::Log,
    unit::Unit,
    vocab::{
        event::{FeeCollection, RailSettingSaved},
        id::RailSettingId,
        money::Minor,
        rail::{FeeCollectionMode, Mode, RailId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    rail_gates::Blocker,
    rail_setting::{Command, FeeStatus, RailSetting, Save, Status},
    rails::{KillSwitch, Rail},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// A merchant's settings for a rail, whole.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SaveRailSetting {
    /// Whether the rail is to be used.
    pub enabled: bool,
    /// `live` or `sandbox`.
    #[schema(example = "live")]
    pub mode: Option<String>,
    /// Where payouts go, in the rail's notation; checked strictly, for a payout to an address that cannot exist is lost.
    pub payout_address: Option<String>,
    /// Your own words.
    pub label: Option<String>,
    /// EVM rails: `merchant_allowance_pull`, `buyer_split_transfer` or `deferred_merchant_billing`.
    pub fee_collection_mode: Option<String>,
    /// EVM rails: the fee collector's contract.
    pub fee_collector_address: Option<String>,
    /// EVM rails: the token the allowance is in.
    pub fee_allowance_token_contract: Option<String>,
    /// EVM rails: the allowance's limit.
    pub fee_allowance_limit_minor_units: Option<u64>,
    /// EVM rails: the transaction that approved the allowance.
    pub fee_allowance_tx_hash: Option<String>,
}

/// A merchant's settings for a rail, and how far they have come.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RailSettingView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: RailSettingId,
    /// The rail.
    pub rail_id: String,
    /// Whether it is to be used.
    pub enabled: bool,
    /// `live` or `sandbox`.
    pub mode: String,
    /// Where payouts go.
    pub payout_address: Option<String>,
    /// Your own words.
    pub label: Option<String>,
    /// `saved`, `pending_review`, `verified` or `rejected`.
    pub status: String,
    /// How the fee is collected, on EVM rails.
    pub fee_collection: Option<FeeCollectionView>,
    /// Why the rail cannot be used yet.
    pub blockers: Vec<String>,
    /// Age of the wait for review; only while it waits.
    pub pending_review_age_seconds: Option<i64>,
}

/// How the fee is collected.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FeeCollectionView {
    /// The model.
    pub model: String,
    /// `not_configured`, `pending_verification`, `active` or `revoked`.
    pub status: String,
    /// The fee collector's contract.
    pub collector_address: Option<String>,
    /// The token the allowance is in.
    pub token_contract: Option<String>,
    /// The allowance's limit.
    pub limit_minor_units: Option<u64>,
    /// The transaction that approved the allowance.
    pub allowance_tx_hash: Option<String>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(save_rail_setting))
}

/// Save the settings for a rail.
#[utoipa::path(
    put, path = "/v1/access/rail-settings/{rail_id}", tag = "access", operation_id = "save_rail_setting",
    params(("rail_id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = SaveRailSetting,
    responses(
        (status = 200, description = "The setting", body = RailSettingView),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`, `live_key_required`", body = Problem),
        (status = 409, description = "`idempotency_in_progress`", body = Problem),
        (status = 422, description = "`invalid_wallet`, `unknown_rail`, `rail_family_not_configurable`, `validation_failed`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn save_rail_setting(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    Segment(rail): Segment,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<SaveRailSetting>,
) -> Result<Response, Problem> {
    let rail_id = input::rail("rail_id", &rail)?;
    let mode = body.mode.as_deref().map(|mode| input::word::<Mode>("mode", mode)).transpose()?;
    let mode = mode.unwrap_or(if merchant.livemode() { Mode::Live } else { Mode::Sandbox });
    if mode == Mode::Live {
        agent_setups::require_live(&log, &settings, &merchant).await?;
    }
    let save = body.command(merchant.owner, rail_id, mode)?;
    let operation =
        Operation { owner: merchant.owner, name: format!("PUT /v1/access/rail-settings/{rail_id}"), key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, mode == Mode::Live, &request_id));
            let stream = StreamId::new(Category::RailSetting, save.setting_id);
            let standing = platform.standing().await.map_err(|error| rejection::read(&error))?;
            unit.rely_on(&standing.policy);
            let save = Save { two_person_review: standing.policy.state.solana_usdc_two_person_review(), ..save.clone() };
            let mut setting = unit.load::<RailSetting>(stream).await.map_err(|error| rejection::read(&error))?;
            unit.decide(&mut setting, Command::Save(Box::new(save)), None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let answer = Answer::ok(view(&setting.state, standing.rails.get(rail_id)).ok_or_else(|| Problem::of(Code::Internal))?)?;
            Ok(Draft { unit, answer })
        })
        .await
}

impl SaveRailSetting {
    fn command(&self, owner: events::vocab::id::OwnerId, rail_id: RailId, mode: Mode) -> Result<Save, Problem> {
        Ok(Save {
            setting_id: RailSettingId::of(owner, mode, rail_id),
            rail_id,
            mode,
            enabled: self.enabled,
            payout_address: self.payout_address.clone(),
            label: self.label.clone(),
            fee_collection: self.fee_collection()?,
            // Read with the policy, when it is decided.
            two_person_review: true,
        })
    }

    fn fee_collection(&self) -> Result<Option<FeeCollection>, Problem> {
        let Some(model) = &self.fee_collection_mode else { return Ok(None) };
        let limit = self.fee_allowance_limit_minor_units.map(Minor::new).transpose();
        Ok(Some(FeeCollection {
            model: input::word::<FeeCollectionMode>("fee_collection_mode", model)?,
            collector_address: self.fee_collector_address.clone(),
            token_contract: self.fee_allowance_token_contract.clone(),
            limit: limit.map_err(|rule| Problem::field(Code::AmountOutOfRange, "fee_allowance_limit_minor_units", rule.to_string()))?,
            allowance_tx_hash: self.fee_allowance_tx_hash.clone(),
        }))
    }
}

/// A saved setting as the API shows it, and what stands in the way of the rail as it now stands.
pub fn view(setting: &RailSetting, rail: &Rail) -> Option<RailSettingView> {
    let RailSetting::Saved { setting, status, fees: standing } = setting else { return None };
    Some(RailSettingView {
        id: setting.setting_id,
        rail_id: setting.rail_id.to_string(),
        enabled: setting.enabled,
        mode: setting.mode.to_string(),
        payout_address: setting.payout_address.clone(),
        label: setting.label.clone(),
        status: status.as_str().to_owned(),
        fee_collection: setting.fee_collection.as_ref().map(|fees| fees_view(fees, *standing)),
        blockers: blockers(setting, *status, rail).into_iter().map(|blocker| blocker.code().to_owned()).collect(),
        pending_review_age_seconds: (*status == Status::PendingReview).then_some(0),
    })
}

fn fees_view(fees: &FeeCollection, standing: FeeStatus) -> FeeCollectionView {
    FeeCollectionView {
        model: fees.model.to_string(),
        status: standing.as_str().to_owned(),
        collector_address: fees.collector_address.clone(),
        token_contract: fees.token_contract.clone(),
        limit_minor_units: fees.limit.map(u64::from),
        allowance_tx_hash: fees.allowance_tx_hash.clone(),
    }
}

/// What stands in the way, the platform's own gate first (INV-26).
fn blockers(setting: &RailSettingSaved, status: Status, rail: &Rail) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    match setting.mode {
        Mode::Live if !rail.production_enabled => blockers.push(Blocker::PlatformNotProductionEnabled),
        Mode::Sandbox if !rail.sandbox_enabled => blockers.push(Blocker::Disabled),
        Mode::Live | Mode::Sandbox if rail.kill_switch == KillSwitch::Tripped => blockers.push(Blocker::KillSwitched),
        Mode::Live | Mode::Sandbox => {}
    }
    match (setting.enabled, &setting.payout_address, status) {
        (false, _, _) => blockers.push(Blocker::SettingDisabled),
        // No money moves in the sandbox.
        (true, None, _) if setting.mode == Mode::Live => blockers.push(Blocker::PayoutAddressRequired),
        (true, _, Status::PendingReview) => blockers.push(Blocker::SettingPendingReview),
        (true, _, Status::Rejected) => blockers.push(Blocker::SettingRejected),
        (true, _, Status::Saved | Status::Verified) => {}
    }
    blockers
}
