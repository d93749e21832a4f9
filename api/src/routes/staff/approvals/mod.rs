//! RT-105 and RT-106: the queue of what one member of staff asks for and another decides (INV-48).

mod read;
mod request;
mod view;

use super::{Act, Order};
use crate::{
    http::{
        answers,
        idempotency::{Answer, Commands, Draft},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::Clock,
    log::Log,
    unit::{Loaded, Unit, load},
    vocab::{
        event::{ApprovalApproved, ApprovalSubject, EventType},
        id::{ApprovalId, EventId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    Cited,
    approval::{Approval, Command, Rejection},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use view::ApprovalView;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().merge(read::routes()).merge(request::routes()).routes(routes!(approve)).routes(routes!(reject))
}

/// A word on an approval.
#[derive(Default, Deserialize, ToSchema)]
struct Decision {
    /// Why.
    reason: Option<String>,
}

fn refused(refused: Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}

/// An approval that may be applied.
pub(super) struct Approved {
    /// Its stream.
    pub approval: Loaded<Approval>,
    /// What is approved.
    pub subject: ApprovalSubject,
    /// The second person's word.
    pub word: Cited<ApprovalApproved>,
}

impl Approved {
    /// The approval of that id, if another has agreed and nobody has applied it.
    pub async fn find(log: &Log, id: ApprovalId) -> Result<Self, Problem> {
        let approval = load::<Approval>(log, StreamId::new(Category::Approval, id)).await;
        let approval = approval.map_err(|error| rejection::read(&error))?;
        if approval.is_new() {
            return Err(Problem::of(Code::ApprovalNotFound));
        }
        let not_approved = || Problem::new(Code::ApprovalNotApproved, format!("the approval is {}", approval.state.status()));
        let Approval::Approved { requested, approved } = &approval.state else { return Err(not_approved()) };
        let event = approval.first(EventType::ApprovalApproved).ok_or_else(not_approved)?;
        let (subject, word) = (requested.subject.clone(), Cited::new(event, approved.clone()));
        Ok(Approved { approval, subject, word })
    }

    /// Applies it, once, by that event.
    pub fn apply(mut self, unit: &mut Unit<'_>, act: &Act, applied_event: EventId) -> Result<(), Problem> {
        let apply = Command::Apply { applied_event, by: act.staff.id().to_owned() };
        unit.decide(&mut self.approval, apply, Some(applied_event)).map(drop).map_err(refused)
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
    async fn decide(&self, act: &Act, id: ApprovalId, command: Command) -> Result<Response, Problem> {
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
async fn approve(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Decision>) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    edit.decide(&act, id, Command::Approve(said)).await
}

/// Reject, as another member of staff
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/reject", tag = "admin", operation_id = "reject_approval",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::Write))]
async fn reject(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Decision>) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    edit.decide(&act, id, Command::Reject(said)).await
}
