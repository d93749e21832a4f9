//! The live lifecycle: real USDC on a real local chain, from session to entitlement, over HTTP.

#[path = "lifecycle/closed.rs"]
mod closed;
#[path = "lifecycle/doors.rs"]
mod doors;
#[path = "lifecycle/shop.rs"]
mod shop;

use api::http::jwt::Role;
use hilt_tests::{
    app::TestApp,
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use reqwest::Method;
use serde_json::{Value, json};
use shop::{Shop, legs, memo};

async fn start() -> (LocalSolana, TestApp) {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    (chain, app)
}

/// A buyer with 100 USDC.
async fn buyer(chain: &LocalSolana) -> Keypair {
    let buyer = Keypair::generate();
    chain.airdrop(&buyer.address()).await;
    chain.fund(&buyer.address(), 100_000_000).await;
    buyer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_from_session_to_entitlement_through_a_proof() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let session = shop.session(&app, "cust_123").await;
    let session_id = session["payment_session"]["id"].as_str().unwrap();

    let pending = shop.check(&app, "cust_123").await;
    assert_eq!((&pending["has_access"], &pending["reason"]), (&json!(false), &json!("payment_pending")), "INV-17");

    let requirement = &session["payment_session"]["payment_requirement"];
    assert_eq!(requirement["gross_amount_minor_units"], json!(25_000_000));
    assert_eq!(requirement["hilt_fee_minor_units"], json!(250_000), "MON-14 at 100 bps");
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    let proof = json!({
        "payment_session_id": session_id, "external_product_id": shop.product, "external_customer_id": "cust_123",
        "rail": "solana_usdc", "tx_signature": tx.to_string(),
    });
    let recorded = app.post(&app.live_key, "/v1/access/payment-proofs", proof.clone()).await.ok();
    assert_eq!(recorded["grants_access"], json!(false), "INV-1");

    let path = format!("/v1/access/payment-sessions/{session_id}");
    app.until(&app.live_key, &path, |body| body["payment_session"]["status"] == json!("confirmed") || body["status"] == json!("confirmed"))
        .await;
    let paid = shop.check(&app, "cust_123").await;
    assert_eq!(
        (&paid["has_access"], &paid["reason"], &paid["source"]),
        (&json!(true), &json!("active_membership"), &json!("membership_bridge")),
        "{paid}"
    );

    let again = app.post(&app.live_key, "/v1/access/payment-proofs", proof).await;
    again.refused(409, "proof_replayed");

    let receipt_id = paid["receipt_id"].as_str().unwrap();
    let receipt = app.get(&app.live_key, &format!("/v1/receipt/{receipt_id}")).await.ok();
    assert_eq!(receipt["receipt_json"]["transaction"]["amount_raw"], json!(25_000_000));
    let verified = app.get_public(&format!("/v1/receipt/{receipt_id}/verify")).await.ok();
    assert_eq!(verified["valid"], json!(true));

    let payment = app.get_public(&format!("/v1/payments/{}", session["payment_session"]["payment_id"].as_str().unwrap())).await.ok();
    assert_eq!((&payment["status"], &payment["tx_signature"]), (&json!("CONFIRMED"), &json!(tx.to_string())));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watcher_finds_a_payment_that_nobody_announced() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let session = shop.session(&app, "cust_7").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    shop.until_access(&app, "cust_7").await;
    app.close().await;
}

/// INV-30: what is paid during an emergency stop waits, and settles by itself when it is over. Access that stands stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_made_during_a_stop_settles_when_it_is_over() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let staff = app.token_of("staff-1", Role::Staff, None).await;
    let switch = |state: &'static str| {
        let request = app.request(Method::PUT, "/v1/admin/access/rails/solana_usdc/kill-switch").bearer_auth(&staff);
        app.send(request.json(&json!({"state": state, "reason": "drill"})))
    };
    let (before, during) = (shop.session(&app, "cust_1").await, shop.session(&app, "cust_2").await);
    let pay = |session: &Value| {
        let requirement = session["payment_session"]["payment_requirement"].clone();
        let (chain, buyer) = (&chain, &buyer);
        async move { chain.pay(PayRequest::usdc(buyer, &legs(&requirement), memo(&requirement))).await }
    };
    pay(&before).await;
    shop.until_access(&app, "cust_1").await;

    switch("tripped").await.ok();
    let tx = pay(&during).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": during["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    let confirm = || app.send(app.request(Method::POST, "/v1/pay/confirm").json(&confirm));
    confirm().await.refused(409, "rail_kill_switched");
    assert_eq!(shop.check(&app, "cust_2").await["reason"], json!("payment_pending"));
    assert_eq!(shop.check(&app, "cust_1").await["has_access"], json!(true), "access that stands stays");
    assert_eq!(app.get(&app.live_key, "/v1/receipts").await.ok()["total"], json!(1), "nothing is applied");

    switch("not_tripped").await.ok();
    shop.until_access(&app, "cust_2").await;
    assert_eq!(app.get(&app.live_key, "/v1/receipts").await.ok()["total"], json!(2));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirming_a_hundred_times_at_once_settles_once() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let session = shop.session(&app, "cust_9").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    let calls = (0..100).map(|_| app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)));
    let answers: Vec<Value> = futures::future::join_all(calls).await.into_iter().map(|answer| answer.ok()).collect();
    let first = &answers[0];
    assert_eq!((&first["status"], &first["membership_status"]), (&json!("confirmed"), &json!("ACTIVE")));
    for answer in &answers {
        assert_eq!(
            (&answer["receipt_id"], &answer["membership_id"]),
            (&first["receipt_id"], &first["membership_id"]),
            "one receipt, one membership"
        );
    }
    let receipts = app.get(&app.live_key, "/v1/receipts").await.ok();
    assert_eq!(receipts["total"], json!(1), "{receipts}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_payment_extends_from_the_current_end() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let session = shop.session(&app, "cust_2").await;
        let requirement = &session["payment_session"]["payment_requirement"];
        let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
        chain.wait_finalized(&tx).await;
        let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
        let confirmed = app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok();
        ends.push(events::vocab::time::Timestamp::parse(confirmed["membership_period_end_at"].as_str().unwrap()).unwrap());
    }
    assert_eq!(ends[1].micros() - ends[0].micros(), 30 * 86_400 * 1_000_000, "Q-23: exactly one more period");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_ends_with_its_window_and_the_end_is_on_record() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    let session = shop.session(&app, "cust_5").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    shop.until_access(&app, "cust_5").await;
    app.clock.advance_seconds(31 * 86_400);
    let after = shop.check(&app, "cust_5").await;
    assert_eq!((&after["has_access"], &after["reason"]), (&json!(false), &json!("entitlement_expired")), "{after}");
    shop::until_event(&app, "entitlement.expired").await;
    app.close().await;
}

