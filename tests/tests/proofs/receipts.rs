//! What a settled payment leaves: a receipt that anyone can check, a membership, an answer; and all of it its owner's alone.

use crate::{PROOFS, buyer, open, pay, proof_of};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::{app::TestApp, chain::LocalSolana};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Checks a receipt with nothing but what is public and RFC 8785.
async fn holds(app: &TestApp, receipt: &Value) -> bool {
    let set = app.get_public("/.well-known/jwks.json").await.ok();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == receipt["kid"]).expect("the key is published");
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    let public: [u8; 32] = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap().try_into().unwrap();
    let bytes = serde_json_canonicalizer::to_vec(&receipt["receipt_json"]).unwrap();
    let hash = hex::encode(Sha256::digest(&bytes));
    let signature = STANDARD.decode(receipt["ed25519_sig"].as_str().unwrap()).unwrap();
    let signature = Signature::from_slice(&signature).unwrap();
    receipt["receipt_hash"] == json!(hash) && VerifyingKey::from_bytes(&public).unwrap().verify(&bytes, &signature).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_payment_leaves_what_anyone_can_check_and_only_its_owner_can_read() {
    let chain = LocalSolana::start().await;
    let (app, shop) = open(&chain.rpc_url).await;
    let buyer = buyer(&chain).await;
    let session = shop.session(&app, "cust_123").await;
    let tx = pay(&chain, &buyer, &session).await;
    app.post(&app.live_key, PROOFS, proof_of(&session, "cust_123", tx)).await.ok();
    shop.until_access(&app, "cust_123").await;
    let allowed = shop.check(&app, "cust_123").await;
    for (key, value) in [("status", "active"), ("reason", "active_membership"), ("source", "membership_bridge"), ("rail_id", "solana_usdc")]
    {
        assert_eq!(allowed[key], json!(value), "AC-64: {key}");
    }
    assert_eq!(allowed["last_payment_id"], session["payment_session"]["payment_id"]);
    let time = |value: &Value| events::vocab::time::Timestamp::parse(value.as_str().unwrap()).unwrap().micros();
    assert_eq!(time(&allowed["expires_at"]) - time(&allowed["active_from"]), 30 * 86_400 * 1_000_000, "AC-64: 30 days");

    let id = allowed["receipt_id"].as_str().unwrap();
    let receipt = app.get(&app.live_key, &format!("/v1/receipt/{id}")).await.ok();
    for key in ["receipt_id", "receipt_json", "receipt_hash", "ed25519_sig", "schema_version", "created_at", "verify_url", "credits_burned"]
    {
        assert!(receipt.get(key).is_some(), "RT-038: {key} missing in {receipt}");
    }
    let transaction = &receipt["receipt_json"]["transaction"];
    assert_eq!((&transaction["tx_sig"], &transaction["amount_raw"]), (&json!(tx.to_string()), &json!(25_000_000)));
    assert_eq!(transaction["memo"], session["payment_session"]["payment_requirement"]["memo"]);
    assert_eq!((&receipt["schema_version"], &receipt["credits_burned"]), (&json!("1.0"), &json!(0)));
    assert!(holds(&app, &receipt).await);
    let mut forged = receipt.clone();
    forged["receipt_json"]["transaction"]["amount_raw"] = json!(25_000_001);
    assert!(!holds(&app, &forged).await, "INV-76");
    let text = receipt.to_string();
    assert!(!text.contains("cust_123"), "a receipt is public and names nobody");
    let verdict = app.get_public(&format!("/v1/receipt/{id}/verify")).await.ok();
    for key in ["valid", "hash_valid", "signature_valid"] {
        assert_eq!(verdict[key], json!(true), "{key}");
    }
    for key in ["receipt_id", "receipt_hash", "ed25519_sig", "public_key", "schema_version", "verified_at"] {
        assert!(verdict.get(key).is_some(), "RT-039: {key}");
    }

    let wallet = buyer.address().to_string();
    let total = async |query: &str| app.get(&app.live_key, &format!("/v1/receipts?{query}")).await.ok()["total"].clone();
    for hit in [format!("wallet={wallet}"), format!("q={tx}"), format!("product_id={}", allowed["product_id"].as_str().unwrap())] {
        assert_eq!(total(&hit).await, json!(1), "{hit}");
    }
    for miss in
        ["wallet=11111111111111111111111111111112".to_owned(), "q=nothing".to_owned(), format!("product_id={}", new_id::<uuid::Uuid>())]
    {
        assert_eq!(total(&miss).await, json!(0), "{miss}");
    }
    let rows = app.get(&app.live_key, "/v1/receipts").await.ok();
    let mut keys: Vec<_> = rows["receipts"][0].as_object().unwrap().keys().cloned().collect();
    keys.sort();
    assert_eq!(keys, ["created_at", "receipt_hash", "receipt_id", "schema_version", "tx_sig", "verify_url"], "RT-044");

    let found = app.get(&app.live_key, "/v1/memberships?status=ACTIVE").await.ok();
    assert_eq!(found["count"], json!(1));
    let member = &found["items"][0];
    for key in [
        "id",
        "product_id",
        "product_title",
        "status",
        "platform",
        "platform_identity",
        "platform_display",
        "wallet",
        "latest_payment_id",
        "latest_tx_signature",
        "current_period_start_at",
        "current_period_end_at",
        "renewal_due_at",
        "delivery_type",
        "delivery_status",
        "notes",
        "created_at",
        "updated_at",
    ] {
        assert!(member.get(key).is_some(), "RT-025: {key} missing in {member}");
    }
    for (query, count) in
        [(format!("wallet={wallet}"), 1), (format!("tx_signature={tx}"), 1), ("identity=cust_123".into(), 1), ("identity=x".into(), 0)]
    {
        let found = app.get(&app.live_key, &format!("/v1/memberships/lookup?{query}")).await.ok();
        assert_eq!(found["count"], json!(count), "RT-026: {query}");
    }
    for (query, count) in [("status=EXPIRED", 0), ("q=CUST_12", 1), ("q=nobody", 0), ("platform=TELEGRAM", 0), (&format!("q={wallet}"), 1)]
    {
        assert_eq!(app.get(&app.live_key, &format!("/v1/memberships?{query}")).await.ok()["count"], json!(count), "RT-025: {query}");
    }
    let member_path = format!("/v1/memberships/{}", member["id"].as_str().unwrap());
    let full = app.get(&app.live_key, &member_path).await.ok();
    assert_eq!(full["history"].as_array().unwrap().len(), 1);
    for key in ["receipt_id", "delivery"] {
        assert!(full.get(key).is_some(), "RT-027: {key} missing in {full}");
    }

    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    app.get(&stranger, &format!("/v1/receipt/{id}")).await.refused(404, "receipt_not_found");
    app.get(&stranger, &member_path).await.refused(404, "membership_not_found");
    for (path, key) in [("/v1/receipts", "total"), ("/v1/memberships", "count")] {
        assert_eq!(app.get(&stranger, path).await.ok()[key], json!(0));
    }
    for lookup in [format!("wallet={wallet}"), format!("tx_signature={tx}"), "identity=cust_123".into()] {
        assert_eq!(app.get(&stranger, &format!("/v1/memberships/lookup?{lookup}")).await.ok()["count"], json!(0), "INV-92");
    }
    let wrong_rail = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_123", "rail": "base_usdc"});
    let denied = app.post(&app.live_key, "/v1/access/entitlements/check", wrong_rail).await.ok();
    assert_eq!((&denied["has_access"], &denied["reason"]), (&json!(false), &json!("no_entitlement_for_rail")));
    app.clock.advance_seconds(30 * 86_400);
    let over = shop.check(&app, "cust_123").await;
    assert_eq!((&over["has_access"], &over["reason"], &over["status"]), (&json!(false), &json!("entitlement_expired"), &json!("expired")));
    app.close().await;
}
