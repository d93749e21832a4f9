//! RT-109 to RT-111: what support may do to an entitlement: close one that never was active, take one away, let one that waits rest on
//! a membership that its customer has (INV-44). Nothing here confirms a payment, makes a receipt or promotes the sandbox (INV-43).

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
        event::{EntitlementOrigin, Event},
        id::{EntitlementId, EventId, MembershipId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{
    Cited,
    entitlement::{Activate, Command, Entitlement, Rejection},
    evidence::{Evidence, MembershipEvidence},
    membership::{self, Membership},
    payment_session::{self, PaymentSession},
    platform::Said,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::settle::ENTITLEMENT_CLOSED;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(mark_failed)).routes(routes!(revoke)).routes(routes!(sync_from_membership))
}

/// Why.
#[derive(Deserialize, ToSchema)]
struct Why {
    /// In words; say nothing of the customer in them.
    reason: Option<String>,
}

/// The entitlement after it.
#[derive(Serialize, ToSchema)]
struct Edited {
    #[schema(value_type = String, format = Uuid)]
    id: EntitlementId,
    status: &'static str,
    reason: String,
    /// The event; null when it was so already.
    #[schema(value_type = Option<String>, format = Uuid)]
    event_id: Option<EventId>,
}

/// What an edit needs.
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

fn refused(refused: Rejection) -> Problem {
    rejection::decided(refused.code(), refused)
}

impl Edit {
    async fn load(&self, id: EntitlementId) -> Result<Loaded<Entitlement>, Problem> {
        let loaded = load::<Entitlement>(&self.log, StreamId::new(Category::Entitlement, id)).await;
        let loaded = loaded.map_err(|error| rejection::read(&error))?;
        if loaded.is_new() { Err(Problem::of(Code::EntitlementNotFound)) } else { Ok(loaded) }
    }

    async fn run(&self, act: &Act, id: EntitlementId, reason: &str, word: Word) -> Result<Response, Problem> {
        let known = self.load(id).await?;
        let (owner, livemode) = (known.owner_id, known.livemode.unwrap_or(true));
        self.commands
            .run(act.operation(owner), || async {
                let entitlement = self.load(id).await?;
                let mut unit = Unit::new(&self.log, act.context(owner, livemode));
                if let Some(correlation_id) = entitlement.correlation_id {
                    unit.correlate(correlation_id);
                }
                let mut change = Change { unit, entitlement };
                let event_id = match &word {
                    Word::Close(command) => change.close(command.clone()).await?,
                    Word::Sync => change.sync(id, act.said(reason), self.clock.now()).await?,
                };
                let status = change.entitlement.state.status();
                let answer = Answer::ok(Edited { id, status, reason: reason.trim().to_owned(), event_id })?;
                Ok(Draft { unit: change.unit, answer })
            })
            .await
    }
}

/// What staff ask for.
enum Word {
    /// To close it, that way.
    Close(Command),
    /// To let it rest on a membership.
    Sync,
}

/// The session's reason, when its customer has got access by his membership.
const HAS_ACCESS: &str = "covered_by_membership";

/// An edit under way.
struct Change<'l> {
    unit: Unit<'l>,
    entitlement: Loaded<Entitlement>,
}

