//! RT-105 and RT-106: the queue of what one member of staff asks for and another decides (INV-48).

use super::Act;
use crate::{
    http::{
        answers,
        auth::Staff,
        body::{Body, Params},
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, OptionalKey},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::input,
    state::State,
};
use axum::{
    Json,
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::{Clock, new_id},
    log::Log,
    unit::{Loaded, Unit, load},
    vocab::{
        event::{ApprovalSubject, ReviewedSetting},
        id::{ApprovalId, EventId, RailSettingId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{
    approval::{Approval, Command, Rejection},
    rail_setting::{RailSetting, reviewed},
};
use projections::{
    Reader,
    approvals::{self, Approval as Row, ApprovalAction, ApprovalStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(list, request)).routes(routes!(get)).routes(routes!(approve)).routes(routes!(reject))
}

/// Something to approve.
#[derive(Deserialize, ToSchema)]
struct NewApproval {
    /// `rail_setting_verification` or `fee_collection_activation`.
    action: String,
    /// The rail setting's id.
    target: String,
    /// What was looked at, to be compared with what the setting says now.
    #[serde(default)]
    payload: LookedAt,
    /// Why.
    reason: Option<String>,
}

/// What the member of staff looked at.
#[derive(Default, Deserialize, ToSchema)]
struct LookedAt {
    /// The payout address.
    payout_address: Option<String>,
}

/// A word on an approval.
#[derive(Default, Deserialize, ToSchema)]
struct Decision {
    /// Why.
    reason: Option<String>,
}

/// Which approvals.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `pending`, `approved`, `rejected` or `applied`.
    status: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The queue, newest first.
#[derive(Serialize, ToSchema)]
struct Queue {
    approvals: Vec<ApprovalView>,
    /// All that match.
    count: u64,
    /// How long the oldest has waited; null while none waits.
    oldest_pending_age_seconds: Option<i64>,
    has_more: bool,
    next_cursor: Option<String>,
}

/// An approval.
#[derive(Serialize, ToSchema)]
struct ApprovalView {
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
    decided_by: Option<String>,
    decision_reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    applied_by: Option<String>,
    #[schema(value_type = Option<String>, format = Uuid)]
    applied_event: Option<EventId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since it was asked for.
    age_seconds: i64,
}

/// The setting that an approval is about.
#[derive(Serialize, ToSchema)]
struct SubjectView {
    rail_setting_id: String,
    owner_id: String,
    rail_id: &'static str,
    payout_address: Option<String>,
    fee_collector_address: Option<String>,
    fee_allowance_tx_hash: Option<String>,
}

fn setting_of(subject: &ApprovalSubject) -> &ReviewedSetting {
    match subject {
        ApprovalSubject::RailSettingVerification(reviewed) | ApprovalSubject::FeeCollectionActivation(reviewed) => reviewed,
    }
}

fn action_of(subject: &ApprovalSubject) -> ApprovalAction {
    match subject {
        ApprovalSubject::RailSettingVerification(_) => ApprovalAction::RailSettingVerification,
        ApprovalSubject::FeeCollectionActivation(_) => ApprovalAction::FeeCollectionActivation,
    }
}

impl From<&ApprovalSubject> for SubjectView {
    fn from(subject: &ApprovalSubject) -> Self {
        let reviewed = setting_of(subject);
        let fees = reviewed.fee_collection.as_ref();
        SubjectView {
            rail_setting_id: reviewed.setting_id.to_string(),
            owner_id: reviewed.owner_id.to_string(),
            rail_id: reviewed.rail_id.as_str(),
            payout_address: reviewed.payout_address.clone(),
            fee_collector_address: fees.and_then(|fees| fees.collector_address.clone()),
            fee_allowance_tx_hash: fees.and_then(|fees| fees.allowance_tx_hash.clone()),
        }
    }
}

impl ApprovalView {
    fn of_row(row: Row, now: Timestamp) -> Self {
        ApprovalView {
            id: ApprovalId(row.meta.id),
            action: row.action.as_str(),
            target: row.target,
            subject: SubjectView::from(&row.subject),
            status: row.status.as_str(),
            requested_by: row.requested_by,
            reason: row.requested_because,
            decided_by: row.decided_by,
            decision_reason: row.decided_because,
            decided_at: row.decided_at,
            applied_by: row.applied_by,
            applied_event: row.applied_event,
            created_at: row.meta.created_at,
            age_seconds: age(row.meta.created_at, now),
        }
    }

    /// Just decided, and not yet in the read model.
    fn of_stream(approval: &Loaded<Approval>, now: Timestamp) -> Result<Self, Problem> {
        let requested = approval.state.requested().ok_or_else(|| Problem::of(Code::Internal))?;
        let created_at = approval.created_at.unwrap_or(now);
        let (decided_by, decision_reason) = match &approval.state {
            Approval::Approved { approved, .. } => (Some(approved.by.clone()), Some(approved.reason.clone())),
            _ => (None, None),
        };
        Ok(ApprovalView {
            id: requested.approval_id,
            action: action_of(&requested.subject).as_str(),
            target: setting_of(&requested.subject).setting_id.0,
            subject: SubjectView::from(&requested.subject),
            status: approval.state.status(),
            requested_by: requested.by.clone(),
            reason: requested.reason.clone(),
            decided_at: decided_by.as_ref().map(|_| now),
            decided_by,
            decision_reason,
            applied_by: None,
            applied_event: None,
            created_at,
            age_seconds: age(created_at, now),
        })
    }
}

fn age(since: Timestamp, now: Timestamp) -> i64 {
    now.seconds().saturating_sub(since.seconds()).max(0)
}

fn refused(refused: Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}

/// The queue of approvals
#[utoipa::path(get, path = "/v1/admin/access/approvals", tag = "admin", operation_id = "list_approvals", params(ListQuery),
    security(("bearer" = [])), responses((status = 200, description = "A page of the queue", body = Queue), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    _staff: Staff,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<Queue>, Problem> {
    let asked = Asked::by_offset(query.limit, None, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "pending, approved, rejected or applied");
    let status = query.status.as_deref().map(|text| ApprovalStatus::parse(text).ok_or_else(unknown)).transpose()?;
    fresh.wait("approvals", None, min.or_head(&log)).await?;
    let page = approvals::list(&reader, status, asked.window()).await.map_err(rejection::query)?;
    let oldest = approvals::oldest_pending(&reader).await.map_err(rejection::query)?;
    let (mut rows, count, now) = (page.items, page.total, clock.now());
    let more = asked.cut(&mut rows, |row| (row.meta.created_at, row.meta.id));
    Ok(Json(Queue {
        approvals: rows.into_iter().map(|row| ApprovalView::of_row(row, now)).collect(),
        count,
        oldest_pending_age_seconds: oldest.map(|row| age(row.meta.created_at, now)),
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One approval
#[utoipa::path(get, path = "/v1/admin/access/approvals/{id}", tag = "admin", operation_id = "get_approval",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    _staff: Staff,
    min: MinPosition,
    id: Segment,
) -> Result<Json<ApprovalView>, Problem> {
    let id: ApprovalId = id.id(Code::ApprovalNotFound)?;
    fresh.wait("approvals", None, min.or_head(&log)).await?;
    let row = approvals::find(&reader, id).await.map_err(rejection::query)?.ok_or_else(|| Problem::of(Code::ApprovalNotFound))?;
    Ok(Json(ApprovalView::of_row(row, clock.now())))
}

/// Ask for an approval
///
/// Another member of staff decides; what is approved is the setting as it is now.
#[utoipa::path(post, path = "/v1/admin/access/approvals", tag = "admin", operation_id = "request_approval",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = NewApproval, security(("bearer" = [])),
    responses((status = 201, description = "The approval", body = ApprovalView), answers::Write))]
async fn request(
    Part(edit): Part<Edit>,
    staff: Staff,
    request_id: RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<NewApproval>,
) -> Result<Response, Problem> {
    let unknown = || Problem::field(Code::ValidationFailed, "action", "rail_setting_verification or fee_collection_activation");
    let action = ApprovalAction::parse(&asked.action).ok_or_else(unknown)?;
    let target: RailSettingId = input::id(&asked.target, Code::RailSettingNotFound)?;
    let act = Act { staff: &staff, request_id: &request_id, name: "POST /v1/admin/access/approvals".into(), key, hash };
    let approval_id: ApprovalId = new_id();
    edit.commands
        .run(act.operation(None), || async {
            let reviewed = looked_at(&edit.log, target, &asked.payload).await?;
            let subject = Box::new(match action {
                ApprovalAction::RailSettingVerification => ApprovalSubject::RailSettingVerification(reviewed),
                ApprovalAction::FeeCollectionActivation => ApprovalSubject::FeeCollectionActivation(reviewed),
            });
            let mut unit = Unit::new(&edit.log, act.context(None, true));
            let mut approval = unit.start::<Approval>(StreamId::new(Category::Approval, approval_id));
            let said = act.said(asked.reason.as_deref().unwrap_or_default());
            unit.decide(&mut approval, Command::Request { approval_id, subject, said }, None).map_err(refused)?;
            let answer = Answer::created(ApprovalView::of_stream(&approval, edit.clock.now())?)?.stamped();
            Ok(Draft { unit, answer })
        })
        .await
}

/// The setting as it is now, if it is what was looked at.
async fn looked_at(log: &Log, target: RailSettingId, payload: &LookedAt) -> Result<ReviewedSetting, Problem> {
    let setting = load::<RailSetting>(log, StreamId::new(Category::RailSetting, target)).await;
    let setting = setting.map_err(|error| rejection::read(&error))?;
    let (RailSetting::Saved { setting, .. }, Some(owner)) = (&setting.state, setting.owner_id) else {
        return Err(Problem::of(Code::RailSettingNotFound));
    };
    match &payload.payout_address {
        Some(address) if Some(address) != setting.payout_address.as_ref() => {
            Err(Problem::new(Code::ApprovalStale, "the setting has another payout address than the one looked at"))
        }
        _ => Ok(reviewed(owner, setting)),
    }
}

/// What every word on an approval needs.
#[derive(Clone)]
struct Edit {
    commands: Commands,
    log: Log,
    clock: Clock,
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit { commands: state.commands.clone(), log: state.log.clone(), clock: state.clock.clone() }
    }
}

impl Edit {
    async fn decide(&self, act: &Act<'_>, id: ApprovalId, command: Command) -> Result<Response, Problem> {
        self.commands
            .run(act.operation(None), || async {
                let mut unit = Unit::new(&self.log, act.context(None, true));
                let approval = unit.load::<Approval>(StreamId::new(Category::Approval, id)).await;
                let mut approval = approval.map_err(|error| rejection::read(&error))?;
                if let Some(correlation_id) = approval.correlation_id {
                    unit.correlate(correlation_id);
                }
                let cause = approval.last_event;
                unit.decide(&mut approval, command.clone(), cause).map_err(refused)?;
                Ok(Draft { unit, answer: Answer::ok(ApprovalView::of_stream(&approval, self.clock.now())?)? })
            })
            .await
    }
}

/// Approve, as another member of staff
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/approve", tag = "admin", operation_id = "approve_approval",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::Write))]
async fn approve(
    Part(edit): Part<Edit>,
    staff: Staff,
    path: Segment,
    request_id: RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<Decision>,
) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let act = Act { staff: &staff, request_id: &request_id, name: format!("POST /v1/admin/access/approvals/{id}/approve"), key, hash };
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    edit.decide(&act, id, Command::Approve(said)).await
}

/// Reject, as another member of staff
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/reject", tag = "admin", operation_id = "reject_approval",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::Write))]
async fn reject(
    Part(edit): Part<Edit>,
    staff: Staff,
    path: Segment,
    request_id: RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<Decision>,
) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let act = Act { staff: &staff, request_id: &request_id, name: format!("POST /v1/admin/access/approvals/{id}/reject"), key, hash };
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    edit.decide(&act, id, Command::Reject(said)).await
}
