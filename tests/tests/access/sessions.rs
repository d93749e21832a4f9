//! Payment sessions and checks without a payment: AC-59, 60, 65 and the refusals of RT-063 and RT-066.

use crate::{has_keys, product_body, put, shop::Shop, wallet};
use events::clock::new_id;
use hilt_tests::app::TestApp;
use serde_json::{Value, json};

const SESSIONS: &str = "/v1/access/payment-sessions";
const CHECK: &str = "/v1/access/entitlements/check";

fn asked(more: Value) -> Value {
    let mut body = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_123", "rail": "solana_usdc"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_carries_its_requirement_and_grants_nothing() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let body = asked(json!({"email": "buyer@example.com", "metadata": {"resource": "https://api.example.com/ai/pro"}}));
    let made = app.post_as(&app.live_key, SESSIONS, "session-cust-123-pro-ai-001", body.clone()).await.ok();
    has_keys(&made, &["payment_session", "pending_entitlement", "rail", "payment_session_options"]);
    let session = &made["payment_session"];
    let keys = [
        "id",
        "status",
        "rail_id",
        "checkout_url",
        "payment_requirement",
        "adapter",
        "payment_id",
        "expires_at",
        "amount_minor_units",
        "settlement_rail_id",
    ];
    has_keys(session, &keys);
    assert_eq!((&session["status"], &session["rail_id"]), (&json!("pending"), &json!("solana_usdc")));
    assert_eq!(made["pending_entitlement"]["status"], json!("pending"));
    assert!(session["checkout_url"].as_str().unwrap().starts_with("https://"), "DIS-20");
    let requirement = &session["payment_requirement"];
    let keys = [
        "rail_id",
        "network",
        "asset",
        "memo",
        "gross_amount_minor_units",
        "merchant_amount_minor_units",
        "hilt_fee_minor_units",
        "required_transfers",
        "expires_at",
        "requirement_hash",
    ];
    has_keys(requirement, &keys);
    assert!(requirement["memo"].as_str().unwrap().starts_with("HILT:"));
    assert!(requirement["network"].as_str().unwrap().starts_with("solana:"), "CAIP-2");
    let sum: u64 =
        requirement["required_transfers"].as_array().unwrap().iter().map(|leg| leg["amount_minor_units"].as_u64().unwrap()).sum();
    assert_eq!(Some(sum), requirement["gross_amount_minor_units"].as_u64(), "MON: nothing is lost between the legs");
    let roles: Vec<_> = requirement["required_transfers"].as_array().unwrap().iter().map(|leg| leg["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["merchant", "fee"]);

    let again = app.post_as(&app.live_key, SESSIONS, "session-cust-123-pro-ai-001", body).await;
    assert!(again.replayed);
    assert_eq!(again.ok(), made);
    let denied = shop.check(&app, "cust_123").await;
    assert_eq!(
        (&denied["has_access"], &denied["reason"], &denied["status"]),
        (&json!(false), &json!("payment_pending"), &json!("pending"))
    );
    for identity in [json!({"email": "Buyer@Example.com"}), json!({"customer_reference": "cust_123"})] {
        let mut question = json!({"external_product_id": "pro-ai-api"});
        question.as_object_mut().unwrap().extend(identity.as_object().unwrap().clone());
        let answer = app.post(&app.live_key, CHECK, question).await.ok();
        assert_eq!(answer["reason"], json!("payment_pending"), "AC-66: {identity}");
    }

    let created = crate::shop::events_of_type(&app, "payment_session.created").await;
    let authored = crate::shop::events_of_type(&app, "payment_requirement.authored").await;
    let pended = crate::shop::events_of_type(&app, "entitlement.pended").await;
    assert_eq!((created.len(), authored.len(), pended.len()), (1, 1, 1), "INV-15");
    assert_eq!(created[0]["recorded_at"], authored[0]["recorded_at"], "one append");
    for event in created.iter().chain(&pended) {
        let text = event.to_string();
        assert!(!text.contains("cust_123") && !text.contains("buyer@example.com"), "personal data in a plain payload: {text}");
    }
    let id = session["id"].as_str().unwrap();
    let read = app.get(&app.live_key, &format!("{SESSIONS}/{id}")).await.ok();
    assert_eq!(read["payment_session"]["payment_requirement"]["requirement_hash"], requirement["requirement_hash"]);
    let stages: Vec<_> = read["payment_session"]["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].clone()).collect();
    assert_eq!(stages, [json!("session"), json!("requirement")]);
    assert_eq!(app.get(&app.live_key, SESSIONS).await.ok()["count"], json!(1));
    app.clock.advance_seconds(31 * 60);
    let read = app.get(&app.live_key, &format!("{SESSIONS}/{id}")).await.ok();
    assert_eq!(read["payment_session"]["status"], json!("expired"));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_session_has_its_code() {
    let app = TestApp::start(&[]).await;
    Shop::open(&app).await;
    let key = app.live_key.clone();
    let without = |field: &str| {
        let mut body = asked(json!({}));
        body.as_object_mut().unwrap().remove(field);
        body
    };
    for (body, status, code) in [
        (without("external_customer_id"), 422, "customer_identity_required"),
        (without("external_product_id"), 422, "product_required"),
        (asked(json!({"rail": "paypal"})), 422, "unknown_rail"),
        (asked(json!({"settlement_rail": "base_usdc"})), 422, "rail_conflict"),
        (asked(json!({"wallet": "YOUR_WALLET"})), 422, "invalid_wallet"),
        (asked(json!({"amount_minor_units": 0})), 422, "amount_out_of_range"),
        (asked(json!({"amount_minor_units": 1_u64 << 53})), 422, "amount_out_of_range"),
        (asked(json!({"external_product_id": "nothing"})), 404, "product_not_found"),
        (asked(json!({"rail": "base_usdc"})), 409, "rail_not_effective"),
        (asked(json!({"rail": "tron_usdt"})), 409, "rail_not_effective"),
        (asked(json!({"email": "nobody"})), 422, "validation_failed"),
    ] {
        app.post(&key, SESSIONS, body).await.refused(status, code);
    }
    app.post(&app.sandbox_key, SESSIONS, asked(json!({}))).await.refused(403, "live_key_required");
    let bare = app.request(reqwest::Method::POST, SESSIONS).header("X-Hilt-Key", &key).json(&asked(json!({})));
    app.send(bare).await.refused(400, "idempotency_key_required");
    let own = app.post(&key, SESSIONS, asked(json!({"amount_minor_units": 1}))).await.ok();
    assert_eq!(own["payment_session"]["payment_requirement"]["gross_amount_minor_units"], json!(1), "Q-5");

    let app_id = app.get(&key, "/v1/access/apps").await.ok()["items"][0]["id"].clone();
    let mut paused = product_body(&app_id, "paused", &wallet());
    paused["status"] = json!("paused");
    app.post(&key, "/v1/access/products", paused).await.ok();
    app.post(&key, SESSIONS, asked(json!({"external_product_id": "paused"}))).await.refused(409, "product_not_active");
    app.post(&key, "/v1/access/products", product_body(&app_id, "elsewhere", &wallet())).await.ok();
    let mismatch = app.post(&key, SESSIONS, asked(json!({"external_product_id": "elsewhere"}))).await;
    mismatch.refused(409, "backing_product_wallet_mismatch");
    let path = "/v1/access/rail-settings/solana_usdc";
    put(&app, &key, path, json!({"enabled": true, "mode": "live"})).await.ok();
    app.post(&key, SESSIONS, asked(json!({}))).await.refused(409, "payout_address_required");
    put(&app, &key, path, json!({"enabled": false, "mode": "live", "payout_address": wallet()})).await.ok();
    app.post(&key, SESSIONS, asked(json!({}))).await.refused(409, "rail_disabled");
    app.post(&key, SESSIONS, without("rail")).await.refused(409, "no_available_rails");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_denies_by_answering() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let denied = shop.check(&app, "nobody").await;
    let expected = [
        ("has_access", json!(false)),
        ("status", json!("not_found")),
        ("reason", json!("no_entitlement")),
        ("rail_id", json!("solana_usdc")),
        ("receipt_id", Value::Null),
        ("last_payment_id", Value::Null),
        ("source", json!("none")),
    ];
    for (key, value) in expected {
        assert_eq!(denied[key], value, "AC-65: {key}");
    }
    has_keys(
        &denied,
        &[
            "product_id",
            "access_product_id",
            "external_product_id",
            "rail",
            "external_customer_id",
            "wallet",
            "email",
            "active_from",
            "expires_at",
            "receipt",
        ],
    );
    let key = &app.live_key;
    let check = |body: Value| app.post(key, CHECK, body);
    check(json!({"external_product_id": shop.product})).await.refused(422, "customer_identity_required");
    check(json!({"external_customer_id": "c"})).await.refused(422, "product_required");
    check(json!({"external_product_id": "nothing", "external_customer_id": "c"})).await.refused(404, "product_not_found");
    check(json!({"product_id": new_id::<uuid::Uuid>(), "external_customer_id": "c"})).await.refused(404, "product_not_found");
    check(json!({"external_product_id": shop.product, "external_customer_id": "c", "rail": "paypal"})).await.refused(422, "unknown_rail");
    let sandbox = json!({"external_product_id": shop.product, "external_customer_id": "c", "livemode": false});
    check(sandbox).await.refused(403, "sandbox_key_required");
    let body = json!({"external_product_id": shop.product, "external_customer_id": "c"});
    app.post(&app.sandbox_key, CHECK, body).await.refused(404, "product_not_found");
    app.close().await;
}
