//! `POST /v1/access/agent-bootstrap/{setup_intent_id}/manifest` (RT-074): checked, brought into one form, kept, and never applied.

use super::{Owner, followed};
use crate::{
    http::{
        answers,
        body::Body,
        fresh::MinPosition,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::{create_access_product::AllowedRails, input, readiness::Readiness},
    services::{
        agent_setups::{self, SetupIntentView},
        products::ProductRef,
        setup::{Blocker, Facts, NextAction, Question, RECOMMENDED, Setups},
    },
    state::{Settings, State},
};
use axum::{
    extract::{FromRef, State as Part},
    response::Response,
};
use events::{
    clock::Clock,
    log::{Context, Log},
    unit::Unit,
    vault::Vault,
    vocab::{
        id::{OwnerId, SetupIntentId},
        rail::{Mode, RailId},
        stream::Actor,
        words::{ActorKind, WebhookEvent},
    },
};
use ledger::{
    agent_setup::{AgentSetup, Asked, AskedApp, AskedProduct, AskedResource, AskedWebhook, Command, Manifest, Standing},
    rails::Rails,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A manifest, and the token of its intent.
#[derive(Clone, Deserialize, ToSchema)]
pub struct AttachManifest {
    /// The setup token; an owner with a dashboard session needs none.
    #[schema(example = "hst_...")]
    pub setup_token: Option<String>,
    /// What is going to be built.
    pub manifest: ManifestBody,
}

/// What an agent is going to build.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ManifestBody {
    /// The app.
    pub app: AppBody,
    /// The product.
    pub product: ProductBody,
    /// `x402`, where that is the protocol around the payment.
    #[schema(example = "x402")]
    pub payment_protocol: Option<String>,
    /// The rail that settles.
    #[schema(example = "solana_usdc")]
    pub settlement_rail: Option<String>,
    /// What is protected.
    pub protected_resource: Option<ResourceBody>,
    /// Who is told of payments.
    pub webhook: Option<WebhookBody>,
}

/// The app of a manifest.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AppBody {
    /// Its name.
    #[schema(example = "Acme AI")]
    pub name: String,
    /// Your own id of it.
    #[schema(example = "acme-ai")]
    pub external_app_id: String,
}

/// The product of a manifest.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ProductBody {
    /// Your own id of it.
    #[schema(example = "pro-api")]
    pub external_product_id: String,
    /// Shown to buyers.
    #[schema(example = "Pro API access")]
    pub title: String,
    /// Shown to buyers.
    pub description: Option<String>,
    /// The price in the asset's minor unit.
    #[schema(example = 79_000_000)]
    pub amount_minor_units: u64,
    /// Where payouts go.
    pub merchant_wallet: Option<String>,
    /// How long a payment gives access.
    pub entitlement_duration_days: Option<u32>,
    /// The rail used when none is named.
    #[schema(example = "solana_usdc")]
    pub default_rail: Option<String>,
    /// A list of rails, or `"all"` / `"all_enabled"`.
    pub allowed_rails: Option<AllowedRails>,
}

/// What a manifest protects.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ResourceBody {
    /// Where it is.
    #[schema(example = "https://api.acme.test/ai/pro")]
    pub url: String,
    /// How it is asked for; `POST` unless said.
    pub method: Option<String>,
    /// `external_customer_id`, `wallet` or `email`.
    pub customer_identity: Option<String>,
}

/// Whom a manifest wants told.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct WebhookBody {
    /// Where.
    #[schema(example = "https://api.acme.test/hilt/webhook")]
    pub url: String,
    /// Of what.
    #[schema(example = json!(["payment.confirmed", "membership.activated"]))]
    pub subscribed_events: Vec<String>,
}

/// What a manifest comes to. Nothing of it is applied.
#[derive(Serialize, ToSchema)]
pub struct AttachedManifest {
    /// The intent.
    pub setup_intent: SetupIntentView,
    /// What the agent's sandbox lacks for it.
    pub sandbox_readiness: Readiness,
    /// What stands between it and real money.
    pub live_blockers: Vec<Blocker>,
    /// What will not be as it may have been meant.
    pub warnings: Vec<Warning>,
    /// The manifest in its one form, as it is kept.
    #[schema(value_type = Object)]
    pub normalized: Value,
    /// The calls to make, filled with the manifest: in the sandbox, then the owner's, then with the live key.
    pub next_api_calls: Vec<NextAction>,
    /// The same.
    pub next_actions: Vec<NextAction>,
}

/// Something to know of a manifest that is accepted all the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Warning {
    /// A stable code.
    #[schema(example = "webhook_events_missing")]
    pub code: &'static str,
    /// Which field.
    #[schema(example = "manifest.webhook.subscribed_events")]
    pub field: &'static str,
    /// What of it.
    pub message: String,
}

