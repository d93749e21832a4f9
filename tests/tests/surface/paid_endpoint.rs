//! `examples/paid-endpoint`, in both versions, on the real service and a local chain: denied, asked to pay, paid, granted (AC-57,
//! AC-58, AC-70).

use crate::shop::{Shop, legs, memo};
use hilt_tests::{
    app::{SOON, TestApp},
    chain::{LocalSolana, PayRequest},
    paid_endpoint::{Server, Version},
    processes::free_port,
    solana_tx::Keypair,
};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_deny_ask_and_grant() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    let shop = Shop::open(&app).await;
    sandbox_product(&app, &shop).await;
    tokio::join!(version(&app, &chain, &shop, Version::FastApi), version(&app, &chain, &shop, Version::Express),);
    app.close().await;
}

/// The same product without money.
async fn sandbox_product(app: &TestApp, shop: &Shop) {
    let made = app.post(&app.sandbox_key, "/v1/access/apps", json!({"name": "Try", "external_app_id": "try"})).await.ok();
    let product = json!({
        "access_app_id": made["id"], "external_product_id": shop.product, "title": "Try", "amount_minor_units": 25_000_000,
        "merchant_wallet": Keypair::generate().address().to_string(), "entitlement_duration_days": 30,
        "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc"], "status": "active",
    });
    app.post(&app.sandbox_key, "/v1/access/products", product).await.ok();
}

async fn version(app: &TestApp, chain: &LocalSolana, shop: &Shop, version: Version) {
    in_the_sandbox(app, shop, version).await;
    for_money(app, chain, shop, version).await;
}

/// AC-70, word for word.
async fn in_the_sandbox(app: &TestApp, shop: &Shop, version: Version) {
    let customer = format!("cust_123_{version:?}");
    let settings = [("HILT_API_URL", app.base_url.as_str()), ("HILT_API_KEY", &app.sandbox_key), ("HILT_PAY_API_PRODUCT", &shop.product)];
    let server = Server::start(version, free_port(), &settings).await;
    let nobody = server.post("/ai/pro", None, json!({})).await;
    assert_eq!(nobody.status(), 400, "AC-58");
    assert_eq!(nobody.json::<Value>().await.unwrap(), json!({"error": "X-Customer-Id required"}));

    let denied = server.denied(&customer).await;
    assert_eq!((&denied["payment_protocol"], &denied["settlement_rail"]), (&json!("x402"), &json!("solana_usdc")));
    let text = denied.to_string();
    assert!(!text.contains(&app.sandbox_key) && !text.contains("hilt_sandbox_v1."), "INV-82: {text}");
    let again = server.denied(&customer).await;
    assert_eq!(again["payment_session"]["id"], denied["payment_session"]["id"], "asking twice opens no second session");

    let checkout = server.post("/checkout", None, json!({"external_customer_id": customer, "email": "buyer@example.com"})).await;
    let checkout: Value = checkout.json().await.unwrap();
    let session = checkout["payment_session_id"].as_str().unwrap();
    assert!(session.starts_with("demo_ps_"), "{checkout}");
    let proof = json!({"external_customer_id": customer, "payment_session_id": session, "payment_signature": "demo-x402-signature",
        "settlement_rail": "solana_usdc"});
    let mut other_rail = proof.clone();
    other_rail["settlement_rail"] = json!("base_usdc");
    assert_eq!(server.post("/payment-proof", None, other_rail).await.status(), 422);
    let unknown = json!({"external_customer_id": customer, "payment_session_id": "demo_ps_nothing", "payment_signature": "x"});
    assert_eq!(server.post("/payment-proof", None, unknown).await.status(), 404);
    server.denied(&customer).await;
    assert_eq!(server.post("/payment-proof", None, proof).await.status(), 200);
    let (status, paid) = server.work(&customer).await;
    assert_eq!((status, paid), (200, json!({"answer": "paid response", "receipt_id": null, "rail_id": "solana_usdc"})));
}

async fn for_money(app: &TestApp, chain: &LocalSolana, shop: &Shop, version: Version) {
    let customer = format!("cust_money_{version:?}");
    let port = free_port();
    let hook = json!({"url": format!("http://127.0.0.1:{port}/hilt/webhook"), "subscribed_events": ["payment.confirmed"]});
    let secret = app.post(&app.live_key, "/v1/access/webhooks", hook).await.ok()["signing_secret"].as_str().unwrap().to_owned();
    let settings = [
        ("HILT_API_URL", app.base_url.as_str()),
        ("HILT_API_KEY", &app.live_key),
        ("HILT_PAY_API_PRODUCT", &shop.product),
        ("HILT_PAY_API_PAYMENT_PROTOCOL", "none"),
        ("HILT_WEBHOOK_SECRET", &secret),
    ];
    let mut server = Server::start(version, port, &settings).await;
    let denied = server.denied(&customer).await;
    assert!(!denied.to_string().contains(&app.live_key), "INV-82");
    forged_messages_grant_nothing(app, &server, &customer, &denied).await;

    let requirement = &denied["payment_requirement"];
    let buyer = Keypair::generate();
    chain.fund(&buyer.address(), 100_000_000).await;
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    let proof = json!({"external_customer_id": customer, "payment_session_id": denied["payment_session"]["id"],
        "settlement_rail": "solana_usdc", "tx_signature": tx.to_string()});
    let recorded = server.post("/payment-proof", None, proof).await;
    let (status, recorded): (u16, Value) = (recorded.status().as_u16(), recorded.json().await.unwrap());
    // The watcher may have seen it first.
    assert!(
        status == 200 && recorded["grants_access"] == json!(false) || recorded["code"] == json!("proof_replayed"),
        "{status} {recorded}"
    );
    let paid = server.until_granted(&customer).await;
    assert_eq!((&paid["answer"], &paid["rail_id"]), (&json!("paid response"), &json!("solana_usdc")));
    let receipt = paid["receipt_id"].as_str().expect("a paid answer names its receipt");
    assert_eq!(app.get_public(&format!("/v1/receipt/{receipt}/verify")).await.ok()["valid"], json!(true));

    let heard = tokio::time::timeout(SOON, async {
        while let Some(line) = server.said.next_line().await.unwrap() {
            if line.starts_with("hilt: payment.confirmed") {
                return true;
            }
        }
        false
    });
    assert!(heard.await.expect("the signed message arrives"), "{version:?} ended before it heard of the payment");
}

/// INV-18: only what Hilt signed is believed, and even that grants nothing by itself.
async fn forged_messages_grant_nothing(app: &TestApp, server: &Server, customer: &str, denied: &Value) {
    let body = json!({"type": "payment.confirmed", "data": {"access": {"external_customer_id": customer,
        "payment_session_id": denied["payment_session"]["id"], "has_access": true}}})
    .to_string();
    let now = app.clock.now().seconds();
    let forger = Webhook::from_bytes(vec![7; 32]).unwrap();
    let signature = forger.sign("msg_1", now, body.as_bytes()).unwrap();
    let (url, time) = (format!("{}/hilt/webhook", server.url), now.to_string());
    let send = |headers: Vec<(&'static str, String)>| {
        let request =
            headers.into_iter().fold(server.http.post(&url).body(body.clone()), |request, (name, value)| request.header(name, value));
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(send(vec![]).await, 401, "unsigned");
    let forged = vec![("webhook-id", "msg_1".to_owned()), ("webhook-timestamp", time), ("webhook-signature", signature)];
    assert_eq!(send(forged).await, 401, "signed by somebody else");
    server.denied(customer).await;
}
