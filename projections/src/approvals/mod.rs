//! The queue of approvals: RT-105, RT-106.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{ApprovalSubject, Event, EventType},
    id::EventId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The projection.
pub struct Approvals;

/// A row of `approvals`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// Id and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What is to be done.
    pub action: ApprovalAction,
    /// To what.
    pub target: Uuid,
    /// What is to be approved, as it was when it was asked for.
    pub subject: ApprovalSubject,
    /// Where it stands.
    pub status: ApprovalStatus,
    /// The member of staff who asked.
    pub requested_by: String,
    /// Why.
    pub requested_because: String,
    /// Which key of his signed it.
    pub requested_kid: Option<String>,
    /// The other who agreed or did not.
    pub decided_by: Option<String>,
    /// Why.
    pub decided_because: Option<String>,
    /// Which key of his signed it.
    pub decided_kid: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Who had it take effect.
    pub applied_by: Option<String>,
    /// The event that it permitted.
    pub applied_event: Option<EventId>,
    /// When.
    pub applied_at: Option<Timestamp>,
}

impl Row for Approval {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Approvals {
    const NAME: &'static str = "approvals";
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Approval;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::ApprovalRequested(e) => Keys::row(e.approval_id),
            Event::ApprovalApproved(e) => Keys::row(e.approval_id),
            Event::ApprovalRejected(e) => Keys::row(e.approval_id),
            Event::ApprovalApplied(e) => Keys::row(e.approval_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Approval>, event: &Applied<'_>) -> Result<(), Poison> {
        let at = event.recorded.envelope.recorded_at;
        let decide = |row: &mut Approval, status, by: &str, reason: &str| {
            row.status = status;
            row.decided_by = Some(by.to_owned());
            row.decided_because = Some(reason.to_owned());
            row.decided_at = Some(at);
        };
        match event.event {
            Event::ApprovalRequested(e) => {
                let (action, target) = about(&e.subject);
                let asked = Approval {
                    meta: event.meta(e.approval_id, None),
                    action,
                    target,
                    subject: e.subject.clone(),
                    status: ApprovalStatus::Pending,
                    requested_by: e.by.clone(),
                    requested_because: e.reason.clone(),
                    requested_kid: e.signed.as_ref().map(|signed| signed.signature.kid.clone()),
                    decided_by: None,
                    decided_because: None,
                    decided_kid: None,
                    decided_at: None,
                    applied_by: None,
                    applied_event: None,
                    applied_at: None,
                };
                rows.insert(event, asked)
            }
            Event::ApprovalApproved(e) => rows.update(event, e.approval_id, |row| {
                decide(row, ApprovalStatus::Approved, &e.by, &e.reason);
                row.decided_kid = e.signed.as_ref().map(|signed| signed.decision.kid.clone());
            }),
            Event::ApprovalRejected(e) => rows.update(event, e.approval_id, |row| decide(row, ApprovalStatus::Rejected, &e.by, &e.reason)),
            Event::ApprovalApplied(e) => rows.update(event, e.approval_id, |row| {
                row.status = ApprovalStatus::Applied;
                row.applied_by = Some(e.by.clone());
                row.applied_event = Some(e.applied_event);
                row.applied_at = Some(at);
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

/// What is to be done, and to what.
pub fn about(subject: &ApprovalSubject) -> (ApprovalAction, Uuid) {
    match subject {
        ApprovalSubject::RailSettingVerification(reviewed) => (ApprovalAction::RailSettingVerification, reviewed.setting_id.0),
        ApprovalSubject::FeeCollectionActivation(reviewed) => (ApprovalAction::FeeCollectionActivation, reviewed.setting_id.0),
        ApprovalSubject::HiltTreasuryWalletChange(change) => (ApprovalAction::HiltTreasuryWalletChange, change.treasury_id.0),
        ApprovalSubject::SubjectErasure(erasure) => (ApprovalAction::SubjectErasure, erasure.subject_id.0),
    }
}

words! {
    /// What can be approved.
    pub enum ApprovalAction {
        /// A merchant's rail setting is right.
        RailSettingVerification = "rail_setting_verification",
        /// The merchant's allowance for the fee stands.
        FeeCollectionActivation = "fee_collection_activation",
        /// Hilt is to be paid at another wallet.
        HiltTreasuryWalletChange = "hilt_treasury_wallet_change",
        /// A person's key is to be destroyed.
        SubjectErasure = "subject_erasure",
    }
}

words! {
    /// Where an approval stands.
    pub enum ApprovalStatus {
        /// Waits for another member of staff.
        Pending = "pending",
        /// Another agreed.
        Approved = "approved",
        /// Another did not.
        Rejected = "rejected",
        /// It has taken effect.
        Applied = "applied",
    }
}
