//! The rail gates of an access product, on the owner's settings as they are in the log.

use crate::{
    http::{problem::Problem, rejection},
    state::Settings,
};
use events::{
    log::Log,
    unit::load,
    vocab::{
        event::AccessProductCreated,
        id::{OwnerId, RailSettingId},
        rail::{Mode, RailId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    rail_gates::{self, FeeCollectionState, GateInput, RailOptions, Review},
    rail_setting::{self, FeeStatus, RailSetting},
    rails::Rails,
};
use workers::platform::Platform;

/// What the gates say of every rail for `product`. Only settings of rails that the platform runs in that mode are read: the
/// platform's gate is the first, and ends the matter for the others.
pub async fn evaluate(
    log: &Log,
    platform: &Platform,
    settings: &Settings,
    owner: OwnerId,
    mode: Mode,
    product: &AccessProductCreated,
) -> Result<RailOptions, Problem> {
    let rails = platform.rails().await.map_err(|error| rejection::read(&error))?;
    under(log, &rails, settings, owner, mode, product).await
}

/// [`evaluate`] on rails that the caller has read, and may rely on.
pub async fn under(
    log: &Log,
    rails: &Rails,
    settings: &Settings,
    owner: OwnerId,
    mode: Mode,
    product: &AccessProductCreated,
) -> Result<RailOptions, Problem> {
    let mut saved = Vec::new();
    for rail in rails
        .iter()
        .filter(|rail| matches!(mode, Mode::Live if rail.production_enabled) || matches!(mode, Mode::Sandbox if rail.sandbox_enabled))
    {
        let stream = StreamId::new(Category::RailSetting, RailSettingId::of(owner, mode, rail.rail_id));
        let setting = load::<RailSetting>(log, stream).await.map_err(|error| rejection::read(&error))?;
        saved.extend(gate_setting(&setting.state, rail.rail_id));
    }
    Ok(rail_gates::evaluate(&GateInput {
        mode,
        allowed_rails: &product.allowed_rails,
        backing_wallet: &product.merchant_wallet.to_string(),
        fee_bps: settings.access_fee_bps,
        rails,
        settings: &saved,
    }))
}

fn gate_setting(setting: &RailSetting, rail_id: RailId) -> Option<rail_gates::RailSetting> {
    let RailSetting::Saved { setting, status, fees: standing } = setting else { return None };
    Some(rail_gates::RailSetting {
        rail_id,
        enabled: setting.enabled,
        payout_address: setting.payout_address.clone(),
        review: match status {
            rail_setting::Status::Verified => Review::Verified,
            rail_setting::Status::Rejected => Review::Rejected,
            rail_setting::Status::Saved | rail_setting::Status::PendingReview => Review::Pending,
        },
        fee_collection: setting.fee_collection.as_ref().map(|fees| FeeCollectionState {
            model: fees.model,
            has_collector: fees.collector_address.is_some(),
            active: *standing == FeeStatus::Active,
        }),
    })
}
