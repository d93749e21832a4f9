//! What an owner is told of by other ways than the endpoint itself: a mail about one that was disabled, and what happens on a test clock.

use super::{
    arrived,
    sandbox::{HOOKS, hook, product},
    shop::events_of_type,
};
use events::vocab::words::Scope;
use hilt_tests::{
    app::{SOON, TestApp},
    payments,
    receiver::{Answer, Receiver},
    smtp::{MailServer, Received},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_mailed_once_when_his_endpoint_is_disabled() {
    let server = MailServer::start().await;
    let app = TestApp::start(&[("HILT_SMTP_URL", &server.url()), ("HILT_MAIL_FROM", "hilt@example.com")]).await;
    let receiver = Receiver::start().await;
    let merchant = payments::shop(&app.state.log, true).await;
    let key = app.key(merchant.owner_id, true, Scope::ALL).await;
    let profile = app.request(Method::PUT, "/v1/workspace/profile").header("X-Hilt-Key", &key).header("Idempotency-Key", "profile");
    app.send(profile.json(&json!({"merchant_name": "Acme", "support_email": "ops@acme.example"}))).await.ok();
    let (id, secret) = hook(&app, &key, &receiver, "down").await;
    receiver.answers("down", [], Answer::Status(500));
    payments::paid(&app.state.log, &merchant).await;
    let path = format!("{HOOKS}/{id}");
    let deadline = Instant::now() + SOON;
    // Every attempt fails for days.
    while app.get(&key, &path).await.ok()["status"] != json!("disabled") {
        assert!(Instant::now() < deadline, "it was never disabled");
        app.clock.advance_seconds(3 * 3_600);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Months may have passed for the member too, who is reminded at another address.
    let of_owner = |mails: Vec<Received>| mails.into_iter().filter(|mail| mail.text("to") == "ops@acme.example").collect::<Vec<_>>();
    let deadline = Instant::now() + SOON;
    while of_owner(server.mails()).is_empty() {
        assert!(Instant::now() < deadline, "he was never told");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mail = format!("{:?}", of_owner(server.mails())[0].0);
    assert!(mail.contains(&receiver.url("down")) || mail.contains(&id), "it says which: {mail}");
    assert!(!mail.contains(&secret));
    assert_eq!(events_of_type(&app, "webhook_endpoint.disabled").await.len(), 1);
    let queued = events_of_type(&app, "mail.queued").await;
    let told: Vec<_> = queued.iter().filter(|event| event["data"]["kind"] == json!("webhook_disabled")).collect();
    assert_eq!(told.len(), 1, "once");
    assert!(!format!("{queued:?}").contains("acme.example"), "the address is sealed");
    app.caught_up().await;
    assert_eq!(of_owner(server.mails()).len(), 1);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_access_on_a_test_clock_is_told_when_the_clock_comes_to_it() {
    const CLOCKS: &str = "/v1/access/sandbox/test-clocks";
    let app = TestApp::start(&[]).await;
    let receiver = Receiver::start().await;
    let key = &app.sandbox_key;
    product(&app, key).await;
    let (_, secret) = hook(&app, key, &receiver, "clock").await;
    hook(&app, &app.live_key, &receiver, "live").await;
    let clock = app.post(key, CLOCKS, json!({"frozen_time": "2031-01-01T00:00:00Z"})).await.ok();
    let asked = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_1", "rail": "x402",
        "confirm_sandbox_mode": true, "test_clock_id": clock["id"]});
    let session = app.post(key, "/v1/access/sandbox/payment-sessions", asked).await.ok()["sandbox_session"].clone();
    let confirm = format!("/v1/access/sandbox/payment-sessions/{}/confirm", session["id"].as_str().unwrap());
    app.post(key, &confirm, json!({"proof": session["proof"]})).await.ok();
    let begun = arrived(&receiver, "clock", 1).await[0].json();
    assert_eq!(begun["type"], json!("membership.activated"));
    assert_eq!(begun["data"]["membership"]["current_period_end_at"], json!("2031-01-31T00:00:00Z"), "in the clock's time");

    let path = format!("{CLOCKS}/{}/advance", clock["id"].as_str().unwrap());
    let advance = |to: &'static str| app.post(key, &path, json!({"frozen_time": to}));
    advance("2031-01-30T23:59:59Z").await.ok();
    let feed = app.get(key, "/v1/access/events").await.ok();
    assert_eq!(feed["items"].as_array().map(Vec::len), Some(1), "a second before it nothing has ended: {feed}");
    advance("2031-01-31T00:00:00Z").await.ok();
    let told = arrived(&receiver, "clock", 2).await;
    let ended = told[1].json();
    assert!(told[1].verifies_with(&secret));
    assert_eq!((&ended["type"], &ended["livemode"]), (&json!("membership.expired"), &json!(false)));
    assert_eq!(ended["data"]["membership"]["current_period_end_at"], begun["data"]["membership"]["current_period_end_at"]);
    assert_eq!(ended["previous_sequence"], begun["sequence"]);
    let feed = app.get(key, "/v1/access/events").await.ok();
    assert_eq!(feed["items"], json!([begun, ended]), "the feed says the same");
    let expired = events_of_type(&app, "entitlement.expired").await;
    assert_eq!(expired.iter().map(|event| event["data"]["expired_at"].clone()).collect::<Vec<Value>>(), [json!("2031-01-31T00:00:00Z")]);
    assert!(receiver.received("live").is_empty(), "live endpoints hear nothing of it");
    app.close().await;
}
