//! What staff do to the platform and for merchants: settings, rails, reviews, entitlements. No route of it is in the public document
//! (INV-47), and every write keeps who did it and why (INV-44).

mod approvals;
mod capability;
mod entitlement_edits;
mod entitlements;
mod kill_switch;
mod operator_keys;
mod rail_reviews;
mod rail_view;
mod rails;
mod settings;
mod statements;
mod subjects;
mod treasury;

use crate::{
    http::{
        auth::{Auth, Staff},
        body::Body,
        idempotency::{Operation, OptionalKey},
        problem::Problem,
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::extract::{FromRef, FromRequest, FromRequestParts as _, OriginalUri, Request};
use events::{clock::new_id, log::Context, vocab::id::OwnerId};
use ledger::platform::Said;
use serde::de::DeserializeOwned;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .merge(approvals::routes())
        .merge(capability::routes())
        .merge(entitlement_edits::routes())
        .merge(entitlements::routes())
        .merge(kill_switch::routes())
        .merge(operator_keys::routes())
        .merge(rail_reviews::routes())
        .merge(rails::routes())
        .merge(settings::routes())
        .merge(statements::routes())
        .merge(subjects::routes())
        .merge(treasury::routes())
}

/// Whose idempotency keys those are that staff send for what belongs to no workspace.
const PLATFORM: OwnerId = OwnerId(Uuid::nil());

/// One write of staff.
struct Act {
    staff: Staff,
    request_id: RequestId,
    /// `METHOD /path`.
    name: String,
    key: Option<String>,
    hash: [u8; 32],
}

/// A write of staff, and what it asks for.
struct Order<T> {
    act: Act,
    asked: T,
}

impl<S, T> FromRequest<S> for Order<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    Auth: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let staff = Staff::from_request_parts(&mut parts, state).await?;
        let OptionalKey(key) = OptionalKey::from_request_parts(&mut parts, state).await?;
        let Ok(request_id) = RequestId::from_request_parts(&mut parts, state).await;
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(&mut parts, state).await;
        let name = format!("{} {}", parts.method, uri.path());
        let Body { value: asked, hash } = Body::from_request(Request::from_parts(parts, body), state).await?;
        Ok(Order { act: Act { staff, request_id, name, key, hash }, asked })
    }
}

impl Act {
    /// As an operation of `owner`'s workspace, or of the platform. Two members of staff may choose the same key.
    fn operation(&self, owner: Option<OwnerId>) -> Operation {
        let name = format!("{} {}", self.staff.id(), self.name);
        Operation { owner: owner.unwrap_or(PLATFORM), name, key: self.key.clone(), request_hash: self.hash }
    }

    /// For the events.
    fn context(&self, owner_id: Option<OwnerId>, livemode: bool) -> Context {
        Context {
            owner_id,
            livemode,
            actor: self.staff.actor.clone(),
            request_id: Some(self.request_id.0.clone()),
            correlation_id: new_id(),
        }
    }

    /// A reason that says something and is not too long.
    fn reason(&self, reason: Option<&str>) -> Result<String, Problem> {
        self.said(reason.unwrap_or_default()).checked().map(|said| said.reason).map_err(refused)
    }

    /// Who and why.
    fn said(&self, reason: &str) -> Said {
        Said { by: self.staff.id().to_owned(), reason: reason.to_owned() }
    }
}

/// A rule of the platform's policy that refuses.
fn refused(refused: ledger::platform::Rejection) -> Problem {
    let problem = rejection::decided(refused.code(), &refused);
    match refused {
        ledger::platform::Rejection::ProductionGatesClosed { gates } => blocked(problem, gates.names()),
        _ => problem,
    }
}

/// With what stands in the way, by name.
fn blocked(mut problem: Problem, by: Vec<&'static str>) -> Problem {
    problem.blockers = by.into_iter().map(str::to_owned).collect();
    problem
}
