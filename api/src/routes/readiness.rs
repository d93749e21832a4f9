//! RT-062 `GET /v1/access/setup/readiness`: what is missing before live sessions make sense, with the call that mends each.

use super::{
    available_rails::{RailAvailability, Setup, find, halves},
    rails::SessionOptions,
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    services::{gates, products::ProductRef},
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    vocab::{
        event::AccessProductCreated,
        rail::{Mode, RailId},
        words::{ProductStatus, Scope, WebhookEvent},
    },
};
use ledger::rail_gates::{Blocker as RailBlocker, RailOptions, Verdict};
use projections::{
    Reader, Window, access_apps,
    webhook_endpoints::{self, EndpointStatus},
};
use serde::Serialize;
use std::{collections::BTreeSet, sync::Arc};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(readiness))
}

/// The events an integration should hear of (DIS-23).
const RECOMMENDED: [WebhookEvent; 4] =
    [WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated, WebhookEvent::MembershipActivated, WebhookEvent::MembershipExpired];

/// How many receivers are looked at.
const MOST_ENDPOINTS: u32 = 1_000;

/// Whether everything is set up.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// No blocker is left.
    ready: bool,
    /// `live` or `sandbox`.
    mode: &'static str,
    /// What is missing, the first to mend first.
    blockers: Vec<Blocker>,
    /// The calls that mend it, in order.
    next_actions: Vec<NextAction>,
    app: AppReadiness,
    product: ProductReadiness,
    rails: RailReadiness,
    webhooks: WebhookReadiness,
}

/// Something that is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
struct Blocker {
    /// A stable code.
    code: &'static str,
    /// The call that mends it.
    endpoint: String,
    /// What to do.
    next_action: &'static str,
}

/// A call to make.
#[derive(Serialize, ToSchema)]
struct NextAction {
    endpoint: String,
    action: &'static str,
}

