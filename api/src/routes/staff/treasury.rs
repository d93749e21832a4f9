//! RT-107 `POST …/treasury-wallets/record-change`: what two people agreed Hilt's wallet is to be, kept for governance. It changes no
//! wallet, opens no plan checkout and no session, and moves nothing (INV-49).

use super::{Order, approvals::Approved};
use crate::{
    http::{
        answers,
        idempotency::{Answer, Commands, Draft},
        problem::{Code, Problem},
        rejection,
    },
    routes::input,
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    log::Log,
    unit::Unit,
    vocab::{
        event::ApprovalSubject,
        id::{ApprovalId, EventId},
        stream::{Category, StreamId},
    },
};
use ledger::treasury::{Command, Record, Treasury};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(record_change))
}

/// An approved change to record.
#[derive(Deserialize, ToSchema)]
struct RecordChange {
    /// An approval of `hilt_treasury_wallet_change`, approved by another than who asked for it.
    approval_id: String,
    /// Must be `true`: the record enables no live plan checkout and rotates no wallet.
    #[serde(default)]
    confirm_no_live_plan_checkout: bool,
    /// Why; the approval's reason unless told.
    reason: Option<String>,
}

/// A recorded change.
#[derive(Serialize, ToSchema)]
struct RecordedChange {
    #[schema(value_type = String, format = Uuid)]
    approval_id: ApprovalId,
    rail_id: &'static str,
    /// Where Hilt is to be paid. What it is paid at is the deployment's setting, which stays as it is.
    treasury_wallet: String,
    /// `recorded_only`.
    effect: &'static str,
    approved_by: String,
    recorded_by: String,
    #[schema(value_type = Option<String>, format = Uuid)]
    event_id: Option<EventId>,
}

/// Record an approved change of Hilt's wallet
#[utoipa::path(post, path = "/v1/admin/access/treasury-wallets/record-change", tag = "admin", operation_id = "record_treasury_wallet_change",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = RecordChange, security(("bearer" = [])),
    responses((status = 200, description = "The record", body = RecordedChange), answers::Write))]
async fn record_change(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Order { act, asked }: Order<RecordChange>,
) -> Result<Response, Problem> {
    let approval_id: ApprovalId = input::id(&asked.approval_id, Code::ApprovalNotFound)?;
    commands
        .run(act.operation(None), || async {
            let approved = Approved::find(&log, approval_id).await?;
            let ApprovalSubject::HiltTreasuryWalletChange(change) = approved.subject.clone() else {
                return Err(Problem::new(Code::ApprovalNotApproved, "the approval is of another action"));
            };
            let mut unit = Unit::new(&log, act.context(None, true));
            let treasury = unit.load::<Treasury>(StreamId::new(Category::Treasury, change.treasury_id)).await;
            let mut treasury = treasury.map_err(|error| rejection::read(&error))?;
            let said = act.said(asked.reason.as_deref().unwrap_or(&approved.word.event.reason));
            let record =
                Record { change: change.clone(), approval: approved.word.clone(), confirmed: asked.confirm_no_live_plan_checkout, said };
            let cause = approved.approval.last_event;
            let made = unit
                .decide(&mut treasury, Command::Record(Box::new(record)), cause)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let event_id = made.last().copied();
            let approved_by = approved.word.event.by.clone();
            if let Some(event_id) = event_id {
                approved.apply(&mut unit, &act, event_id)?;
            }
            let answer = Answer::ok(RecordedChange {
                approval_id,
                rail_id: change.rail_id.as_str(),
                treasury_wallet: change.wallet,
                effect: "recorded_only",
                approved_by,
                recorded_by: act.staff.id().to_owned(),
                event_id,
            })?;
            Ok(Draft { unit, answer })
        })
        .await
}
