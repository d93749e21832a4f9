//! `POST /v1/access/agent-bootstrap/{setup_intent_id}/approve` (RT-072) and `/reject`: the owner's part, from the dashboard alone.

use super::begin::permissions;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::OptionalBody,
        fresh::MinPosition,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    services::{
        agent_setups::{self, SetupIntentView},
        keys,
        products::ProductRef,
        setup::{Blocker, NextAction, Question, Setups},
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
    unit::{Loaded, Unit},
    vault::Vault,
    vocab::{
        id::{ApiKeyId, SetupIntentId},
        rail::Mode,
        words::Scope,
    },
};
use ledger::{
    agent_setup::{AgentSetup, Command, Manifest},
    api_key::{self, ApiKey},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What an owner grants.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ApproveSetup {
    /// Some of what the agent asked for; all of it unless said.
    #[schema(example = json!(["access:read", "access:write"]))]
    pub permissions: Option<Vec<String>>,
    /// Whether a live key is issued with the approval; true unless said.
    pub issue_live_key: Option<bool>,
}

/// Why an owner refuses.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RejectSetup {
    /// Told to the agent.
    pub reason: Option<String>,
}

/// An approved intent.
#[derive(Clone, Serialize, ToSchema)]
pub struct ApprovedSetup {
    /// The intent.
    pub setup_intent: SetupIntentView,
    /// A live key of the owner's workspace with the permissions granted, or null when none was asked for. Shown once: a repeated request
    /// gets `null` here. Give it to the agent's server.
    #[schema(example = "hk_live_...")]
    pub live_api_key: Option<String>,
    /// The key's id, by which it can be revoked.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub live_api_key_id: Option<ApiKeyId>,
    /// What the key may do.
    pub granted_permissions: Vec<&'static str>,
    /// What still stands in the way of live sessions: approval opens no gate.
    pub live_blockers: Vec<Blocker>,
    /// The calls that mend it, filled with the agent's manifest, for whoever holds the live key.
    pub next_actions: Vec<NextAction>,
}

/// A refused intent.
#[derive(Clone, Serialize, ToSchema)]
pub struct RejectedSetup {
    /// The intent.
    pub setup_intent: SetupIntentView,
}

/// What these routes work with.
#[derive(Clone)]
struct Desk {
    commands: Commands,
    log: Log,
    vault: Vault,
    clock: Clock,
    setups: Setups,
}

impl FromRef<State> for Desk {
    fn from_ref(state: &State) -> Self {
        Desk {
            commands: state.commands.clone(),
            log: state.log.clone(),
            vault: state.vault.clone(),
            clock: state.clock.clone(),
            setups: Setups::from_ref(state),
        }
    }
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(approve)).routes(routes!(reject))
}

/// Let an agent into the workspace
///
/// From the owner's dashboard session, and from nothing else. Issues a live key with the permissions granted, once. It bypasses no gate:
/// payout wallet, rail health, live-mode confirmation and the platform's rails stand as before, and `live_blockers` says which do.
#[utoipa::path(post, path = "/v1/access/agent-bootstrap/{setup_intent_id}/approve", tag = "access", operation_id = "approve_agent_setup",
    params(("setup_intent_id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = ApproveSetup, security(("bearer" = [])),
    responses((status = 200, description = "The intent, and the live key", body = ApprovedSetup), answers::Write))]
async fn approve(
    Part(desk): Part<Desk>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    id: Segment,
    RequiredKey(key): RequiredKey,
    OptionalBody(body): OptionalBody<ApproveSetup>,
) -> Result<Response, Problem> {
    let id: SetupIntentId = id.id(Code::SetupIntentNotFound)?;
    let asked = body.value.permissions.as_deref().map(|names| permissions("permissions", names)).transpose()?;
    let operation = operation(&merchant, "approve", id, key, body.hash);
    desk.commands
        .run(operation, || async {
            let mut setup = agent_setups::for_owner(&desk.log, &merchant, id).await?;
            let now = desk.clock.now();
            let check = |live_key_id| Command::Approve { owner_id: merchant.owner, permissions: asked.clone(), live_key_id, now };
            let granted = granted(&setup, check(None))?;
            let mut unit = Unit::new(&desk.log, context(&merchant, true, &request_id));
            let issued = match body.value.issue_live_key.unwrap_or(true) {
                true => {
                    let issue = keys::Issue::new("agent, approved from its setup", &granted);
                    Some(keys::decide_issue(&mut unit, issue, now).map_err(|refused| rejection::decided(refused.code(), refused))?)
                }
                false => None,
            };
            let cause = setup.last_event;
            unit.decide(&mut setup, check(issued.as_ref().map(|issued| issued.key_id)), cause)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let manifest = agent_setups::manifest(&desk.log, &desk.vault, id).await?;
            let (live_blockers, next_actions) = desk.live(&merchant, manifest.as_ref()).await?;
            let answer = Answer::ok(ApprovedSetup {
                setup_intent: agent_setups::view(&desk.log, &desk.vault, &setup.state, now).await?,
                live_api_key_id: issued.as_ref().map(|issued| issued.key_id),
                live_api_key: issued.map(|issued| issued.key),
                granted_permissions: granted.iter().map(|scope| scope.as_str()).collect(),
                live_blockers,
                next_actions,
            })?;
            Ok(Draft { unit, answer: answer.once(&["/live_api_key"]) })
        })
        .await
}

