//! RT-019.

use super::scene::{HELIUS_SECRET, Scene};
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/v1/provider-webhooks/helius/solana";

#[tokio::test(flavor = "multi_thread")]
async fn only_helius_wakes_the_service_and_strangers_transactions_change_nothing() {
    let scene = Scene::start(&[]).await;
    let before = scene.app.state.log.head().await.unwrap().next_position;
    let call = |secret: &'static str, body: serde_json::Value| {
        let request = scene.app.request(Method::POST, PATH).header("Authorization", secret);
        scene.app.send(request.json(&body))
    };
    call("wrong", json!([])).await.refused(401, "invalid_provider_signature");
    call("", json!([])).await.refused(401, "invalid_provider_signature");
    scene.app.send(scene.app.request(Method::POST, PATH).json(&json!([]))).await.refused(401, "invalid_provider_signature");
    call(HELIUS_SECRET, json!("x")).await.refused(400, "malformed_request");
    call(HELIUS_SECRET, json!(vec![json!({}); 201])).await.refused(400, "malformed_request");

    // A transaction that pays nobody here, and one that the chain does not know.
    let (buyer, stranger) = (scene.buyer().await, scene.buyer().await);
    let foreign = scene
        .chain
        .pay(hilt_tests::chain::PayRequest::usdc(&buyer, &[(stranger.address(), 5)], "HILT:00112233445566778899aabbccddeeff"))
        .await;
    scene.chain.wait_finalized(&foreign).await;
    let unknown = bs58::encode([7; 64]).into_string();
    let body = json!([{ "signature": foreign.to_string(), "type": "TRANSFER" }, { "transaction": { "signatures": [unknown] } }]);
    assert_eq!(call(HELIUS_SECRET, body).await.ok()["received"], json!(2));
    assert_eq!(scene.app.state.log.head().await.unwrap().next_position, before, "nothing is on record");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_up_settles_a_payment_that_nobody_confirmed_and_its_claims_are_not_believed() {
    let scene = Scene::start(&[]).await;
    let (on_sale, buyer) = (scene.sells(false).await, scene.buyer().await);
    let paid = scene.connect(&on_sale, &buyer).await;
    let unpaid = scene.connect(&on_sale, &buyer).await;
    let tx = scene.pay(&buyer, &paid).await;
    // The webhook claims amounts, wallets and a memo that the chain does not show.
    let lie = json!([{ "signature": tx.to_string(), "memo": format!("HILT:{}", unpaid["nonce"].as_str().unwrap()), "tokenTransfers": [{ "tokenAmount": 999 }] }]);
    scene.helius(lie).await.ok();
    let settled = scene.until_status(&paid, "CONFIRMED").await;
    assert_eq!(settled["tx_signature"], json!(tx.to_string()));
    assert_eq!(scene.payment(&unpaid).await["status"], json!("PENDING_SIGNATURE"));
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_the_route_is_closed() {
    let app = hilt_tests::app::TestApp::start(&[]).await;
    let request = app.request(Method::POST, PATH).header("Authorization", "").json(&json!([]));
    app.send(request).await.refused(503, "feature_disabled");
    app.close().await;
}
