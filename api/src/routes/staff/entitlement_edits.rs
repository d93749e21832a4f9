//! RT-109 and RT-110: what support may do to an entitlement: close one that never was active, take one away (INV-44). Nothing here
//! confirms a payment, makes a receipt or promotes anything (INV-43).

use super::Act;
use crate::{
    http::{
        answers,
        auth::Staff,
        body::Body,
        idempotency::{Answer, Commands, Draft, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::{
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    log::Log,
    unit::{Loaded, Unit, load},
    vocab::{
        id::{EntitlementId, EventId},
        stream::{Category, StreamId},
    },
};
use ledger::entitlement::{Command, Entitlement, Rejection};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(mark_failed)).routes(routes!(revoke))
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
}

impl FromRef<State> for Edit {
    fn from_ref(state: &State) -> Self {
        Edit { commands: state.commands.clone(), log: state.log.clone() }
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

    async fn run(&self, act: &Act<'_>, id: EntitlementId, reason: &str, command: Command) -> Result<Response, Problem> {
        let known = self.load(id).await?;
        let (owner, livemode) = (known.owner_id, known.livemode.unwrap_or(true));
        self.commands
            .run(act.operation(owner), || async {
                let mut entitlement = self.load(id).await?;
                let mut unit = Unit::new(&self.log, act.context(owner, livemode));
                if let Some(correlation_id) = entitlement.correlation_id {
                    unit.correlate(correlation_id);
                }
                let cause = entitlement.last_event;
                let made = unit.decide(&mut entitlement, command.clone(), cause).map_err(refused)?;
                let answer = Answer::ok(Edited {
                    id,
                    status: entitlement.state.status(),
                    reason: reason.trim().to_owned(),
                    event_id: made.last().copied(),
                })?;
                Ok(Draft { unit, answer })
            })
            .await
    }
}

/// Close an entitlement that is pending or failed
#[utoipa::path(post, path = "/v1/admin/access/entitlements/{id}/mark-failed", tag = "admin", operation_id = "mark_entitlement_failed",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Why, security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Edited), answers::Write))]
async fn mark_failed(
    Part(edit): Part<Edit>,
    staff: Staff,
    path: Segment,
    request_id: RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<Why>,
) -> Result<Response, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let name = format!("POST /v1/admin/access/entitlements/{id}/mark-failed");
    let act = Act { staff: &staff, request_id: &request_id, name, key, hash };
    let reason = act.reason(asked.reason.as_deref())?;
    edit.run(&act, id, &reason, Command::Fail { reason: reason.clone() }).await
}

/// Take away an entitlement that is active or pending
///
/// The membership that the same payment began gives access no more; the merchant's own record of the member stays as it is.
#[utoipa::path(post, path = "/v1/admin/access/entitlements/{id}/revoke", tag = "admin", operation_id = "revoke_entitlement",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = Why, security(("bearer" = [])),
    responses((status = 200, description = "The entitlement", body = Edited), answers::Write))]
async fn revoke(
    Part(edit): Part<Edit>,
    staff: Staff,
    path: Segment,
    request_id: RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<Why>,
) -> Result<Response, Problem> {
    let id: EntitlementId = path.id(Code::EntitlementNotFound)?;
    let name = format!("POST /v1/admin/access/entitlements/{id}/revoke");
    let act = Act { staff: &staff, request_id: &request_id, name, key, hash };
    let reason = act.reason(asked.reason.as_deref())?;
    edit.run(&act, id, &reason, Command::Revoke { reason: reason.clone() }).await
}