impl Change<'_> {
    async fn close(&mut self, command: Command) -> Result<Option<EventId>, Problem> {
        let waited = matches!(self.entitlement.state, Entitlement::Pending { .. });
        let cause = self.entitlement.last_event;
        let made = self.unit.decide(&mut self.entitlement, command, cause).map_err(refused)?;
        if waited && self.entitlement.state.is_closed() {
            // Nobody is to pay for what will not open.
            self.end_session(ENTITLEMENT_CLOSED, made.last().copied()).await?;
        }
        Ok(made.last().copied())
    }

    /// Lets it rest on the membership of the same customer and product, if he has one that is paid (TR-41).
    async fn sync(&mut self, id: EntitlementId, said: Said, now: Timestamp) -> Result<Option<EventId>, Problem> {
        let (Some(pended), Some(owner_id)) = (self.entitlement.state.pended().cloned(), self.entitlement.owner_id) else {
            return Err(Problem::of(Code::EntitlementNotFound));
        };
        let refuse = |why: &str| Err(Problem::new(Code::EntitlementTransitionNotAllowed, why));
        if matches!(pended.origin, EntitlementOrigin::Sandbox { .. }) || self.entitlement.livemode != Some(true) {
            return refuse("an entitlement of the sandbox is never promoted");
        }
        if !matches!(self.entitlement.state, Entitlement::Pending { .. }) {
            return refuse(&format!("an entitlement that is {} does not wait", self.entitlement.state.status()));
        }
        let stream = StreamId::new(Category::Membership, MembershipId::of(pended.product_id, pended.subject_id));
        let mut membership = self.unit.load::<Membership>(stream).await.map_err(|error| rejection::read(&error))?;
        if membership.is_new() {
            return Err(Problem::new(Code::MembershipNotActive, "the customer has no membership of the product"));
        }
        let cause = membership.last_event;
        let link = membership::Command::Link { entitlement_id: id, said, now };
        let made = self.unit.decide(&mut membership, link, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        let linked = self.unit.events().find_map(|(event_id, _, event)| match event {
            Event::MembershipEntitlementLinked(event) if made.contains(&event_id) => Some(Cited::new(event_id, event.clone())),
            _ => None,
        });
        let linked = linked.ok_or_else(|| Problem::of(Code::Internal))?;
        let cause = linked.id;
        let evidence = Evidence::Membership(Box::new(MembershipEvidence { owner_id, livemode: true, linked }));
        let activate = Activate { owner_id, livemode: true, evidence, current_end: None, now };
        let made = self.unit.decide(&mut self.entitlement, Command::Activate(Box::new(activate)), Some(cause)).map_err(refused)?;
        self.end_session(HAS_ACCESS, made.last().copied()).await?;
        Ok(made.last().copied())
    }

    /// Ends the session that the entitlement waited for, if it is still open.
    async fn end_session(&mut self, reason: &str, cause: Option<EventId>) -> Result<(), Problem> {
        let Some(EntitlementOrigin::Session { session_id, .. }) = self.entitlement.state.pended().map(|pended| pended.origin) else {
            return Ok(());
        };
        let session = self.unit.load::<PaymentSession>(StreamId::new(Category::PaymentSession, session_id)).await;
        let mut session = session.map_err(|error| rejection::read(&error))?;
        if matches!(session.state, PaymentSession::Pending(_)) {
            let fail = payment_session::Command::Fail { reason: reason.to_owned() };
            self.unit.decide(&mut session, fail, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
        }
        Ok(())
    }
}

/// Close an entitlement that is pending or failed
///
/// Its session ends. What is paid for it all the same opens nothing, and becomes a support case.
#[utoipa::path(post, path = "/v1/admin/access/entitlements/{id}/mark-failed", tag = "admin", operation_id = "mark_entitlement_failed",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Why, security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Edited), answers::Write))]
async fn mark_failed(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Why>) -> Result<Response, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let reason = act.reason(asked.reason.as_deref())?;
    edit.run(&act, id, &reason, Word::Close(Command::Fail { reason: reason.clone() })).await
}

/// Take away an entitlement that is active or pending
///
/// A session that waits for its payment ends; what is paid for it all the same opens nothing, and becomes a support case. Of one that was
/// active, the membership that the same payment began gives access no more; the merchant's own record of the member stays as it is.
#[utoipa::path(post, path = "/v1/admin/access/entitlements/{id}/revoke", tag = "admin", operation_id = "revoke_entitlement",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Why, security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Edited), answers::Write))]
async fn revoke(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Why>) -> Result<Response, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let reason = act.reason(asked.reason.as_deref())?;
    edit.run(&act, id, &reason, Word::Close(Command::Revoke { reason: reason.clone() })).await
}

/// Let a pending entitlement rest on the membership that its customer has
///
/// For a live entitlement that waits, whose customer has a membership of the same product that is paid. It lasts as long as the membership
/// is paid; its session ends, for nothing is left to pay.
#[utoipa::path(post, path = "/v1/admin/access/entitlements/{id}/sync-from-membership", tag = "admin",
    operation_id = "sync_entitlement_from_membership",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Why, security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Edited), answers::Write))]
async fn sync_from_membership(Part(edit): Part<Edit>, path: Segment, Order { act, asked }: Order<Why>) -> Result<Response, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let reason = act.reason(asked.reason.as_deref())?;
    edit.run(&act, id, &reason, Word::Sync).await
}
