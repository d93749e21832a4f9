//! RT-070 and RT-115: what merchants and staff do with endpoints and deliveries.

use super::{
    arrived,
    sandbox::{HOOKS, access, hook, product},
};
use api::http::jwt::Role;
use hilt_tests::{
    app::{Answer, TestApp},
    receiver::{Answer as Reply, Receiver},
};
use reqwest::Method;
use serde_json::{Value, json};

async fn change(app: &TestApp, key: &str, method: Method, path: &str, body: Value) -> Answer {
    let idempotency: uuid::Uuid = events::clock::new_id();
    let request = app.request(method, path).header("X-Hilt-Key", key).header("Idempotency-Key", idempotency.to_string());
    app.send(request.json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_changed_paused_resumed_rotated_and_deleted() {
    let app = TestApp::start(&[]).await;
    let receiver = Receiver::start().await;
    let key = &app.sandbox_key;
    let product = product(&app, key).await;
    let (id, first) = hook(&app, key, &receiver, "hook").await;
    let path = format!("{HOOKS}/{id}");

    let rotated = app.post_as(key, &format!("{path}/rotate-secret"), "rotate-1", json!({"overlap_seconds": 3_600})).await.ok();
    let second = rotated["signing_secret"].as_str().unwrap().to_owned();
    assert!(rotated["previous_secret_valid_until"].as_str().is_some() && second != first);
    let again = app.post_as(key, &format!("{path}/rotate-secret"), "rotate-1", json!({"overlap_seconds": 3_600})).await;
    assert!(again.replayed);
    assert_eq!(again.ok()["signing_secret"], Value::Null, "shown once");
    access(&app, key, "cust_1").await;
    let told = arrived(&receiver, "hook", 1).await[0].clone();
    assert!(told.verifies_with(&first) && told.verifies_with(&second));
    for secret in [&first, &second] {
        assert!(app.database.tables_holding(secret.strip_prefix("whsec_").unwrap()).await.is_empty(), "INV-88");
    }
    let too_long = app.post(key, &format!("{path}/rotate-secret"), json!({"overlap_seconds": 604_801})).await;
    assert_eq!(too_long.refused(422, "validation_failed")["errors"][0]["field"], json!("overlap_seconds"));

    let paused = app.post(key, &format!("{path}/pause"), json!({})).await.ok();
    assert_eq!(paused["status"], json!("paused"));
    app.post(key, &format!("{path}/test"), json!({})).await.refused(409, "webhook_paused");
    access(&app, key, "cust_2").await;
    let pending = |body: &Value| body["items"][0]["status"] == json!("pending");
    app.until(key, &format!("{path}/deliveries"), pending).await;
    assert_eq!(receiver.received("hook").len(), 1);
    assert_eq!(app.post(key, &format!("{path}/resume"), json!({})).await.ok()["status"], json!("active"));
    arrived(&receiver, "hook", 2).await;

    let moved = json!({"label": "moved", "url": receiver.url("moved"), "product_ids": [product["id"]], "subscribed_events": ["membership.activated"]});
    let changed = change(&app, key, Method::PATCH, &path, moved).await.ok();
    assert_eq!((&changed["label"], &changed["product_ids"]), (&json!("moved"), &json!([product["id"]])));
    let unlabelled = change(&app, key, Method::PATCH, &path, json!({"label": null})).await.ok();
    assert_eq!((&unlabelled["label"], &unlabelled["url"]), (&Value::Null, &json!(receiver.url("moved"))));
    for (body, code, field) in [
        (json!({"url": "ftp://example.com"}), "invalid_webhook_url", "url"),
        (json!({"subscribed_events": []}), "validation_failed", "subscribed_events"),
        (json!({"subscribed_events": ["nothing"]}), "unknown_event", "subscribed_events[0]"),
        (json!({"product_ids": [events::clock::new_id::<uuid::Uuid>()]}), "validation_failed", "product_ids[0]"),
    ] {
        let refused = change(&app, key, Method::PATCH, &path, body).await.refused(422, code);
        assert_eq!(refused["errors"][0]["field"], json!(field));
    }
    access(&app, key, "cust_3").await;
    arrived(&receiver, "moved", 1).await;
    let shown = app.until(key, &path, |body| body["health"]["last_success_at"].is_string()).await;
    assert_eq!(shown["health"]["failing_since"], Value::Null);

    let stranger = app.key(events::clock::new_id(), false, events::vocab::words::Scope::ALL).await;
    for other in [&stranger, &app.live_key] {
        app.get(other, &path).await.refused(404, "webhook_not_found");
        for route in ["pause", "resume", "test", "rotate-secret"] {
            app.post(other, &format!("{path}/{route}"), json!({})).await.refused(404, "webhook_not_found");
        }
        change(&app, other, Method::PATCH, &path, json!({})).await.refused(404, "webhook_not_found");
        change(&app, other, Method::DELETE, &path, json!({})).await.refused(404, "webhook_not_found");
    }
    let deleted = change(&app, key, Method::DELETE, &path, json!({})).await.ok();
    assert_eq!((&deleted["status"], &deleted["disabled_reason"]), (&json!("disabled"), &json!("requested")));
    for route in ["pause", "resume", "test", "rotate-secret"] {
        app.post(key, &format!("{path}/{route}"), json!({})).await.refused(409, "webhook_disabled");
    }
    assert_eq!(app.get(key, HOOKS).await.ok()["items"][0]["status"], json!("disabled"));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_shows_what_was_sent_and_what_came_back_and_is_made_again() {
    let app = TestApp::start(&[]).await;
    let receiver = Receiver::start().await;
    let key = &app.sandbox_key;
    product(&app, key).await;
    let (id, _) = hook(&app, key, &receiver, "hook").await;
    let path = format!("{HOOKS}/{id}");
    receiver.answers("hook", [Reply::Said(503, "come back later, a@b.c")], Reply::Status(204));
    access(&app, key, "cust_1").await;
    arrived(&receiver, "hook", 1).await;
    let failed =
        app.until(key, &format!("{path}/deliveries?status=retry_scheduled"), |body| body["items"][0]["attempts"][0].is_object()).await;
    let delivery = format!("{path}/deliveries/{}", failed["items"][0]["id"].as_str().unwrap());
    let shown = app.get(key, &delivery).await.ok();
    let attempt = &shown["attempts"][0];
    assert_eq!((&attempt["status_code"], &attempt["error"]), (&json!(503), &json!("http_status")));
    assert!(attempt["next_attempt_at"].is_string() && attempt["duration_ms"].is_u64());
    let told = &receiver.received("hook")[0];
    assert_eq!(attempt["request"]["body"].as_str().unwrap().as_bytes(), told.body, "byte for byte");
    assert_eq!((&attempt["request"]["method"], &attempt["request"]["url"]), (&json!("POST"), &json!(receiver.url("hook"))));
    let headers = &attempt["request"]["headers"];
    for name in ["content-type", "user-agent", "webhook-id", "webhook-timestamp"] {
        assert_eq!(headers[name].as_str(), told.headers[name].to_str().ok(), "{name}");
    }
    let signature = told.headers["webhook-signature"].to_str().unwrap();
    assert!(!shown.to_string().contains(signature.trim_start_matches("v1,")), "a signature is a key to the receiver");
    assert_eq!(attempt["response"]["body"], json!("come back later, a@b.c"));
    assert!(!attempt["response"]["headers"].to_string().contains("cookie"));
    assert!(failed["items"][0]["attempts"][0].get("request").is_none(), "lists are short");
    let plain = app.state.log.read(0, 1_000).await.unwrap();
    assert!(plain.iter().all(|event| !String::from_utf8_lossy(&event.payload).contains("a@b.c")), "what a receiver says is sealed");

    let again = app.post(key, &format!("{delivery}/redeliver"), json!({})).await;
    assert_eq!(again.status.as_u16(), 202);
    arrived(&receiver, "hook", 2).await;
    let delivered = app.until(key, &delivery, |body| body["status"] == json!("delivered")).await;
    assert_eq!(delivered["attempts"].as_array().map(Vec::len), Some(2));
    let told = receiver.received("hook");
    assert_eq!((&told[0].id, &told[0].body), (&told[1].id, &told[1].body), "a repeat is known by its id");

    // A whole span, also of what arrived.
    let since = shown["created_at"].as_str().unwrap().to_owned();
    let span = |status: &str, since: &str| json!({"since": since, "status": status});
    app.clock.advance_seconds(1);
    let key_of = "redeliver-span";
    let asked = app.post_as(key, &format!("{path}/redeliver"), key_of, span("all", &since)).await;
    assert_eq!(asked.status.as_u16(), 202);
    assert!(app.post_as(key, &format!("{path}/redeliver"), key_of, span("all", &since)).await.replayed);
    arrived(&receiver, "hook", 3).await;
    app.until(key, &delivery, |body| body["attempts"].as_array().map(Vec::len) == Some(3)).await;
    app.post(key, &format!("{path}/redeliver"), span("some", &since)).await.refused(422, "validation_failed");
    app.post(key, &format!("{path}/redeliver"), json!({"since": "yesterday"})).await.refused(422, "validation_failed");
    let backwards = json!({"since": since, "until": since});
    app.post(key, &format!("{path}/redeliver"), backwards).await.refused(422, "validation_failed");

    staff_make_it_again(&app, &receiver, key).await;
    app.close().await;
}

/// Staff see what was given up, of all workspaces, without what it says, and make it again with a reason.
async fn staff_make_it_again(app: &TestApp, receiver: &Receiver, key: &str) {
    const ADMIN: &str = "/v1/admin/access/webhook-deliveries";
    let (id, _) = hook(app, key, receiver, "gone").await;
    receiver.answers("gone", [Reply::Status(500)], Reply::Status(200));
    let sent = app.post(key, &format!("{HOOKS}/{id}/test"), json!({})).await.ok();
    let delivery = sent["delivery_id"].as_str().unwrap();
    let own = format!("{HOOKS}/{id}/deliveries/{delivery}");
    app.until(key, &own, |body| body["status"] == json!("dead_lettered")).await;
    let token = app.token(Role::Staff, None).await;
    app.get(key, ADMIN).await.refused(403, "staff_required");
    let auditor = app.token(Role::Auditor, None).await;
    app.send(app.request(Method::GET, ADMIN).bearer_auth(auditor)).await.refused(403, "staff_required");
    let list = format!("{ADMIN}?status=dead_letter&owner_id={}", app.owner);
    let found = app.send(app.request(Method::GET, &list).bearer_auth(&token)).await.ok();
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["owner_id"]), (&json!(delivery), &json!(app.owner.to_string())));
    assert!(found["items"][0].get("body").is_none());
    let redeliver = |reason: &str| {
        app.request(Method::POST, &format!("{ADMIN}/{delivery}/redeliver")).json(&json!({"reason": reason})).bearer_auth(&token)
    };
    app.send(redeliver("")).await.refused(422, "reason_required");
    assert_eq!(app.send(redeliver("receiver_repaired")).await.status.as_u16(), 202);
    app.until(key, &own, |body| body["status"] == json!("delivered")).await;
    let asked = super::shop::events_of_type(app, "webhook.redelivery_requested").await;
    let by_staff = asked.iter().find(|event| event["data"]["reason"] == json!("receiver_repaired")).unwrap();
    assert_eq!(by_staff["actor"]["kind"], json!("staff"));
}
