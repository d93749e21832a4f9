//! The access API as its contract describes it: shapes, every documented refusal, owners kept apart, keys kept to their scopes.

#[path = "access/agents.rs"]
mod agents;
#[path = "access/at_once.rs"]
mod at_once;
#[path = "access/checks.rs"]
mod checks;
#[path = "access/codes.rs"]
mod codes;
#[path = "access/edits.rs"]
mod edits;
#[path = "access/faces.rs"]
mod faces;
#[path = "access/follow.rs"]
mod follow;
#[path = "access/foreign.rs"]
mod foreign;
#[path = "access/histories.rs"]
mod histories;
#[path = "access/isolation.rs"]
mod isolation;
#[path = "access/keys.rs"]
mod keys;
#[path = "access/limits.rs"]
mod limits;
#[path = "access/matrix.rs"]
mod matrix;
#[path = "access/platform.rs"]
mod platform;
#[path = "access/presented.rs"]
mod presented;
#[path = "access/products.rs"]
mod products;
#[path = "access/reviews.rs"]
mod reviews;
#[path = "buyer/scene.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the scene")]
mod scene;
#[path = "access/sessions.rs"]
mod sessions;
#[path = "access/setup.rs"]
mod setup;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;
#[path = "access/staff.rs"]
mod staff;
#[path = "access/support.rs"]
mod support;
#[path = "access/treasury.rs"]
mod treasury;

use hilt_tests::{app::TestApp, solana_tx::Keypair};
use serde_json::{Value, json};

/// A wallet that exists.
fn wallet() -> String {
    Keypair::generate().address().to_string()
}

/// An app of the caller.
async fn an_app(app: &TestApp, key: &str, external_id: &str) -> Value {
    let body = json!({"name": "Pro AI API", "external_app_id": external_id, "rail": "solana_usdc", "default_rail": "solana_usdc"});
    app.post(key, "/v1/access/apps", body).await.ok()
}

/// A product's body, ready to be altered.
fn product_body(app_id: &Value, external_id: &str, wallet: &str) -> Value {
    json!({
        "access_app_id": app_id, "external_product_id": external_id, "title": "Pro AI API - 30 days",
        "description": "Access to the paid AI endpoint.", "amount_minor_units": 25_000_000, "merchant_wallet": wallet,
        "entitlement_duration_days": 30, "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc"],
        "status": "active", "live_mode_confirmed": true,
    })
}

/// `PUT` with a fresh idempotency key.
async fn put(app: &TestApp, key: &str, path: &str, body: Value) -> hilt_tests::app::Answer {
    let idempotency = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("{path}{body}").as_bytes());
    let request = app.request(reqwest::Method::PUT, path).header("X-Hilt-Key", key);
    app.send(request.header("Idempotency-Key", idempotency.to_string()).json(&body)).await
}

/// The names of an object's members.
#[track_caller]
fn has_keys(value: &Value, keys: &[&str]) {
    let missing: Vec<_> = keys.iter().filter(|key| value.get(key).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value:#}");
}
