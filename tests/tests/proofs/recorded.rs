//! Recording a proof: once, for its own session, as the stored requirement says.

use crate::{
    PROOFS, proof_of,
    shop::{Shop, events_of_type},
};
use events::{
    clock::new_id,
    vocab::{bytes::TxSignature, id::OwnerId, words::Scope},
};
use hilt_tests::app::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_submissions_of_one_proof_record_it_once() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let mut bodies = Vec::new();
    for number in 0..10 {
        let customer = format!("cust_{number}");
        let session = shop.session(&app, &customer).await;
        bodies.push(proof_of(&session, &customer, TxSignature([5; 64])));
    }
    let calls = (0..50).map(|number: usize| app.post(&app.live_key, PROOFS, bodies[number % 10].clone()));
    let mut recorded = 0;
    for answer in futures::future::join_all(calls).await {
        match answer.status.as_u16() {
            201 => {
                recorded += 1;
                assert_eq!(answer.body["grants_access"], json!(false), "INV-1");
            }
            _ => drop(answer.refused(409, "proof_replayed")),
        }
    }
    assert_eq!(recorded, 1, "INV-5");
    assert_eq!(events_of_type(&app, "proof.fingerprinted").await.len(), 1);
    assert_eq!(events_of_type(&app, "proof.replay_rejected").await.len(), 49);
    for number in 0..10 {
        assert_eq!(shop.check(&app, &format!("cust_{number}")).await["has_access"], json!(false));
    }
    assert!(events_of_type(&app, "entitlement.activated").await.is_empty());
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_says_what_the_requirement_says_or_is_refused() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_123").await;
    let app_id = app.get(&app.live_key, "/v1/access/apps").await.ok()["items"][0]["id"].clone();
    let wallet = session["payment_session"]["payment_requirement"]["required_transfers"][0]["pay_to"].clone();
    let other = json!({"access_app_id": app_id, "external_product_id": "other", "title": "Other", "amount_minor_units": 1,
        "merchant_wallet": wallet, "entitlement_duration_days": 1, "status": "paused"});
    app.post(&app.live_key, "/v1/access/products", other).await.ok();
    let right = proof_of(&session, "cust_123", TxSignature([6; 64]));
    let altered = |field: &str, value: Value| {
        let mut body = right.clone();
        body[field] = value;
        body
    };
    let wrong = [
        ("external_product_id", json!("other")),
        ("external_product_id", json!("nothing")),
        ("external_customer_id", json!("cust_124")),
        ("email", json!("someone@example.com")),
        ("wallet", json!("11111111111111111111111111111112")),
        ("amount_minor_units", json!(24_999_999)),
        ("network", json!("solana:devnet")),
        ("asset", json!("11111111111111111111111111111112")),
        ("pay_to", json!("11111111111111111111111111111112")),
        ("payment_protocol", json!("x402")),
        ("requirement_hash", json!("0".repeat(64))),
        ("rail", json!("x402")),
    ];
    let count = wrong.len();
    for (field, value) in wrong {
        let refused = app.post(&app.live_key, PROOFS, altered(field, value)).await.refused(422, "payment_requirement_mismatch");
        assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
    }
    let rejected = events_of_type(&app, "proof.rejected").await;
    assert_eq!(rejected.len(), count, "each left a trace");
    assert!(events_of_type(&app, "proof.fingerprinted").await.is_empty(), "INV-8: before recording");
    for (field, status, code) in [
        ("payment_session_id", 422, "payment_session_required"),
        ("tx_signature", 422, "proof_incomplete"),
        ("external_customer_id", 422, "customer_identity_required"),
    ] {
        let mut body = right.clone();
        body.as_object_mut().unwrap().remove(field);
        app.post(&app.live_key, PROOFS, body).await.refused(status, code);
    }
    app.post(&app.live_key, PROOFS, altered("tx_signature", json!("short"))).await.refused(422, "validation_failed");
    app.post(&app.live_key, PROOFS, altered("rail", json!("tron_usdt"))).await.refused(409, "rail_disabled");
    app.post(&app.live_key, PROOFS, altered("rail", json!("paypal"))).await.refused(422, "unknown_rail");
    let unknown = altered("payment_session_id", json!(new_id::<uuid::Uuid>()));
    app.post(&app.live_key, PROOFS, unknown).await.refused(404, "payment_session_not_found");
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    app.post(&stranger, PROOFS, right.clone()).await.refused(404, "payment_session_not_found");

    let recorded = app.post_as(&app.live_key, PROOFS, "k", right.clone()).await.ok();
    let proof = &recorded["proof"];
    for key in ["id", "fingerprint", "status", "rail_id", "settlement_rail_id", "livemode", "payment_session_id", "requirement_binding"] {
        assert!(proof.get(key).is_some(), "{key} missing in {proof}");
    }
    assert_eq!(proof["requirement_binding"]["pending_entitlement_id"], session["pending_entitlement"]["id"]);
    assert_eq!(proof["requirement_binding"]["requirement_hash"], session["payment_session"]["payment_requirement"]["requirement_hash"]);
    assert!(app.post_as(&app.live_key, PROOFS, "k", right.clone()).await.replayed);
    app.post(&app.live_key, PROOFS, right).await.refused(409, "proof_replayed");
    assert_eq!(shop.check(&app, "cust_123").await["reason"], json!("payment_pending"), "AC-63");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_when_its_time_is() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_late").await;
    app.clock.advance_seconds(30 * 60);
    let late = proof_of(&session, "cust_late", TxSignature([7; 64]));
    app.post(&app.live_key, PROOFS, late).await.refused(410, "payment_expired");
    let payment = &session["payment_session"]["payment_id"];
    let broadcast = json!({"payment_id": payment, "tx_signature": TxSignature([7; 64]).to_string()});
    let broadcast = app.request(reqwest::Method::POST, "/v1/pay/broadcast").json(&broadcast);
    app.send(broadcast).await.refused(410, "payment_expired");
    assert!(events_of_type(&app, "proof.fingerprinted").await.is_empty(), "INV-68");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_has_one_transaction_and_a_transaction_one_payment() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let (one, two) = (shop.session(&app, "one").await, shop.session(&app, "two").await);
    let broadcast = async |session: &Value, tx: u8| {
        let body = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": TxSignature([tx; 64]).to_string(),
            "wallet_source": "EXTERNAL_PHANTOM"});
        app.send(app.request(reqwest::Method::POST, "/v1/pay/broadcast").json(&body)).await
    };
    let first = broadcast(&one, 1).await.ok();
    assert_eq!(first["status"], json!("PENDING_CONFIRMATION"));
    assert_eq!(broadcast(&one, 1).await.ok(), first, "the same again");
    broadcast(&one, 2).await.refused(409, "tx_conflict");
    broadcast(&two, 1).await.refused(409, "tx_conflict");
    let path = format!("/v1/payments/{}", one["payment_session"]["payment_id"].as_str().unwrap());
    let public = app.get_public(&path).await.ok();
    let keys: Vec<_> = public.as_object().unwrap().keys().cloned().collect();
    let mut expected =
        ["id", "product_id", "status", "tx_signature", "confirmed_at", "failed_at", "failure_reason", "delivery_status", "membership_id"];
    expected.sort_unstable();
    let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, expected, "INV-69: these and no others");
    app.close().await;
}
