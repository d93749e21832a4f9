//! Money that comes for access that staff have closed, or that stands already: it is on record and its receipt stands, and what was
//! closed does not open by itself.

use crate::{
    buyer,
    shop::{Shop, events_of_type, legs, memo},
    start,
};
use api::http::jwt::Role;
use hilt_tests::{
    app::{Answer, TestApp},
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use reqwest::Method;
use serde_json::{Value, json};

struct Support<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Support<'a> {
    async fn of(app: &'a TestApp) -> Self {
        Support { app, token: app.token_of("staff-1", Role::Staff, None).await }
    }
    async fn edit(&self, session: &Value, word: &str) -> Answer {
        let id = session["pending_entitlement"]["id"].as_str().unwrap();
        let request = self.app.request(Method::POST, &format!("/v1/admin/access/entitlements/{id}/{word}")).bearer_auth(&self.token);
        self.app.send(request.json(&json!({"reason": "sanctions hit 7"}))).await
    }
    async fn get(&self, path: &str) -> Value {
        self.app.send(self.app.request(Method::GET, &format!("/v1/admin/access{path}")).bearer_auth(&self.token)).await.ok()
    }
}

/// Pays a session on the chain and confirms it.
async fn paid(app: &TestApp, chain: &LocalSolana, buyer: &Keypair, session: &Value) -> Value {
    let requirement = &session["payment_session"]["payment_requirement"];
    let tx = chain.pay(PayRequest::usdc(buyer, &legs(requirement), memo(requirement))).await;
    chain.wait_finalized(&tx).await;
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": tx.to_string()});
    app.send(app.request(Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok()
}

async fn status_of(app: &TestApp, session: &Value) -> Value {
    let path = format!("/v1/access/payment-sessions/{}", session["payment_session"]["id"].as_str().unwrap());
    app.get(&app.live_key, &path).await.ok()["payment_session"]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_closed_before_it_was_paid_stays_closed_and_becomes_a_case() {
    let (chain, app) = start().await;
    let (shop, buyer, support) = (Shop::open(&app).await, buyer(&chain).await, Support::of(&app).await);
    for (customer, word, status) in [("cust_failed", "mark-failed", "failed"), ("cust_revoked", "revoke", "revoked")] {
        let session = shop.session(&app, customer).await;
        support.edit(&session, word).await.ok();
        assert_eq!(status_of(&app, &session).await, json!("failed"), "nobody is to pay for it");
        let proof = json!({"payment_session_id": session["payment_session"]["id"], "external_customer_id": customer,
            "tx_signature": "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"});
        app.post(&app.live_key, "/v1/access/payment-proofs", proof).await.refused(409, "payment_session_closed");
        // Whoever has the page open is told so, and whoever pays all the same has paid the merchant.
        let confirmed = paid(&app, &chain, &buyer, &session).await;
        assert_eq!((&confirmed["status"], &confirmed["membership_id"]), (&json!("confirmed"), &Value::Null));
        let receipt = confirmed["receipt_id"].as_str().expect("the receipt stands");
        assert_eq!(app.get_public(&format!("/v1/receipt/{receipt}/verify")).await.ok()["valid"], json!(true));
        let again = paid_again(&app, &session, &confirmed).await;
        assert_eq!(again["receipt_id"], confirmed["receipt_id"], "asking again changes nothing");

        let denied = shop.check(&app, customer).await;
        assert_eq!((&denied["has_access"], &denied["status"]), (&json!(false), &json!(status)), "{denied}");
        assert_eq!(status_of(&app, &session).await, json!("failed"));
        let id = session["pending_entitlement"]["id"].clone();
        let seen = support.get(&format!("/entitlements/{}", id.as_str().unwrap())).await;
        assert_eq!((&seen["entitlement"]["reason"], &seen["entitlement"]["paid_when_closed"]), (&json!("sanctions hit 7"), &json!(true)));
        assert_eq!(seen["related"]["payment"]["status"], json!("CONFIRMED"));
        support.edit(&session, "sync-from-membership").await.refused(409, "entitlement_transition_not_allowed");
    }
    let listed = support.get("/entitlements?paid_when_closed=true").await;
    assert_eq!(listed["count"], json!(2), "{listed}");
    let blocked = events_of_type(&app, "entitlement.activation_blocked").await;
    let reasons: Vec<_> = blocked.iter().map(|event| event["data"]["reason"].clone()).collect();
    assert_eq!(reasons, [json!("entitlement_failed"), json!("entitlement_revoked")]);
    for never in ["membership.activated", "entitlement.activated", "delivery.requested"] {
        assert!(events_of_type(&app, never).await.is_empty(), "{never}");
    }
    let cases = app.get(&app.live_key, "/v1/support/tickets").await.ok();
    assert_eq!(cases["total"], json!(2), "one case for each: {cases}");
    let path = format!("/v1/support/tickets/{}", cases["tickets"][0]["ticket_id"].as_str().unwrap());
    let case = app.get(&app.live_key, &path).await.ok();
    assert_eq!((&case["status"], &case["category"]), (&json!("OPEN"), &json!("BILLING")));
    assert!(case["context"]["payment_id"].is_string() && case["context"]["receipt_id"].is_string(), "{case}");
    assert_eq!(case["messages"][0]["author_type"], json!("SYSTEM"));
    app.close().await;
}

async fn paid_again(app: &TestApp, session: &Value, confirmed: &Value) -> Value {
    let confirm = json!({"payment_id": session["payment_session"]["payment_id"], "tx_signature": confirmed["tx_signature"]});
    app.send(app.request(Method::POST, "/v1/pay/confirm").json(&confirm)).await.ok()
}

/// The days that a customer has paid for before are his.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_renewal_leaves_the_access_that_stands_as_it_is() {
    let (chain, app) = start().await;
    let (shop, buyer, support) = (Shop::open(&app).await, buyer(&chain).await, Support::of(&app).await);
    let first = shop.session(&app, "cust_1").await;
    paid(&app, &chain, &buyer, &first).await;
    let before = shop.check(&app, "cust_1").await;
    assert_eq!(before["has_access"], json!(true));
    let second = shop.session(&app, "cust_1").await;
    support.edit(&second, "mark-failed").await.ok();
    paid(&app, &chain, &buyer, &second).await;
    let after = shop.check(&app, "cust_1").await;
    assert_eq!((&after["has_access"], &after["expires_at"]), (&json!(true), &before["expires_at"]), "no day more, no day less");
    assert!(events_of_type(&app, "membership.renewed").await.is_empty());
    app.close().await;
}

/// RT-111, and a payment that comes for what a membership has opened meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_for_what_rests_on_a_membership_extends_both() {
    let (chain, app) = start().await;
    let (shop, buyer, support) = (Shop::open(&app).await, buyer(&chain).await, Support::of(&app).await);
    paid(&app, &chain, &buyer, &shop.session(&app, "cust_1").await).await;
    let before = shop.check(&app, "cust_1").await;
    let waiting = shop.session(&app, "cust_1").await;
    let synced = support.edit(&waiting, "sync-from-membership").await.ok();
    assert_eq!(synced["status"], json!("active"));
    assert_eq!(status_of(&app, &waiting).await, json!("failed"), "nothing is left to pay");
    assert_eq!(shop.check(&app, "cust_1").await["expires_at"], before["expires_at"], "nothing was paid for it");
    paid(&app, &chain, &buyer, &waiting).await;
    let renewed = events_of_type(&app, "membership.renewed").await;
    let extended = events_of_type(&app, "entitlement.renewed").await;
    assert_eq!((renewed.len(), extended.len()), (1, 1));
    assert_eq!(extended[0]["data"]["membership_event"], renewed[0]["event_id"]);
    assert_eq!(extended[0]["data"]["expires_at"], renewed[0]["data"]["period_end"]);
    let after = shop.check(&app, "cust_1").await;
    assert!(after["expires_at"].as_str() > before["expires_at"].as_str(), "{after}");
    assert!(app.get(&app.live_key, "/v1/support/tickets").await.ok()["total"] == json!(0));

    // What the merchant takes away is gone whole, what rested on it too.
    let membership = after_membership(&app).await;
    let revoke = format!("/v1/memberships/{membership}/revoke");
    app.post(&app.live_key, &revoke, json!({"reason": "refund"})).await.ok();
    let gone = shop.check(&app, "cust_1").await;
    assert_eq!((&gone["has_access"], &gone["reason"]), (&json!(false), &json!("entitlement_revoked")));
    app.close().await;
}

async fn after_membership(app: &TestApp) -> String {
    app.get(&app.live_key, "/v1/memberships").await.ok()["items"][0]["id"].as_str().unwrap().to_owned()
}