/// What a buyer can do wrong: whom he pays, how much, in what, with which memo.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pay_is_refused_with_its_own_reason_and_recorded() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let buyer = buyer(&chain).await;
    for wrong in ["amount_short", "wrong_memo", "wrong_recipient", "wrong_mint"] {
        let session = shop.session(&app, wrong).await;
        let requirement = &session["payment_session"]["payment_requirement"];
        let mut request = PayRequest::usdc(&buyer, &legs(requirement), memo(requirement));
        match wrong {
            "amount_short" => request.transfers[0].1 -= 1,
            "wrong_memo" => request.memo = Some("HILT:00000000000000000000000000000000".into()),
            "wrong_recipient" => request.transfers[0].0 = Keypair::generate().address(),
            _ => {
                request.mint = chain.create_mint().await;
                chain.fund_token(&buyer.address(), &request.mint, 100_000_000).await;
            }
        }
        let tx = chain.pay(request).await;
        chain.wait_finalized(&tx).await;
        let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
        let refused = app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)).await.refused(422, "tx_failed");
        assert_eq!(refused["blockers"], json!([wrong]), "{refused}");
        let denied = shop.check(&app, wrong).await;
        assert_eq!(denied["has_access"], json!(false), "{wrong}");
    }
    let attempts = shop::events_of_type(&app, "payment.confirmation_attempted").await;
    assert!(attempts.len() >= 4, "each refusal left its attempt: {attempts:#?}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wallet_than_the_named_one_is_refused() {
    let (chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let (buyer, named) = (buyer(&chain).await, Keypair::generate());
    let body = json!({"external_product_id": shop.product, "wallet": named.address().to_string(), "rail": "solana_usdc"});
    let session = app.post(&app.live_key, "/v1/access/payment-sessions", body).await.ok();
    let requirement = &session["payment_session"]["payment_requirement"];
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)).await.refused(422, "payer_wallet_mismatch");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_transaction_that_never_comes_ends_its_payment() {
    let (_chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_gone").await;
    let payment_id = session["payment_session"]["payment_id"].as_str().unwrap().to_owned();
    let unseen = events::vocab::bytes::TxSignature([7; 64]).to_string();
    let broadcast = json!({"payment_id": payment_id, "tx_signature": unseen});
    app.send(app.request(reqwest::Method::POST, "/v1/pay/broadcast").json(&broadcast)).await.ok();
    let path = format!("/v1/payments/{payment_id}");
    app.clock.advance_seconds(39 * 60);
    let waiting = app.get_public(&path).await.ok();
    assert_eq!(waiting["status"], json!("PENDING_CONFIRMATION"), "Q-15: it was recorded in time");
    app.clock.advance_seconds(2 * 60);
    let ended = app.until(&app.live_key, &path, |body| body["status"] == json!("FAILED")).await;
    assert_eq!(ended["failure_reason"], json!("tx_never_appeared"), "{ended}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unseen_transaction_is_pending_and_an_expired_session_is_gone() {
    let (_chain, app) = start().await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_late").await;
    let payment_id = session["payment_session"]["payment_id"].clone();
    let unseen = events::vocab::bytes::TxSignature([9; 64]).to_string();
    let confirm = json!({"payment_id": payment_id, "tx_signature": unseen});
    app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)).await.refused(408, "tx_not_confirmed");
    app.clock.advance_seconds(31 * 60);
    app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm)).await.refused(410, "payment_expired");
    app.clock.advance_seconds(5 * 60);
    let path = format!("/v1/payments/{}", payment_id.as_str().unwrap());
    app.until(&app.live_key, &path, |body| body["status"] == json!("EXPIRED")).await;
    app.close().await;
}
