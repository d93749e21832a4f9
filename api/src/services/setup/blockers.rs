//! What is missing before a product can be sold, the first to mend first.

use super::{Facts, Product};
use events::vocab::{rail::Mode, words::ProductStatus};
use ledger::rail_gates::{Blocker as RailBlocker, RailOptions, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

/// Something that is missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Blocker {
    /// A stable code.
    #[schema(example = "webhook_events_missing")]
    pub code: &'static str,
    /// The call that mends it.
    #[schema(example = "POST /v1/access/webhooks")]
    pub endpoint: String,
    /// What to do.
    pub next_action: &'static str,
}

/// A blocker of that code.
pub fn blocker(code: &'static str, endpoint: impl Into<String>, next_action: &'static str) -> Blocker {
    Blocker { code, endpoint: endpoint.into(), next_action }
}

/// What stands in the way.
pub fn of(facts: &Facts) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    if facts.app_id.is_none() && facts.product.named().is_none() {
        blockers.push(blocker("app_missing", "POST /v1/access/apps", "Create an app."));
    }
    match &facts.product {
        Product::Missing => {
            blockers.push(blocker("product_missing", "POST /v1/access/products", "Create the product, or name it by external_product_id."));
        }
        Product::Several(_) => {
            let next = "Name one of the workspace's products by external_product_id.";
            blockers.push(blocker("product_required", "GET /v1/access/setup/readiness", next));
        }
        Product::Named(product) if product.status == ProductStatus::Paused => {
            let next = match facts.mode {
                Mode::Live => "The product does not sell: activate it with status active and live_mode_confirmed true.",
                Mode::Sandbox => "The product does not sell: activate it with status active.",
            };
            blockers.push(blocker("product_paused", "PATCH /v1/access/products/{id}", next));
        }
        Product::Named(_) => {}
    }
    blockers.extend(rail_blockers(facts));
    if !facts.webhooks.ready && facts.mode == Mode::Live {
        let next = "Register a webhook covering payment, receipt, activation, and expiry events.";
        blockers.push(blocker("webhook_events_missing", "POST /v1/access/webhooks", next));
    }
    blockers
}

/// What of a rail's blockers a merchant can do nothing about while he keeps to the rail.
const BEYOND: [RailBlocker; 3] = [RailBlocker::PlatformNotProductionEnabled, RailBlocker::Disabled, RailBlocker::NotAllowedForProduct];

/// Nothing stands in the way while one rail creates sessions. Otherwise: what can be mended on rails that the platform runs, and that
/// no rail is left.
fn rail_blockers(facts: &Facts) -> Vec<Blocker> {
    let Some((product, options)) = facts.product.named().zip(facts.options.as_ref()) else { return Vec::new() };
    if options.creatable().next().is_some() {
        return Vec::new();
    }
    let of_rail = |verdict: &Verdict| {
        let rail = verdict.rail.rail_id;
        mendable(verdict).into_iter().map(move |blocked| {
            let code = match blocked {
                RailBlocker::AdapterNotImplemented => blocked.session_code(),
                other => other.code(),
            };
            let endpoint = match blocked {
                RailBlocker::KillSwitched => "GET /v1/access/setup/readiness".to_owned(),
                _ => format!("PUT /v1/access/rail-settings/{rail}"),
            };
            blocker(code, endpoint, blocked.next_action())
        })
    };
    let allowed = options.rails.iter().filter(|verdict| product.allowed_rails.contains(&verdict.rail.rail_id));
    let mut blockers: Vec<_> = allowed.flat_map(of_rail).collect();
    let read = "GET /v1/access/products/available-rails";
    blockers.push(match options.rails.iter().any(Verdict::available) {
        true => blocker("no_session_creatable_rails", read, "Do not create a session; ask Hilt's support."),
        false => blocker("no_available_rails", read, "Inspect blocked_rails and fix the first blocker."),
    });
    blockers
}

/// What of a rail's blockers is not for good.
pub fn mendable(verdict: &Verdict) -> Vec<RailBlocker> {
    let session = verdict.session_blocker.filter(|_| verdict.available());
    verdict.blockers.iter().copied().chain(session).filter(|blocked| !BEYOND.contains(blocked)).collect()
}

/// The rail to set up: the product's own if the platform runs it, else one that it runs. The platform decides, not the merchant.
pub fn rail_to_mend<'a>(facts: &Facts, options: &'a RailOptions) -> Option<&'a Verdict> {
    let product = facts.product.named()?;
    let open = |verdict: &&Verdict| {
        !verdict.blockers.iter().any(|blocked| BEYOND.contains(blocked) && *blocked != RailBlocker::NotAllowedForProduct)
    };
    let runs = |verdict: &&Verdict| open(verdict) && verdict.session_blocker != Some(RailBlocker::AdapterNotImplemented);
    let default = options.verdict(product.default_rail).filter(runs);
    let allowed = options.rails.iter().filter(|verdict| product.allowed_rails.contains(&verdict.rail.rail_id)).find(runs);
    default.or(allowed).or_else(|| options.rails.iter().find(runs))
}
