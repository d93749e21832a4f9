//! The sandbox: AC-80, AC-81, INV-39 to INV-41. It is never money, and its proof is nobody's but the caller's.

#[path = "sandbox/clocks.rs"]
mod clocks;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;

use api::{
    http::jwt::Role,
    services::keys::{self, Issue},
};
use events::{
    clock::new_id,
    vocab::{
        id::OwnerId,
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use hilt_tests::app::TestApp;
use serde_json::{Value, json};
use shop::events_of_type;

const SESSIONS: &str = "/v1/access/sandbox/payment-sessions";

fn product(app_id: &Value, live: bool) -> Value {
    json!({
        "access_app_id": app_id, "external_product_id": "pro-ai-api", "title": "Pro AI API - 30 days", "amount_minor_units": 25_000_000,
        "merchant_wallet": "11111111111111111111111111111112", "entitlement_duration_days": 30, "default_rail": "solana_usdc",
        "allowed_rails": ["solana_usdc", "x402"], "status": "active", "live_mode_confirmed": live,
    })
}

/// A product in the sandbox, and one of the same name that is live.
async fn products(app: &TestApp) {
    for (key, live) in [(&app.sandbox_key, false), (&app.live_key, true)] {
        let made = app.post(key, "/v1/access/apps", json!({"name": "Pro", "external_app_id": "pro"})).await.ok();
        app.post(key, "/v1/access/products", product(&made["id"], live)).await.ok();
    }
}

fn asked() -> Value {
    json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_123", "email": "buyer@example.com", "rail": "x402",
        "confirm_sandbox_mode": true})
}

fn confirm_path(session: &Value) -> String {
    format!("{SESSIONS}/{}/confirm", session["sandbox_session"]["id"].as_str().unwrap())
}

