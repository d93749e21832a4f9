//! The calls that clear blockers, with every value filled in that the service knows.

use super::{
    DEFAULT_RAIL, Facts, Product,
    action::{Credential, Kind, NextAction, input, result},
    blockers::{mendable, rail_to_mend},
    webhooks::Receiver,
};
use events::vocab::{
    event::AccessProductCreated,
    rail::{Mode, RailId},
    words::{ProductStatus, Scope},
};
use ledger::rail_gates::{Blocker, Verdict};
use serde_json::{Value, json};

/// Seconds after which a look at what Hilt has to do makes sense again.
const REVIEW_SECONDS: u64 = 60;
const INCIDENT_SECONDS: u64 = 30;

pub(super) fn of(facts: &Facts) -> Vec<NextAction> {
    let mut actions = Vec::new();
    let named = facts.product.named();
    if named.is_none() && facts.app_id.is_none() {
        actions.push(create_app(facts));
    }
    match (&facts.product, facts.options.as_ref()) {
        (Product::Missing, _) => {
            let configured = facts.setting.as_ref().is_some_and(|setting| setting.enabled && setting.payout_address.is_some());
            if facts.mode == Mode::Live && !configured {
                actions.push(payout(facts, DEFAULT_RAIL, input_wallet(), ["payout_address_required"]));
            }
            actions.push(create_product(facts));
        }
        (Product::Several(ids), _) => actions.push(name_product(facts, ids)),
        (Product::Named(product), Some(options)) => {
            let sells = options.creatable().next().is_some();
            let rail = rail_to_mend(facts, options).filter(|_| !sells);
            actions.extend(change_product(facts, product, rail));
            match rail {
                Some(verdict) => actions.extend(mend_rail(facts, product, verdict)),
                None if !sells => actions.push(no_rail(facts)),
                None => {}
            }
        }
        (Product::Named(_), None) => {}
    }
    if !facts.webhooks.ready && facts.mode == Mode::Live {
        actions.push(match &facts.webhooks.incomplete {
            None => register_webhook(facts),
            Some(receiver) if receiver.paused => resume_webhook(facts, receiver),
            Some(receiver) => complete_webhook(facts, receiver),
        });
    }
    actions
}

pub(super) fn recheck(facts: &Facts) -> NextAction {
    let product = match &facts.product {
        Product::Named(product) => Some(product.external_product_id.clone()),
        Product::Missing | Product::Several(_) => facts.asked.clone(),
    };
    NextAction::call("recheck", "GET", "/v1/access/setup/readiness", facts.credential)
        .says("Ask what is missing now.", "Each answer lists what is left, until ready is true.")
        .scope(Scope::Read)
        .query("mode", facts.mode.as_str())
        .query("external_product_id", product)
}

fn create_app(facts: &Facts) -> NextAction {
    NextAction::call("create_app", "POST", "/v1/access/apps", facts.credential)
        .says("Create an app.", "Every product belongs to an app.")
        .scope(Scope::Write)
        .clears(["app_missing"])
        .body(json!({
            "name": input("app_name", "string", "What to call the app in the dashboard."),
            "external_app_id": input("external_app_id", "string", "Your own id of the app, unique in the workspace."),
            "default_rail": DEFAULT_RAIL,
        }))
}

fn create_product(facts: &Facts) -> NextAction {
    let app = facts.app_id.map_or_else(|| result("create_app", "/id"), |app| json!(app));
    let wallet = facts.setting.as_ref().and_then(|setting| setting.payout_address.clone());
    let external = "Your own id of the product, unique in the workspace.";
    let mut body = json!({
        "access_app_id": app,
        "external_product_id": facts.asked.as_ref().map_or_else(|| input("external_product_id", "string", external), |id| json!(id)),
        "title": input("product_title", "string", "What buyers read."),
        "amount_minor_units": input("amount_minor_units", "integer", "The price in millionths of a USDC: 25000000 is 25 USDC."),
        "merchant_wallet": wallet.map_or_else(input_wallet, Value::from),
        "entitlement_duration_days": input("entitlement_duration_days", "integer", "Days of access that one payment gives, 1 to 36500."),
        "default_rail": DEFAULT_RAIL,
        "allowed_rails": [DEFAULT_RAIL],
        "status": "active",
    });
    if facts.mode == Mode::Live {
        body["live_mode_confirmed"] = confirmation();
    }
    NextAction::call("create_product", "POST", "/v1/access/products", facts.credential)
        .says("Create the product.", "It is what buyers pay for and what access is checked against.")
        .scope(Scope::Write)
        .clears(["product_missing"])
        .body(body)
}