/// What this route works with.
#[derive(Clone)]
struct Desk {
    commands: Commands,
    log: Log,
    vault: Vault,
    clock: Clock,
    settings: Arc<Settings>,
    setups: Setups,
}

impl FromRef<State> for Desk {
    fn from_ref(state: &State) -> Self {
        Desk {
            commands: state.commands.clone(),
            log: state.log.clone(),
            vault: state.vault.clone(),
            clock: state.clock.clone(),
            settings: state.settings.clone(),
            setups: Setups::from_ref(state),
        }
    }
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(attach))
}

/// Say what will be built
///
/// The manifest is checked, brought into one form and kept with the intent, where the owner reads it. It is a plan and nothing is
/// applied, live or in the sandbox: the answer says what is missing and which calls to make. It may be replaced as long as the token
/// works.
#[utoipa::path(post, path = "/v1/access/agent-bootstrap/{setup_intent_id}/manifest", tag = "access", operation_id = "attach_agent_manifest",
    params(("setup_intent_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = AttachManifest,
    responses((status = 200, description = "What it comes to", body = AttachedManifest), answers::Write))]
async fn attach(
    Part(desk): Part<Desk>,
    owner: Owner,
    RequestId(request_id): RequestId,
    id: Segment,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<AttachManifest>,
) -> Result<Response, Problem> {
    let id: SetupIntentId = id.id(Code::SetupIntentNotFound)?;
    followed(&desk.log, &owner, id, body.setup_token.as_deref()).await?;
    let manifest = body.manifest.asked()?.normalised().map_err(|refused| rejection::decided(refused.code(), refused))?;
    let text = serde_json::to_string(&manifest).map_err(|error| Problem::internal(&error, "write a manifest"))?;
    let name = format!("POST /v1/access/agent-bootstrap/{{setup_intent_id}}/manifest {id}");
    let operation = Operation { owner: id.workspace(), name, key, request_hash: hash };
    desk.commands
        .run(operation, || async {
            let now = desk.clock.now();
            let mut setup = agent_setups::find(&desk.log, id).await?;
            let mut unit = Unit::new(
                &desk.log,
                Context {
                    owner_id: Some(id.workspace()),
                    livemode: false,
                    actor: owner
                        .0
                        .as_ref()
                        .map_or_else(|| Actor { kind: ActorKind::Agent, id: Some(id.to_string()) }, |merchant| merchant.actor.clone()),
                    request_id: Some(request_id.clone()),
                    correlation_id: id.0,
                },
            );
            let cause = setup.last_event;
            unit.decide(&mut setup, Command::AttachManifest { manifest: text.clone(), now }, cause)
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            Ok(Draft { unit, answer: Answer::ok(desk.comes_to(id, &setup.state, &manifest).await?)? })
        })
        .await
}

impl Desk {
    async fn comes_to(&self, id: SetupIntentId, setup: &AgentSetup, manifest: &Manifest) -> Result<AttachedManifest, Problem> {
        let rails = self.setups.platform.rails().await.map_err(|error| rejection::read(&error))?;
        let sandbox = self.facts(id.workspace(), Mode::Sandbox, manifest).await?;
        let mut calls = agent_setups::filled(sandbox.next_actions(), Some(manifest));
        let live_blockers = match setup.standing() {
            Some(Standing::Approved(approved)) => {
                let live = self.facts(approved.owner_id, Mode::Live, manifest).await?;
                calls.extend(agent_setups::filled(live.next_actions(), Some(manifest)));
                live.blockers()
            }
            _ => {
                calls.push(agent_setups::owner_action(&self.settings, id));
                calls.push(agent_setups::status_action(id));
                let live = Facts::nothing_live(&manifest.product.external_product_id);
                calls.extend(agent_setups::filled(live.next_actions(), Some(manifest)));
                [vec![agent_setups::approval_missing()], live.blockers(), Facts::before_live()].concat()
            }
        };
        Ok(AttachedManifest {
            setup_intent: agent_setups::view(&self.log, &self.vault, setup, self.clock.now()).await?,
            sandbox_readiness: Readiness::of(&sandbox),
            live_blockers,
            warnings: warnings(manifest, &rails),
            normalized: serde_json::to_value(manifest).map_err(|error| Problem::internal(&error, "show a manifest"))?,
            next_actions: calls.clone(),
            next_api_calls: calls,
        })
    }

