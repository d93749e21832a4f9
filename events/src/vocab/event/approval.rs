//! What one member of staff asks for and another approves (INV-48).

use super::{FeeCollection, OperatorSignature};
use crate::vocab::{
    id::{ApprovalId, EventId, OwnerId, RailSettingId, SubjectId, TreasuryId},
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
    /// That he asks for it, signed with a key of his own; absent where he has none.
    pub signed: Option<SignedRequest>,
}

/// What was asked for, as the operator signed it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignedRequest {
    /// RFC 8785 canonical JSON: the very bytes that are signed.
    pub statement_json: String,
    pub signature: OperatorSignature,
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
    /// A person's key is to be destroyed.
    SubjectErasure(SubjectErasure),
}

/// Whose key is to be destroyed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SubjectErasure {
    pub subject_id: SubjectId,
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
    /// What both signed, so that the leaf of this one event covers both signatures; absent where the second has no key.
    pub signed: Option<SignedDecision>,
}

/// A decision with everything that it is about: what was asked for, signed by the first, and that the second agrees, signed by him.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignedDecision {
    /// The event by which it was asked for.
    pub requested_event: EventId,
    /// RFC 8785 canonical JSON of what was asked for.
    pub request_json: String,
    /// The first operator's signature over it; absent where he has no key.
    pub request: Option<OperatorSignature>,
    /// RFC 8785 canonical JSON of the decision, which names the SHA-256 of what was asked for.
    pub decision_json: String,
    /// The second operator's signature over it.
    pub decision: OperatorSignature,
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
