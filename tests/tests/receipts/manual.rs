//! Receipts made by hand (RT-037) and the credits that they burn.

use crate::{USDC, balance, described, make, shop, valid};
use events::{
    clock::new_id,
    vocab::{bytes::TxSignature, id::OwnerId, words::Scope},
};
use hilt_tests::{
    app::TestApp,
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use serde_json::{Value, json};
use shop::{Shop, legs, memo};

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_gets_one_receipt_and_burns_one_credit_however_often_it_is_asked_for() {
    let app = TestApp::start(&[]).await;
    assert_eq!(balance(&app).await, json!(100), "Q-7: the sandbox plan");
    let body = described(1);
    let answers = futures::future::join_all((0..20).map(|_| make(&app, &body))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let bodies: Vec<Value> = answers.into_iter().map(|answer| answer.ok()).collect();
    assert_eq!(created, 1, "INV-74");
    assert!(bodies.iter().all(|body| body["receipt_id"] == bodies[0]["receipt_id"]), "one receipt");
    assert_eq!(balance(&app).await, json!(99), "INV-74");
    assert_eq!(shop::events_of_type(&app, "credits.burned").await.len(), 1);
    assert_eq!(shop::events_of_type(&app, "receipt.created").await.len(), 1);

    let id = &bodies[0]["receipt_id"];
    let receipt = app.get(&app.live_key, &format!("/v1/receipt/{}", id.as_str().unwrap())).await.ok();
    for key in ["receipt_id", "receipt_json", "receipt_hash", "ed25519_sig", "schema_version", "created_at", "verify_url", "credits_burned"]
    {
        assert_eq!(receipt[key], bodies[0][key], "AC-33: {key}");
        assert!(!receipt[key].is_null(), "AC-33: {key}");
    }
    let transaction = &receipt["receipt_json"]["transaction"];
    for key in ["tx_sig", "amount_raw", "token_mint", "memo"] {
        assert_eq!(transaction[key], body[key], "AC-33: {key}");
    }
    assert_eq!((&receipt["schema_version"], &receipt["credits_burned"]), (&json!("1.0"), &json!(1)));
    assert_eq!((&receipt["source"], &receipt["chain_verified"]), (&json!("merchant_submitted"), &json!(false)), "Q-22");
    assert_eq!(receipt["receipt_json"]["source"], json!("merchant_submitted"));
    assert_eq!(valid(&app, id).await, json!(true));

    // Another owner has his own receipt of the same transaction, and sees nothing of this one.
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    app.get(&stranger, &format!("/v1/receipt/{}", id.as_str().unwrap())).await.refused(404, "receipt_not_found");
    let own = app.post(&stranger, "/v1/receipt", body).await.ok();
    assert_ne!(&own["receipt_id"], id);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credits_nothing_is_made_until_the_next_month() {
    let app = TestApp::start(&[("HILT_PLAN_CREDITS", "sandbox=1")]).await;
    let first = make(&app, &described(1)).await.ok();
    make(&app, &described(2)).await.refused(402, "insufficient_credits");
    assert_eq!(shop::events_of_type(&app, "receipt.created").await.len(), 1, "a refusal leaves nothing");
    let again = json!({"tx_sig": first["receipt_json"]["transaction"]["tx_sig"], "wallet": first["receipt_json"]["wallet"],
        "counterparty_wallet": first["receipt_json"]["counterparty_wallet"], "token_mint": USDC, "amount_raw": 200_000});
    assert_eq!(make(&app, &again).await.ok()["receipt_id"], first["receipt_id"], "what is there costs nothing");
    app.clock.advance_seconds(32 * 86_400);
    assert_eq!(balance(&app).await, json!(1), "the next month's");
    make(&app, &described(2)).await.ok();
    assert_eq!(balance(&app).await, json!(0));
    assert_eq!(shop::events_of_type(&app, "credits.granted").await.len(), 2);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_field_is_named_and_changes_nothing() {
    let app = TestApp::start(&[]).await;
    let with = |field: &str, value: Value| {
        let mut body = described(1);
        body[field] = value;
        body
    };
    for (field, value, code) in [
        ("tx_sig", json!("not a signature"), "validation_failed"),
        ("wallet", json!("HiltWallet"), "invalid_wallet"),
        ("wallet", Value::Null, "validation_failed"),
        ("counterparty_wallet", Value::Null, "validation_failed"),
        ("token_mint", json!("USDC"), "invalid_wallet"),
        ("amount_raw", json!(0), "amount_out_of_range"),
        ("amount_raw", json!(9_007_199_254_740_992_u64), "amount_out_of_range"),
        ("amount_raw", json!(1.5), "validation_failed"),
        ("memo", json!("for Ada <ada@example.com>"), "memo_invalid"),
    ] {
        let refused = make(&app, &with(field, value)).await.refused(422, code);
        assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
    }
    let request = app.request(reqwest::Method::POST, "/v1/receipt").json(&described(1));
    app.send(request).await.refused(401, "auth_required");
    app.post(&app.sandbox_key, "/v1/receipt", described(1)).await.refused(403, "live_key_required");
    assert_eq!(balance(&app).await, json!(100));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_asked_and_a_receipt_made_by_hand_pays_for_nothing() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    let shop = Shop::open(&app).await;
    let buyer = Keypair::generate();
    chain.airdrop(&buyer.address()).await;
    chain.fund(&buyer.address(), 100_000_000).await;

    let merchant = Keypair::generate();
    let tx = chain.pay(PayRequest::usdc(&buyer, &[(merchant.address(), 200_000)], "HILT:nonce")).await;
    chain.wait_finalized(&tx).await;
    let truth = json!({"tx_sig": tx.to_string(), "wallet": buyer.address().to_string(), "counterparty_wallet": merchant.address().to_string(),
        "token_mint": USDC, "amount_raw": 200_000, "memo": "HILT:nonce"});
    let other = Keypair::generate().address().to_string();
    for (field, lie) in [
        ("wallet", json!(other)),
        ("counterparty_wallet", json!(other)),
        ("token_mint", json!(other)),
        ("amount_raw", json!(200_001)),
        ("memo", json!("HILT:other")),
    ] {
        let mut body = truth.clone();
        body[field] = lie;
        let refused = make(&app, &body).await.refused(422, "receipt_contradicts_chain");
        assert_eq!(refused["errors"][0]["field"], json!(field), "Q-22");
    }
    let seen = make(&app, &truth).await.ok();
    assert_eq!((&seen["chain_verified"], &seen["receipt_json"]["chain_verified"]), (&json!(true), &json!(true)), "Q-22");
    let mut unknown = truth.clone();
    unknown["tx_sig"] = json!(TxSignature([9; 64]).to_string());
    assert_eq!(make(&app, &unknown).await.ok()["chain_verified"], json!(false), "Q-22: and it says so");

    // INV-93: the payment's own transaction, named by hand before anything settled it, and by someone who may never have paid.
    let session = shop.session(&app, "cust_1").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    let mut unpaid = described_for(requirement, &buyer);
    make(&app, &unpaid).await.ok();
    assert_eq!(shop.check(&app, "cust_1").await["has_access"], json!(false), "INV-93");

    // And it cannot stand in the way of the settlement's own receipt.
    let paid = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    shop.until_access(&app, "cust_1").await;
    let left = balance(&app).await;
    unpaid["tx_sig"] = json!(paid.to_string());
    let receipt = make(&app, &unpaid).await;
    assert_eq!(receipt.status, 200, "the checkout's own receipt");
    assert_eq!((&receipt.body["source"], &receipt.body["credits_burned"]), (&json!("checkout"), &json!(0)), "{}", receipt.body);
    assert_eq!(receipt.body["receipt_id"], shop.check(&app, "cust_1").await["receipt_id"]);
    assert!(!receipt.body["membership_id"].is_null());
    assert_eq!(balance(&app).await, left, "nothing burned");
    app.close().await;
}

fn described_for(requirement: &Value, buyer: &Keypair) -> Value {
    let (to, amount) = legs(requirement)[0];
    json!({"tx_sig": TxSignature([8; 64]).to_string(), "wallet": buyer.address().to_string(), "counterparty_wallet": to.to_string(),
        "token_mint": USDC, "amount_raw": amount, "memo": memo(requirement)})
}
