//! Proofs with `livemode: false` (RT-065): candidates of the sandbox. Whatever is crossed, none comes near a live session, and none
//! grants anything (INV-29, INV-39, INV-40, OBJ-21).

use crate::{
    PROOFS, proof_of,
    shop::{Shop, events_of_type},
};
use api::{
    http::jwt::Role,
    services::keys::{self, Issue},
};
use events::{
    clock::new_id,
    vocab::{
        bytes::TxSignature,
        id::OwnerId,
        stream::Actor,
        words::{ActorKind, Scope},
    },
};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const SESSIONS: &str = "/v1/access/sandbox/payment-sessions";

/// The shop's product, in the sandbox.
async fn sandbox_product(app: &TestApp, id: &str) {
    let made = app.post(&app.sandbox_key, "/v1/access/apps", json!({"name": "Try", "external_app_id": id})).await.ok();
    let product = json!({
        "access_app_id": made["id"], "external_product_id": id, "title": "Try", "amount_minor_units": 25_000_000,
        "merchant_wallet": "11111111111111111111111111111112", "entitlement_duration_days": 30,
        "default_rail": "solana_usdc", "allowed_rails": ["solana_usdc", "x402"], "status": "active",
    });
    app.post(&app.sandbox_key, "/v1/access/products", product).await.ok();
}

async fn sandbox_session(app: &TestApp, rail: &str) -> Value {
    let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_1", "rail": rail, "confirm_sandbox_mode": true});
    app.post(&app.sandbox_key, SESSIONS, body).await.ok()["sandbox_session"].take()
}

/// A candidate with a Solana transaction.
fn candidate(session: &Value, tx: u8) -> Value {
    json!({"payment_session_id": session["id"], "external_product_id": "pro-ai-api", "external_customer_id": "cust_1",
        "rail": "solana_usdc", "tx_signature": TxSignature([tx; 64]).to_string(), "livemode": false})
}

/// A candidate over x402.
fn signed(session: &Value, signature: &str) -> Value {
    json!({"payment_session_id": session["id"], "external_product_id": "pro-ai-api", "external_customer_id": "cust_1",
        "payment_protocol": "x402", "settlement_rail": "solana_usdc", "payment_signature": signature, "livemode": false})
}

