//! Sessions of the protocol: what they ask for, and when two requests are one (AC-56, 61, 62; DIS-6, 8, 19, 20, 22).

use crate::{
    scene::{Scene, accepts},
    shop,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_asks_for_one_transfer_in_both_versions() {
    let scene = Scene::open().await;
    let mut body = scene.ask("cust_123");
    body["amount_minor_units"] = json!(1000);
    body["payTo"] = json!("9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin");
    body["asset"] = json!("So11111111111111111111111111111111111111112");
    let answer = scene.keyless(body).await;
    assert_eq!(answer.status.as_u16(), 201, "DIS-22: never a 402; {}", answer.body);
    let session = &answer.body["payment_session"];
    let named = ["payment_protocol", "settlement_rail_id", "rail_id", "checkout_url"].map(|name| session[name].clone());
    assert_eq!(named, [json!("x402"), json!("solana_usdc"), json!("solana_usdc"), Value::Null], "DIS-8, DIS-20");
    assert_eq!(session["adapter"]["session_strategy"], json!("direct_http_402"));
    let (asked, requirement) = (accepts(session), &session["payment_requirement"]);
    let setting = scene.app.get(&scene.app.live_key, "/v1/access/rail-settings").await.ok();
    let payout = setting["rail_settings"].as_array().or(setting["items"].as_array()).unwrap()[0]["payout_address"].clone();
    let expected = json!({
        "scheme": "exact", "network": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
        "asset": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "amount": "1000", "maxAmountRequired": "1000", "payTo": payout,
        "resource": "https://api.example.com/ai/pro", "maxTimeoutSeconds": 60, "proof_type": "x402_payment_signature_v1",
        "extra": {"feePayer": scene.fee_payer.to_string(), "memo": requirement["memo"]},
    });
    assert_eq!(*asked, expected, "INV-16: from the verified payout and the platform's token, whatever the caller says");
    let hash = Sha256::digest(serde_json_canonicalizer::to_vec(asked).unwrap());
    assert_eq!(requirement["payment_requirements_hash"], json!(hex::encode(hash)));
    assert_eq!(
        (&requirement["required_transfers"], &requirement["hilt_fee_minor_units"]),
        (&json!([{"role": "merchant", "pay_to": asked["payTo"], "amount_minor_units": 1000}]), &json!(10)),
        "Q-18: the buyer makes one transfer, of everything"
    );
    assert_eq!(requirement["fee_collection"], json!({"model": "merchant_receivable", "status": "planned", "amount_minor_units": 10}));
    let x402 = &requirement["x402"];
    let header: Value = serde_json::from_slice(&STANDARD.decode(x402["payment_required_header"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!((&header, &header["accepts"][0]), (&x402["payment_required"], asked), "the header is ready to be sent");
    let v1 = &x402["v1_body"]["accepts"][0];
    assert_eq!((&v1["network"], &v1["maxAmountRequired"], &v1["extra"]), (&json!("solana"), &json!("1000"), &asked["extra"]));

    let pending = scene.shop.check(&scene.app, "cust_123").await;
    assert_eq!((&pending["has_access"], &pending["reason"]), (&json!(false), &json!("payment_pending")), "INV-17");
    let path = format!("/v1/access/payment-sessions/{}", session["id"].as_str().unwrap());
    let shown = scene.app.get(&scene.app.live_key, &path).await.ok();
    assert_eq!(shown["payment_session"]["payment_requirement"]["paymentRequirements"], requirement["paymentRequirements"]);
    // INV-15: the requirement stands in the same append as the session.
    let created = shop::events_of_type(&scene.app, "payment_session.created").await;
    let authored = shop::events_of_type(&scene.app, "payment_requirement.authored").await;
    assert_eq!(created[0]["correlation_id"], authored[0]["correlation_id"]);
    assert_eq!(created[0]["recorded_at"], authored[0]["recorded_at"]);
    assert!(!authored[0].to_string().contains("api.example.com"), "the resource may name a customer: {}", authored[0]);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_same_request_is_the_same_session_while_it_is_open() {
    let scene = Scene::open().await;
    let ask = scene.ask("cust_1");
    let calls = (0..50).map(|_| scene.keyless(ask.clone()));
    let answers: Vec<Value> = futures::future::join_all(calls).await.into_iter().map(|answer| answer.ok()).collect();
    let first = &answers[0];
    assert!(answers.iter().all(|answer| answer == first), "one session for 50 callers at once");
    let id = |answer: &Value| answer["payment_session"]["id"].clone();
    let mut other = ask.clone();
    other["metadata"]["trace"] = json!("differs");
    assert_eq!(id(&scene.keyless(other.clone()).await.ok()), id(first), "only the resource counts of the metadata");
    other["metadata"]["resource"] = json!("/ai/other");
    assert_ne!(id(&scene.keyless(other).await.ok()), id(first));
    scene.app.clock.advance_seconds(29 * 60);
    assert_eq!(id(&scene.keyless(ask.clone()).await.ok()), id(first), "still open, in another slot of time");
    scene.app.clock.advance_seconds(2 * 60);
    assert_ne!(id(&scene.keyless(ask).await.ok()), id(first), "it has expired");
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn selectors_agree_or_are_refused() {
    let scene = Scene::open().await;
    let app = &scene.app;
    let with = |fields: Value| {
        let mut body = json!({"external_product_id": scene.shop.product, "external_customer_id": "c"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    let post = |fields: Value| app.post(&app.live_key, "/v1/access/payment-sessions", with(fields));
    let legacy = post(json!({"rail": "x402"})).await.ok();
    assert_eq!(legacy["warnings"], json!(["legacy_x402_rail"]), "DIS-8");
    let session = &legacy["payment_session"];
    assert_eq!((&session["payment_protocol"], &session["settlement_rail_id"]), (&json!("x402"), &json!("solana_usdc")), "AC-62");
    let own = format!("https://api.hilt.so/v1/access/x402/resource/{}", session["id"].as_str().unwrap());
    assert_eq!(accepts(session)["resource"], json!(own), "without a resource the session is its own");
    for agreeing in [
        json!({"payment_protocol": "x402"}),
        json!({"payment_protocol": "x402", "rail": "solana_usdc"}),
        json!({"payment_protocol": "x402", "rail": "solana_usdc", "settlement_rail": "solana_usdc"}),
        json!({"payment_protocol": "x402", "rail": "x402", "settlement_rail": "solana_usdc"}),
    ] {
        let opened = post(agreeing.clone()).await.ok();
        assert_eq!((&opened["payment_session"]["payment_protocol"], opened.get("warnings")), (&json!("x402"), None), "{agreeing}");
    }
    let refused = [
        (json!({"payment_protocol": "x402", "rail": "base_usdc", "settlement_rail": "solana_usdc"}), 422, "rail_conflict"),
        (json!({"payment_protocol": "x402", "settlement_rail": "x402"}), 422, "rail_conflict"),
        (json!({"payment_protocol": "x402", "settlement_rail": "base_usdc"}), 409, "rail_not_effective"),
        (json!({"payment_protocol": "x402", "settlement_rail": "paypal"}), 422, "unknown_rail"),
        (json!({"payment_protocol": "l402"}), 422, "validation_failed"),
        (json!({"payment_protocol": "x402", "metadata": {"resource": 7}}), 422, "validation_failed"),
        (json!({"payment_protocol": "x402", "metadata": {"resource": "javascript:alert(1)"}}), 422, "validation_failed"),
    ];
    for (fields, status, code) in refused {
        let answer = post(fields.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (status, Some(code)), "{fields}: {}", answer.body);
    }
    keyless_needs_the_protocol(app, &scene.shop.product).await;
    scene.app.close().await;
}

/// DIS-6: without the protocol, and with its old name, the key is needed.
async fn keyless_needs_the_protocol(app: &TestApp, product: &str) {
    for rail in ["solana_usdc", "x402"] {
        let request = app.request(Method::POST, "/v1/access/payment-sessions").header("X-Hilt-Key", &app.live_key);
        let body = json!({"external_product_id": product, "external_customer_id": "c", "rail": rail});
        app.send(request.json(&body)).await.refused(400, "idempotency_key_required");
    }
}
