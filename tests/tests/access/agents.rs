//! AC-82..85, INV-40, 57..59: an agent starts with nothing, tries everything in its sandbox, and gets near real money only by an owner.

use crate::follow::caller;
use api::http::jwt::Role;
use events::{clock::new_id, vocab::id::OwnerId};
use hilt_tests::{
    app::{Answer, TestApp},
    follower::{Followed, Follower},
};
use reqwest::Method;
use serde_json::{Value, json};

const BOOTSTRAP: &str = "/v1/access/agent-bootstrap";

/// AC-82, literally.
fn request() -> Value {
    json!({"agent_name": "Acme API Builder", "agent_platform": "cursor",
        "requested_use_case": "Protect an AI API endpoint with Hilt Pay API",
        "requested_permissions": ["access:read", "access:write", "access:webhooks"], "ttl_hours": 24})
}

/// AC-84, literally.
fn manifest(token: &Value) -> Value {
    json!({"setup_token": token, "manifest": {
        "app": {"name": "Acme AI", "external_app_id": "acme-ai"},
        "product": {"external_product_id": "pro-api", "title": "Pro API access", "amount_minor_units": 79_000_000,
            "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc"]},
        "payment_protocol": "x402", "settlement_rail": "solana_usdc",
        "protected_resource": {"url": "https://api.acme.test/ai/pro", "method": "POST", "customer_identity": "external_customer_id"},
        "webhook": {"url": "https://api.acme.test/hilt/webhook", "subscribed_events": ["payment.confirmed", "membership.activated"]}}})
}

async fn public(app: &TestApp, path: &str, body: &Value) -> Answer {
    app.send(app.request(Method::POST, path).json(body)).await
}

async fn as_owner(app: &TestApp, owner: OwnerId, path: &str, body: &Value) -> Answer {
    let token = app.token(Role::Owner, Some(owner)).await;
    let key: uuid::Uuid = new_id();
    app.send(app.request(Method::POST, path).bearer_auth(token).header("Idempotency-Key", key.to_string()).json(body)).await
}