#[derive(Serialize, ToSchema)]
struct AppReadiness {
    ready: bool,
    app_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ProductReadiness {
    ready: bool,
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
/// whether a rail must be named.
#[utoipa::path(get, path = "/v1/access/setup/readiness", tag = "access", operation_id = "setup_readiness", params(Setup),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "What is ready and what is missing", body = Readiness), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn readiness(
    Part(log): Part<Log>,
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    min: MinPosition,
    Params(asked): Params<Setup>,
) -> Result<Json<Readiness>, Problem> {
    merchant.require(Scope::Read)?;
    let mode = asked.mode(&merchant)?;
    for name in ["access_apps", "webhook_endpoints"] {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let product = product(&log, &merchant, mode, &asked).await?;
    let options = match &product {
        Some(product) => Some(gates::evaluate(&log, &platform, &settings, merchant.owner, mode, product).await?),
        None => None,
    };
    let live = mode == Mode::Live;
    let apps = access_apps::list(&reader, merchant.owner, live, Window::first(1)).await.map_err(rejection::query)?;
    let has_app = product.is_some() || apps.total > 0;
    let webhooks = webhooks(&reader, &merchant, live, product.as_ref()).await?;
    Ok(Json(assemble(mode, has_app, product.as_ref(), options.as_ref(), webhooks)))
}

async fn product(log: &Log, merchant: &Merchant, mode: Mode, asked: &Setup) -> Result<Option<AccessProductCreated>, Problem> {
    let Ok(named) = ProductRef::parse(&asked.external_product_id, &[&asked.product_id]) else { return Ok(None) };
    match find(log, merchant, mode, &named).await {
        Ok(product) => Ok(Some(product)),
        // A product that is not there is what readiness is asked about, not an error.
        Err(problem) if problem.code == Code::ProductNotFound.as_str() => Ok(None),
        Err(problem) => Err(problem),
    }
}

async fn webhooks(
    reader: &Reader,
    merchant: &Merchant,
    live: bool,
    product: Option<&AccessProductCreated>,
) -> Result<WebhookReadiness, Problem> {
    let endpoints = webhook_endpoints::list(reader, merchant.owner, live, Window::first(MOST_ENDPOINTS)).await.map_err(rejection::query)?;
    let concerns = |ids: &[uuid::Uuid]| {
        ids.is_empty() || product.is_none_or(|product| ids.contains(&product.access_product_id.0) || ids.contains(&product.product_id.0))
    };
    let active = endpoints.items.iter().filter(|endpoint| endpoint.status == EndpointStatus::Active);
    let endpoints: Vec<_> = active.filter(|endpoint| concerns(&endpoint.product_ids)).collect();
    let subscribed: BTreeSet<WebhookEvent> = endpoints.iter().flat_map(|endpoint| endpoint.subscribed_events.iter().copied()).collect();
    Ok(coverage(endpoints.len(), &subscribed))
}

fn coverage(active_count: usize, subscribed: &BTreeSet<WebhookEvent>) -> WebhookReadiness {
    let missing_events: Vec<_> = RECOMMENDED.iter().filter(|event| !subscribed.contains(event)).map(|event| event.as_str()).collect();
    WebhookReadiness {
        ready: missing_events.is_empty(),
        active_count,
        subscribed_events: subscribed.iter().map(|event| event.as_str()).collect(),
        missing_events,
    }
}

fn assemble(
    mode: Mode,
    has_app: bool,
    product: Option<&AccessProductCreated>,
    options: Option<&RailOptions>,
    webhooks: WebhookReadiness,
) -> Readiness {
    let mut blockers = Vec::new();
    if !has_app {
        blockers.push(blocker("app_missing", "POST /v1/access/apps", "Create an app."));
    }
    match product {
        None => {
            blockers.push(blocker("product_missing", "POST /v1/access/products", "Create the product, or name it by external_product_id."))
        }
        Some(product) if product.status == ProductStatus::Paused => {
            blockers.push(blocker(
                "product_paused",
                "POST /v1/access/products",
                "The product does not sell: create it with status active and live_mode_confirmed.",
            ));
        }
        Some(_) => {}
    }
    blockers.extend(product.zip(options).into_iter().flat_map(|(product, options)| rail_blockers(product, options)));
    if !webhooks.ready && mode == Mode::Live {
        let next = "Register a webhook covering payment, receipt, activation, and expiry events.";
        blockers.push(blocker("webhook_events_missing", "POST /v1/access/webhooks", next));
    }
    Readiness {
        ready: blockers.is_empty(),
        mode: mode.as_str(),
        next_actions: blockers
            .iter()
            .map(|blocker| NextAction { endpoint: blocker.endpoint.clone(), action: blocker.next_action })
            .collect(),
        blockers,
        app: AppReadiness { ready: has_app, app_id: product.map(|product| product.app_id.to_string()) },
        product: ProductReadiness {
            ready: product.is_some_and(|product| product.status == ProductStatus::Active),
            status: product.map(|product| product.status.as_str()),
            access_product_id: product.map(|product| product.access_product_id.to_string()),
            external_product_id: product.map(|product| product.external_product_id.clone()),
        },
        rails: product.zip(options).map(|(product, options)| rail_readiness(product, options)).unwrap_or_default(),
        webhooks,
    }
}

fn blocker(code: &'static str, endpoint: impl Into<String>, next_action: &'static str) -> Blocker {
    Blocker { code, endpoint: endpoint.into(), next_action }
}

/// Nothing stands in the way while one rail creates sessions. Otherwise: what the merchant can mend on rails that the platform runs,
/// and that no rail is left.
fn rail_blockers(product: &AccessProductCreated, options: &RailOptions) -> Vec<Blocker> {
    if options.creatable().next().is_some() {
        return Vec::new();
    }
    let beyond = [RailBlocker::PlatformNotProductionEnabled, RailBlocker::Disabled, RailBlocker::NotAllowedForProduct];
    let allowed = |verdict: &&Verdict| product.allowed_rails.contains(&verdict.rail.rail_id);
    let of_rail = |verdict: &Verdict| {
        let rail = verdict.rail.rail_id;
        let session = verdict.session_blocker.filter(|_| verdict.available());
        let all: Vec<_> = verdict.blockers.iter().copied().chain(session).filter(|b| !beyond.contains(b)).map(|b| mend(b, rail)).collect();
        all
    };
    let mut blockers: Vec<_> = options.rails.iter().filter(allowed).flat_map(of_rail).collect();
    let read = "GET /v1/access/products/available-rails";
    blockers.push(match options.rails.iter().any(Verdict::available) {
        true => blocker("no_session_creatable_rails", read, "Do not create a session; ask Hilt's support."),
        false => blocker("no_available_rails", read, "Inspect blocked_rails and fix the first blocker."),
    });
    blockers
}

fn mend(blocked: RailBlocker, rail: RailId) -> Blocker {
    let code = match blocked {
        RailBlocker::AdapterNotImplemented => blocked.session_code(),
        other => other.code(),
    };
    blocker(code, format!("PUT /v1/access/rail-settings/{rail}"), blocked.next_action())
}

fn rail_readiness(product: &AccessProductCreated, options: &RailOptions) -> RailReadiness {
    let [available_rails, blocked_rails] = halves(options);
    RailReadiness {
        allowed_rails: product.allowed_rails.iter().map(|rail| rail.as_str()).collect(),
        available_rails,
        blocked_rails,
        payment_session_options: Some(SessionOptions::from(options)),
    }
}

#[cfg(test)]
mod tests;
