//! What every route has in common: problems, request ids, idempotency keys, freshness.

use crate::{an_app, shop::Shop};
use hilt_tests::app::TestApp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

async fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.status().as_u16(), status);
    let body: Value = response.json().await.unwrap();
    assert_eq!((&body["code"], &body["status"], &body["request_id"]), (&json!(code), &json!(status), &json!(id)), "{body}");
    for key in ["type", "title", "detail"] {
        assert!(body[key].is_string(), "{key}: {body}");
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    let post = |path: &str| app.request(Method::POST, path).header("X-Hilt-Key", &key).header("Idempotency-Key", "k");
    let apps = "/v1/access/apps";
    problem(app.request(Method::GET, "/v1/nothing").send().await.unwrap(), 404, "not_found").await;
    problem(app.request(Method::DELETE, apps).send().await.unwrap(), 405, "method_not_allowed").await;
    problem(app.request(Method::GET, apps).send().await.unwrap(), 401, "auth_required").await;
    let json = "application/json";
    problem(post(apps).header("content-type", json).body("{").send().await.unwrap(), 400, "malformed_request").await;
    problem(post(apps).header("content-type", json).body("[]").send().await.unwrap(), 400, "malformed_request").await;
    problem(post(apps).header("content-type", "text/plain").body("{}").send().await.unwrap(), 415, "unsupported_media_type").await;
    problem(post(apps).body("{}").send().await.unwrap(), 415, "unsupported_media_type").await;
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(4 << 20));
    problem(post(apps).header("content-type", json).body(large).send().await.unwrap(), 413, "payload_too_large").await;
    let wrong = post(apps).json(&json!({"name": 5, "external_app_id": "x"}));
    let body = problem(wrong.send().await.unwrap(), 422, "validation_failed").await;
    assert_eq!(body["errors"][0]["field"], json!("name"));
    let unknown_fields = post(apps).json(&json!({"name": "x", "external_app_id": "x", "something": 1}));
    assert_eq!(unknown_fields.send().await.unwrap().status().as_u16(), 201, "CV-11");
    let id = "00000000-0000-7000-8000-000000000000";
    for (path, code) in [
        (format!("{apps}/{id}"), "app_not_found"),
        (format!("{apps}/%20"), "app_not_found"),
        (format!("/v1/access/payment-sessions/{id}"), "payment_session_not_found"),
        (format!("/v1/memberships/{id}"), "membership_not_found"),
        (format!("/v1/receipt/{id}"), "receipt_not_found"),
        (format!("/v1/receipt/{id}/verify"), "receipt_not_found"),
        (format!("/v1/payments/{id}"), "payment_not_found"),
        ("/v1/payments/x".to_owned(), "payment_not_found"),
    ] {
        problem(app.request(Method::GET, &path).header("X-Hilt-Key", &key).send().await.unwrap(), 404, code).await;
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_echoed_kept_and_never_trusted() {
    let app = TestApp::start(&[]).await;
    let send = |id: &str| {
        let id = id.to_owned();
        let request = app.request(Method::POST, "/v1/access/apps").header("X-Hilt-Key", &app.live_key).header("Idempotency-Key", "k");
        request.header("X-Request-Id", id).json(&json!({"name": "x", "external_app_id": "x"})).send()
    };
    let answer = send("my-request.1").await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-request-id"].to_str().unwrap()), (201, "my-request.1"));
    let answer = send("not well formed").await.unwrap();
    assert!(answer.headers()["x-request-id"].to_str().unwrap().starts_with("req_"));
    assert_eq!(answer.headers()["idempotency-replayed"], "true");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_access_write_asks_for_a_valid_key() {
    let app = TestApp::start(&[]).await;
    for (method, path) in [
        (Method::POST, "/v1/access/apps"),
        (Method::PUT, "/v1/access/rail-settings/solana_usdc"),
        (Method::POST, "/v1/access/products"),
        (Method::POST, "/v1/access/payment-sessions"),
        (Method::POST, "/v1/access/payment-proofs"),
        (Method::POST, "/v1/access/webhooks"),
    ] {
        let request = || app.request(method.clone(), path).header("X-Hilt-Key", &app.live_key).json(&json!({}));
        app.send(request()).await.refused(400, "idempotency_key_required");
        for bad in ["", "a b", &"x".repeat(256)] {
            app.send(request().header("Idempotency-Key", bad)).await.refused(400, "invalid_idempotency_key");
        }
    }
    let sandbox = ["/v1/access/sandbox/payment-sessions", "/v1/access/sandbox/payment-sessions/x/confirm"];
    for path in sandbox {
        let request = app.request(Method::POST, path).header("X-Hilt-Key", &app.sandbox_key).json(&json!({"proof": "x"}));
        app.send(request).await.refused(400, "idempotency_key_required");
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_its_key_free_and_keys_are_of_one_owner() {
    let app = TestApp::start(&[]).await;
    let path = "/v1/access/apps";
    let bad = json!({"name": "x", "external_app_id": "x", "default_rail": "paypal"});
    app.post_as(&app.live_key, path, "k", bad).await.refused(422, "unknown_rail");
    let good = json!({"name": "x", "external_app_id": "x"});
    let made = app.post_as(&app.live_key, path, "k", good.clone()).await.ok();
    let stranger = app.key(events::clock::new_id(), true, events::vocab::words::Scope::ALL).await;
    let theirs = app.post_as(&stranger, path, "k", good).await;
    assert!(!theirs.replayed);
    assert_ne!(theirs.ok()["id"], made["id"]);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_as_fresh_as_it_is_asked_to_be() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    an_app(&app, &app.live_key, "another").await;
    let body = json!({"external_product_id": shop.product, "external_customer_id": "c", "rail": "solana_usdc"});
    let written = app.post(&app.live_key, "/v1/access/payment-sessions", body).await;
    let position = written.position.expect("a write names its position");
    let read = |min: String| {
        let request = app.request(Method::GET, "/v1/access/payment-sessions").header("X-Hilt-Key", &app.live_key);
        request.header("Hilt-Min-Position", min).send()
    };
    let fresh: Value = read(position.to_string()).await.unwrap().json().await.unwrap();
    assert_eq!(fresh["count"], json!(1));
    let begun = tokio::time::Instant::now();
    let never = read((position + 1_000_000).to_string()).await.unwrap();
    assert!(never.headers().contains_key("retry-after"));
    let body = problem(never, 503, "projection_behind").await;
    assert_eq!(body["retryable"], json!(true));
    assert!(begun.elapsed() < Duration::from_secs(10), "CV-12");
    problem(read("soon".to_owned()).await.unwrap(), 422, "validation_failed").await;
    app.close().await;
}
