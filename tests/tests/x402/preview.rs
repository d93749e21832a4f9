//! What Base sessions will ask for: shown to staff, and to nobody else (AC-71, INV-33, INV-37).

use crate::shop::Shop;
use api::http::jwt::Role;
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

const PAYOUT: &str = "0x1111111111111111111111111111111111111111";

async fn setting(app: &TestApp, rail: &str, mode: &str, key: &str) {
    let body = json!({
        "enabled": true, "mode": "live", "payout_address": PAYOUT, "fee_collection_mode": mode,
        "fee_collector_address": "0x3333333333333333333333333333333333333333",
        "fee_allowance_token_contract": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "fee_allowance_limit_minor_units": 100_000_000,
    });
    let request = app.request(Method::PUT, &format!("/v1/access/rail-settings/{rail}")).header("X-Hilt-Key", &app.live_key);
    let saved = app.send(request.header("Idempotency-Key", key).json(&body)).await.ok();
    assert_eq!(saved["status"], json!("pending_review"), "AC-52");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_what_a_base_session_will_ask_for_and_buyers_do_not() {
    let app = TestApp::start(&[("HILT_EVM_FEE_WALLET", "0x2222222222222222222222222222222222222222")]).await;
    let shop = Shop::open(&app).await;
    let path = format!(
        "/v1/admin/access/payment-requirements/preview?owner_id={}&external_product_id={}&rail_id=base_usdc",
        app.owner, shop.product
    );
    let staff = app.token(Role::Staff, None).await;
    let look = |token: &str| app.send(app.request(Method::GET, &path).bearer_auth(token));
    look(&staff).await.refused(409, "payout_address_required");
    setting(&app, "base_usdc", "merchant_allowance_pull", "one").await;
    let shown = look(&staff).await.ok();
    assert_eq!((&shown["session_creatable"], &shown["blockers"]), (&json!(false), &json!(["platform_rail_not_production_enabled"])));
    let asked = &shown["payment_requirement"];
    let leg = &asked["required_transfers"][0];
    assert_eq!((&leg["pay_to"], &leg["amount_minor_units"]), (&json!(PAYOUT), &json!(25_000_000)));
    assert_eq!(asked["required_transfers"].as_array().unwrap().len(), 1, "INV-37");
    assert_eq!(asked["buyer_signature_requirement"], json!("single_transfer_to_merchant"));
    setting(&app, "base_usdc", "buyer_split_transfer", "two").await;
    let split = look(&staff).await.ok()["payment_requirement"].take();
    let calls = split["wallet_batching"]["wallet_send_calls"]["params"][0]["calls"].as_array().unwrap();
    assert_eq!((split["required_transfers"].as_array().unwrap().len(), calls.len()), (2, 2));
    setting(&app, "base_usdc", "deferred_merchant_billing", "three").await;
    look(&staff).await.refused(409, "merchant_fee_collection_not_instant");

    let owner = app.token(Role::Owner, Some(app.owner)).await;
    look(&owner).await.refused(403, "staff_required");
    let body = json!({"external_product_id": shop.product, "external_customer_id": "c", "rail": "base_usdc"});
    app.post(&app.live_key, "/v1/access/payment-sessions", body).await.refused(409, "rail_not_effective");
    let rails = app.get(&app.live_key, &format!("/v1/access/products/available-rails?external_product_id={}", shop.product)).await.ok();
    let creatable = &rails["payment_session_options"]["session_creatable_rails"];
    assert_eq!(*creatable, json!([{"rail_id": "solana_usdc"}]), "INV-33: {}", Value::clone(&rails));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_chains_one_is_stopped_and_the_other_goes_on() {
    let app = TestApp::start(&[("HILT_EVM_FEE_WALLET", "0x2222222222222222222222222222222222222222")]).await;
    let shop = Shop::open(&app).await;
    let staff = app.token(Role::Staff, None).await;
    let put = async |path: &str, body: Value| {
        app.send(app.request(Method::PUT, &format!("/v1/admin/access/rails/evm_usdc/{path}")).bearer_auth(&staff).json(&body)).await.ok()
    };
    put("capability", json!({"allowlisted_chains": ["eip155:8453", "eip155:10"], "reason": "review"})).await;
    setting(&app, "evm_usdc", "merchant_allowance_pull", "one").await;
    let blockers = async |network: &str| {
        let path = format!(
            "/v1/admin/access/payment-requirements/preview?owner_id={}&external_product_id={}&rail_id=evm_usdc&network={network}",
            app.owner, shop.product
        );
        app.send(app.request(Method::GET, &path).bearer_auth(&staff)).await.ok()["blockers"].to_string()
    };
    assert!(!blockers("eip155:10").await.contains("rail_kill_switched"));
    put("kill-switch", json!({"chain": "eip155:10", "state": "tripped", "reason": "reorg"})).await;
    // What is shown of rails may be a moment old.
    let deadline = std::time::Instant::now() + hilt_tests::app::SOON;
    while !blockers("eip155:10").await.contains("rail_kill_switched") {
        assert!(std::time::Instant::now() < deadline, "the stop of the chain never shows");
    }
    assert!(!blockers("eip155:8453").await.contains("rail_kill_switched"), "the other chain goes on");
    app.close().await;
}
