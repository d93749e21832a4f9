//! `POST /v1/access/agent-bootstrap/{setup_intent_id}/status` (RT-073), and the same for the owner who is to decide.

use super::{Owner, followed};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        path::Segment,
        problem::{Code, Problem},
    },
    services::{
        agent_setups::{self, SetupIntentView},
        setup::NextAction,
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{clock::Clock, log::Log, vault::Vault, vocab::id::SetupIntentId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Whose intent.
#[derive(Clone, Deserialize, ToSchema)]
pub struct AskSetupStatus {
    /// The setup token; an owner with a dashboard session needs none.
    #[schema(example = "hst_...")]
    pub setup_token: Option<String>,
}

/// Where an intent stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetupStatus {
    /// The intent.
    pub setup_intent: SetupIntentView,
    /// Whether a manifest is attached.
    pub manifest_attached: bool,
    /// Where the owner approves.
    pub approval_url: String,
    /// What to do while it waits; empty once it is decided.
    pub next_actions: Vec<NextAction>,
}

/// What an owner is asked to approve.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetupForOwner {
    /// The intent.
    pub setup_intent: SetupIntentView,
    /// What the agent is going to build, as it said; null while it has not.
    #[schema(value_type = Option<Object>)]
    pub manifest: Option<Value>,
    /// The page of it.
    pub approval_url: String,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(status)).routes(routes!(get))
}

/// Whether the owner has decided
///
/// A poll that changes nothing. The live key is not in it: the owner gets it, once, and gives it to the agent's server.
#[utoipa::path(post, path = "/v1/access/agent-bootstrap/{setup_intent_id}/status", tag = "access", operation_id = "agent_setup_status",
    params(("setup_intent_id" = String, Path)), request_body = AskSetupStatus,
    responses((status = 200, description = "Where the intent stands", body = SetupStatus), answers::Check))]
async fn status(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    owner: Owner,
    id: Segment,
    Body { value: body, .. }: Body<AskSetupStatus>,
) -> Result<Json<SetupStatus>, Problem> {
    let id: SetupIntentId = id.id(Code::SetupIntentNotFound)?;
    let setup = followed(&log, &owner, id, body.setup_token.as_deref()).await?;
    let setup_intent = agent_setups::view(&log, &vault, &setup.state, clock.now()).await?;
    let waits = setup_intent.status == "pending_approval";
    Ok(Json(SetupStatus {
        setup_intent,
        manifest_attached: setup.state.has_manifest(),
        approval_url: agent_setups::approval_url(&settings, id),
        next_actions: if waits { vec![agent_setups::owner_action(&settings, id), agent_setups::status_action(id)] } else { Vec::new() },
    }))
}

/// Who asks to be let into the workspace, and what for
#[utoipa::path(get, path = "/v1/access/agent-bootstrap/{setup_intent_id}", tag = "access", operation_id = "get_agent_setup",
    params(("setup_intent_id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The intent, for the owner who decides", body = SetupForOwner), answers::ReadOne))]
async fn get(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    id: Segment,
) -> Result<Json<SetupForOwner>, Problem> {
    let id: SetupIntentId = id.id(Code::SetupIntentNotFound)?;
    let setup = agent_setups::for_owner(&log, &merchant, id).await?;
    let manifest = agent_setups::manifest(&log, &vault, id).await?;
    Ok(Json(SetupForOwner {
        setup_intent: agent_setups::view(&log, &vault, &setup.state, clock.now()).await?,
        manifest: manifest.and_then(|manifest| serde_json::to_value(manifest).ok()),
        approval_url: agent_setups::approval_url(&settings, id),
    }))
}
