//! An approval as staff are shown it.

use events::{
    unit::Loaded,
    vocab::{
        event::ApprovalSubject,
        id::{ApprovalId, EventId},
        time::Timestamp,
    },
};
use ledger::approval::Approval;
use projections::approvals::{Approval as Row, ApprovalAction, ApprovalStatus, about};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::problem::{Code, Problem};

/// An approval.
#[derive(Serialize, ToSchema)]
pub(super) struct ApprovalView {
    #[schema(value_type = String, format = Uuid)]
    id: ApprovalId,
    action: &'static str,
    #[schema(value_type = String, format = Uuid)]
    target: Uuid,
    /// What is to be approved, as it was when it was asked for: nothing else is applied by it.
    subject: SubjectView,
    status: &'static str,
    requested_by: String,
    reason: String,
    /// Which key of the requester's own signed it; null where he has none.
    requested_kid: Option<String>,
    decided_by: Option<String>,
    decision_reason: Option<String>,
    /// Which key of the decider's own signed it; null where he has none, and for a rejection.
    decided_kid: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    applied_by: Option<String>,
    /// What it brought about: `rail_setting_verified`, `fee_collection_activated`, `recorded_only` or `subject_erased`; null until it is applied.
    effect: Option<&'static str>,
    #[schema(value_type = Option<String>, format = Uuid)]
    applied_event: Option<EventId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since it was asked for.
    age_seconds: i64,
}

/// What an approval is about.
#[derive(Serialize, ToSchema)]
struct SubjectView {
    /// The rail setting; null for a wallet of Hilt's own and for a person.
    rail_setting_id: Option<String>,
    /// Whose it is.
    owner_id: Option<String>,
    /// Null for a person.
    rail_id: Option<&'static str>,
    payout_address: Option<String>,
    fee_collector_address: Option<String>,
    fee_allowance_tx_hash: Option<String>,
    /// Where Hilt is to be paid.
    treasury_wallet: Option<String>,
    /// The person whose key is to be destroyed.
    subject_id: Option<String>,
}

impl From<&ApprovalSubject> for SubjectView {
    fn from(subject: &ApprovalSubject) -> Self {
        let (mut reviewed, mut change, mut person) = (None, None, None);
        match subject {
            ApprovalSubject::RailSettingVerification(it) | ApprovalSubject::FeeCollectionActivation(it) => reviewed = Some(it),
            ApprovalSubject::HiltTreasuryWalletChange(it) => change = Some(it),
            ApprovalSubject::SubjectErasure(it) => person = Some(it),
        }
        let fees = reviewed.and_then(|reviewed| reviewed.fee_collection.as_ref());
        let rail_id = reviewed.map(|reviewed| reviewed.rail_id).or(change.map(|change| change.rail_id));
        SubjectView {
            rail_setting_id: reviewed.map(|reviewed| reviewed.setting_id.to_string()),
            owner_id: reviewed.map(|reviewed| reviewed.owner_id.to_string()),
            rail_id: rail_id.map(|rail| rail.as_str()),
            payout_address: reviewed.and_then(|reviewed| reviewed.payout_address.clone()),
            fee_collector_address: fees.and_then(|fees| fees.collector_address.clone()),
            fee_allowance_tx_hash: fees.and_then(|fees| fees.allowance_tx_hash.clone()),
            treasury_wallet: change.map(|change| change.wallet.clone()),
            subject_id: person.map(|person| person.subject_id.to_string()),
        }
    }
}

/// What such an approval brings about (DIS-11).
fn effect(action: ApprovalAction) -> &'static str {
    match action {
        ApprovalAction::RailSettingVerification => "rail_setting_verified",
        ApprovalAction::FeeCollectionActivation => "fee_collection_activated",
        ApprovalAction::HiltTreasuryWalletChange => "recorded_only",
        ApprovalAction::SubjectErasure => "subject_erased",
    }
}

impl ApprovalView {
    pub(super) fn of_row(row: Row, now: Timestamp) -> Self {
        ApprovalView {
            id: ApprovalId(row.meta.id),
            action: row.action.as_str(),
            target: row.target,
            subject: SubjectView::from(&row.subject),
            status: row.status.as_str(),
            requested_by: row.requested_by,
            reason: row.requested_because,
            requested_kid: row.requested_kid,
            decided_by: row.decided_by,
            decision_reason: row.decided_because,
            decided_kid: row.decided_kid,
            decided_at: row.decided_at,
            applied_by: row.applied_by,
            effect: (row.status == ApprovalStatus::Applied).then(|| effect(row.action)),
            applied_event: row.applied_event,
            created_at: row.meta.created_at,
            age_seconds: age(row.meta.created_at, now),
        }
    }

    /// Just decided, and not yet in the read model.
    pub(super) fn of_stream(approval: &Loaded<Approval>, now: Timestamp) -> Result<Self, Problem> {
        let requested = approval.state.requested().ok_or_else(|| Problem::of(Code::Internal))?;
        let (action, target) = about(&requested.subject);
        let created_at = approval.created_at.unwrap_or(now);
        let word = match &approval.state {
            Approval::Approved { approved, .. } => Some(approved),
            _ => None,
        };
        Ok(ApprovalView {
            id: requested.approval_id,
            action: action.as_str(),
            target,
            subject: SubjectView::from(&requested.subject),
            status: approval.state.status(),
            requested_by: requested.by.clone(),
            reason: requested.reason.clone(),
            requested_kid: requested.signed.as_ref().map(|signed| signed.signature.kid.clone()),
            decided_at: word.map(|_| now),
            decided_by: word.map(|word| word.by.clone()),
            decision_reason: word.map(|word| word.reason.clone()),
            decided_kid: word.and_then(|word| word.signed.as_ref()).map(|signed| signed.decision.kid.clone()),
            applied_by: None,
            effect: None,
            applied_event: None,
            created_at,
            age_seconds: age(created_at, now),
        })
    }
}

pub(super) fn age(since: Timestamp, now: Timestamp) -> i64 {
    now.seconds().saturating_sub(since.seconds()).max(0)
}
