//! What one member of staff asks for and another approves (INV-48).

use super::FeeCollection;
use crate::vocab::{
    id::{ApprovalId, EventId, OwnerId, RailSettingId, TreasuryId},
    rail::RailId,
};
use serde::{Deserialize, Serialize};

/// A second person is asked (RT-105).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApprovalRequested {
    pub approval_id: ApprovalId,
    pub subject: ApprovalSubject,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// What is to be approved, as it was when the approval was asked for: nothing else is applied by it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalSubject {
    /// A merchant's payout and fee fields on a rail are right.
    RailSettingVerification(ReviewedSetting),
    /// The merchant's allowance for the fee stands on chain.
    FeeCollectionActivation(ReviewedSetting),
    /// Hilt is to be paid at another wallet. Recorded only.
    HiltTreasuryWalletChange(TreasuryWalletChange),
}

/// Hilt's wallet on a rail, as it is to be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TreasuryWalletChange {
    pub treasury_id: TreasuryId,
    pub rail_id: RailId,
    pub wallet: String,
}

/// The fields of a rail setting that a review is about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReviewedSetting {
    pub setting_id: RailSettingId,
    pub owner_id: OwnerId,
    pub rail_id: RailId,
    pub payout_address: Option<String>,
    pub fee_collection: Option<FeeCollection>,
}

/// Another member of staff agrees (RT-106).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApprovalApproved {
    pub approval_id: ApprovalId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// Another member of staff does not agree.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApprovalRejected {
    pub approval_id: ApprovalId,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}

/// What was approved is done; it is not done twice.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApprovalApplied {
    pub approval_id: ApprovalId,
    /// The event that it permitted.
    pub applied_event: EventId,
    /// The member of staff.
    pub by: String,
}

/// What two people agreed on is on record (RT-107). The wallet that is paid to stays what the deployment says (INV-49).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TreasuryWalletChangeRecorded {
    pub treasury_id: TreasuryId,
    pub rail_id: RailId,
    pub wallet: String,
    pub approval_id: ApprovalId,
    /// The event that permits it.
    pub approval_event: EventId,
    /// The member of staff who approved.
    pub approved_by: String,
    /// The member of staff who recorded it.
    pub by: String,
    pub reason: String,
}
