//! What support may do to entitlements, and what it may not (RT-108..110, INV-43, INV-44, COD-31).

use crate::{
    shop::{Shop, events_of_type},
    staff::Desk,
};
use events::vocab::words::Scope;
use hilt_tests::{app::TestApp, payments};
use ledger::{membership::Membership, payment_session::PaymentSession};
use reqwest::Method;
use serde_json::{Value, json};

async fn edit(desk: &Desk<'_>, id: &str, word: &str) -> hilt_tests::app::Answer {
    desk.send(0, Method::POST, &format!("/entitlements/{id}/{word}"), json!({"reason": "chargeback 17"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn support_closes_what_is_pending_and_takes_away_what_is_active() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    let pending = |made: &Value| made["pending_entitlement"]["id"].as_str().unwrap().to_owned();
    let (failed, revoked) = (pending(&shop.session(&app, "one").await), pending(&shop.session(&app, "two").await));
    let reasonless = desk.send(0, Method::POST, &format!("/entitlements/{failed}/mark-failed"), json!({})).await;
    reasonless.refused(422, "reason_required");
    assert_eq!(edit(&desk, &failed, "mark-failed").await.ok()["status"], json!("failed"));
    assert_eq!(edit(&desk, &failed, "mark-failed").await.ok()["event_id"], Value::Null, "it is so already");
    edit(&desk, &failed, "revoke").await.refused(409, "entitlement_transition_not_allowed");
    assert_eq!(edit(&desk, &revoked, "revoke").await.ok()["status"], json!("revoked"));
    edit(&desk, &revoked, "mark-failed").await.refused(409, "entitlement_transition_not_allowed");
    assert_eq!(shop.check(&app, "two").await["reason"], json!("entitlement_revoked"), "COD-31");
    let nobody = events::clock::new_id::<uuid::Uuid>().to_string();
    edit(&desk, &nobody, "revoke").await.refused(404, "entitlement_not_found");
    edit(&desk, "no-id", "mark-failed").await.refused(404, "entitlement_not_found");

    // A paid one: the membership that the same payment began gives no access either.
    let merchant = payments::shop(&app.state.log, true).await;
    let paid = payments::paid(&app.state.log, &merchant).await;
    let key = app.key(merchant.owner_id, true, Scope::ALL).await;
    let check = json!({"product_id": merchant.access_product_id, "external_customer_id": "customer-1"});
    let path = "/v1/access/entitlements/check";
    assert_eq!(app.post(&key, path, check.clone()).await.ok()["has_access"], json!(true));
    let id = paid.session.entitlement_id.to_string();
    edit(&desk, &id, "mark-failed").await.refused(409, "entitlement_transition_not_allowed");
    edit(&desk, &id, "revoke").await.ok();
    let denied = app.post(&key, path, check).await.ok();
    assert_eq!((&denied["has_access"], &denied["reason"]), (&json!(false), &json!("entitlement_revoked")), "at once");
    let events = events_of_type(&app, "entitlement.revoked").await;
    assert!(events.iter().all(|event| event["actor"] == json!({"kind": "staff", "id": "staff-1"})), "INV-44: {events:#?}");
    assert_eq!(events[0]["data"]["reason"], json!("chargeback 17"));

    let listed = desk.get("/entitlements?status=revoked").await;
    assert_eq!(listed["count"], json!(2));
    let listed = desk.get(&format!("/entitlements?status=revoked&owner_id={}", merchant.owner_id)).await;
    assert_eq!((&listed["count"], &listed["entitlements"][0]["id"]), (&json!(1), &json!(id)));
    let seen = desk.get(&format!("/entitlements/{id}")).await;
    let related = &seen["related"];
    assert_eq!(related["payment"]["id"], json!(paid.session.payment_id));
    assert_eq!(related["membership"]["id"], json!(paid.membership_id));
    assert!(seen["audit"].as_array().unwrap().iter().any(|event| event["event_type"] == json!("entitlement.revoked")));
    desk.send(0, Method::GET, &format!("/entitlements/{nobody}"), json!({})).await.refused(404, "entitlement_not_found");
    app.close().await;
}

/// INV-43: whatever the token of staff is tried on, no money is confirmed, no receipt made, no sandbox promoted.
#[tokio::test(flavor = "multi_thread")]
async fn staff_confirm_no_payment_and_make_no_receipt() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    let made = shop.session(&app, "one").await;
    let token = app.token_of("staff-1", api::http::jwt::Role::Staff, None).await;
    for (path, body) in [
        ("/v1/access/payment-sessions", json!({"external_product_id": shop.product, "external_customer_id": "x"})),
        ("/v1/access/payment-proofs", json!({"payment_session_id": made["payment_session"]["id"], "tx_signature": "1"})),
        ("/v1/receipt", json!({"tx_sig": "1"})),
        ("/v1/access/apps", json!({"name": "x", "external_app_id": "x", "default_rail": "solana_usdc"})),
    ] {
        let request = app.request(Method::POST, path).bearer_auth(&token).header("Idempotency-Key", "staff").json(&body);
        let refused = app.send(request).await;
        assert!(matches!(refused.status.as_u16(), 403 | 404), "{path}: {}", refused.body);
    }
    let sandbox = json!({"external_product_id": shop.product, "external_customer_id": "s", "confirm_sandbox_mode": true});
    let owner = app.token(api::http::jwt::Role::Owner, Some(app.owner)).await;
    let request = app.request(Method::POST, "/v1/access/sandbox/payment-sessions").bearer_auth(&owner).header("Idempotency-Key", "s");
    let tried = app.send(request.json(&sandbox)).await.ok();
    let id = tried["pending_entitlement"]["id"].as_str().unwrap();
    edit(&desk, id, "sync-from-membership").await.refused(409, "entitlement_transition_not_allowed");
    for kind in ["payment.confirmed", "receipt.created", "entitlement.activated"] {
        assert!(events_of_type(&app, kind).await.is_empty(), "{kind}");
    }
    app.close().await;
}

/// RT-111: only what waits, only live, only from a membership of the same customer and product that is paid.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_may_rest_on_the_membership_of_the_same_customer() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    let log = &app.state.log;
    let merchant = payments::shop(log, true).await;
    let paid = payments::paid(log, &merchant).await;
    let of = |open: &payments::OpenSession| open.entitlement_id.to_string();
    let sync = "sync-from-membership";
    let reasonless = desk.send(0, Method::POST, &format!("/entitlements/{}/{sync}", of(&paid.session)), json!({})).await;
    reasonless.refused(422, "reason_required");
    edit(&desk, &of(&paid.session), sync).await.refused(409, "entitlement_transition_not_allowed");
    edit(&desk, "no-id", sync).await.refused(404, "entitlement_not_found");
    let stranger = payments::session(log, &merchant).await;
    edit(&desk, &of(&stranger), sync).await.refused(409, "membership_not_active");
    // The same person at another product.
    let other = payments::Shop { owner_id: merchant.owner_id, ..payments::shop(log, true).await };
    let elsewhere = payments::session_of(log, &other, paid.session.subject_id).await;
    edit(&desk, &of(&elsewhere), sync).await.refused(409, "membership_not_active");

    let waiting = payments::session_of(log, &merchant, paid.session.subject_id).await;
    let synced = edit(&desk, &of(&waiting), sync).await.ok();
    assert_eq!((&synced["status"], &synced["reason"]), (&json!("active"), &json!("chargeback 17")));
    edit(&desk, &of(&waiting), sync).await.refused(409, "entitlement_transition_not_allowed");
    let activated = events_of_type(&app, "entitlement.activated").await;
    let linked = events_of_type(&app, "membership.entitlement_linked").await;
    let evidence = &activated[1]["data"]["evidence"]["membership"];
    assert_eq!((&evidence["membership_id"], &evidence["linked_event"]), (&json!(paid.membership_id), &linked[0]["event_id"]));
    assert_eq!((&linked[0]["data"]["by"], &linked[0]["data"]["reason"]), (&json!("staff-1"), &json!("chargeback 17")));
    let stream = payments::stream(events::vocab::stream::Category::Membership, paid.membership_id);
    let membership = events::unit::load::<Membership>(log, stream).await.unwrap().state;
    assert_eq!(activated[1]["data"]["expires_at"], json!(membership.member().unwrap().period_end), "as long as what was paid");
    let stream = payments::stream(events::vocab::stream::Category::PaymentSession, waiting.session_id);
    let session = events::unit::load::<PaymentSession>(log, stream).await.unwrap().state;
    assert_eq!(session.status(), Some("failed"), "nothing is left to pay");
    let seen = desk.get(&format!("/entitlements/{}", of(&waiting))).await;
    assert_eq!(seen["related"]["membership"]["id"], json!(paid.membership_id));

    // After its end, in its days of grace, and once it is taken away, it holds nothing up.
    let late = payments::session_of(log, &merchant, paid.session.subject_id).await;
    app.clock.advance_seconds(30 * 86_400);
    edit(&desk, &of(&late), sync).await.refused(409, "membership_not_active");
    let key = app.key(merchant.owner_id, true, Scope::ALL).await;
    app.post(&key, &format!("/v1/memberships/{}/revoke", paid.membership_id), json!({"reason": "refund"})).await.ok();
    edit(&desk, &of(&late), sync).await.refused(409, "membership_revoked");
    app.close().await;
}