    async fn facts(&self, owner: OwnerId, mode: Mode, manifest: &Manifest) -> Result<Facts, Problem> {
        let product = ProductRef::External(manifest.product.external_product_id.clone());
        let question = Question { owner, mode, product: Some(&product), live_in_sandbox: false, dashboard: false, min: MinPosition(None) };
        self.setups.facts(&question).await
    }
}

impl ManifestBody {
    fn asked(&self) -> Result<Asked, Problem> {
        let rail = |field: &str, named: &Option<String>| named.as_deref().map(|rail| input::rail(field, rail)).transpose();
        let product = &self.product;
        let wallet = product.merchant_wallet.as_deref().map(|text| input::solana_wallet("manifest.product.merchant_wallet", text));
        let allowed = product.allowed_rails.as_ref().map(|rails| rails.expanded("manifest.product.allowed_rails"));
        let protocol = self.payment_protocol.as_deref().map(|text| input::word("manifest.payment_protocol", text)).transpose()?;
        Ok(Asked {
            app: AskedApp { name: self.app.name.clone(), external_app_id: self.app.external_app_id.clone() },
            product: AskedProduct {
                external_product_id: product.external_product_id.clone(),
                title: product.title.clone(),
                description: product.description.clone(),
                amount_minor_units: product.amount_minor_units,
                merchant_wallet: wallet.transpose()?,
                entitlement_duration_days: product.entitlement_duration_days,
                default_rail: rail("manifest.product.default_rail", &product.default_rail)?,
                allowed_rails: allowed.transpose()?,
            },
            payment_protocol: protocol,
            settlement_rail: rail("manifest.settlement_rail", &self.settlement_rail)?,
            protected_resource: self.protected_resource.as_ref().map(|resource| AskedResource {
                url: resource.url.clone(),
                method: resource.method.clone(),
                customer_identity: resource.customer_identity.clone(),
            }),
            webhook: self.webhook.as_ref().map(WebhookBody::asked).transpose()?,
        })
    }
}

impl WebhookBody {
    fn asked(&self) -> Result<AskedWebhook, Problem> {
        let event = |(index, name): (usize, &String)| {
            let field = format!("manifest.webhook.subscribed_events[{index}]");
            name.parse::<WebhookEvent>().map_err(|rule| Problem::field(Code::UnknownEvent, field, rule.to_string()))
        };
        let subscribed_events = self.subscribed_events.iter().enumerate().map(event).collect::<Result<_, _>>()?;
        Ok(AskedWebhook { url: self.url.clone(), subscribed_events })
    }
}

/// What an agent should know of its manifest (DIS-23): it is accepted all the same.
fn warnings(manifest: &Manifest, rails: &Rails) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, field, message: String| warnings.push(Warning { code, field, message });
    let product = &manifest.product;
    let closed: Vec<&str> =
        product.allowed_rails.iter().filter(|rail| !rails.get(**rail).production_enabled).map(|rail| rail.as_str()).collect();
    if !closed.is_empty() {
        let message = format!("{} cannot settle live payments on this platform and will not be offered to buyers", closed.join(", "));
        warn("platform_rail_not_production_enabled", "manifest.product.allowed_rails", message);
    }
    if product.default_rail == RailId::X402 {
        let message = "x402 is a protocol around a settlement rail: say payment_protocol x402 and settlement_rail".to_owned();
        warn("legacy_x402_rail", "manifest.product.default_rail", message);
    }
    let settles = product.allowed_rails.contains(&manifest.settlement_rail);
    if !settles {
        let message = format!("{} is not among allowed_rails", manifest.settlement_rail);
        warn("rail_not_allowed_for_product", "manifest.settlement_rail", message);
    }
    if product.entitlement_duration_days.is_none() {
        let message = "how long a payment gives access has to be said when the product is created".to_owned();
        warn("entitlement_duration_days_missing", "manifest.product.entitlement_duration_days", message);
    }
    if product.merchant_wallet.is_none() {
        let message = "where payouts go has to be said, by the merchant, when the product is created".to_owned();
        warn("payout_address_required", "manifest.product.merchant_wallet", message);
    }
    match &manifest.webhook {
        None => warn("no_webhooks", "manifest.webhook", "without a webhook the service learns of a payment only by asking".to_owned()),
        Some(webhook) => {
            let missing: Vec<&str> =
                RECOMMENDED.iter().filter(|event| !webhook.subscribed_events.contains(event)).map(|event| event.as_str()).collect();
            if !missing.is_empty() {
                let message = format!("an integration should hear of {} too", missing.join(", "));
                warn("webhook_events_missing", "manifest.webhook.subscribed_events", message);
            }
            if !webhook.url.starts_with("https://") {
                warn("webhook_url_not_https", "manifest.webhook.url", "a live webhook needs https".to_owned());
            }
        }
    }
    warnings
}
