//! `POST /v1/access/agent-bootstrap` (RT-071).

use crate::{
    http::{
        answers,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::Problem,
        rejection,
        request_id::RequestId,
    },
    routes::input,
    services::{
        agent_setups::{self, SetupIntentView},
        keys,
        setup::{Credential, NextAction, action::input as caller},
        workspace,
    },
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{Clock, new_id, random_bytes},
    decider::Decider as _,
    log::{Context, Log},
    unit::Unit,
    vault::Vault,
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{OwnerId, SetupIntentId},
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use ledger::agent_setup::{self, AgentSetup};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// What an agent says when it begins.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct BeginSetup {
    /// Who it is: the owner reads this before he approves.
    #[schema(example = "Acme API Builder")]
    pub agent_name: String,
    /// What it runs in.
    #[schema(example = "cursor")]
    pub agent_platform: Option<String>,
    /// What for.
    #[schema(example = "Protect an AI API endpoint with Hilt Pay API")]
    pub requested_use_case: Option<String>,
    /// What a live key should be allowed: `access:read`, `access:write`, `access:webhooks`. Ask for no more than is needed.
    #[schema(example = json!(["access:read", "access:write", "access:webhooks"]))]
    pub requested_permissions: Vec<String>,
    /// How long the owner has to approve, and how long the setup token and the sandbox key work: 1 to 168, 24 unless said.
    #[schema(example = 24)]
    pub ttl_hours: Option<i64>,
}

/// A sandbox for an agent, and the way to its owner.
#[derive(Clone, Serialize, ToSchema)]
pub struct BegunSetup {
    /// The intent.
    pub setup_intent: SetupIntentView,
    /// For the status and manifest of the intent. Shown once: a repeated request gets `null` here.
    #[schema(required, value_type = Option<String>, example = "hst_...")]
    pub setup_token: String,
    /// A sandbox key of the agent's own workspace: apps, products, webhooks, sandbox sessions and checks, and nothing with real money.
    /// It works as long as the intent lives. Shown once: a repeated request gets `null` here.
    #[schema(required, value_type = Option<String>, example = "hk_sandbox_...")]
    pub sandbox_api_key: String,
    /// Where the owner reads who asks for what, and approves.
    pub approval_url: String,
    /// What to do now, in order.
    pub next_actions: Vec<NextAction>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(begin))
}