fn name_product(facts: &Facts, ids: &[String]) -> NextAction {
    let mut which = input("external_product_id", "string", "Which of the workspace's products is meant.");
    which["one_of"] = json!(ids);
    let asked = recheck(facts).query("external_product_id", which).clears(["product_required"]);
    NextAction { id: "name_product", ..asked }.says("Name the product.", "The workspace has several, and each has a setup of its own.")
}

/// Only what must be different for `rail` to be used and the product to sell.
fn change_product(facts: &Facts, product: &AccessProductCreated, rail: Option<&Verdict>) -> Option<NextAction> {
    let (mut body, mut clears) = (json!({}), Vec::new());
    if product.status == ProductStatus::Paused {
        body["status"] = json!("active");
        clears.push("product_paused");
    }
    if let Some(rail) = rail.map(|verdict| verdict.rail.rail_id).filter(|rail| !product.allowed_rails.contains(rail)) {
        let allowed: Vec<RailId> = product.allowed_rails.iter().copied().chain([rail]).collect();
        body["allowed_rails"] = json!(allowed);
        body["default_rail"] = json!(rail);
        clears.push("no_available_rails");
    }
    if clears.is_empty() {
        return None;
    }
    // A sandbox product moves no money, so nobody has to say that it may.
    if facts.credential != Credential::SandboxApiKey {
        body["live_mode_confirmed"] = confirmation();
    }
    let path = format!("/v1/access/products/{}", product.access_product_id);
    let change = NextAction::call("change_product", "PATCH", path, facts.credential).endpoint("PATCH /v1/access/products/{id}");
    let what = match body.get("status") {
        Some(_) => "Activate the product.",
        None => "Allow a rail that can be paid on.",
    };
    Some(
        change
            .says(what, "A paused product opens no sessions, nor does one whose rails are all closed.")
            .scope(Scope::Write)
            .clears(clears)
            .body(body),
    )
}

fn mend_rail(facts: &Facts, product: &AccessProductCreated, verdict: &Verdict) -> Vec<NextAction> {
    let rail = verdict.rail.rail_id;
    let found = mendable(verdict);
    let (waits, saves): (Vec<_>, Vec<_>) =
        found.iter().copied().partition(|blocked| matches!(blocked, Blocker::KillSwitched | Blocker::SettingPendingReview));
    let mut actions = Vec::new();
    if let Some(first) = saves.first() {
        let own = matches!(rail, RailId::SolanaUsdc | RailId::SolanaUsdt).then(|| json!(product.merchant_wallet));
        let saved = facts.setting.as_ref().and_then(|setting| setting.payout_address.clone()).map(Value::from);
        let wallet = match first {
            Blocker::SettingRejected => input_wallet(),
            _ => own.or(saved).unwrap_or_else(input_wallet),
        };
        let codes = saves.iter().map(|blocked| blocked.code()).chain(["no_available_rails"]);
        actions.push(fees(payout(facts, rail, wallet, codes), &saves));
    }
    for blocked in waits {
        let (what, why, seconds) = match blocked {
            Blocker::KillSwitched => {
                ("Wait until Hilt has cleared the incident.", "Hilt has switched the rail off. Do not retry as live.", INCIDENT_SECONDS)
            }
            _ => ("Wait until Hilt has reviewed the payout setting.", "Two people look at a new payout address.", REVIEW_SECONDS),
        };
        let id = if blocked == Blocker::KillSwitched { "wait_for_rail" } else { "wait_for_review" };
        let wait = NextAction { id, ..recheck(facts) }.says(what, why).kind(Kind::Wait).after(seconds);
        actions.push(wait.clears([blocked.code(), "no_available_rails"]));
    }
    actions
}

