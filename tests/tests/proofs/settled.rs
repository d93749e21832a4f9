//! Settling: whatever happens on the way, what is paid is settled once, and what is not paid is not.

use crate::{
    PROOFS, buyer, open, pay, proof_of, session_now,
    shop::{events_of_type, legs, memo},
};
use events::vocab::bytes::TxSignature;
use hilt_tests::{
    chain::{LocalSolana, PayRequest},
    rpc_proxy::{Reply, RpcProxy, hold_at_confirmed},
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn while_the_node_is_down_attempts_are_kept_and_later_it_settles_by_itself() {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    let (app, shop) = open(&proxy.url).await;
    let session = shop.session(&app, "cust_1").await;
    let tx = pay(&chain, &buyer(&chain).await, &session).await;
    chain.wait_finalized(&tx).await;
    proxy.set_rule(|_| Reply::Status(503));
    app.post(&app.live_key, PROOFS, proof_of(&session, "cust_1", tx)).await.ok();
    let path = format!("/v1/access/payment-sessions/{}", session["payment_session"]["id"].as_str().unwrap());
    let attempted = |body: &Value| body["payment_session"]["verification_attempts"].as_array().is_some_and(|attempts| !attempts.is_empty());
    let seen = app.until(&app.live_key, &path, attempted).await;
    assert_eq!(seen["payment_session"]["verification_attempts"][0]["outcome"], json!("error"), "INV-6: {seen}");
    let confirm = |tx: TxSignature| {
        let body = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
        app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&body))
    };
    confirm(tx).await.refused(503, "chain_unavailable");
    assert_eq!(shop.check(&app, "cust_1").await["has_access"], json!(false));
    assert!(events_of_type(&app, "settlement.evidenced").await.is_empty());

    // The time is over. The proof was recorded before, so the payment can still be confirmed with it, and with nothing else.
    app.clock.advance_seconds(31 * 60);
    confirm(tx).await.refused(503, "chain_unavailable");
    confirm(TxSignature([7; 64])).await.refused(410, "payment_expired");
    proxy.clear_rule();
    assert_eq!(confirm(tx).await.ok()["status"], json!("confirmed"), "Q-15");
    shop.until_access(&app, "cust_1").await;
    assert_eq!(events_of_type(&app, "receipt.created").await.len(), 1);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_final_is_pending_and_settles_when_it_is() {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    proxy.set_rule(hold_at_confirmed);
    let (app, shop) = open(&proxy.url).await;
    let session = shop.session(&app, "cust_1").await;
    let tx = pay(&chain, &buyer(&chain).await, &session).await;
    chain.wait_finalized(&tx).await;
    app.post(&app.live_key, PROOFS, proof_of(&session, "cust_1", tx)).await.ok();
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    for _ in 0..3 {
        let call = app.request(reqwest::Method::POST, "/v1/pay/confirm").json(&confirm);
        app.send(call).await.refused(408, "tx_not_confirmed");
    }
    // A buyer's calls are nobody's own writes.
    app.caught_up().await;
    let now = session_now(&app, &session).await;
    assert_eq!(now["status"], json!("pending"), "{now}");
    let attempts = now["verification_attempts"].as_array().unwrap();
    assert!(attempts.len() >= 3 && attempts.iter().all(|attempt| attempt["outcome"] == json!("pending")), "INV-6: {now}");
    assert!(events_of_type(&app, "settlement.evidenced").await.is_empty(), "INV-7");
    assert!(events_of_type(&app, "payment.confirmed").await.is_empty());
    proxy.clear_rule();
    shop.until_access(&app, "cust_1").await;
    assert_eq!(events_of_type(&app, "settlement.evidenced").await.len(), 1);
    app.close().await;
}

/// A node behind the one that listed a transaction does not know it as final yet: nobody announces it, and it must not be missed.
#[tokio::test(flavor = "multi_thread")]
async fn the_watcher_comes_back_to_what_was_not_final() {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    proxy.set_rule(hold_at_confirmed);
    let (app, shop) = open(&proxy.url).await;
    let session = shop.session(&app, "cust_1").await;
    let tx = pay(&chain, &buyer(&chain).await, &session).await;
    chain.wait_finalized(&tx).await;
    let deadline = std::time::Instant::now() + hilt_tests::app::SOON;
    while events_of_type(&app, "payment.confirmation_attempted").await.is_empty() {
        assert!(std::time::Instant::now() < deadline, "the watcher never looked");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // One more round, in which the account has nothing new.
    let rounds = proxy.calls("getSignaturesForAddress") + 2;
    while proxy.calls("getSignaturesForAddress") < rounds {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(shop.check(&app, "cust_1").await["has_access"], json!(false));
    proxy.clear_rule();
    shop.until_access(&app, "cust_1").await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_transaction_keeps_the_right_one_from_nothing() {
    let chain = LocalSolana::start().await;
    let (app, shop) = open(&chain.rpc_url).await;
    let buyer = buyer(&chain).await;
    let (mine, theirs) = (shop.session(&app, "mine").await, shop.session(&app, "theirs").await);
    let foreign = pay(&chain, &buyer, &theirs).await;
    chain.wait_finalized(&foreign).await;
    // Whoever submits it first, it pays the session that its memo names.
    app.post(&app.live_key, PROOFS, proof_of(&mine, "mine", foreign)).await;
    shop.until_access(&app, "theirs").await;
    assert_eq!(shop.check(&app, "mine").await["has_access"], json!(false));
    let tx = pay(&chain, &buyer, &mine).await;
    app.post(&app.live_key, PROOFS, proof_of(&mine, "mine", tx)).await.ok();
    shop.until_access(&app, "mine").await;
    let receipts = app.get(&app.live_key, "/v1/receipts").await.ok();
    assert_eq!(receipts["total"], json!(2), "two payments, two receipts: {receipts}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirm_proof_and_watcher_at_once_settle_once() {
    let chain = LocalSolana::start().await;
    let (app, shop) = open(&chain.rpc_url).await;
    let session = shop.session(&app, "cust_1").await;
    let requirement = &session["payment_session"]["payment_requirement"];
    let buyer = buyer(&chain).await;
    let tx = chain.pay(PayRequest::usdc(&buyer, &legs(requirement), memo(requirement))).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    let proof = proof_of(&session, "cust_1", tx);
    let calls = (0..100).map(|number| {
        let (app, confirm, proof) = (&app, &confirm, &proof);
        async move {
            match number % 4 {
                0 => app.post(&app.live_key, PROOFS, proof.clone()).await,
                _ => app.send(app.request(reqwest::Method::POST, "/v1/pay/confirm").json(confirm)).await,
            }
        }
    });
    for answer in futures::future::join_all(calls).await {
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert!(answer.status.is_success() || code == "proof_replayed", "{}: {}", answer.status, answer.body);
    }
    shop.until_access(&app, "cust_1").await;
    for once in [
        "proof.fingerprinted",
        "settlement.evidenced",
        "payment.confirmed",
        "receipt.created",
        "receipt.mapped",
        "membership.activated",
        "entitlement.activated",
        "payment_session.confirmed",
    ] {
        assert_eq!(events_of_type(&app, once).await.len(), 1, "INV-64: {once}");
    }
    app.close().await;
}