/// Begin without a dashboard
///
/// For agents and developer tools, without a credential. The answer holds a sandbox key of a workspace that is the agent's own, with
/// which everything can be tried; an owner who approves lets the agent into his workspace with a live key. What was made in the sandbox
/// stays there and is out of reach when the intent's time is over. `Idempotency-Key` may be left out. Without a credential its keys are
/// one space for everyone, so use a random one; a repeat does not show the secrets again.
#[utoipa::path(post, path = "/v1/access/agent-bootstrap", tag = "access", operation_id = "begin_agent_setup",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation, such as a random UUID")),
    request_body = BeginSetup,
    responses((status = 201, description = "The intent, its token, a sandbox key, and where the owner approves", body = BegunSetup),
        answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one part of the service or the request")]
async fn begin(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<BeginSetup>,
) -> Result<Response, Problem> {
    let permissions = permissions("requested_permissions", &body.requested_permissions)?;
    let setup_intent_id: SetupIntentId = new_id();
    let owner = setup_intent_id.workspace();
    let token = format!("hst_{}", hex::encode(random_bytes::<32>()));
    // Nobody is known yet, so the keys of those who begin are nobody's.
    let operation = Operation { owner: OwnerId(Uuid::nil()), name: "POST /v1/access/agent-bootstrap".into(), key, request_hash: hash };
    commands
        .run(operation, || async {
            let now = clock.now();
            let mut unit = Unit::new(
                &log,
                Context {
                    owner_id: Some(owner),
                    livemode: false,
                    actor: Actor { kind: ActorKind::Public, id: None },
                    request_id: Some(request_id.clone()),
                    correlation_id: setup_intent_id.0,
                },
            );
            let mut bootstrap = agent_setup::Bootstrap {
                setup_intent_id,
                token_hash: Hash32::of(&token),
                sandbox_key_id: new_id(),
                agent_name: body.agent_name.clone(),
                agent_platform: body.agent_platform.clone(),
                requested_use_case: body.requested_use_case.clone(),
                requested_permissions: permissions.clone(),
                ttl_hours: body.ttl_hours,
                subject_id: new_id(),
                now,
            };
            // What the agent asked for is checked before anything is issued to it.
            let checked = AgentSetup::decide(&AgentSetup::Absent, agent_setup::Command::Bootstrap(Box::new(bootstrap.clone())));
            let checked = checked.map_err(|refused| rejection::decided(refused.code(), refused))?;
            let expires_at = checked.iter().find_map(|fact| match &fact.event {
                Event::AgentSetupBootstrapped(intent) => Some(intent.expires_at),
                _ => None,
            });
            let issue = keys::Issue { expires_at, ..keys::Issue::new("agent setup", Scope::ALL) };
            let issued = keys::decide_issue(&mut unit, issue, now).map_err(|refused| rejection::decided(refused.code(), refused))?;
            bootstrap.sandbox_key_id = issued.key_id;
            bootstrap.subject_id = workspace::merchant(&vault, owner).await?;
            let mut setup = unit.start::<AgentSetup>(agent_setups::stream(setup_intent_id));
            unit.decide(&mut setup, agent_setup::Command::Bootstrap(Box::new(bootstrap)), None)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let answer = Answer::created(BegunSetup {
                setup_intent: agent_setups::shown(&setup.state, agent_setups::said_in(&unit).as_ref(), now)?,
                setup_token: token.clone(),
                sandbox_api_key: issued.key,
                approval_url: agent_setups::approval_url(&settings, setup_intent_id),
                next_actions: next(&settings, setup_intent_id),
            })?;
            Ok(Draft { unit, answer: answer.once(&["/setup_token", "/sandbox_api_key"]) })
        })
        .await
}

/// The permissions of those names.
pub(super) fn permissions(field: &str, names: &[String]) -> Result<Vec<Scope>, Problem> {
    names.iter().enumerate().map(|(index, name)| input::word(&format!("{field}[{index}]"), name)).collect()
}

fn next(settings: &Settings, id: SetupIntentId) -> Vec<NextAction> {
    let readiness = NextAction::call("sandbox_readiness", "GET", "/v1/access/setup/readiness", Credential::SandboxApiKey)
        .says("Ask what the sandbox lacks, and follow the answer.", "Its next_actions lead to a product that can be tried.")
        .scope(Scope::Read)
        .query("mode", "sandbox");
    let manifest = NextAction::call("attach_manifest", "POST", format!("/v1/access/agent-bootstrap/{id}/manifest"), Credential::SetupToken)
        .endpoint("POST /v1/access/agent-bootstrap/{setup_intent_id}/manifest")
        .says("Say what will be built.", "The owner reads it, and the calls that follow are filled with it. Nothing is applied.")
        .body(json!({
            "setup_token": agent_setups::token_input(),
            "manifest": {
                "app": {
                    "name": caller("app_name", "string", "What to call the app in the dashboard."),
                    "external_app_id": caller("external_app_id", "string", "Your own id of the app."),
                },
                "product": {
                    "external_product_id": caller("external_product_id", "string", "Your own id of the product."),
                    "title": caller("product_title", "string", "What buyers read."),
                    "amount_minor_units": caller("amount_minor_units", "integer", "The price in millionths of a USDC."),
                    "default_rail": "solana_usdc",
                    "allowed_rails": ["solana_usdc"],
                },
            },
        }));
    vec![readiness, manifest, agent_setups::owner_action(settings, id), agent_setups::status_action(id)]
}
