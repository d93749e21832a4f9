//! RT-069, RT-070, RT-076 and RT-115 from the outside: an endpoint registered over the API is told of a real payment, once, in the
//! contract's words; what its merchant can do with it; what a provider's webhook does, which is nothing.

#[path = "webhooks_http/alchemy.rs"]
mod alchemy;
#[path = "webhooks_http/managed.rs"]
mod managed;
#[path = "webhooks_http/sandbox.rs"]
mod sandbox;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;
#[path = "webhooks_http/told.rs"]
mod told;

use hilt_tests::{
    app::{SOON, TestApp},
    chain::{LocalSolana, PayRequest},
    receiver::{Received, Receiver},
    solana_tx::Keypair,
};
use serde_json::{Value, json};
use shop::{Shop, legs, memo};
use std::time::{Duration, Instant};

async fn arrived(receiver: &Receiver, path: &str, count: usize) -> Vec<Received> {
    let deadline = Instant::now() + SOON;
    while receiver.received(path).len() < count {
        assert!(Instant::now() < deadline, "{path} was told {} of {count}", receiver.received(path).len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    receiver.received(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_told_once_signed_and_in_the_contracts_words() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    let shop = Shop::open(&app).await;
    let receiver = Receiver::start().await;
    let product = app.get(&app.live_key, "/v1/access/products").await.ok()["items"][0].clone();
    let hook = json!({"label": "Pro AI API access sync", "url": receiver.url("hook"), "product_ids": [product["id"]],
        "subscribed_events": ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired", "delivery.failed"]});
    let path = "/v1/access/webhooks";
    let made = app.post_as(&app.live_key, path, "webhook-pro-ai-api-001", hook.clone()).await.ok();
    for key in ["id", "label", "url", "subscribed_events", "product_ids", "status", "livemode", "signing_secret"] {
        assert!(made.get(key).is_some(), "{key} missing in {made}");
    }
    assert_eq!((&made["status"], &made["livemode"]), (&json!("active"), &json!(true)));
    let secret = made["signing_secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let again = app.post_as(&app.live_key, path, "webhook-pro-ai-api-001", hook).await;
    assert!(again.replayed);
    assert_eq!(again.ok()["signing_secret"], Value::Null, "AC-67: shown once");
    let read = app.get(&app.live_key, &format!("{path}/{}", made["id"].as_str().unwrap())).await.ok();
    assert!(read.get("signing_secret").is_none(), "{read}");
    let raw = secret.strip_prefix("whsec_").unwrap();
    assert!(app.database.tables_holding(raw).await.is_empty(), "INV-88");

    let buyer = Keypair::generate();
    chain.fund(&buyer.address(), 100_000_000).await;
    let session = shop.session(&app, "cust_123").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    shop.until_access(&app, "cust_123").await;
    arrived(&receiver, "hook", 3).await;
    // Whatever would be told twice is told by the time that all that was emitted is delivered.
    let deliveries = format!("{path}/{}/deliveries", made["id"].as_str().unwrap());
    let done =
        |body: &Value| body["items"].as_array().is_some_and(|all| all.len() == 3 && all.iter().all(|d| d["status"] == json!("delivered")));
    app.until(&app.live_key, &deliveries, done).await;
    let told = receiver.received("hook");
    let mut types: Vec<_> = told.iter().map(|message| message.json()["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    assert_eq!(types, ["membership.activated", "payment.confirmed", "receipt.created"], "each once");
    assert!(told.iter().all(|message| message.is_signed_with(secret)));
    let other = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    assert!(told.iter().all(|message| !message.is_signed_with(other)));

    for message in &told {
        let body = message.json();
        assert_eq!(body["id"], json!(message.id), "webhook-id is the event's id");
        for key in ["created_at", "livemode", "sequence", "previous_sequence", "subject_version", "data"] {
            assert!(body.get(key).is_some(), "{key} missing in {body}");
        }
        let access = &body["data"]["access"];
        assert_eq!(access["access_product"], json!({"id": product["id"], "external_product_id": "pro-ai-api"}));
        assert_eq!(access["rail_id"], json!("solana_usdc"));
        let rail = json!({
            "id": "solana_usdc", "rail_id": "solana_usdc", "status": "production_available", "network": "solana:mainnet",
            "settlement_asset": "USDC", "supports_sandbox": true, "supports_live": true, "requires_review": false,
            "production_enabled": true, "sandbox_enabled": true, "settlement_verification_status": "verified_current",
            "entitlement_activation_support": "production_after_verified_payment_receipt_or_membership_state",
            "kill_switch_state": "not_tripped",
        });
        assert_eq!(access["rail"], rail, "AC-68");
    }
    // The feed says the same, in the order of the log.
    let feed = app.get(&app.live_key, "/v1/access/events?limit=10").await.ok();
    let mut by_sequence: Vec<Value> = told.iter().map(Received::json).collect();
    by_sequence.sort_by_key(|message| message["sequence"].as_u64());
    assert_eq!(feed["items"], json!(by_sequence));
    assert_eq!((&feed["has_more"], &feed["last_sequence"]), (&json!(false), &by_sequence[2]["sequence"]));
    assert_eq!(feed["next_after"], feed["head_position"]);
    let by_product = format!("/v1/access/events?type=receipt.created&product_id={}", product["id"].as_str().unwrap());
    assert_eq!(app.get(&app.live_key, &by_product).await.ok()["items"].as_array().map(Vec::len), Some(1));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_cannot_be_is_refused() {
    let app = TestApp::start(&[("HILT_WEBHOOK_ALLOW_PRIVATE", "false")]).await;
    let path = "/v1/access/webhooks";
    let hook = |url: &str| json!({"url": url, "subscribed_events": ["payment.confirmed"]});
    for url in [
        "http://api.example.com/h",
        "ftp://api.example.com",
        "nothing",
        "https://user:secret@api.example.com/h",
        "https://127.0.0.1/h",
        "https://[::1]/h",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/h",
        "https://localhost/h",
    ] {
        let refused = app.post(&app.live_key, path, hook(url)).await.refused(422, "invalid_webhook_url");
        assert_eq!(refused["errors"][0]["field"], json!("url"), "{url}");
    }
    let unknown = json!({"url": "https://api.example.com/h", "subscribed_events": ["payment.imagined"]});
    app.post(&app.live_key, path, unknown).await.refused(422, "unknown_event");
    let none = json!({"url": "https://api.example.com/h", "subscribed_events": []});
    app.post(&app.live_key, path, none).await.refused(422, "validation_failed");
    app.post(&app.sandbox_key, path, hook("http://api.example.com/h")).await.ok();
    app.close().await;
}
