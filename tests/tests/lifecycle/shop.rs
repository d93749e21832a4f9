//! A merchant with a product at 25 USDC, and what tests ask of him.

use api::http::jwt::Role;
use events::vocab::bytes::SolanaAddress;
use hilt_tests::{
    app::{SOON, TestApp},
    solana_tx::Keypair,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A merchant's product, ready to sell.
pub struct Shop {
    /// Its external id.
    pub product: String,
}

impl Shop {
    /// Makes app, rail setting and product over the API.
    pub async fn open(app: &TestApp) -> Self {
        let wallet = Keypair::generate().address().to_string();
        let made = app
            .post(&app.live_key, "/v1/access/apps", json!({"name": "Pro", "external_app_id": "pro", "default_rail": "solana_usdc"}))
            .await
            .ok();
        let setting = app.request(reqwest::Method::PUT, "/v1/access/rail-settings/solana_usdc");
        let setting = setting.header("X-Hilt-Key", &app.live_key).header("Idempotency-Key", "setting");
        let saved = app.send(setting.json(&json!({"enabled": true, "mode": "live", "payout_address": &wallet}))).await.ok();
        assert_eq!(saved["status"], json!("verified"), "DIS-10");
        let product = json!({
            "access_app_id": made["id"], "external_product_id": "pro-ai-api", "title": "Pro AI API - 30 days",
            "amount_minor_units": 25_000_000, "merchant_wallet": &wallet, "entitlement_duration_days": 30,
            "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc"], "status": "active", "live_mode_confirmed": true,
        });
        app.post(&app.live_key, "/v1/access/products", product).await.ok();
        Shop { product: "pro-ai-api".into() }
    }

    /// A live session for a customer.
    pub async fn session(&self, app: &TestApp, customer: &str) -> Value {
        let body = json!({"external_product_id": self.product, "external_customer_id": customer, "rail": "solana_usdc"});
        app.post(&app.live_key, "/v1/access/payment-sessions", body).await.ok()
    }

    /// Whether the customer has paid.
    pub async fn check(&self, app: &TestApp, customer: &str) -> Value {
        let body = json!({"external_product_id": self.product, "external_customer_id": customer, "rail": "solana_usdc"});
        app.post(&app.live_key, "/v1/access/entitlements/check", body).await.ok()
    }

    /// Waits until he has.
    pub async fn until_access(&self, app: &TestApp, customer: &str) {
        let deadline = Instant::now() + SOON;
        while self.check(app, customer).await["has_access"] != json!(true) {
            assert!(Instant::now() < deadline, "{customer} never got access");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        app.caught_up().await;
    }
}

/// The transfers that a requirement asks for.
pub fn legs(requirement: &Value) -> Vec<(SolanaAddress, u64)> {
    let legs = requirement["required_transfers"].as_array().expect("a requirement lists its transfers");
    let leg = |leg: &Value| (leg["pay_to"].as_str().unwrap().parse().unwrap(), leg["amount_minor_units"].as_u64().unwrap());
    legs.iter().map(leg).collect()
}

/// Its memo.
pub fn memo(requirement: &Value) -> &str {
    requirement["memo"].as_str().expect("a requirement has a memo")
}

/// The log's events of one type, as an auditor reads them.
pub async fn events_of_type(app: &TestApp, event_type: &str) -> Vec<Value> {
    let token = app.token(Role::Auditor, None).await;
    let path = format!("/v1/admin/access/audit-events?type={event_type}&limit=100");
    let page = app.send(app.request(reqwest::Method::GET, &path).bearer_auth(token)).await.ok();
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until the log has an event of that type.
pub async fn until_event(app: &TestApp, event_type: &str) {
    let deadline = Instant::now() + SOON;
    while events_of_type(app, event_type).await.is_empty() {
        assert!(Instant::now() < deadline, "{event_type} never happened");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
