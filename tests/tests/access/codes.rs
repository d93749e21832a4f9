//! Every code of the contract's lists, each provoked on a running service (AC-66, AC-98). Whoever adds a code to the contract adds a line
//! to [`CODES`], and is told when nothing provokes it.

#[path = "codes/buyers.rs"]
mod buyers;

use crate::{
    put,
    shop::Shop,
    staff::{COLLECTOR, Desk, EVM, gates, product, session, setting, with_base},
    wallet,
};
use api::http::jwt::Role;
use events::vocab::{rail::RailId, words::Scope};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// COD-1 to COD-35.
const CODES: &[(&str, &str)] = &[
    ("COD-1", "payout_address_required"),
    ("COD-2", "backing_product_wallet_mismatch"),
    ("COD-3", "webhook_events_missing"),
    ("COD-4", "rail_kill_switched"),
    ("COD-5", "rail_required"),
    ("COD-6", "rail_session_adapter_not_implemented"),
    ("COD-7", "payment_session_adapter_not_implemented"),
    ("COD-8", "rail_not_effective"),
    ("COD-9", "platform_rail_not_production_enabled"),
    ("COD-10", "merchant_fee_collection_not_active"),
    ("COD-11", "merchant_fee_collection_not_instant"),
    ("COD-12", "fee_collector_address_required"),
    ("COD-13", "no_available_rails"),
    ("COD-14", "no_session_creatable_rails"),
    ("COD-15", "payment_required"),
    ("COD-16", "rail_not_allowed_for_product"),
    ("COD-16", "rail_setting_pending_review"),
    ("COD-16", "rail_setting_rejected"),
    ("COD-16", "rail_setting_disabled"),
    ("COD-16", "unknown_rail"),
    ("COD-16", "product_paused"),
    ("COD-16", "app_missing"),
    ("COD-16", "product_missing"),
    ("COD-16", "no_webhooks"),
    ("COD-20", "sandbox_key_required"),
    ("COD-21", "sandbox_mode_confirmation_required"),
    ("COD-22", "rail_disabled"),
    ("COD-23", "customer_identity_required"),
    ("COD-24", "sandbox_session_not_found"),
    ("COD-25", "invalid_sandbox_proof"),
    ("COD-26", "sandbox_proof_expired"),
    ("COD-27", "active_entitlement"),
    ("COD-28", "active_membership"),
    ("COD-29", "payment_pending"),
    ("COD-30", "entitlement_expired"),
    ("COD-31", "entitlement_revoked"),
    ("COD-32", "no_entitlement_for_rail"),
    ("COD-33", "no_entitlement"),
    ("COD-34", "invalid_category"),
    ("COD-34", "message_too_short"),
    ("COD-35", "tx_not_confirmed"),
    ("COD-35", "tx_conflict"),
    ("COD-35", "payment_expired"),
    ("COD-35", "wallet_mismatch"),
    ("COD-35", "identity_verification_required"),
];

/// What was provoked.
#[derive(Default)]
pub struct Seen(BTreeSet<String>);

