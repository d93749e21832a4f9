//! RT-062 `GET /v1/access/setup/readiness`: what is missing before live sessions make sense, with the calls that mend it.

use super::{
    available_rails::{RailAvailability, Setup, halves},
    rails::SessionOptions,
};
use crate::{
    http::{answers, auth::Merchant, body::Params, fresh::MinPosition, problem::Problem},
    services::{
        agent_setups,
        products::ProductRef,
        setup::{Blocker, Coverage, Facts, NextAction, Question, Setups},
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{vault::Vault, vocab::words::ProductStatus};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(readiness))
}

/// Whether everything is set up.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// No blocker is left.
    pub ready: bool,
    /// `live` or `sandbox`.
    pub mode: &'static str,
    /// What is missing, the first to mend first.
    pub blockers: Vec<Blocker>,
    /// The calls that mend it, in order. The first can be made as it stands; a later one may need the answer of an earlier one. Make
    /// the first, make `recheck`, and go on until `ready` is true.
    pub next_actions: Vec<NextAction>,
    /// The call that tells what is missing then.
    pub recheck: NextAction,
    app: AppReadiness,
    product: ProductReadiness,
    rails: RailReadiness,
    webhooks: WebhookReadiness,
}

#[derive(Serialize, ToSchema)]
struct AppReadiness {
    ready: bool,
    /// The product's app; while there is no product, the newest.
    app_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ProductReadiness {
    ready: bool,
    /// `active` or `paused`.
    status: Option<&'static str>,
    access_product_id: Option<String>,
    external_product_id: Option<String>,
}

#[derive(Default, Serialize, ToSchema)]
struct RailReadiness {
    /// Policy; not for buyers.
    allowed_rails: Vec<&'static str>,
    available_rails: Vec<RailAvailability>,
    blocked_rails: Vec<RailAvailability>,
    /// Null while there is no product.
    payment_session_options: Option<SessionOptions>,
}

#[derive(Serialize, ToSchema)]
struct WebhookReadiness {
    ready: bool,
    active_count: usize,
    subscribed_events: Vec<&'static str>,
    missing_events: Vec<&'static str>,
}

/// Setup readiness
///
/// Call it before creating live sessions: it says whether app, product, rail settings, payout wallet and webhooks are ready, and
/// whether a rail must be named. While something is missing, `next_actions` are the calls to make, templates filled in as far as the
/// service can. An object with the member `$input` stands for what only the caller knows, `$generate` for a value to make anew for each
/// call, `$result` for part of an earlier action's answer. Without a product named, it is about the workspace's only one.
#[utoipa::path(get, path = "/v1/access/setup/readiness", tag = "access", operation_id = "setup_readiness", params(Setup),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "What is ready and what is missing", body = Readiness), answers::ReadOne))]
async fn readiness(
    Part(setups): Part<Setups>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    min: MinPosition,
    Params(asked): Params<Setup>,
) -> Result<Json<Readiness>, Problem> {
    let mode = asked.mode(&setups.log, &setups.settings, &merchant).await?;
    let named = ProductRef::parse(&asked.external_product_id, &[&asked.product_id]).ok();
    let question = Question {
        owner: merchant.owner,
        mode,
        product: named.as_ref(),
        live_in_sandbox: merchant.livemode(),
        dashboard: merchant.require_session().is_ok(),
        min,
    };
    let readiness = Readiness::of(&setups.facts(&question).await?);
    // An agent that has said what it builds is not asked for it again.
    let manifest = agent_setups::manifest_of_workspace(&setups.log, &vault, &merchant).await?;
    Ok(Json(Readiness { next_actions: agent_setups::filled(readiness.next_actions, manifest.as_ref()), ..readiness }))
}

impl Readiness {
    /// What `facts` come to.
    pub fn of(facts: &Facts) -> Self {
        let (blockers, product) = (facts.blockers(), facts.product.named());
        let app_id = product.map(|product| product.app_id).or(facts.app_id);
        Readiness {
            ready: blockers.is_empty(),
            mode: facts.mode.as_str(),
            next_actions: facts.next_actions(),
            recheck: facts.recheck(),
            blockers,
            app: AppReadiness { ready: app_id.is_some(), app_id: app_id.map(|id| id.to_string()) },
            product: ProductReadiness {
                ready: product.is_some_and(|product| product.status == ProductStatus::Active),
                status: product.map(|product| product.status.as_str()),
                access_product_id: product.map(|product| product.access_product_id.to_string()),
                external_product_id: product.map(|product| product.external_product_id.clone()),
            },
            rails: RailReadiness::of(facts),
            webhooks: WebhookReadiness::from(&facts.webhooks),
        }
    }
}

impl RailReadiness {
    fn of(facts: &Facts) -> Self {
        let Some((product, options)) = facts.product.named().zip(facts.options.as_ref()) else { return RailReadiness::default() };
        let [available_rails, blocked_rails] = halves(options);
        RailReadiness {
            allowed_rails: product.allowed_rails.iter().map(|rail| rail.as_str()).collect(),
            available_rails,
            blocked_rails,
            payment_session_options: Some(SessionOptions::from(options)),
        }
    }
}

impl From<&Coverage> for WebhookReadiness {
    fn from(coverage: &Coverage) -> Self {
        WebhookReadiness {
            ready: coverage.ready,
            active_count: coverage.active_count,
            subscribed_events: coverage.subscribed_events.iter().map(|event| event.as_str()).collect(),
            missing_events: coverage.missing_events.iter().map(|event| event.as_str()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
