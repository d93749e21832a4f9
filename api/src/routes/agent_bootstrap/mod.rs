//! RT-071..074: an agent starts from the API, tries everything in a sandbox of its own, and an owner decides about real money.

mod begin;
mod decide;
mod manifest;
mod status;

use crate::{
    http::{
        auth::{Merchant, X_HILT_KEY},
        problem::{Code, Problem},
    },
    services::agent_setups,
    state::State,
};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use events::{log::Log, unit::Loaded, vocab::id::SetupIntentId};
use ledger::agent_setup::AgentSetup;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(begin::routes()).merge(decide::routes()).merge(manifest::routes()).merge(status::routes())
}

/// The owner's dashboard session, on routes that also take the agent's token.
struct Owner(Option<Merchant>);

impl FromRequestParts<State> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        // An agent may well send its sandbox key beside the token, which is what counts.
        if parts.headers.contains_key(X_HILT_KEY) || !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Owner(None));
        }
        Merchant::from_request_parts(parts, state).await.map(|merchant| Owner(Some(merchant)))
    }
}

/// The intent, for who may follow it: by its token, or as an owner.
async fn followed(log: &Log, owner: &Owner, id: SetupIntentId, token: Option<&str>) -> Result<Loaded<AgentSetup>, Problem> {
    match (token, &owner.0) {
        (Some(token), _) => agent_setups::by_token(log, id, token).await,
        (None, Some(merchant)) => agent_setups::for_owner(log, merchant, id).await,
        (None, None) => Err(Problem::new(Code::AuthRequired, "setup_token is required in the body").next_action("Send setup_token.")),
    }
}