/// Keep an agent out
///
/// Its setup token says so from now on, and its sandbox key stops working.
#[utoipa::path(post, path = "/v1/access/agent-bootstrap/{setup_intent_id}/reject", tag = "access", operation_id = "reject_agent_setup",
    params(("setup_intent_id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = RejectSetup, security(("bearer" = [])),
    responses((status = 200, description = "The intent", body = RejectedSetup), answers::Write))]
async fn reject(
    Part(desk): Part<Desk>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    id: Segment,
    RequiredKey(key): RequiredKey,
    OptionalBody(body): OptionalBody<RejectSetup>,
) -> Result<Response, Problem> {
    let id: SetupIntentId = id.id(Code::SetupIntentNotFound)?;
    let operation = operation(&merchant, "reject", id, key, body.hash);
    let reason = &body.value.reason;
    desk.commands
        .run(operation, || async {
            let mut setup = agent_setups::for_owner(&desk.log, &merchant, id).await?;
            let now = desk.clock.now();
            let mut unit = Unit::new(&desk.log, context(&merchant, false, &request_id));
            let cause = setup.last_event;
            let command = Command::Reject { owner_id: merchant.owner, reason: reason.clone(), now };
            let rejected = unit.decide(&mut setup, command, cause).map_err(|refused| rejection::decided(refused.code(), refused))?;
            if let Some(sandbox_key) = setup.state.intent().map(|intent| intent.sandbox_key_id) {
                let key = unit.load::<ApiKey>(keys::stream(sandbox_key)).await;
                let mut key = key.map_err(|error| rejection::read(&error))?;
                let revoke = api_key::Command::Revoke { reason: "setup_intent_rejected".to_owned() };
                unit.decide(&mut key, revoke, rejected.last().copied()).map_err(|refused| rejection::decided(refused.code(), refused))?;
            }
            let view = agent_setups::view(&desk.log, &desk.vault, &setup.state, now).await?;
            let reason = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
            Ok(Draft { unit, answer: Answer::ok(RejectedSetup { setup_intent: view.because(reason) })? })
        })
        .await
}

fn operation(merchant: &Merchant, what: &str, id: SetupIntentId, key: String, request_hash: [u8; 32]) -> Operation {
    let name = format!("POST /v1/access/agent-bootstrap/{{setup_intent_id}}/{what} {id}");
    Operation { owner: merchant.owner, name, key: Some(key), request_hash }
}

/// What `command` would grant.
fn granted(setup: &Loaded<AgentSetup>, command: Command) -> Result<Vec<Scope>, Problem> {
    use events::{decider::Decider as _, vocab::event::Event};
    let facts = AgentSetup::decide(&setup.state, command).map_err(|refused| rejection::decided(refused.code(), refused))?;
    let approved = facts.into_iter().find_map(|fact| match fact.event {
        Event::AgentSetupApproved(approved) => Some(approved.granted_permissions),
        _ => None,
    });
    approved.ok_or_else(|| Problem::of(Code::Internal))
}

impl Desk {
    /// What stands between the owner's workspace and live sessions of the agent's product, and the calls that mend it.
    async fn live(&self, merchant: &Merchant, manifest: Option<&Manifest>) -> Result<(Vec<Blocker>, Vec<NextAction>), Problem> {
        let product = manifest.map(|manifest| ProductRef::External(manifest.product.external_product_id.clone()));
        let question = Question {
            owner: merchant.owner,
            mode: Mode::Live,
            product: product.as_ref(),
            live_in_sandbox: false,
            dashboard: false,
            min: MinPosition(None),
        };
        let facts = self.setups.facts(&question).await?;
        let actions = agent_setups::filled(facts.next_actions(), manifest);
        let recheck = facts.recheck();
        let actions = if actions.is_empty() { actions } else { [vec![NextAction { id: "live_readiness", ..recheck }], actions].concat() };
        Ok((facts.blockers(), actions))
    }
}
