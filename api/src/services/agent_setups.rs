//! Setup intents of agents, for those who hold their token and for the owner who decides.
//!
//! The agent works in a sandbox workspace of its own, whose id is the intent's. Approval lets it into the owner's workspace with a live
//! key; what it made in the sandbox stays where it is, and ends to be reachable with the sandbox key, when the intent's time is over.

use super::{
    isolation,
    setup::{
        Blocker, NextAction,
        action::{Credential, Kind, fill, input},
        blocker,
    },
};
use crate::{
    http::{
        auth::Merchant,
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use events::{
    log::Log,
    unit::{Loaded, load},
    vault::Vault,
    vocab::{
        bytes::Hash32,
        event::{Event, EventType},
        id::SetupIntentId,
        personal::Personal,
        stream::{Category, StreamId},
        time::Timestamp,
        words::Scope,
    },
};
use ledger::agent_setup::{AgentSetup, Manifest, Standing};
use serde::Serialize;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

/// A setup intent as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetupIntentView {
    /// Its id, and that of the agent's sandbox workspace.
    #[schema(value_type = String, format = Uuid)]
    pub id: SetupIntentId,
    /// `pending_approval`, `approved`, `rejected` or `expired`.
    #[schema(example = "pending_approval")]
    pub status: &'static str,
    /// Who the agent says it is.
    #[schema(example = "Acme API Builder")]
    pub agent_name: Option<String>,
    /// What it runs in.
    #[schema(example = "cursor")]
    pub agent_platform: Option<String>,
    /// What for.
    pub requested_use_case: Option<String>,
    /// What it asked for.
    pub requested_permissions: Vec<&'static str>,
    /// What the owner granted.
    pub granted_permissions: Vec<&'static str>,
    /// When nobody may approve any more, and the setup token and the sandbox key end.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When an owner approved.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub approved_at: Option<Timestamp>,
    /// When an owner refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub rejected_at: Option<Timestamp>,
    /// Why.
    pub rejection_reason: Option<String>,
}

/// The stream of an intent.
pub fn stream(id: SetupIntentId) -> StreamId {
    StreamId::new(Category::AgentSetup, id)
}

/// The intent of that id, whoever asks.
pub async fn find(log: &Log, id: SetupIntentId) -> Result<Loaded<AgentSetup>, Problem> {
    let setup = load::<AgentSetup>(log, stream(id)).await.map_err(|error| rejection::read(&error))?;
    match setup.is_new() {
        true => Err(Problem::of(Code::SetupIntentNotFound)),
        false => Ok(setup),
    }
}

/// The intent, for an owner: anyone's while it waits for one, and of the one who decided it afterwards (INV-92).
pub async fn for_owner(log: &Log, merchant: &Merchant, id: SetupIntentId) -> Result<Loaded<AgentSetup>, Problem> {
    let setup = find(log, id).await?;
    match setup.state.decided_by() {
        Some(owner) if owner != merchant.owner => Err(isolation::foreign("agent_setup", Code::SetupIntentNotFound)),
        _ => Ok(setup),
    }
}

/// The intent, for who holds its token. A wrong token is one of an intent that does not exist.
pub async fn by_token(log: &Log, id: SetupIntentId, token: &str) -> Result<Loaded<AgentSetup>, Problem> {
    let setup = find(log, id).await?;
    let hash = Hash32::of(token);
    match setup.state.intent() {
        Some(intent) if bool::from(intent.token_hash.0.ct_eq(&hash.0)) => Ok(setup),
        _ => Err(Problem::of(Code::SetupIntentNotFound)),
    }
}

/// What an agent, or an owner, wrote beside the last event of that type.
async fn sealed(log: &Log, vault: &Vault, id: SetupIntentId, event_type: EventType) -> Result<Option<Personal>, Problem> {
    let events = log.read_stream(stream(id), 0).await.map_err(|error| rejection::read(&error))?;
    match events.iter().rev().find(|event| event.envelope.event_type == event_type) {
        Some(event) => vault.open(event).await.map_err(|error| rejection::read(&error)),
        None => Ok(None),
    }
}

/// The manifest that was attached last.
pub async fn manifest(log: &Log, vault: &Vault, id: SetupIntentId) -> Result<Option<Manifest>, Problem> {
    let personal = sealed(log, vault, id, EventType::AgentSetupManifestAttached).await?;
    Ok(personal.and_then(|personal| personal.metadata).and_then(|json| serde_json::from_str(&json).ok()))
}

/// The intent as it is at `now`.
pub async fn view(log: &Log, vault: &Vault, state: &AgentSetup, now: Timestamp) -> Result<SetupIntentView, Problem> {
    let intent = state.intent().ok_or_else(|| Problem::of(Code::SetupIntentNotFound))?;
    let said = sealed(log, vault, intent.setup_intent_id, EventType::AgentSetupBootstrapped).await?;
    let reason = match state.standing() {
        Some(Standing::Rejected(_)) => sealed(log, vault, intent.setup_intent_id, EventType::AgentSetupRejected).await?,
        _ => None,
    };
    Ok(shown(state, said.as_ref(), now)?.because(reason.and_then(|personal| personal.text)))
}

/// The intent as it is at `now`, with what was sealed when it began.
pub fn shown(state: &AgentSetup, said: Option<&Personal>, now: Timestamp) -> Result<SetupIntentView, Problem> {
    let (intent, standing) = state.intent().zip(state.standing()).ok_or_else(|| Problem::of(Code::SetupIntentNotFound))?;
    let said: Value = said.and_then(|said| said.metadata.as_deref()).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let words = |scopes: &[Scope]| scopes.iter().map(|scope| scope.as_str()).collect();
    let (granted, approved_at, rejected_at) = match standing {
        Standing::Approved(approved) => (words(&approved.granted_permissions), Some(approved.approved_at), None),
        Standing::Rejected(rejected) => (Vec::new(), None, Some(rejected.rejected_at)),
        Standing::Pending | Standing::Expired => (Vec::new(), None, None),
    };
    Ok(SetupIntentView {
        id: intent.setup_intent_id,
        status: standing.as_str(intent.expires_at, now),
        agent_name: text("agent_name"),
        agent_platform: text("agent_platform"),
        requested_use_case: text("requested_use_case"),
        requested_permissions: words(&intent.requested_permissions),
        granted_permissions: granted,
        expires_at: intent.expires_at,
        approved_at,
        rejected_at,
        rejection_reason: None,
    })
}

impl SetupIntentView {
    /// With the owner's reason to refuse.
    pub fn because(self, rejection_reason: Option<String>) -> Self {
        SetupIntentView { rejection_reason, ..self }
    }
}

/// The page where an owner decides.
pub fn approval_url(settings: &Settings, id: SetupIntentId) -> String {
    format!("{}/agent-setup/{id}", settings.public_app_url)
}

/// What stands between the intent and real money while no owner has approved.
pub fn approval_missing() -> Blocker {
    blocker(
        "owner_approval_required",
        "POST /v1/access/agent-bootstrap/{setup_intent_id}/approve",
        "Have the workspace's owner approve the setup intent on its approval page.",
    )
}

/// The owner's part, for the agent to pass on.
pub fn owner_action(settings: &Settings, id: SetupIntentId) -> NextAction {
    let path = format!("/v1/access/agent-bootstrap/{id}/approve");
    NextAction::call("owner_approval", "POST", path, Credential::DashboardSession)
        .endpoint("POST /v1/access/agent-bootstrap/{setup_intent_id}/approve")
        .says(
            "Ask the owner to approve the setup on its page.",
            "Only the owner's dashboard session can let an agent near real money. The live key is in the answer to the owner, once.",
        )
        .kind(Kind::Owner)
        .clears(["owner_approval_required"])
        .at(approval_url(settings, id))
        .body(json!({}))
}

/// How the agent learns what the owner decided.
pub fn status_action(id: SetupIntentId) -> NextAction {
    NextAction::call("poll_status", "POST", format!("/v1/access/agent-bootstrap/{id}/status"), Credential::SetupToken)
        .endpoint("POST /v1/access/agent-bootstrap/{setup_intent_id}/status")
        .says("Ask whether the owner has decided.", "It is approved, rejected or expired in the end.")
        .after(30)
        .body(json!({"setup_token": token_input()}))
}

/// The setup token, which the answer to the bootstrap names so.
pub fn token_input() -> Value {
    input("setup_token", "secret", "The setup token that the bootstrap answered, kept on the server.")
}

/// Fills `actions` with what the agent's manifest says.
pub fn filled(mut actions: Vec<NextAction>, manifest: Option<&Manifest>) -> Vec<NextAction> {
    let Some(manifest) = manifest else { return actions };
    let known = known(manifest);
    for action in &mut actions {
        fill(action, &known);
        if let (true, Some(body)) = (action.id == "create_product", action.body.as_mut()) {
            body["default_rail"] = json!(manifest.product.default_rail);
            body["allowed_rails"] = json!(manifest.product.allowed_rails);
        }
    }
    actions
}

fn known(manifest: &Manifest) -> Map<String, Value> {
    let (app, product) = (&manifest.app, &manifest.product);
    let all = json!({
        "app_name": app.name,
        "external_app_id": app.external_app_id,
        "external_product_id": product.external_product_id,
        "product_title": product.title,
        "amount_minor_units": product.amount_minor_units,
        "entitlement_duration_days": product.entitlement_duration_days,
        "payout_wallet": product.merchant_wallet,
        "webhook_url": manifest.webhook.as_ref().map(|webhook| &webhook.url),
    });
    match all {
        Value::Object(all) => all.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

/// A live credential; for an agent that waits for its owner, the refusal says where he approves (DIS-40).
pub async fn require_live(log: &Log, settings: &Settings, merchant: &Merchant) -> Result<(), Problem> {
    let Err(problem) = merchant.require_live() else { return Ok(()) };
    let id = SetupIntentId::of_workspace(merchant.owner);
    let setup = load::<AgentSetup>(log, stream(id)).await.map_err(|error| rejection::read(&error))?;
    Err(match setup.state.standing() {
        Some(Standing::Pending) => {
            problem.next_action(format!("Have the owner approve the setup intent at {}, and use the live key.", approval_url(settings, id)))
        }
        Some(_) | None => problem,
    })
}

/// The manifest of the agent whose workspace it is, if it is an agent's and it has attached one.
pub async fn manifest_of_workspace(log: &Log, vault: &Vault, merchant: &Merchant) -> Result<Option<Manifest>, Problem> {
    match merchant.livemode() {
        true => Ok(None),
        false => manifest(log, vault, SetupIntentId::of_workspace(merchant.owner)).await,
    }
}

/// What an event of an intent that was just decided says, for the answer.
pub fn said_in(unit: &events::unit::Unit<'_>) -> Option<Personal> {
    let begun = |event: &Event| matches!(event, Event::AgentSetupBootstrapped(_));
    unit.new_events().find(|new| begun(&new.event)).and_then(|new| new.personal.clone()).map(|(_, personal)| personal)
}
