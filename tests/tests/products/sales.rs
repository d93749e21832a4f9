//! Payments of a product on a real chain, and the figures that they add up to.

use crate::{USDC, connect, create, lounge, path, text, wallet, with};
use events::vocab::bytes::SolanaAddress;
use hilt_tests::{
    app::TestApp,
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use reqwest::Method;
use serde_json::{Value, json};

/// The two transfers that a connect asks for.
fn legs(payment: &Value) -> Vec<(SolanaAddress, u64)> {
    [("merchant_wallet", "merchant_amount_minor_units"), ("fee_wallet", "fee_minor_units")]
        .map(|(wallet, amount)| (text(payment, wallet).parse().unwrap(), payment[amount].as_u64().unwrap()))
        .to_vec()
}

async fn buy(app: &TestApp, chain: &LocalSolana, product: &Value) -> Value {
    let buyer = Keypair::generate();
    chain.airdrop(&buyer.address()).await;
    chain.fund(&buyer.address(), 10_000_000).await;
    let payment = connect(app, product, &json!({"payer_wallet": buyer.address().to_string()})).await.ok();
    let memo = format!("HILT:{}", text(&payment, "nonce"));
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(&payment), &memo)).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": payment["payment_id"], "slug": product["slug"], "tx_signature": tx.to_string()});
    let confirmed = app.send(app.request(Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok();
    assert_eq!(confirmed["status"], json!("confirmed"), "{confirmed}");
    payment
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_product_are_exact() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url), ("HILT_WORKSPACE_FEE_BPS", "33")]).await;
    let config = json!({"enabled": true, "billing_interval_days": 30});
    let product = create(&app, &with(with(lounge(&wallet()), "amount_minor_units", json!(1_000_001)), "membership_config", config)).await;
    let analytics = format!("{}/analytics", path(&product));
    let empty = app.get(&app.live_key, &analytics).await.ok();
    assert_eq!((&empty["payment_count"], &empty["conversion_rate"], &empty["sales"]), (&json!(0), &json!("0.0000"), &json!([])));

    connect(&app, &product, &json!({"payer_wallet": wallet()})).await.ok();

    let first = buy(&app, &chain, &product).await;
    buy(&app, &chain, &product).await;
    connect(&app, &product, &json!({"payer_wallet": wallet()})).await.ok();
    let figures = app.get(&app.live_key, &analytics).await.ok();
    let (gross, fee) = (1_000_001_u64, 1_000_001_u64 * 33 / 10_000);
    let expected = json!({"payment_count": 4, "confirmed_count": 2, "failed_count": 0, "expired_count": 0, "pending_count": 2,
        "gross_amount_minor_units": 2 * gross, "merchant_amount_minor_units": 2 * (gross - fee), "fee_minor_units": 2 * fee,
        "active_memberships": 2, "conversion_rate": "0.5000", "asset_symbol": "USDC"});
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&figures[member], value, "{member}: {figures:#}");
    }
    assert_eq!((&figures["sales"][0]["token_mint"], &figures["sales"][0]["confirmed_count"]), (&json!(USDC), &json!(2)));
    assert!(figures["last_payment_at"].is_string());

    assert_eq!(app.get(&app.live_key, &path(&product)).await.ok()["payment_count"], json!(2));
    let page = app.get_public(&format!("/v1/products/p/{}", text(&product, "slug"))).await.ok();
    assert_eq!(page["payment_count"], json!(2));
    let confirmed = app.get(&app.live_key, &format!("{}/payments?status=confirmed&limit=1&offset=1", path(&product))).await.ok();
    assert_eq!((&confirmed["count"], &confirmed["items"][0]["id"]), (&json!(2), &first["payment_id"]));
    assert!(confirmed["items"][0]["tx_signature"].is_string());
    app.get(&app.live_key, &format!("{}/payments?status=odd", path(&product))).await.refused(422, "validation_failed");

    app.clock.advance_seconds(1_801);
    let figures = app.get(&app.live_key, &analytics).await.ok();
    let over = (&figures["expired_count"], &figures["pending_count"], &figures["conversion_rate"]);
    assert_eq!(over, (&json!(2), &json!(0), &json!("0.5000")), "a payment's time is over from the instant itself");
    app.close().await;
}
