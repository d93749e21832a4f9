//! Proofs of x402 payments (RT-065, AC-63): recorded when they are exactly what was asked for, and worth nothing by themselves.

use crate::{
    scene::{Scene, accepts},
    shop,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hilt_tests::app::Answer;
use serde_json::{Value, json};

const FIELDS: [&str; 7] =
    ["payment_signature", "payment_requirements_hash", "network", "asset", "pay_to", "max_amount_required", "resource"];

/// A proof with everything that it must say.
fn proof(scene: &Scene, session: &Value, signature: &str) -> Value {
    let asked = accepts(session);
    json!({
        "payment_session_id": session["id"], "external_product_id": scene.shop.product, "external_customer_id": "cust_1",
        "payment_protocol": "x402", "settlement_rail": "solana_usdc", "payment_signature": signature,
        "payment_requirements_hash": session["payment_requirement"]["payment_requirements_hash"], "network": asked["network"],
        "asset": asked["asset"], "pay_to": asked["payTo"], "max_amount_required": asked["maxAmountRequired"],
        "resource": asked["resource"],
    })
}

fn header(scene: &Scene, session: &Value, transaction: &[u8]) -> String {
    STANDARD.encode(scene.request(session, transaction)["paymentPayload"].to_string())
}

async fn submit(scene: &Scene, body: Value) -> Answer {
    scene.app.post(&scene.app.live_key, "/v1/access/payment-proofs", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_exactly_what_was_asked_for_and_grants_nothing() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let signed = scene.signed(&scene.instructions(&session)).await;
    let right = proof(&scene, &session, &header(&scene, &session, &signed));
    for field in FIELDS {
        let mut dropped = right.clone();
        dropped.as_object_mut().unwrap().remove(field);
        let refused = submit(&scene, dropped).await.refused(422, "proof_incomplete");
        assert_eq!(refused["errors"][0]["field"], json!(field), "INV-9");
    }
    for (field, value) in [
        ("payment_requirements_hash", json!("00".repeat(32))),
        ("network", json!("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1")),
        ("asset", json!("So11111111111111111111111111111111111111112")),
        ("pay_to", json!(scene.buyer.address().to_string())),
        ("max_amount_required", json!("25000001")),
        ("max_amount_required", json!("025000000")),
        ("resource", json!("https://api.example.com/ai/other")),
    ] {
        let mut altered = right.clone();
        altered[field] = value;
        let refused = submit(&scene, altered).await.refused(422, "payment_requirement_mismatch");
        assert_eq!(refused["errors"][0]["field"], json!(field), "INV-8: {refused}");
    }
    // What was signed is something else than what was asked for.
    let mut less = scene.instructions(&session);
    less[2].data[1..9].copy_from_slice(&1_u64.to_le_bytes());
    let less = proof(&scene, &session, &header(&scene, &session, &scene.signed(&less).await));
    let refused = submit(&scene, less).await.refused(422, "payment_requirement_mismatch");
    assert_eq!(refused["errors"][0]["field"], json!("payment_signature"));
    assert!(shop::events_of_type(&scene.app, "proof.fingerprinted").await.is_empty(), "nothing is recorded");

    let recorded = submit(&scene, right.clone()).await;
    assert_eq!(recorded.status.as_u16(), 201, "{}", recorded.body);
    let recorded = recorded.body;
    let binding = &recorded["proof"]["requirement_binding"];
    assert_eq!((&recorded["grants_access"], &recorded["proof"]["status"]), (&json!(false), &json!("recorded")));
    assert_eq!(
        (&binding["payment_protocol"], &binding["payment_requirements_hash"], &binding["resource"]),
        (&json!("x402"), &right["payment_requirements_hash"], &right["resource"])
    );
    // The same payload in another spelling is the same proof.
    let mut spelled: Value = serde_json::from_slice(&STANDARD.decode(right["payment_signature"].as_str().unwrap()).unwrap()).unwrap();
    spelled["note"] = json!("spelled otherwise");
    let again = proof(&scene, &session, &STANDARD.encode(serde_json::to_string_pretty(&spelled).unwrap()));
    submit(&scene, again).await.refused(409, "proof_replayed");
    let calls = (0..20).map(|_| submit(&scene, right.clone()));
    for answer in futures::future::join_all(calls).await {
        answer.refused(409, "proof_replayed");
    }
    assert_eq!(shop::events_of_type(&scene.app, "proof.fingerprinted").await.len(), 1, "INV-5");
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["reason"], json!("payment_pending"), "INV-1, INV-13");

    // The facilitator settles what was recorded (INV-10), and only then there is access.
    let settled = scene.settle(&scene.request(&session, &signed)).await;
    assert_eq!((&settled["success"], &settled["transaction"]), (&json!(true), &recorded["proof"]["tx_signature"]), "{settled}");
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["has_access"], json!(true));
    assert_eq!(shop::events_of_type(&scene.app, "proof.fingerprinted").await.len(), 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_payment_is_recorded_as_seen_and_failed() {
    let scene = Scene::open().await;
    let session = scene.session("cust_1").await;
    let unreadable = [
        ("demo-x402-signature".to_owned(), "invalid_payload"),
        (STANDARD.encode("{\"x402Version\":2}"), "invalid_payload"),
        (header(&scene, &session, &[1, 2, 3]), "invalid_exact_svm_payload_transaction_could_not_be_decoded"),
    ];
    for (signature, reason) in unreadable {
        let body = proof(&scene, &session, &signature);
        let recorded = submit(&scene, body.clone()).await.ok();
        assert_eq!(recorded["verification"], json!({"outcome": "failed", "reason": reason}), "{recorded}");
        assert_eq!((&recorded["grants_access"], &recorded["proof"]["tx_signature"]), (&json!(false), &Value::Null));
        submit(&scene, body).await.refused(409, "proof_replayed");
    }
    let denied = scene.shop.check(&scene.app, "cust_1").await;
    assert_eq!((&denied["has_access"], &denied["reason"]), (&json!(false), &json!("payment_pending")), "INV-1");
    // A session of another owner is none, and an x402 session takes no other kind of proof.
    let plain = json!({
        "payment_session_id": session["id"], "external_product_id": scene.shop.product, "external_customer_id": "cust_1",
        "rail": "solana_usdc", "tx_signature": events::vocab::bytes::TxSignature([7; 64]).to_string(),
    });
    let refused = submit(&scene, plain).await.refused(422, "payment_requirement_mismatch");
    assert_eq!(refused["errors"][0]["field"], json!("payment_protocol"));
    let mut unknown = proof(&scene, &session, "demo-x402-signature");
    unknown["payment_session_id"] = json!("01a1f933-ea7c-7503-b3ae-c3dc74855283");
    submit(&scene, unknown).await.refused(404, "payment_session_not_found");
    let mut none = proof(&scene, &session, "demo-x402-signature");
    none.as_object_mut().unwrap().remove("payment_session_id");
    submit(&scene, none).await.refused(422, "payment_session_required");
    scene.app.close().await;
}
