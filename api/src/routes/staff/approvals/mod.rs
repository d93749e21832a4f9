//! RT-105 and RT-106: the queue of what one member of staff asks for and another decides (INV-48).

mod proof;
mod read;
mod request;
mod statement;
mod view;

use super::{Act, Order, operator_keys};
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
    proof::Checkpointer,
    unit::{Loaded, Unit, load},
    vault::Vault,
    vocab::{
        bytes::Signature64,
        event::{ApprovalApproved, ApprovalSubject, EventType},
        id::{ApprovalId, EventId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    Cited,
    approval::{Approval, Command, Rejection, Signing},
    operator::Operator,
    platform::{self, Platform},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use view::ApprovalView;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .merge(proof::routes())
        .merge(read::routes())
        .merge(request::routes())
        .merge(statement::routes())
        .routes(routes!(approve))
        .routes(routes!(reject))
}

/// A word on an approval.
#[derive(Default, Deserialize, ToSchema)]
struct Decision {
    /// Why.
    reason: Option<String>,
    /// Base64 of the operator's Ed25519 signature over the statement of his decision; required of who has a key, and not for a rejection.
    signature: Option<String>,
}

fn refused(refused: Rejection) -> Problem {
    let problem = rejection::decided(refused.code(), &refused);
    match refused {
        Rejection::SignatureRequired => problem.next_action(
            "Sign what POST /v1/admin/access/approvals/statement or /v1/admin/access/approvals/{id}/statement answers: hilt operator sign.",
        ),
        Rejection::KeyRequired => {
            problem.next_action("Register a key of your own: hilt operator key, then POST /v1/admin/access/operator-keys.")
        }
        _ => problem,
    }
}

/// A signature as it was sent.
fn signature(text: Option<&str>) -> Result<Option<Signature64>, Problem> {
    let malformed = |rule: events::vocab::bytes::Malformed| Problem::field(Code::ValidationFailed, "signature", rule.to_string());
    text.map(str::parse).transpose().map_err(malformed)
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
        let (subject, word) = (requested.subject.clone(), Cited::new(event, ApprovalApproved::clone(approved)));
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
    checkpointer: Checkpointer,
    vault: Vault,
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit {
            commands: state.commands.clone(),
            log: state.log.clone(),
            clock: state.clock.clone(),
            checkpointer: state.checkpointer.clone(),
            vault: state.vault.clone(),
        }
    }
}

impl Edit {
    /// What is known of the operator, and what he signed. The unit holds only while his keys and the platform's policy stay as they are.
    async fn signing(&self, unit: &mut Unit<'_>, act: &Act, signature: Option<Signature64>) -> Result<Box<Signing>, Problem> {
        let operator: Loaded<Operator> = operator_keys::keys(&self.log, act.staff.id()).await?;
        let policy = unit.load::<Platform>(platform::stream()).await.map_err(|error| rejection::read(&error))?;
        unit.rely_on(&operator);
        unit.rely_on(&policy);
        Ok(Box::new(Signing {
            log: self.checkpointer.origin().to_owned(),
            key_event: operator.last_event.filter(|_| operator.state.active.is_some()),
            required: policy.state.approval_signatures_required(),
            operator: operator.state,
            signature,
        }))
    }

    async fn approval(&self, id: ApprovalId) -> Result<Loaded<Approval>, Problem> {
        let approval = load::<Approval>(&self.log, StreamId::new(Category::Approval, id)).await;
        approval.map_err(|error| rejection::read(&error))
    }

    /// Decides what `command` says of the approval, and of what the operator signed.
    async fn decide<F>(&self, act: &Act, id: ApprovalId, signature: Option<Signature64>, command: F) -> Result<Response, Problem>
    where
        F: Fn(EventId, Box<Signing>) -> Command,
    {
        self.commands
            .run(act.operation(None), || async {
                let mut unit = Unit::new(&self.log, act.context(None, true));
                let mut approval = self.approval(id).await?;
                if let Some(correlation_id) = approval.correlation_id {
                    unit.correlate(correlation_id);
                }
                let requested_event = approval.first(EventType::ApprovalRequested).ok_or_else(|| Problem::of(Code::ApprovalNotFound))?;
                let signing = self.signing(&mut unit, act, signature).await?;
                let cause = approval.last_event;
                unit.decide(&mut approval, command(requested_event, signing), cause).map_err(refused)?;
                Ok(Draft { unit, answer: Answer::ok(ApprovalView::of_stream(&approval, self.clock.now())?)? })
            })
            .await
    }
}

/// Approve, as another member of staff
///
/// Who has registered a key of his own signs; `POST …/{id}/statement` says what.
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/approve", tag = "admin", operation_id = "approve_approval",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::Write))]
async fn approve(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Decision>) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    let signature = signature(asked.signature.as_deref())?;
    let approve = |requested_event, signing| Command::Approve { said: said.clone(), requested_event, signing };
    edit.decide(&act, id, signature, approve).await
}

/// Reject, as another member of staff
#[utoipa::path(post, path = "/v1/admin/access/approvals/{id}/reject", tag = "admin", operation_id = "reject_approval",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Decision, security(("bearer" = [])),
    responses((status = 200, description = "The approval", body = ApprovalView), answers::Write))]
async fn reject(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Decision>) -> Result<Response, Problem> {
    let id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let said = act.said(asked.reason.as_deref().unwrap_or_default());
    edit.decide(&act, id, None, |_, _| Command::Reject(said.clone())).await
}
