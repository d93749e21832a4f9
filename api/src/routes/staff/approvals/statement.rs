//! What an operator signs, before he asks for an approval or gives one. Nothing is written.

use super::{
    Decision, Edit, refused,
    request::{NewApproval, chosen_id, subject},
};
use crate::{
    http::{
        answers,
        path::Segment,
        problem::{Code, Problem},
    },
    routes::staff::Order,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{bytes::Hash32, event::ApprovalRequested, id::ApprovalId};
use ledger::approval::{Approval, Rejection};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(of_request)).routes(routes!(of_decision))
}

/// What is to be signed.
#[derive(Serialize, ToSchema)]
struct Statement {
    #[schema(value_type = String, format = Uuid)]
    approval_id: ApprovalId,
    /// Canonical JSON (RFC 8785): these very bytes are signed with Ed25519.
    statement: String,
    /// Their SHA-256, hex.
    #[schema(value_type = String)]
    statement_sha256: Hash32,
    /// What the first operator's statement says, where this is about a decision.
    request: Option<String>,
}

/// What the operator who asks signs
///
/// Send the same body with `approval_id` and `signature` to ask for the approval.
#[utoipa::path(post, path = "/v1/admin/access/approvals/statement", tag = "admin", operation_id = "approval_request_statement",
    request_body = NewApproval, security(("bearer" = [])),
    responses((status = 200, description = "The statement", body = Statement), answers::Read))]
async fn of_request(Part(edit): Part<Edit>, Order { act, asked }: Order<NewApproval>) -> Result<Json<Statement>, Problem> {
    let (approval_id, subject) = (chosen_id(&asked)?, subject(&edit, &asked).await?);
    let reason = act.reason(asked.reason.as_deref())?;
    let requested = ApprovalRequested { approval_id, subject, by: act.staff.id().to_owned(), reason, signed: None };
    let statement = Approval::request_statement(edit.checkpointer.origin(), &requested);
    Ok(Json(Statement { approval_id, statement_sha256: Hash32::of(&statement), statement, request: None }))
}

/// What the operator who agrees signs
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/statement", tag = "admin", operation_id = "approval_decision_statement",
    params(("id" = String, Path)), request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The statement", body = Statement), answers::ReadOne))]
async fn of_decision(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Decision>) -> Result<Json<Statement>, Problem> {
    let approval_id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let approval = edit.approval(approval_id).await?;
    let requested = approval.state.requested().ok_or_else(|| Problem::of(Code::ApprovalNotFound))?;
    if requested.by == act.staff.id() {
        return Err(refused(Rejection::SecondApproverRequired));
    }
    let reason = act.reason(asked.reason.as_deref())?;
    let stated = approval.state.decision_statement(edit.checkpointer.origin(), act.staff.id(), &reason);
    let (request, statement) = stated.ok_or_else(|| refused(Rejection::NotPending { status: approval.state.status() }))?;
    Ok(Json(Statement { approval_id, statement_sha256: Hash32::of(&statement), statement, request: Some(request) }))
}
