//! What needs no bot, and what support does.

use crate::scene::{Scene, check, config, text};
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::DeliveryType, words::Scope},
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// RT-031..033 and RT-017 without a bot; AC-41, AC-42, INV-78.
#[tokio::test(flavor = "multi_thread")]
async fn a_products_own_value_is_handed_over_at_once_and_support_has_one_case() {
    let scene = Scene::open(&[]).await;
    let app = &scene.app;
    let nothing = scene.pay("cust_0").await;
    let answer = scene.confirm(&nothing).await;
    assert_eq!((&answer["delivery_status"], &answer["delivery_value"]), (&json!("NOT_REQUIRED"), &Value::Null));
    assert_eq!(scene.payment(&nothing).await["delivery_status"], json!("NOT_REQUIRED"));

    scene.hands_over(DeliveryType::Redirect, Some("https://example.com/welcome"), config(None, None, None)).await;
    let sale = scene.pay("cust_4").await;
    let answer = scene.confirm(&sale).await;
    assert_eq!((&answer["delivery_status"], &answer["delivery_type"]), (&json!("SENT"), &json!("REDIRECT")), "{answer}");
    assert_eq!(answer["delivery_value"], json!("https://example.com/welcome"));
    assert_eq!(scene.payment(&sale).await["delivery_status"], json!("SENT"));
    let membership = text(&answer["membership_id"]).to_owned();
    assert_eq!(scene.diagnose(&membership).await["overall_status"], json!("healthy"));

    // A Telegram product in a deployment without a bot, and without an invite of its own.
    scene.hands_over(DeliveryType::TelegramInvite, None, config(Some("-100"), None, None)).await;
    let retried = scene.retry(&membership).await.ok();
    assert_eq!((&retried["queued"], &retried["delivery_status"]), (&json!(false), &json!("RETRY_SCHEDULED")), "{retried}");
    let found = scene.diagnose(&membership).await;
    assert_eq!((check(&found, "automation_configured"), check(&found, "static_fallback")), ("warn", "fail"), "AC-41: {found}");
    assert_eq!((&found["overall_status"], &found["provider_state"]["configured"]), (&json!("action_required"), &json!(false)));
    scene.hands_over(DeliveryType::TelegramInvite, Some("https://t.me/joinchat/all"), config(Some("-100"), None, None)).await;
    let retried = scene.retry(&membership).await.ok();
    assert_eq!((&retried["queued"], &retried["attempt"], &retried["delivery_status"]), (&json!(false), &json!(3), &json!("SENT")));
    let found = scene.diagnose(&membership).await;
    assert_eq!((check(&found, "static_fallback"), &found["overall_status"]), ("warn", &json!("degraded")), "{found}");
    assert_eq!(scene.confirm(&sale).await["delivery_value"], json!("https://t.me/joinchat/all"));

    one_case(&scene, &membership).await;
    of_nobody_else(&scene, &membership).await;

    app.clock.advance_seconds(31 * 86_400);
    scene.retry(&membership).await.refused(409, "membership_not_active");
    assert_eq!(scene.confirm(&sale).await["delivery_value"], Value::Null, "what is over is not handed over again");
    scene.app.close().await;
}

async fn one_case(scene: &Scene, membership: &str) {
    let app = &scene.app;
    let path = format!("/v1/memberships/{membership}/delivery-support-ticket");
    let calls = (0..20).map(|_| app.send(app.request(reqwest::Method::POST, &path).header("X-Hilt-Key", &app.live_key)));
    let answers: Vec<Value> = join_all(calls).await.into_iter().map(|answer| answer.ok()).collect();
    let tickets: BTreeSet<&str> = answers.iter().map(|answer| text(&answer["ticket_id"])).collect();
    assert_eq!(tickets.len(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer["reused"] == json!(false)).count(), 1);
    let ticket = format!("/v1/support/tickets/{}", text(&answers[0]["ticket_id"]));
    let thread = app.get(&app.live_key, &ticket).await.ok();
    assert_eq!((thread["messages"].as_array().unwrap().len(), &thread["context"]["membership_id"]), (1, &json!(membership)));
    assert_eq!(thread["subject"], json!("Access was handed over, and a member needs help"));
    assert_eq!(thread["messages"][0]["body"], json!("The delivery of this membership needs a look: SENT after 3 attempts."));
    let noted = app.post(&app.live_key, &path, json!({"note": "He still cannot come in."})).await.ok();
    assert_eq!(noted["reused"], json!(true));
    assert_eq!(app.get(&app.live_key, &ticket).await.ok()["messages"].as_array().unwrap().len(), 2);
    let short = app.post(&app.live_key, &path, json!({"note": "short"})).await.refused(422, "message_too_short");
    assert_eq!(short["errors"], json!([{"field": "note", "message": "needs at least 10 characters"}]));
}

async fn of_nobody_else(scene: &Scene, membership: &str) {
    let app = &scene.app;
    let other: OwnerId = new_id();
    let key = app.key(other, true, Scope::ALL).await;
    for path in ["retry-delivery", "delivery-support-ticket"] {
        let path = format!("/v1/memberships/{membership}/{path}");
        app.post(&key, &path, json!({})).await.refused(404, "membership_not_found");
        app.post(&app.sandbox_key, &path, json!({})).await.refused(403, "live_key_required");
    }
    app.get(&key, &format!("/v1/memberships/{membership}/delivery-diagnostics")).await.refused(404, "membership_not_found");
    app.get(&app.live_key, "/v1/memberships/none/delivery-diagnostics").await.refused(404, "membership_not_found");
}