/// Saves the whole setting of `rail`, with what is known of it.
fn payout(facts: &Facts, rail: RailId, wallet: Value, clears: impl IntoIterator<Item = &'static str>) -> NextAction {
    let label = facts.setting.as_ref().and_then(|setting| setting.label.clone());
    let path = format!("/v1/access/rail-settings/{rail}");
    NextAction::call("configure_rail", "PUT", path, facts.credential)
        .endpoint("PUT /v1/access/rail-settings/{rail_id}")
        .says(
            "Say where payouts go.",
            "Payouts of a live session go to the rail's payout address, which must be the product's merchant_wallet. If that wallet is not \
             the one you want to be paid at, create another product, or ask Hilt's support.",
        )
        .scope(Scope::Write)
        .clears(clears)
        .body(
            json!({"enabled": true, "mode": facts.mode, "payout_address": wallet, "label": label.unwrap_or_else(|| "Payouts".to_owned())}),
        )
}

/// With how the fee is collected, where that is what is missing.
fn fees(mut action: NextAction, blocked: &[Blocker]) -> NextAction {
    let of_fees = [Blocker::FeeCollectionNotActive, Blocker::FeeCollectionNotInstant, Blocker::FeeCollectorAddressRequired];
    if let Some(body) = action.body.as_mut().filter(|_| blocked.iter().any(|blocked| of_fees.contains(blocked))) {
        body["fee_collection_mode"] = json!("merchant_allowance_pull");
        body["fee_collector_address"] = input("fee_collector_address", "evm_address", "Hilt's reviewed fee collector contract.");
        body["fee_allowance_token_contract"] = input("fee_allowance_token_contract", "evm_address", "The token that the allowance is in.");
        body["fee_allowance_limit_minor_units"] = input("fee_allowance_limit_minor_units", "integer", "The allowance's limit.");
        body["fee_allowance_tx_hash"] = input("fee_allowance_tx_hash", "evm_hash", "The transaction that approved the allowance.");
    }
    action
}

/// Nothing that the merchant can do opens a rail.
fn no_rail(facts: &Facts) -> NextAction {
    let wait = NextAction { id: "wait_for_rail", ..recheck(facts) };
    wait.says("Wait for a rail, or ask Hilt's support.", "No rail of the platform can create a session in this mode now.")
        .kind(Kind::Wait)
        .after(INCIDENT_SECONDS)
        .clears(["no_available_rails", "no_session_creatable_rails"])
}

fn register_webhook(facts: &Facts) -> NextAction {
    NextAction::call("register_webhook", "POST", "/v1/access/webhooks", facts.credential)
        .says(
            "Register a webhook covering payment, receipt, activation, and expiry events.",
            "Without it your service learns of a payment only by asking. The signing secret is in this answer and in no other.",
        )
        .scope(Scope::Webhooks)
        .clears(["webhook_events_missing"])
        .body(json!({
            "label": "Access events",
            "url": input("webhook_url", "https_url", "Where your service takes signed messages, on the public Internet."),
            "subscribed_events": facts.webhooks.missing_events,
            "product_ids": [],
        }))
}

/// Tells the receiver that there is of the rest too: a second one would be one more secret to keep and one more place to answer.
fn complete_webhook(facts: &Facts, receiver: &Receiver) -> NextAction {
    NextAction::call("complete_webhook", "PATCH", format!("/v1/access/webhooks/{}", receiver.id), facts.credential)
        .endpoint("PATCH /v1/access/webhooks/{id}")
        .says(
            "Have your webhook told of payment, receipt, activation, and expiry events.",
            "It is told of some of what happens. Its URL and signing secret stay as they are.",
        )
        .scope(Scope::Webhooks)
        .clears(["webhook_events_missing"])
        .body(json!({"subscribed_events": receiver.with(&facts.webhooks.missing_events)}))
}

fn resume_webhook(facts: &Facts, receiver: &Receiver) -> NextAction {
    NextAction::call("resume_webhook", "POST", format!("/v1/access/webhooks/{}/resume", receiver.id), facts.credential)
        .endpoint("POST /v1/access/webhooks/{id}/resume")
        .says("Resume your webhook.", "It is paused, and what happens is kept for it until then.")
        .scope(Scope::Webhooks)
        .clears(["webhook_events_missing"])
}

fn confirmation() -> Value {
    input(
        "live_mode_confirmed",
        "boolean",
        "The owner's explicit word that this product may take real money: true, or do not make this call.",
    )
}

fn input_wallet() -> Value {
    input("payout_wallet", "solana_address", "The merchant's own Solana wallet, to which payouts go. Never make one up.")
}
