//! What staff make of a rail setting (TR-27, TR-28).

use super::{FeeStatus, RailSetting, Rejection, Status};
use crate::{
    Cited,
    platform::{self, Said},
};
use events::vocab::{
    event::{
        ApprovalApproved, FeeCollection, FeeCollectionActivated, FeeCollectionRevoked, RailSettingRejected, RailSettingSaved,
        RailSettingVerified, ReviewedSetting,
    },
    id::OwnerId,
    rail::{FeeCollectionMode, Mode},
    stream::Fact,
};

/// A word of staff on a setting. What opens something rests on an approval, what closes it does not.
#[derive(Clone, PartialEq, Debug)]
pub enum Review {
    /// It may be used.
    Verify {
        /// What was looked at and approved.
        reviewed: ReviewedSetting,
        /// The second person's word.
        approval: Cited<ApprovalApproved>,
        /// Whether the rail takes real payments.
        production_enabled: bool,
        /// Who and why.
        said: Said,
    },
    /// It may not be used.
    Reject(Said),
    /// The allowance for the fee was seen on chain.
    ActivateFees {
        /// What was looked at and approved.
        reviewed: ReviewedSetting,
        /// The second person's word.
        approval: Cited<ApprovalApproved>,
        /// Whether the rail takes real payments.
        production_enabled: bool,
        /// Who and why.
        said: Said,
    },
    /// The fee can no longer be collected.
    RevokeFees(Said),
}

/// The fields of `setting` that a review is about.
pub fn reviewed(owner_id: OwnerId, setting: &RailSettingSaved) -> ReviewedSetting {
    ReviewedSetting {
        setting_id: setting.setting_id,
        owner_id,
        rail_id: setting.rail_id,
        payout_address: setting.payout_address.clone(),
        fee_collection: setting.fee_collection.clone(),
    }
}

impl Review {
    pub(super) fn decide(self, state: &RailSetting) -> Result<Vec<Fact>, Rejection> {
        let RailSetting::Saved { setting, status, fees } = state else { return Err(Rejection::NotFound) };
        let (setting_id, rail_id) = (setting.setting_id, setting.rail_id);
        match self {
            Review::Verify { reviewed, approval, production_enabled, said } => {
                let Said { by, reason } = checked(said)?;
                gate(setting, production_enabled)?;
                pending(*status)?;
                unchanged(setting, &reviewed)?;
                let payout_address = setting.payout_address.clone().ok_or(Rejection::PayoutAddressRequired)?;
                let (approval_id, approval_event) = (approval.event.approval_id, approval.id);
                Ok(vec![RailSettingVerified { setting_id, rail_id, payout_address, approval_id, approval_event, by, reason }.into()])
            }
            Review::Reject(said) => {
                let Said { by, reason } = checked(said)?;
                pending(*status)?;
                Ok(vec![RailSettingRejected { setting_id, rail_id, by, reason }.into()])
            }
            Review::ActivateFees { reviewed, approval, production_enabled, said } => {
                let Said { by, reason } = checked(said)?;
                gate(setting, production_enabled)?;
                unchanged(setting, &reviewed)?;
                let fee_collection = collectable(setting.fee_collection.as_ref())?.clone();
                let (approval_id, approval_event) = (approval.event.approval_id, approval.id);
                Ok(vec![FeeCollectionActivated { setting_id, rail_id, fee_collection, approval_id, approval_event, by, reason }.into()])
            }
            Review::RevokeFees(said) => {
                let Said { by, reason } = checked(said)?;
                match fees {
                    FeeStatus::Active => Ok(vec![FeeCollectionRevoked { setting_id, rail_id, by, reason }.into()]),
                    _ => Err(Rejection::FeeCollectionNotActive),
                }
            }
        }
    }
}

fn checked(said: Said) -> Result<Said, Rejection> {
    said.checked().map_err(|refused| match refused {
        platform::Rejection::ReasonRequired => Rejection::ReasonRequired,
        _ => Rejection::ReasonTooLong,
    })
}

/// Nothing is verified for real payments on a rail that takes none (INV-35).
fn gate(setting: &RailSettingSaved, production_enabled: bool) -> Result<(), Rejection> {
    match setting.mode == Mode::Live && !production_enabled {
        true => Err(Rejection::PlatformNotProductionEnabled),
        false => Ok(()),
    }
}

fn pending(status: Status) -> Result<(), Rejection> {
    match status {
        Status::PendingReview => Ok(()),
        other => Err(Rejection::NotPending { status: other.as_str() }),
    }
}

fn unchanged(setting: &RailSettingSaved, looked_at: &ReviewedSetting) -> Result<(), Rejection> {
    match reviewed(looked_at.owner_id, setting) == *looked_at {
        true => Ok(()),
        false => Err(Rejection::ApprovalStale),
    }
}

/// A way of collecting the fee that can be activated at all (INV-27).
fn collectable(fees: Option<&FeeCollection>) -> Result<&FeeCollection, Rejection> {
    match fees {
        Some(fees) if fees.model == FeeCollectionMode::DeferredMerchantBilling => Err(Rejection::FeeCollectionNotInstant),
        Some(fees) if fees.collector_address.is_some() => Ok(fees),
        Some(_) | None => Err(Rejection::FeeCollectorAddressRequired),
    }
}