async fn check(app: &TestApp, key: &str) -> Value {
    let body = json!({"external_product_id": "pro-ai-api", "rail": "x402", "external_customer_id": "cust_123"});
    app.post(key, "/v1/access/entitlements/check", body).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_sandbox_session_gives_sandbox_access_and_nothing_else() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    let made = app.post_as(key, SESSIONS, "sandbox-session-cust-123-001", asked()).await.ok();
    let session = &made["sandbox_session"];
    assert_eq!((&session["status"], &session["proof_type"]), (&json!("pending"), &json!("hilt_pay_api_sandbox_v1")));
    assert!(session["proof"].as_str().unwrap().starts_with("hilt_sandbox_v1."));
    assert_eq!(made["pending_entitlement"]["status"], json!("pending"));
    assert_eq!((&made["livemode"], &made["sandbox_only"], &made["rail"]), (&json!(false), &json!(true), &json!("x402")));
    assert!(made.get("payment_session_adapter").is_some());
    assert_eq!(check(&app, key).await["reason"], json!("payment_pending"));

    let proof = json!({"proof": session["proof"]});
    let wrong = json!({"proof": format!("hilt_sandbox_v1.{}", "0".repeat(64))});
    app.post(key, &confirm_path(&made), wrong).await.refused(422, "invalid_sandbox_proof");
    assert_eq!(check(&app, key).await["has_access"], json!(false));
    let confirmed = app.post_as(key, &confirm_path(&made), "sandbox-confirm-cust-123-001", proof.clone()).await.ok();
    assert_eq!((&confirmed["sandbox_session"]["status"], &confirmed["entitlement"]["status"]), (&json!("confirmed"), &json!("active")));
    assert_eq!((&confirmed["livemode"], &confirmed["sandbox_only"]), (&json!(false), &json!(true)));
    assert!(app.post_as(key, &confirm_path(&made), "sandbox-confirm-cust-123-001", proof.clone()).await.replayed);
    app.post(key, &confirm_path(&made), proof).await.ok();

    let allowed = check(&app, key).await;
    assert_eq!((&allowed["has_access"], &allowed["source"]), (&json!(true), &json!("sandbox_entitlement")), "{allowed}");
    assert_eq!((&allowed["receipt_id"], &allowed["sandbox_only"]), (&Value::Null, &json!(true)));
    let denied = check(&app, &app.live_key).await;
    assert_eq!((&denied["has_access"], &denied["source"]), (&json!(false), &json!("none")), "INV-39");
    assert_eq!(app.get(&app.live_key, "/v1/receipts").await.ok()["total"], json!(0));
    assert_eq!(app.get(&app.live_key, "/v1/memberships").await.ok()["count"], json!(0));
    for live in ["receipt.created", "payment.created", "payment.confirmed", "settlement.evidenced", "membership.activated"] {
        assert!(events_of_type(&app, live).await.is_empty(), "INV-39: {live}");
    }
    let activated = events_of_type(&app, "entitlement.activated").await;
    assert_eq!((activated.len(), &activated[0]["livemode"]), (1, &json!(false)));
    assert_eq!(events_of_type(&app, "sandbox_session.proof_rejected").await.len(), 1, "a wrong proof leaves a trace");

    app.clock.advance_seconds(31 * 86_400);
    assert_eq!(check(&app, key).await["reason"], json!("entitlement_expired"));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proof_is_shown_once_and_kept_nowhere() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    let made = app.post_as(key, SESSIONS, "k", asked()).await.ok();
    let again = app.post_as(key, SESSIONS, "k", asked()).await;
    assert!(again.replayed);
    let again = again.ok();
    assert_eq!((&again["sandbox_session"]["proof"], &again["idempotent_replay"]), (&Value::Null, &json!(true)), "INV-41");
    assert_eq!(again["sandbox_session"]["id"], made["sandbox_session"]["id"]);
    let proof = made["sandbox_session"]["proof"].as_str().unwrap().to_owned();
    app.post(key, &confirm_path(&made), json!({"proof": proof})).await.ok();
    check(&app, key).await;
    assert!(!app.database.tables_holding("pro-ai-api").await.is_empty(), "the search finds what is there");
    let random = proof.strip_prefix("hilt_sandbox_v1.").unwrap();
    for secret in [random, app.live_key.as_str(), app.sandbox_key.as_str(), "cust_123"] {
        let holding = app.database.tables_holding(secret).await;
        let models = secret == "cust_123" && holding.iter().all(|table| !table.starts_with("log."));
        assert!(holding.is_empty() || models, "a secret stands in {holding:?}");
    }
    assert!(app.database.tables_holding("buyer@example.com").await.iter().all(|table| !table.starts_with("log.")));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_is_late_or_another_owners_is_refused() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    let made = app.post(key, SESSIONS, asked()).await.ok();
    let other = app.post(key, SESSIONS, asked()).await.ok();
    let proof = json!({"proof": made["sandbox_session"]["proof"]});
    app.post(key, &confirm_path(&other), proof.clone()).await.refused(422, "invalid_sandbox_proof");
    let stranger = app.key(new_id::<OwnerId>(), false, Scope::ALL).await;
    app.post(&stranger, &confirm_path(&made), proof.clone()).await.refused(404, "sandbox_session_not_found");
    let unknown = format!("{SESSIONS}/{}/confirm", new_id::<uuid::Uuid>());
    app.post(key, &unknown, proof.clone()).await.refused(404, "sandbox_session_not_found");
    app.clock.advance_seconds(30 * 60);
    app.post(key, &confirm_path(&made), proof).await.refused(410, "sandbox_proof_expired");
    assert!(events_of_type(&app, "entitlement.activated").await.is_empty());
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_has_no_part_in_the_sandbox_nor_a_sandbox_key_in_money() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    app.post(&app.live_key, SESSIONS, asked()).await.refused(403, "sandbox_key_required");
    let altered = |field: &str, value: Value| {
        let mut body = asked();
        body[field] = value;
        body
    };
    app.post(key, SESSIONS, altered("confirm_sandbox_mode", json!(false))).await.refused(422, "sandbox_mode_confirmation_required");
    let mut unsaid = asked();
    unsaid.as_object_mut().unwrap().remove("confirm_sandbox_mode");
    app.post(key, SESSIONS, unsaid).await.refused(422, "sandbox_mode_confirmation_required");
    app.post(key, SESSIONS, altered("rail", json!("base_usdc"))).await.refused(409, "rail_disabled");
    app.post(key, SESSIONS, altered("rail", json!("paypal"))).await.refused(422, "unknown_rail");
    app.post(key, SESSIONS, altered("external_product_id", json!("nothing"))).await.refused(404, "product_not_found");
    let nobody = json!({"external_product_id": "pro-ai-api", "rail": "x402", "confirm_sandbox_mode": true});
    app.post(key, SESSIONS, nobody).await.refused(422, "customer_identity_required");
    let live = json!({"external_product_id": "pro-ai-api", "external_customer_id": "c", "rail": "solana_usdc"});
    app.post(key, "/v1/access/payment-sessions", live).await.refused(403, "live_key_required");
    let proof = json!({"payment_session_id": new_id::<uuid::Uuid>(), "external_customer_id": "c",
        "tx_signature": events::vocab::bytes::TxSignature([1; 64]).to_string()});
    app.post(key, "/v1/access/payment-proofs", proof).await.refused(403, "live_key_required");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capable_key_and_the_owners_session_try_their_live_product_and_stay_in_the_sandbox() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let issue = Issue { sandbox_capable: true, ..Issue::new("capable", Scope::ALL) };
    let actor = Actor { kind: ActorKind::Operator, id: Some("test".into()) };
    let capable = keys::issue(&app.state.log, &app.clock, app.owner, true, issue, actor).await.unwrap().key;
    let made = app.post(&capable, SESSIONS, asked()).await.ok();
    assert_eq!((&made["livemode"], &made["sandbox_only"]), (&json!(false), &json!(true)), "DIS-27");
    app.post(&capable, &confirm_path(&made), json!({"proof": made["sandbox_session"]["proof"]})).await.ok();
    let mut question = json!({"external_product_id": "pro-ai-api", "rail": "x402", "external_customer_id": "cust_123"});
    assert_eq!(app.post(&capable, "/v1/access/entitlements/check", question.clone()).await.ok()["has_access"], json!(false), "live");
    question["livemode"] = json!(false);
    assert_eq!(app.post(&capable, "/v1/access/entitlements/check", question).await.ok()["has_access"], json!(true), "asked for");
    assert_eq!(check(&app, &app.live_key).await["has_access"], json!(false), "INV-39");

    let session = app.token(Role::Owner, Some(app.owner)).await;
    let request = app.request(reqwest::Method::POST, SESSIONS).bearer_auth(session).header("Idempotency-Key", "dashboard");
    let made = app.send(request.json(&asked())).await.ok();
    assert_eq!(made["sandbox_only"], json!(true));
    let activated = events_of_type(&app, "entitlement.activated").await;
    assert!(activated.iter().all(|event| event["livemode"] == json!(false)), "{activated:?}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_confirms_expires_on_record_and_is_listed_without_its_proof() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    let made = app.post(key, SESSIONS, asked()).await.ok();
    let confirmed = app.post(key, SESSIONS, asked()).await.ok();
    app.post(key, &confirm_path(&confirmed), json!({"proof": confirmed["sandbox_session"]["proof"]})).await.ok();
    let path = format!("{SESSIONS}/{}", made["sandbox_session"]["id"].as_str().unwrap());
    let shown = app.get(key, &path).await.ok();
    assert_eq!((&shown["status"], &shown["rail"], &shown["external_customer_id"]), (&json!("pending"), &json!("x402"), &json!("cust_123")));
    assert_eq!(
        (&shown["livemode"], &shown["sandbox_only"], &shown["expires_at"]),
        (&json!(false), &json!(true), &made["sandbox_session"]["expires_at"])
    );
    let listed = app.get(key, SESSIONS).await.ok();
    assert_eq!((&listed["count"], &listed["items"][0]["status"]), (&json!(2), &json!("confirmed")));
    let proof = made["sandbox_session"]["proof"].as_str().unwrap();
    assert!(!format!("{shown}{listed}").contains(proof), "INV-41");
    let stranger = app.key(new_id::<OwnerId>(), false, Scope::ALL).await;
    app.get(&stranger, &path).await.refused(404, "sandbox_session_not_found");
    assert_eq!(app.get(&stranger, SESSIONS).await.ok()["items"], json!([]));
    app.get(&app.live_key, SESSIONS).await.refused(403, "sandbox_key_required");

    app.clock.advance_seconds(30 * 60);
    assert_eq!(app.get(key, &path).await.ok()["status"], json!("expired"), "by the clock, before any sweep");
    app.post(key, &confirm_path(&made), json!({"proof": proof})).await.refused(410, "sandbox_proof_expired");
    let begun = std::time::Instant::now();
    while events_of_type(&app, "sandbox_session.expired").await.is_empty() {
        assert!(begun.elapsed() < hilt_tests::app::SOON, "the sweep puts it on record");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    app.post(key, &confirm_path(&made), json!({"proof": proof})).await.refused(410, "sandbox_proof_expired");
    assert_eq!(events_of_type(&app, "sandbox_session.expired").await.len(), 1, "the confirmed one does not expire");
    app.close().await;
}
