//! Test clocks: a month of access in seconds, forward only, in the sandbox only.

use crate::{SESSIONS, asked, check, confirm_path, products, shop::events_of_type};
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

const CLOCKS: &str = "/v1/access/sandbox/test-clocks";

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// A confirmed session of `customer` on the clock.
async fn access(app: &TestApp, clock: &Value, customer: &str) -> Value {
    let mut body = asked();
    (body["test_clock_id"], body["external_customer_id"]) = (clock["id"].clone(), json!(customer));
    body.as_object_mut().unwrap().remove("email");
    let made = app.post(&app.sandbox_key, SESSIONS, body).await.ok();
    assert_eq!(made["sandbox_session"]["test_clock_id"], clock["id"]);
    app.post(&app.sandbox_key, &confirm_path(&made), json!({"proof": made["sandbox_session"]["proof"]})).await.ok()
}

async fn checked(app: &TestApp, customer: &str) -> Value {
    let body = json!({"external_product_id": "pro-ai-api", "rail": "x402", "external_customer_id": customer});
    app.post(&app.sandbox_key, "/v1/access/entitlements/check", body).await.ok()
}

async fn advance(app: &TestApp, clock: &Value, to: &str) -> hilt_tests::app::Answer {
    app.post(&app.sandbox_key, &format!("{CLOCKS}/{}/advance", id(clock)), json!({"frozen_time": to})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn access_on_a_clock_begins_and_ends_in_its_time() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let clock = app.post(&app.sandbox_key, CLOCKS, json!({"frozen_time": "2031-01-01T00:00:00Z", "name": "renewals"})).await.ok();
    assert_eq!((&clock["status"], &clock["name"], &clock["livemode"]), (&json!("ready"), &json!("renewals"), &json!(false)));
    let active = access(&app, &clock, "on_clock").await;
    assert_eq!(active["entitlement"]["active_from"], json!("2031-01-01T00:00:00Z"));
    assert_eq!(active["entitlement"]["expires_at"], json!("2031-01-31T00:00:00Z"));
    let mut pending = asked();
    pending["test_clock_id"] = clock["id"].clone();
    let pending = app.post(&app.sandbox_key, SESSIONS, pending).await.ok();
    assert_eq!(pending["sandbox_session"]["expires_at"], json!("2031-01-01T00:30:00Z"));

    // A customer of everybody's time, beside.
    let other = app
        .post(
            &app.sandbox_key,
            SESSIONS,
            json!({"external_product_id": "pro-ai-api", "external_customer_id": "off_clock",
        "rail": "x402", "confirm_sandbox_mode": true}),
        )
        .await
        .ok();
    app.post(&app.sandbox_key, &confirm_path(&other), json!({"proof": other["sandbox_session"]["proof"]})).await.ok();
    for customer in ["on_clock", "off_clock"] {
        assert_eq!(checked(&app, customer).await["reason"], json!("active_entitlement"), "{customer}");
    }

    let still = advance(&app, &clock, "2031-01-30T23:59:59Z").await.ok();
    assert_eq!((&still["status"], &still["frozen_time"]), (&json!("ready"), &json!("2031-01-30T23:59:59Z")));
    assert_eq!(checked(&app, "on_clock").await["has_access"], json!(true));
    let expired = events_of_type(&app, "sandbox_session.expired").await;
    assert_eq!((expired.len(), &expired[0]["data"]["expired_at"]), (1, &json!("2031-01-01T00:30:00Z")), "at its own time");
    app.post(&app.sandbox_key, &confirm_path(&pending), json!({"proof": pending["sandbox_session"]["proof"]}))
        .await
        .refused(410, "sandbox_proof_expired");

    advance(&app, &clock, "2031-03-01T00:00:00Z").await.ok();
    let over = checked(&app, "on_clock").await;
    assert_eq!((&over["has_access"], &over["reason"], &over["status"]), (&json!(false), &json!("entitlement_expired"), &json!("expired")));
    assert_eq!(checked(&app, "off_clock").await["has_access"], json!(true), "nobody else's time went on");
    let ended = events_of_type(&app, "entitlement.expired").await;
    assert_eq!((ended.len(), &ended[0]["data"]["expired_at"]), (1, &json!("2031-01-31T00:00:00Z")), "on record before the answer");
    assert_eq!((&ended[0]["livemode"], events_of_type(&app, "test_clock.advanced").await.len()), (&json!(false), 2));

    // Renewal: who pays again has access again, from the clock's now.
    let again = access(&app, &clock, "on_clock").await;
    assert_eq!(again["entitlement"]["expires_at"], json!("2031-03-31T00:00:00Z"));
    assert_eq!(checked(&app, "on_clock").await["has_access"], json!(true));
    let listed = app.get(&app.sandbox_key, &format!("{SESSIONS}?test_clock_id={}", id(&clock))).await.ok();
    assert_eq!(listed["count"], json!(3));
    assert_eq!(check(&app, &app.live_key).await["has_access"], json!(false), "INV-39");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_of_the_past_is_as_good_and_many_ends_come_in_their_order() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let clock = app.post(&app.sandbox_key, CLOCKS, json!({"frozen_time": "2001-01-01T00:00:00Z"})).await.ok();
    for (number, day) in ["2001-01-02", "2001-01-03", "2001-01-04"].iter().enumerate() {
        access(&app, &clock, &format!("c{number}")).await;
        advance(&app, &clock, &format!("{day}T00:00:00Z")).await.ok();
    }
    for number in 0..3 {
        assert_eq!(checked(&app, &format!("c{number}")).await["has_access"], json!(true), "2001 is the clock's now");
    }
    advance(&app, &clock, "2001-12-31T00:00:00Z").await.ok();
    let ended = events_of_type(&app, "entitlement.expired").await;
    let ends: Vec<_> = ended.iter().map(|event| event["data"]["expired_at"].as_str().unwrap()).collect();
    assert_eq!(ends, ["2001-01-31T00:00:00Z", "2001-02-01T00:00:00Z", "2001-02-02T00:00:00Z"]);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_goes_forward_belongs_to_its_owner_and_never_to_live_objects() {
    let app = TestApp::start(&[]).await;
    products(&app).await;
    let key = &app.sandbox_key;
    let body = json!({"frozen_time": "2031-01-01T00:00:00Z"});
    let clock = app.post_as(key, CLOCKS, "once", body.clone()).await.ok();
    assert!(app.post_as(key, CLOCKS, "once", body.clone()).await.replayed);
    for (to, status, code) in [
        ("2031-01-01T00:00:00Z", 422, "test_clock_not_forward"),
        ("2030-12-31T00:00:00Z", 422, "test_clock_not_forward"),
        ("3000-01-01T00:00:00Z", 422, "test_clock_out_of_range"),
        ("tomorrow", 422, "validation_failed"),
    ] {
        let refused = advance(&app, &clock, to).await.refused(status, code);
        assert_eq!(refused["errors"][0]["field"], json!("frozen_time"), "{refused}");
    }
    app.post(key, CLOCKS, json!({"frozen_time": "1999-12-31T00:00:00Z"})).await.refused(422, "test_clock_out_of_range");
    app.post(&app.live_key, CLOCKS, body.clone()).await.refused(403, "sandbox_key_required");

    let path = format!("{CLOCKS}/{}", id(&clock));
    let stranger = app.key(new_id::<OwnerId>(), false, Scope::ALL).await;
    app.get(&stranger, &path).await.refused(404, "test_clock_not_found");
    app.post(&stranger, &format!("{path}/advance"), json!({"frozen_time": "2032-01-01T00:00:00Z"}))
        .await
        .refused(404, "test_clock_not_found");
    assert_eq!(app.get(&stranger, CLOCKS).await.ok()["items"], json!([]));
    let mut theirs = asked();
    theirs["test_clock_id"] = json!(new_id::<uuid::Uuid>());
    app.post(key, SESSIONS, theirs).await.refused(404, "test_clock_not_found");

    // A live session knows no clock: the field means nothing to it.
    let live =
        json!({"external_product_id": "pro-ai-api", "external_customer_id": "c", "rail": "solana_usdc", "test_clock_id": clock["id"]});
    let answer = app.post(&app.live_key, "/v1/access/payment-sessions", live).await;
    assert!(!answer.body.to_string().contains(id(&clock)), "{}", answer.body);

    access(&app, &clock, "kept").await;
    let delete = |idempotency: &str| {
        app.request(Method::DELETE, &path).header("X-Hilt-Key", key.as_str()).header("Idempotency-Key", idempotency.to_owned())
    };
    assert_eq!(app.send(delete("gone")).await.ok()["status"], json!("deleted"));
    app.get(key, &path).await.refused(404, "test_clock_not_found");
    advance(&app, &clock, "2032-01-01T00:00:00Z").await.refused(404, "test_clock_not_found");
    assert_eq!(app.get(key, CLOCKS).await.ok()["count"], json!(0));
    let mut late = asked();
    late["test_clock_id"] = clock["id"].clone();
    app.post(key, SESSIONS, late).await.refused(404, "test_clock_not_found");
    assert_eq!(checked(&app, "kept").await["has_access"], json!(true), "what hangs on it stays in its last time");
    app.close().await;
}