async fn as_owner(app: &TestApp, body: Value) -> Answer {
    let token = app.token(Role::Owner, Some(app.owner)).await;
    let key: uuid::Uuid = new_id();
    app.send(app.request(Method::POST, PROOFS).bearer_auth(token).header("Idempotency-Key", key.to_string()).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_kept_once_and_grants_nothing() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app, "pro-ai-api").await;
    let session = sandbox_session(&app, "solana_usdc").await;
    let recorded = app.post_as(&app.sandbox_key, PROOFS, "k", candidate(&session, 7)).await.ok();
    let proof = &recorded["proof"];
    assert_eq!((&proof["status"], &proof["livemode"], &proof["payment_session_id"]), (&json!("recorded"), &json!(false), &session["id"]));
    assert_eq!((&recorded["grants_access"], &recorded["next_stages"]), (&json!(false), &json!(["sandbox_confirmation"])));
    let replay = app.post_as(&app.sandbox_key, PROOFS, "k", candidate(&session, 7)).await;
    assert!(replay.replayed && replay.ok() == recorded, "the stored answer");
    app.post(&app.sandbox_key, PROOFS, candidate(&session, 7)).await.refused(409, "proof_replayed");
    let other = sandbox_session(&app, "solana_usdc").await;
    app.post(&app.sandbox_key, PROOFS, candidate(&other, 7)).await.refused(409, "proof_replayed");

    // Twenty at once: one.
    let x402 = sandbox_session(&app, "x402").await;
    let calls = (0..20).map(|_| app.post(&app.sandbox_key, PROOFS, signed(&x402, "demo-x402-signature")));
    let answers = futures::future::join_all(calls).await;
    let kept = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    assert_eq!(kept, 1, "INV-5");
    for answer in answers.into_iter().filter(|answer| answer.status.as_u16() != 201) {
        answer.refused(409, "proof_replayed");
    }
    app.post(&app.sandbox_key, PROOFS, signed(&x402, " demo-x402-signature ")).await.refused(409, "proof_replayed");

    let check = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_1", "rail": "solana_usdc"});
    let denied = app.post(&app.sandbox_key, "/v1/access/entitlements/check", check.clone()).await.ok();
    assert_eq!((&denied["has_access"], &denied["reason"]), (&json!(false), &json!("payment_pending")), "INV-1");
    for never in ["proof.fingerprinted", "verification.attempted", "settlement.evidenced", "receipt.created", "entitlement.activated"] {
        assert!(events_of_type(&app, never).await.is_empty(), "{never}");
    }
    // Only the session's own proof confirms it.
    let path = format!("{SESSIONS}/{}/confirm", session["id"].as_str().unwrap());
    app.post(&app.sandbox_key, &path, json!({"proof": TxSignature([7; 64]).to_string()})).await.refused(422, "invalid_sandbox_proof");
    app.post(&app.sandbox_key, &path, json!({"proof": session["proof"]})).await.ok();
    assert_eq!(app.post(&app.sandbox_key, "/v1/access/entitlements/check", check).await.ok()["has_access"], json!(true));

    let log = format!("{:?}", events_of_type(&app, "sandbox_session.proof_recorded").await);
    assert!(!log.contains("demo-x402-signature"), "only its hash is kept");
    app.clock.advance_seconds(31 * 60);
    app.post(&app.sandbox_key, PROOFS, candidate(&other, 9)).await.refused(410, "sandbox_proof_expired");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proof_crosses_the_modes() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    sandbox_product(&app, "pro-ai-api").await;
    let live = shop.session(&app, "cust_1").await;
    let sandbox = sandbox_session(&app, "solana_usdc").await;
    let mut number = 20;
    let mut tx = || {
        number += 1;
        number
    };
    let of_live = |tx: u8| {
        let mut body = proof_of(&live, "cust_1", TxSignature([tx; 64]));
        body["livemode"] = json!(false);
        body
    };
    let told_live = |tx: u8| {
        let mut body = candidate(&sandbox, tx);
        body["livemode"] = json!(true);
        body
    };
    let unsaid = |mut body: Value| {
        body.as_object_mut().unwrap().remove("livemode");
        body
    };

    // A sandbox key: live proofs are not for it, and a live session is none of the sandbox's.
    for body in [proof_of(&live, "cust_1", TxSignature([tx(); 64])), told_live(tx()), unsaid(candidate(&sandbox, tx()))] {
        app.post(&app.sandbox_key, PROOFS, body).await.refused(403, "live_key_required");
    }
    app.post(&app.sandbox_key, PROOFS, of_live(tx())).await.refused(404, "sandbox_session_not_found");
    // A live key: the sandbox is not for it, and a sandbox session is no payment session.
    for body in [candidate(&sandbox, tx()), of_live(tx())] {
        app.post(&app.live_key, PROOFS, body).await.refused(403, "sandbox_key_required");
    }
    for body in [told_live(tx()), unsaid(candidate(&sandbox, tx()))] {
        app.post(&app.live_key, PROOFS, body).await.refused(404, "payment_session_not_found");
    }
    // Who may do both still does each where it belongs.
    let issue = Issue { sandbox_capable: true, ..Issue::new("capable", Scope::ALL) };
    let actor = Actor { kind: ActorKind::Operator, id: Some("test".into()) };
    let capable = keys::issue(&app.state.log, &app.clock, app.owner, true, issue, actor).await.unwrap().key;
    app.post(&capable, PROOFS, candidate(&sandbox, tx())).await.ok();
    app.post(&capable, PROOFS, of_live(tx())).await.refused(404, "sandbox_session_not_found");
    app.post(&capable, PROOFS, told_live(tx())).await.refused(404, "payment_session_not_found");
    as_owner(&app, candidate(&sandbox, tx())).await.ok();
    as_owner(&app, of_live(tx())).await.refused(404, "sandbox_session_not_found");
    // One transaction is one thing in each mode.
    let both = tx();
    app.post(&capable, PROOFS, candidate(&sandbox, both)).await.ok();
    let recorded = app.post(&capable, PROOFS, proof_of(&live, "cust_1", TxSignature([both; 64]))).await.ok();
    assert_eq!(recorded["proof"]["livemode"], json!(true));

    // Another owner, in both modes.
    let stranger = app.key(new_id::<OwnerId>(), false, Scope::ALL).await;
    app.post(&stranger, PROOFS, candidate(&sandbox, tx())).await.refused(404, "sandbox_session_not_found");
    let reader = app.key(app.owner, false, &[Scope::Read]).await;
    app.post(&reader, PROOFS, candidate(&sandbox, tx())).await.refused(403, "scope_required");

    for (event, count) in [("sandbox_session.proof_recorded", 3), ("proof.fingerprinted", 1)] {
        assert_eq!(events_of_type(&app, event).await.len(), count, "{event}");
    }
    let kept = events_of_type(&app, "sandbox_session.proof_recorded").await;
    assert!(kept.iter().all(|event| event["livemode"] == json!(false)), "{kept:#?}");
    assert_eq!(shop.check(&app, "cust_1").await["has_access"], json!(false));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_says_what_its_session_says_or_is_refused() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app, "pro-ai-api").await;
    sandbox_product(&app, "other").await;
    let (session, x402) = (sandbox_session(&app, "solana_usdc").await, sandbox_session(&app, "x402").await);
    let altered = |field: &str, value: Value| {
        let mut body = candidate(&session, 9);
        body[field] = value;
        body
    };
    for (field, value) in [
        ("external_product_id", json!("other")),
        ("external_product_id", json!("nothing")),
        ("external_customer_id", json!("cust_2")),
        ("email", json!("someone@example.com")),
        ("rail", json!("base_usdc")),
        ("settlement_rail", json!("evm_usdc")),
    ] {
        let refused = app.post(&app.sandbox_key, PROOFS, altered(field, value)).await.refused(422, "payment_requirement_mismatch");
        assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
    }
    for (field, status, code) in [
        ("payment_session_id", 422, "payment_session_required"),
        ("tx_signature", 422, "proof_incomplete"),
        ("external_customer_id", 422, "customer_identity_required"),
    ] {
        app.post(&app.sandbox_key, PROOFS, altered(field, Value::Null)).await.refused(status, code);
    }
    app.post(&app.sandbox_key, PROOFS, altered("rail", json!("tron_usdt"))).await.refused(409, "rail_disabled");
    app.post(&app.sandbox_key, PROOFS, altered("rail", json!("paypal"))).await.refused(422, "unknown_rail");
    app.post(&app.sandbox_key, PROOFS, altered("tx_signature", json!("short"))).await.refused(422, "validation_failed");
    app.post(&app.sandbox_key, PROOFS, altered("payment_session_id", json!("no-id"))).await.refused(404, "sandbox_session_not_found");
    // A session on x402 takes what x402 clients sign.
    let plain = candidate(&x402, 9);
    app.post(&app.sandbox_key, PROOFS, plain).await.refused(422, "payment_requirement_mismatch");
    app.post(&app.sandbox_key, PROOFS, signed(&x402, " ")).await.refused(422, "validation_failed");
    app.post(&app.sandbox_key, PROOFS, signed(&x402, "anything at all")).await.ok();
    assert_eq!(events_of_type(&app, "sandbox_session.proof_recorded").await.len(), 1);
    app.close().await;
}
