//! Hosted products and the public checkout: what a merchant sells, what buyers see, and how a payment of it begins.

#[path = "products/catalog.rs"]
mod catalog;
#[path = "products/checkout.rs"]
mod checkout;
#[path = "products/sales.rs"]
mod sales;

use hilt_tests::{
    app::{Answer, TestApp},
    solana_tx::Keypair,
};
use reqwest::Method;
use serde_json::{Value, json};

/// USDC's mint.
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
/// The wallet that `TestApp` configures for fees.
const FEE_WALLET: &str = "11111111111111111111111111111112";

/// A wallet that exists.
fn wallet() -> String {
    Keypair::generate().address().to_string()
}

/// The first example of a product (AC-1).
fn lounge(wallet: &str) -> Value {
    json!({
        "product_type": "PAYMENT_LINK", "title": "Members lounge", "description": "Monthly access", "amount_minor_units": 200_000,
        "token_mint": USDC, "merchant_wallet": wallet, "delivery_type": "REDIRECT", "delivery_value": "https://example.com/welcome",
    })
}

/// The example of a Telegram membership (AC-12).
fn telegram(wallet: &str) -> Value {
    json!({
        "product_type": "PAYMENT_LINK", "title": "Telegram Inner Circle", "description": "Monthly paid access",
        "image_url": "https://cdn.example.com/cover.png", "fixed_amount_lamports": 29_000_000, "token_mint": USDC,
        "merchant_wallet": wallet, "delivery_type": "TELEGRAM_INVITE", "delivery_value": "https://t.me/+privateinvite",
        "max_payments": 500,
        "membership_config": {
            "enabled": true, "platform": "TELEGRAM", "access_mode": "INVITE_LINK", "identity_type": "TELEGRAM_USER_ID",
            "identity_label": "Telegram username or user ID", "identity_required": true, "billing_interval_days": 30,
            "grace_period_days": 3, "renewal_reminder_offsets_days": [7, 2, 1], "platform_target_label": "Private Telegram Group",
        },
    })
}

/// `value` with `member` set.
fn with(mut value: Value, member: &str, to: Value) -> Value {
    value[member] = to;
    value
}

/// A product of the app's owner, without an `Idempotency-Key`, as the examples do.
async fn create(app: &TestApp, body: &Value) -> Value {
    send(app, &app.live_key, Method::POST, "/v1/products", Some(body)).await.ok()
}

async fn send(app: &TestApp, key: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let mut request = app.request(method, path).header("X-Hilt-Key", key);
    if let Some(body) = body {
        request = request.json(body);
    }
    app.send(request).await
}

/// A buyer's connect, without a credential.
async fn connect(app: &TestApp, product: &Value, body: &Value) -> Answer {
    let path = format!("/v1/products/p/{}/connect", text(product, "slug"));
    app.send(app.request(Method::POST, &path).json(body)).await
}

fn path(product: &Value) -> String {
    format!("/v1/products/{}", text(product, "id"))
}

#[track_caller]
fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value:#}"))
}

#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}