fn path(begun: &Value, what: &str) -> String {
    format!("{BOOTSTRAP}/{}/{what}", begun["setup_intent"]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_begins_without_a_credential_and_its_secrets_are_shown_once() {
    let app = TestApp::start(&[]).await;
    let begun = public(&app, BOOTSTRAP, &request()).await;
    assert_eq!(begun.status.as_u16(), 201);
    let begun = begun.ok();
    let intent = &begun["setup_intent"];
    assert_eq!((&intent["status"], &intent["agent_name"]), (&json!("pending_approval"), &json!("Acme API Builder")));
    assert_eq!(intent["requested_permissions"], json!(["access:read", "access:write", "access:webhooks"]));
    let token = begun["setup_token"].as_str().unwrap();
    let key = begun["sandbox_api_key"].as_str().unwrap();
    assert!(token.starts_with("hst_") && key.starts_with("hk_sandbox_"), "{begun}");
    assert!(begun["approval_url"].as_str().unwrap().ends_with(intent["id"].as_str().unwrap()));

    let keyed = || app.request(Method::POST, BOOTSTRAP).header("Idempotency-Key", "bootstrap-1");
    let first = app.send(keyed().json(&request())).await.ok();
    let again = app.send(keyed().json(&request())).await;
    assert!(again.replayed);
    let again = again.ok();
    assert_eq!(again["setup_intent"]["id"], first["setup_intent"]["id"]);
    assert_eq!((&again["setup_token"], &again["sandbox_api_key"]), (&json!(null), &json!(null)));
    let mut other = request();
    other["agent_name"] = json!("Another");
    app.send(keyed().json(&other)).await.refused(422, "idempotency_key_reused");

    for (field, value, code, named) in [
        ("agent_name", json!(" "), "validation_failed", "agent_name"),
        ("agent_name", json!(null), "validation_failed", "agent_name"),
        ("requested_permissions", json!([]), "permissions_required", "requested_permissions"),
        ("requested_permissions", json!(["access:all"]), "validation_failed", "requested_permissions[0]"),
        ("ttl_hours", json!(0), "validation_failed", "ttl_hours"),
        ("ttl_hours", json!(169), "validation_failed", "ttl_hours"),
    ] {
        let mut bad = request();
        bad[field] = value;
        let refused = public(&app, BOOTSTRAP, &bad).await.refused(422, code);
        assert_eq!(refused["errors"][0]["field"], json!(named), "{refused}");
    }
    let holding = app.database.tables_holding(token).await;
    assert!(holding.is_empty(), "the token is kept only as a hash: {holding:?}");
    let holding = app.database.tables_holding(key).await;
    assert!(holding.is_empty(), "so is the key: {holding:?}");
    let holding = app.database.tables_holding("Acme API Builder").await;
    assert!(holding.is_empty(), "what an agent says of itself is sealed: {holding:?}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_owners_session_approves_and_the_live_key_is_shown_once() {
    let app = TestApp::start(&[]).await;
    let begun = public(&app, BOOTSTRAP, &request()).await.ok();
    let (token, sandbox) = (begun["setup_token"].clone(), begun["sandbox_api_key"].as_str().unwrap());
    let body = json!({"setup_token": token});
    let status = public(&app, &path(&begun, "status"), &body).await.ok();
    assert_eq!((&status["setup_intent"]["status"], &status["manifest_attached"]), (&json!("pending_approval"), &json!(false)));
    assert_eq!(status["next_actions"][0]["kind"], json!("owner"));

    let approve = path(&begun, "approve");
    public(&app, &approve, &body).await.refused(401, "auth_required");
    app.post(&app.live_key, &approve, json!({})).await.refused(403, "dashboard_session_required");
    app.post(sandbox, &approve, body.clone()).await.refused(403, "dashboard_session_required");
    let owner = app.token(Role::Owner, Some(app.owner)).await;
    app.send(app.request(Method::POST, &approve).bearer_auth(&owner).json(&json!({}))).await.refused(400, "idempotency_key_required");
    let staff = app.token(Role::Staff, None).await;
    let request = app.request(Method::POST, &approve).bearer_auth(staff).header("Idempotency-Key", "k");
    app.send(request.json(&json!({}))).await.refused(403, "merchant_required");
    let more = as_owner(&app, app.owner, &approve, &json!({"permissions": []})).await.refused(422, "permission_not_requested");
    assert_eq!(more["errors"][0]["field"], json!("permissions"));

    let asked = || app.request(Method::POST, &approve).bearer_auth(&owner).header("Idempotency-Key", "approve-1");
    let granted = json!({"permissions": ["access:write", "access:read"]});
    let approved = app.send(asked().json(&granted)).await.ok();
    assert_eq!(approved["setup_intent"]["status"], json!("approved"));
    assert_eq!(approved["granted_permissions"], json!(["access:read", "access:write"]));
    let codes: Vec<_> = approved["live_blockers"].as_array().unwrap().iter().map(|blocker| blocker["code"].clone()).collect();
    assert_eq!(codes, [json!("app_missing"), json!("product_missing"), json!("webhook_events_missing")], "approval opens no gate");
    let live = approved["live_api_key"].as_str().unwrap();
    let again = app.send(asked().json(&granted)).await;
    assert!(again.replayed);
    assert_eq!(again.ok()["live_api_key"], json!(null), "the key is shown once");
    as_owner(&app, app.owner, &approve, &json!({})).await.refused(409, "setup_intent_not_pending");

    // It is a key of the owner's workspace, with what was granted and no more; INV-58: every gate stands.
    let own = app.get(&app.live_key, "/v1/access/apps").await.ok();
    assert_eq!(app.get(live, "/v1/access/apps").await.ok(), own);
    let hook = json!({"url": "https://api.acme.test/h", "subscribed_events": ["payment.confirmed"]});
    app.post(live, "/v1/access/webhooks", hook).await.refused(403, "scope_required");
    let session = json!({"external_product_id": "pro-api", "external_customer_id": "c"});
    app.post(live, "/v1/access/payment-sessions", session).await.refused(404, "product_not_found");

    let status = public(&app, &path(&begun, "status"), &body).await.ok();
    assert_eq!(status["setup_intent"]["status"], json!("approved"));
    assert!(status["setup_intent"]["approved_at"].is_string() && status["next_actions"] == json!([]));
    assert!(!status.to_string().contains("hk_live"), "the owner has the key");

    // Decided, it is its owner's: for another there is no such intent.
    let stranger: OwnerId = new_id();
    as_owner(&app, stranger, &approve, &json!({})).await.refused(404, "setup_intent_not_found");
    let get = begun["setup_intent"]["id"].as_str().map(|id| format!("{BOOTSTRAP}/{id}")).unwrap();
    let token = app.token(Role::Owner, Some(stranger)).await;
    app.send(app.request(Method::GET, &get).bearer_auth(token)).await.refused(404, "setup_intent_not_found");
    let shown = app.send(app.request(Method::GET, &get).bearer_auth(&owner)).await.ok();
    assert_eq!(shown["setup_intent"]["requested_use_case"], request_use_case());
    app.close().await;
}

fn request_use_case() -> Value {
    request()["requested_use_case"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_of_nothing_a_rejected_agent_is_out_and_time_ends_the_rest() {
    let app = TestApp::start(&[]).await;
    let begun = public(&app, BOOTSTRAP, &request()).await.ok();
    let other = public(&app, BOOTSTRAP, &request()).await.ok();
    for token in [json!("hst_nothing"), other["setup_token"].clone()] {
        public(&app, &path(&begun, "status"), &json!({"setup_token": token})).await.refused(404, "setup_intent_not_found");
        public(&app, &path(&begun, "manifest"), &manifest(&token)).await.refused(404, "setup_intent_not_found");
    }
    public(&app, &path(&begun, "status"), &json!({})).await.refused(401, "auth_required");
    let none = format!("{BOOTSTRAP}/{}/status", new_id::<uuid::Uuid>());
    public(&app, &none, &json!({"setup_token": begun["setup_token"]})).await.refused(404, "setup_intent_not_found");

    let rejected = as_owner(&app, app.owner, &path(&begun, "reject"), &json!({"reason": "We did not ask for it."})).await.ok();
    assert_eq!(rejected["setup_intent"]["status"], json!("rejected"));
    let token = json!({"setup_token": begun["setup_token"]});
    let status = public(&app, &path(&begun, "status"), &token).await.ok();
    assert_eq!(status["setup_intent"]["rejection_reason"], json!("We did not ask for it."));
    as_owner(&app, app.owner, &path(&begun, "approve"), &json!({})).await.refused(409, "setup_intent_not_pending");
    public(&app, &path(&begun, "manifest"), &manifest(&begun["setup_token"])).await.refused(409, "setup_intent_not_pending");
    let key = begun["sandbox_api_key"].as_str().unwrap();
    let deadline = std::time::Instant::now() + hilt_tests::app::SOON;
    while app.get(key, "/v1/access/apps").await.status.is_success() {
        assert!(std::time::Instant::now() < deadline, "a rejected agent's key goes on working");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    let key = other["sandbox_api_key"].as_str().unwrap();
    app.get(key, "/v1/access/apps").await.ok();
    app.clock.advance_seconds(24 * 3_600);
    let token = json!({"setup_token": other["setup_token"]});
    assert_eq!(public(&app, &path(&other, "status"), &token).await.ok()["setup_intent"]["status"], json!("expired"), "by the clock");
    as_owner(&app, app.owner, &path(&other, "approve"), &json!({})).await.refused(410, "setup_intent_expired");
    public(&app, &path(&other, "manifest"), &manifest(&other["setup_token"])).await.refused(410, "setup_intent_expired");
    app.get(key, "/v1/access/apps").await.refused(401, "invalid_api_key");
    crate::shop::until_event(&app, "agent_setup.expired").await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_a_plan_and_nothing_of_it_is_applied() {
    let app = TestApp::start(&[]).await;
    let begun = public(&app, BOOTSTRAP, &request()).await.ok();
    let key = begun["sandbox_api_key"].as_str().unwrap();
    let planned = public(&app, &path(&begun, "manifest"), &manifest(&begun["setup_token"])).await.ok();
    let normalized = &planned["normalized"];
    assert_eq!((&normalized["product"]["allowed_rails"], &normalized["payment_protocol"]), (&json!(["solana_usdc"]), &json!("x402")));
    let codes = |list: &Value| list.as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(codes(&planned["warnings"]).contains(&"webhook_events_missing".to_owned()), "DIS-23: {planned:#}");
    let blockers = codes(&planned["live_blockers"]);
    for code in ["owner_approval_required", "app_missing", "product_missing", "payout_address_required", "webhook_events_missing"] {
        assert!(blockers.iter().any(|found| found == code), "{code}: {blockers:?}");
    }
    assert_eq!(planned["sandbox_readiness"]["ready"], json!(false));
    let calls = planned["next_api_calls"].as_array().unwrap();
    assert_eq!((&calls[0]["id"], &calls[0]["body"]["name"]), (&json!("create_app"), &json!("Acme AI")), "filled with what it says");
    assert_eq!(calls[1]["body"]["amount_minor_units"], json!(79_000_000));

    for list in ["/v1/access/apps", "/v1/access/products", "/v1/access/webhooks"] {
        assert_eq!(app.get(key, list).await.ok()["items"], json!([]), "INV-59: {list}");
    }
    let created = ["access_app.created", "access_product.created", "product.created", "webhook_endpoint.created"];
    for event in created {
        assert!(crate::shop::events_of_type(&app, event).await.is_empty(), "{event}");
    }
    let status = public(&app, &path(&begun, "status"), &json!({"setup_token": begun["setup_token"]})).await.ok();
    assert_eq!(status["manifest_attached"], json!(true));
    let readiness = app.get(key, "/v1/access/setup/readiness?mode=sandbox").await.ok();
    assert_eq!(readiness["next_actions"][0]["body"]["external_app_id"], json!("acme-ai"), "and not asked for again");
    let live = app.get(key, "/v1/access/setup/readiness?mode=live").await.refused(403, "live_key_required");
    assert!(live["next_action"].as_str().unwrap().contains(begun["approval_url"].as_str().unwrap()), "DIS-40: {live}");

    let bad = |pointer: &str, value: Value| {
        let mut body = manifest(&begun["setup_token"]);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (pointer, value, code) in [
        ("/manifest/app/name", json!(" "), "validation_failed"),
        ("/manifest/product/amount_minor_units", json!(0), "validation_failed"),
        ("/manifest/product/allowed_rails", json!(["paypal"]), "unknown_rail"),
        ("/manifest/product/default_rail", json!("base_usdc"), "validation_failed"),
        ("/manifest/settlement_rail", json!("x402"), "validation_failed"),
        ("/manifest/payment_protocol", json!("carrier-pigeon"), "validation_failed"),
        ("/manifest/protected_resource/url", json!("acme"), "validation_failed"),
        ("/manifest/webhook/subscribed_events", json!(["payment.imagined"]), "unknown_event"),
    ] {
        let refused = public(&app, &path(&begun, "manifest"), &bad(pointer, value)).await.refused(422, code);
        let field = refused["errors"][0]["field"].as_str().unwrap();
        let named = pointer.trim_start_matches('/').replace('/', ".");
        assert!(field.starts_with(&named), "{named}: {refused}");
    }
    app.close().await;
}

/// AC-85, and the whole way: an interpreter that knows nothing of the service starts with the answer to the bootstrap, and later with
/// what the owner was given, and makes the calls that the answers name until they say that it is ready.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_only_follows_answers_gets_ready_in_the_sandbox_and_then_for_real() {
    let app = TestApp::start(&[]).await;
    let payout = crate::wallet();
    let begun = public(&app, BOOTSTRAP, &request()).await.ok();
    let mut agent = Follower::new(&app.base_url, caller(&payout));
    let Followed::Ready(sandbox) = agent.follow(begun.clone()).await else { panic!("the sandbox asks for nobody else") };
    assert_eq!((&sandbox["mode"], &sandbox["ready"]), (&json!("sandbox"), &json!(true)));

    let key = begun["sandbox_api_key"].as_str().unwrap();
    let check = async |key: &str| {
        let body = json!({"external_product_id": "pro-api", "external_customer_id": "cust_1", "rail": "solana_usdc"});
        app.post(key, "/v1/access/entitlements/check", body).await.ok()["has_access"].clone()
    };
    let body =
        json!({"external_product_id": "pro-api", "external_customer_id": "cust_1", "confirm_sandbox_mode": true, "rail": "solana_usdc"});
    let session = app.post(key, "/v1/access/sandbox/payment-sessions", body).await.ok();
    assert_eq!(check(key).await, json!(false));
    let confirm = format!("/v1/access/sandbox/payment-sessions/{}/confirm", session["sandbox_session"]["id"].as_str().unwrap());
    app.post(key, &confirm, json!({"proof": session["sandbox_session"]["proof"]})).await.ok();
    assert_eq!(check(key).await, json!(true));
    let live = json!({"external_product_id": "pro-api", "external_customer_id": "cust_1"});
    let refused = app.post(key, "/v1/access/payment-sessions", live.clone()).await.refused(403, "live_key_required");
    assert!(refused["next_action"].as_str().unwrap().contains(begun["approval_url"].as_str().unwrap()), "AC-85: {refused}");

    agent.call(&begun["next_actions"][1]).await;
    assert_eq!((&begun["next_actions"][1]["id"], &begun["next_actions"][2]["kind"]), (&json!("attach_manifest"), &json!("owner")));
    let approved = as_owner(&app, app.owner, &path(&begun, "approve"), &json!({})).await.ok();
    let Followed::Ready(ready) = agent.follow(approved.clone()).await else { panic!("nothing is left for anyone else") };
    assert_eq!((&ready["mode"], &ready["product"]["external_product_id"]), (&json!("live"), &json!("pro-api")));
    let live_key = approved["live_api_key"].as_str().unwrap();
    let opened = app.post(live_key, "/v1/access/payment-sessions", live).await.ok();
    let leg = &opened["payment_session"]["payment_requirement"]["required_transfers"][0];
    assert_eq!(leg["pay_to"], json!(payout), "the merchant is paid where the caller said");
    assert_eq!(check(live_key).await, json!(false), "the sandbox gives no live access");
    app.close().await;
}