impl Seen {
    /// A refusal with that code.
    #[track_caller]
    pub fn refused(&mut self, answer: Answer, status: u16, code: &str) {
        answer.refused(status, code);
        self.0.insert(code.to_owned());
    }
    /// A code in an answer.
    #[track_caller]
    pub fn said(&mut self, codes: &[Value], code: &str) {
        assert!(codes.contains(&json!(code)), "{code} is not among {codes:?}");
        self.0.insert(code.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_of_the_contract_is_provoked() {
    let mut seen = Seen::default();
    setup(&mut seen).await;
    second_rail(&mut seen).await;
    sandbox(&mut seen).await;
    checks(&mut seen).await;
    agent(&mut seen).await;
    buyers::endpoint(&mut seen).await;
    buyers::members_and_tickets(&mut seen).await;
    buyers::checkout(&mut seen).await;
    for (id, code) in CODES {
        assert!(seen.0.contains(*code), "{id}: nothing provokes {code}");
    }
}

/// COD-16, of an agent that plans no webhook.
async fn agent(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    let begun = json!({"agent_name": "A", "agent_platform": "cursor", "requested_use_case": "sell an API", "requested_permissions": ["access:read"]});
    let begun = app.send(app.request(Method::POST, "/v1/access/agent-bootstrap").json(&begun)).await.ok();
    let path = format!("/v1/access/agent-bootstrap/{}/manifest", begun["setup_intent"]["id"].as_str().unwrap());
    let manifest = json!({
        "app": {"name": "A", "external_app_id": "a"},
        "product": {"external_product_id": "api", "title": "API", "amount_minor_units": 1_000_000,
            "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc"]},
        "payment_protocol": "x402", "settlement_rail": "solana_usdc",
        "protected_resource": {"url": "https://api.acme.test/x", "method": "POST", "customer_identity": "external_customer_id"},
    });
    let attached =
        app.send(app.request(Method::POST, &path).json(&json!({"setup_token": begun["setup_token"], "manifest": manifest}))).await;
    let warnings: Vec<Value> = attached.ok()["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].clone()).collect();
    seen.said(&warnings, "no_webhooks");
    app.close().await;
}

/// COD-1 to 4, 7 to 9, 13, 16: a merchant who sets up.
async fn setup(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    app.caught_up().await;
    let (desk, payout) = (Desk::of(&app).await, wallet());
    let ready = |product: &str| {
        let path = format!("/v1/access/setup/readiness?external_product_id={product}");
        let app = &app;
        async move { app.get(&app.live_key, &path).await.ok() }
    };
    let blockers = |ready: &Value| -> Vec<Value> { ready["blockers"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect() };
    let nothing = blockers(&ready("pro").await);
    seen.said(&nothing, "app_missing");
    seen.said(&nothing, "product_missing");
    product(&app, "pro", &payout, json!("all")).await;
    seen.refused(session(&app, "pro", Some("solana_usdc")).await, 409, "payout_address_required");
    seen.refused(session(&app, "pro", None).await, 409, "no_available_rails");
    seen.refused(session(&app, "pro", Some("paypal")).await, 422, "unknown_rail");
    setting(&app, "solana_usdc", json!({"payout_address": payout, "enabled": false})).await;
    seen.said(&gates(&app, "pro", "solana_usdc").await.0, "rail_setting_disabled");
    setting(&app, "solana_usdc", json!({"payout_address": wallet()})).await;
    seen.refused(session(&app, "pro", Some("solana_usdc")).await, 409, "backing_product_wallet_mismatch");
    setting(&app, "solana_usdc", json!({"payout_address": payout})).await;
    session(&app, "pro", None).await.ok();
    let found = ready("pro").await;
    seen.said(&blockers(&found), "webhook_events_missing");
    let (platform, session_blocker) = gates(&app, "pro", "base_usdc").await;
    seen.said(&platform, "platform_rail_not_production_enabled");
    seen.said(&[session_blocker], "rail_not_effective");
    seen.said(&[gates(&app, "pro", "x402").await.1], "payment_session_adapter_not_implemented");
    desk.switch("solana_usdc", "tripped").await.ok();
    seen.refused(session(&app, "pro", Some("solana_usdc")).await, 409, "rail_kill_switched");
    desk.switch("solana_usdc", "not_tripped").await.ok();

    product(&app, "elsewhere", &payout, json!(["solana_usdc", "x402"])).await;
    let own = json!({"access_app_id": found["app"]["app_id"], "external_product_id": "paused", "title": "P", "amount_minor_units": 5,
        "merchant_wallet": payout, "entitlement_duration_days": 1, "default_rail": "x402", "allowed_rails": ["x402"]});
    app.post(&app.live_key, "/v1/access/products", own).await.ok();
    seen.said(&blockers(&ready("paused").await), "product_paused");
    seen.said(&gates(&app, "paused", "solana_usdc").await.0, "rail_not_allowed_for_product");

    let two = json!({"value": true, "reason": "four eyes"});
    desk.send(0, Method::PUT, "/settings/solana_usdc_two_person_review", two).await.ok();
    let moved = setting(&app, "solana_usdc", json!({"payout_address": wallet()})).await;
    seen.said(&gates(&app, "pro", "solana_usdc").await.0, "rail_setting_pending_review");
    let path = format!("/rail-settings/{}/apply-verification", moved["id"].as_str().unwrap());
    desk.send(0, Method::POST, &path, json!({"outcome": "rejected", "reason": "not his"})).await.ok();
    seen.said(&gates(&app, "pro", "solana_usdc").await.0, "rail_setting_rejected");
    app.close().await;
}

/// COD-5, 6, 10 to 12, 14: what takes a second rail.
async fn second_rail(seen: &mut Seen) {
    // A rail that is live and has no adapter, which staff could never switch on: only a deployment built so has it.
    let rails = with_base().with(RailId::SolanaUsdt, |rail| rail.production_enabled = true);
    let app = TestApp::start_with(&[], rails).await;
    let (desk, payout) = (Desk::of(&app).await, wallet());
    product(&app, "pro", &payout, json!(["solana_usdc", "base_usdc", "solana_usdt"])).await;
    let usdt = setting(&app, "solana_usdt", json!({"payout_address": payout})).await;
    desk.verify(&usdt).await;
    seen.refused(session(&app, "pro", Some("solana_usdt")).await, 409, "rail_session_adapter_not_implemented");
    seen.refused(session(&app, "pro", None).await, 409, "no_session_creatable_rails");

    desk.capability("base_usdc", json!({"production_enabled": true, "reason": "launch"})).await.ok();
    let fees = |more: Value| {
        let mut body = json!({"payout_address": EVM});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let base = setting(&app, "base_usdc", fees(json!({}))).await;
    desk.verify(&base).await;
    seen.refused(session(&app, "pro", Some("base_usdc")).await, 409, "merchant_fee_collection_not_active");
    let deferred = setting(&app, "base_usdc", fees(json!({"fee_collection_mode": "deferred_merchant_billing"}))).await;
    desk.verify(&deferred).await;
    seen.refused(session(&app, "pro", Some("base_usdc")).await, 409, "merchant_fee_collection_not_instant");
    let uncollected = setting(&app, "base_usdc", fees(json!({"fee_collection_mode": "merchant_allowance_pull"}))).await;
    desk.verify(&uncollected).await;
    seen.refused(session(&app, "pro", Some("base_usdc")).await, 409, "fee_collector_address_required");
    let whole = json!({"fee_collection_mode": "merchant_allowance_pull", "fee_collector_address": COLLECTOR});
    let whole = setting(&app, "base_usdc", fees(whole)).await;
    desk.verify(&whole).await;
    let allowance = desk.agree("fee_collection_activation", &whole).await;
    desk.fees(&whole, json!({"status": "active", "approval_id": allowance["id"]})).await.ok();
    setting(&app, "solana_usdc", json!({"payout_address": payout})).await;
    seen.refused(session(&app, "pro", None).await, 422, "rail_required");
    // One chain of Base is all of it.
    let chain = json!({"state": "tripped", "chain": "eip155:8453", "reason": "reorg"});
    desk.send(0, Method::PUT, "/rails/base_usdc/kill-switch", chain).await.ok();
    seen.refused(session(&app, "pro", Some("base_usdc")).await, 409, "rail_kill_switched");
    session(&app, "pro", None).await.ok();
    app.close().await;
}

/// COD-20 to 26, 27, 30.
async fn sandbox(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    let own = crate::an_app(&app, &app.sandbox_key, "pro").await;
    let body = crate::product_body(&own["id"], "pro", &wallet());
    app.post(&app.sandbox_key, "/v1/access/products", body).await.ok();
    let path = "/v1/access/sandbox/payment-sessions";
    let asked = |more: Value| {
        let mut body =
            json!({"external_product_id": "pro", "external_customer_id": "cust_1", "rail": "x402", "confirm_sandbox_mode": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    seen.refused(app.post(&app.live_key, path, asked(json!({}))).await, 403, "sandbox_key_required");
    let unconfirmed = asked(json!({"confirm_sandbox_mode": false}));
    seen.refused(app.post(&app.sandbox_key, path, unconfirmed).await, 422, "sandbox_mode_confirmation_required");
    seen.refused(app.post(&app.sandbox_key, path, asked(json!({"rail": "base_usdc"}))).await, 409, "rail_disabled");
    let nobody = asked(json!({"external_customer_id": null}));
    seen.refused(app.post(&app.sandbox_key, path, nobody).await, 422, "customer_identity_required");
    let confirm = |id: &str, proof: &str| {
        let (path, proof) = (format!("{path}/{id}/confirm"), json!({"proof": proof}));
        let app = &app;
        async move { app.post(&app.sandbox_key, &path, proof).await }
    };
    let unknown = events::clock::new_id::<uuid::Uuid>().to_string();
    seen.refused(confirm(&unknown, "hilt_sandbox_v1.x").await, 404, "sandbox_session_not_found");
    let made = app.post(&app.sandbox_key, path, asked(json!({}))).await.ok();
    let session = |made: &Value| made["sandbox_session"]["id"].as_str().unwrap().to_owned();
    seen.refused(confirm(&session(&made), "hilt_sandbox_v1.wrong").await, 422, "invalid_sandbox_proof");
    confirm(&session(&made), made["sandbox_session"]["proof"].as_str().unwrap()).await.ok();
    let check = || app.post(&app.sandbox_key, "/v1/access/entitlements/check", asked(json!({})));
    seen.said(&[check().await.ok()["reason"].clone()], "active_entitlement");
    let late = app.post(&app.sandbox_key, path, asked(json!({"external_customer_id": "cust_2"}))).await.ok();
    app.clock.advance_seconds(31 * 60);
    seen.refused(confirm(&session(&late), late["sandbox_session"]["proof"].as_str().unwrap()).await, 410, "sandbox_proof_expired");
    app.clock.advance_seconds(31 * 24 * 3600);
    seen.said(&[check().await.ok()["reason"].clone()], "entitlement_expired");
    app.close().await;
}

/// COD-29, 31 to 33; and that owners are kept apart.
async fn checks(seen: &mut Seen) {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    seen.said(&[shop.check(&app, "nobody").await["reason"].clone()], "no_entitlement");
    let made = shop.session(&app, "cust_1").await;
    seen.said(&[shop.check(&app, "cust_1").await["reason"].clone()], "payment_pending");
    let other = json!({"external_product_id": shop.product, "external_customer_id": "cust_1", "rail": "base_usdc"});
    let other = app.post(&app.live_key, "/v1/access/entitlements/check", other).await.ok();
    seen.said(&[other["reason"].clone()], "no_entitlement_for_rail");
    let path = format!("/entitlements/{}/revoke", made["pending_entitlement"]["id"].as_str().unwrap());
    desk.send(0, Method::POST, &path, json!({"reason": "fraud"})).await.ok();
    seen.said(&[shop.check(&app, "cust_1").await["reason"].clone()], "entitlement_revoked");
    let key = app.key(events::clock::new_id(), true, Scope::ALL).await;
    // Whatever one owner has, another knows nothing of.
    let stranger = app.token(Role::Owner, Some(events::clock::new_id())).await;
    let asked = app.request(Method::GET, "/v1/access/products/available-rails?external_product_id=pro-ai-api").bearer_auth(stranger);
    app.send(asked).await.refused(404, "product_not_found");
    let theirs = put(&app, &key, "/v1/access/rail-settings/solana_usdc", json!({"enabled": true, "payout_address": wallet()})).await.ok();
    let mine = app.get(&app.live_key, "/v1/access/rail-settings/solana_usdc").await.ok();
    assert_ne!((&theirs["id"], &theirs["payout_address"]), (&mine["id"], &mine["payout_address"]));
    app.close().await;
}
