//! Rate limits: by key, by owner and by address, told in headers, never beside health and metrics.

use api::http::jwt::Role;
use events::vocab::words::Scope;
use hilt_tests::app::TestApp;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

const READS: &str = "/v1/access/rails";
const BEGINS: &str = "/v1/pay/broadcast";

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

async fn too_many(answer: Response, limit: &str) {
    assert_eq!(answer.status().as_u16(), 429);
    let (retry, policy) = (header(&answer, "retry-after").parse::<u64>().unwrap(), header(&answer, "ratelimit-policy").to_owned());
    assert!(retry >= 1 && policy.contains(&format!("\"{limit}\"")), "{retry} {policy}");
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["code"], &body["status"], &body["retryable"]), (&json!("rate_limited"), &json!(429), &json!(true)));
    assert!(body["detail"].as_str().unwrap().contains(limit), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_an_owner_have_so_many_requests_and_checks_are_counted_apart() {
    let limits = [("HILT_RATE_LIMIT_KEY", "5/50"), ("HILT_RATE_LIMIT_OWNER", "8/80"), ("HILT_RATE_LIMIT_CHECKS", "2/60")];
    let app = TestApp::start(&limits).await;
    let read = |key: &str| app.request(Method::GET, READS).header("X-Hilt-Key", key);
    for left in (0..5).rev() {
        let answer = send(read(&app.live_key)).await;
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(header(&answer, "ratelimit-policy"), "\"key\";q=5;w=50, \"owner\";q=8;w=80");
        let said = header(&answer, "ratelimit");
        assert!(said.starts_with(&format!("\"key\";r={left};t=")) && said.contains(&format!("\"owner\";r={}", left + 3)), "{said}");
    }
    too_many(send(read(&app.live_key)).await, "key").await;

    let check = |key: &str| {
        let request = app.request(Method::POST, "/v1/access/entitlements/check").header("X-Hilt-Key", key);
        request.json(&json!({"external_product_id": "x", "external_customer_id": "x"}))
    };
    for _ in 0..2 {
        assert_eq!(send(check(&app.live_key)).await.status().as_u16(), 404);
    }
    too_many(send(check(&app.live_key)).await, "checks").await;

    let other = app.key(app.owner, true, &[Scope::Read]).await;
    for _ in 0..3 {
        assert_eq!(send(read(&other)).await.status().as_u16(), 200);
    }
    too_many(send(read(&other)).await, "owner").await;
    let session = app.token(Role::Owner, Some(app.owner)).await;
    too_many(send(app.request(Method::GET, READS).bearer_auth(session)).await, "owner").await;
    let stranger = app.key(events::clock::new_id(), true, &[Scope::Read]).await;
    assert_eq!(send(read(&stranger)).await.status().as_u16(), 200, "another owner has his own");

    app.clock.advance_seconds(10);
    assert_eq!(send(read(&app.live_key)).await.status().as_u16(), 200, "they come back evenly");
    too_many(send(read(&app.live_key)).await, "key").await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        for _ in 0..20 {
            let answer = send(app.request(Method::GET, path)).await;
            assert!(answer.status().is_success() && !answer.headers().contains_key("ratelimit"), "{path}");
        }
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_begins_so_many_and_a_header_is_believed_from_a_trusted_proxy_only() {
    let app = TestApp::start(&[("HILT_RATE_LIMIT_ADDRESS", "3/60")]).await;
    let begin = |app: &TestApp, from: &str| app.request(Method::POST, BEGINS).header("X-Forwarded-For", from).json(&json!({}));
    for from in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        assert_eq!(send(begin(&app, from)).await.status().as_u16(), 422);
    }
    too_many(send(begin(&app, "198.51.100.4")).await, "address").await;
    app.get_public("/v1/receipt/00000000-0000-7000-8000-000000000000/verify").await.refused(404, "receipt_not_found");
    app.close().await;

    let app = TestApp::start(&[("HILT_RATE_LIMIT_ADDRESS", "3/60"), ("HILT_TRUSTED_PROXIES", "127.0.0.0/8, ::1")]).await;
    for _ in 0..3 {
        assert_eq!(send(begin(&app, "203.0.113.9, 198.51.100.1")).await.status().as_u16(), 422);
    }
    too_many(send(begin(&app, "203.0.113.10, 198.51.100.1")).await, "address").await;
    assert_eq!(send(begin(&app, "198.51.100.2")).await.status().as_u16(), 422);
    let guess = || app.request(Method::GET, READS).header("X-Forwarded-For", "198.51.100.9").header("X-Hilt-Key", "hk_live_guess");
    for _ in 0..3 {
        assert_eq!(send(guess()).await.status().as_u16(), 401);
    }
    too_many(send(guess()).await, "address").await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_can_be_switched_off() {
    let off = ["KEY", "OWNER", "CHECKS", "ADDRESS"].map(|name| (format!("HILT_RATE_LIMIT_{name}"), "off"));
    let app = TestApp::start(&off.each_ref().map(|(name, value)| (name.as_str(), *value))).await;
    let answer = send(app.request(Method::GET, READS).header("X-Hilt-Key", &app.live_key)).await;
    assert!(answer.status().is_success() && !answer.headers().contains_key("ratelimit-policy"));
    app.close().await;
}
