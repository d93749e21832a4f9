//! RT-062: whoever makes the calls that readiness names gets ready, from nothing and from every single thing that can be wrong.

use crate::{product_body, put, shop::Shop, wallet};
use api::http::jwt::Role;
use hilt_tests::{
    app::TestApp,
    follower::{Followed, Follower},
};
use reqwest::Method;
use serde_json::{Value, json};

/// What a caller brings: nothing of it is the service's to know.
pub fn caller(payout_wallet: &str) -> Value {
    json!({
        "app_name": "Acme AI", "external_app_id": "acme-ai", "external_product_id": "pro-api", "product_title": "Pro API access",
        "amount_minor_units": 79_000_000, "entitlement_duration_days": 30, "payout_wallet": payout_wallet,
        "live_mode_confirmed": true, "webhook_url": "https://api.acme.test/hilt/webhook",
    })
}

/// Follows from what readiness says, with `key` under the name that actions ask for it by.
async fn follow(app: &TestApp, key: (&str, &str), path: &str, payout_wallet: &str) -> (Followed, Follower) {
    let mut follower = Follower::new(&app.base_url, caller(payout_wallet));
    follower.learn(&json!({key.0: key.1}));
    app.caught_up().await;
    let answer = app.get(key.1, path).await.ok();
    (follower.follow(answer).await, follower)
}

#[track_caller]
fn ready(followed: Followed) -> Value {
    match followed {
        Followed::Ready(answer) => answer,
        Followed::Stopped(kind, action) => panic!("stopped to {kind}: {action:#}"),
    }
}

const LIVE: &str = "/v1/access/setup/readiness?mode=live";

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_each_answer_leads_to_the_next_until_sessions_open() {
    let app = TestApp::start(&[]).await;
    let payout = wallet();
    let (followed, follower) = follow(&app, ("live_api_key", &app.live_key), LIVE, &payout).await;
    let answer = ready(followed);
    assert_eq!((&answer["blockers"], &answer["next_actions"]), (&json!([]), &json!([])));
    assert_eq!(
        follower.made.iter().filter(|id| *id != "recheck").collect::<Vec<_>>(),
        ["create_app", "configure_rail", "create_product", "register_webhook"]
    );
    let body = json!({"external_product_id": "pro-api", "external_customer_id": "cust_1"});
    let session = app.post(&app.live_key, "/v1/access/payment-sessions", body).await.ok();
    let leg = &session["payment_session"]["payment_requirement"]["required_transfers"][0];
    assert_eq!(leg["pay_to"], json!(payout), "to the wallet that the caller named");

    let path = "/v1/access/setup/readiness?mode=sandbox&external_product_id=in-the-sandbox";
    let (followed, follower) = follow(&app, ("sandbox_api_key", &app.sandbox_key), path, &payout).await;
    let answer = ready(followed);
    assert_eq!(answer["product"]["external_product_id"], json!("in-the-sandbox"));
    assert_eq!(follower.made.iter().filter(|id| *id != "recheck").collect::<Vec<_>>(), ["create_app", "create_product"]);
    let body =
        json!({"external_product_id": "in-the-sandbox", "external_customer_id": "c", "rail": "solana_usdc", "confirm_sandbox_mode": true});
    app.post(&app.sandbox_key, "/v1/access/sandbox/payment-sessions", body).await.ok();
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_list_can_be_made_without_asking_in_between() {
    let app = TestApp::start(&[]).await;
    let mut follower = Follower::new(&app.base_url, caller(&wallet()));
    follower.learn(&json!({"live_api_key": app.live_key}));
    let answer = app.get(&app.live_key, LIVE).await.ok();
    follower.follow_list(&answer).await;
    let after = app.get(&app.live_key, LIVE).await.ok();
    assert_eq!((&after["ready"], &after["blockers"]), (&json!(true), &json!([])), "{after:#}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_every_single_thing_that_is_wrong_one_call_leads_out() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    Shop::open(&app).await;
    let hook = json!({"url": "https://api.acme.test/h", "subscribed_events":
        ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired"]});
    let hook = app.post(&key, "/v1/access/webhooks", hook).await.ok();
    let product = app.get(&key, "/v1/access/products").await.ok()["items"][0].clone();
    let (own, other) = (product["merchant_wallet"].as_str().unwrap(), wallet());
    let setting = async |enabled: bool, payout: Option<&str>| {
        let body = json!({"enabled": enabled, "mode": "live", "payout_address": payout, "label": format!("{enabled} {payout:?}")});
        put(&app, &key, "/v1/access/rail-settings/solana_usdc", body).await.ok();
    };
    let product_path = format!("/v1/access/products/{}", product["id"].as_str().unwrap());
    let patch = async |body: Value| {
        let idempotency: uuid::Uuid = events::clock::new_id();
        let request = app.request(Method::PATCH, &product_path).header("X-Hilt-Key", &key);
        app.send(request.header("Idempotency-Key", idempotency.to_string()).json(&body)).await.ok();
    };
    let out = async |code: &str, calls: &[&str]| {
        let before = app.get(&key, LIVE).await.ok();
        assert_eq!((&before["ready"], &before["blockers"][0]["code"]), (&json!(false), &json!(code)));
        let (followed, follower) = follow(&app, ("live_api_key", &key), LIVE, own).await;
        ready(followed);
        let made: Vec<_> = follower.made.iter().filter(|id| *id != "recheck").map(String::as_str).collect();
        assert_eq!(made, calls, "{code}");
    };
    assert_eq!(app.get(&key, LIVE).await.ok()["ready"], json!(true));

    patch(json!({"status": "paused"})).await;
    out("product_paused", &["change_product"]).await;
    setting(false, Some(own)).await;
    out("rail_setting_disabled", &["configure_rail"]).await;
    setting(true, Some(&other)).await;
    out("backing_product_wallet_mismatch", &["configure_rail"]).await;
    setting(true, None).await;
    out("payout_address_required", &["configure_rail"]).await;
    patch(json!({"allowed_rails": ["base_usdc", "x402"], "default_rail": "base_usdc", "live_mode_confirmed": true})).await;
    out("no_available_rails", &["change_product"]).await;
    app.send(
        app.request(Method::DELETE, &format!("/v1/access/webhooks/{}", hook["id"].as_str().unwrap()))
            .header("X-Hilt-Key", &key)
            .header("Idempotency-Key", "delete"),
    )
    .await
    .ok();
    out("webhook_events_missing", &["register_webhook"]).await;

    // Several at once.
    patch(json!({"status": "paused"})).await;
    setting(false, Some(&other)).await;
    out("product_paused", &["change_product", "configure_rail"]).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hears_too_little_is_completed_and_stays_the_only_one() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    Shop::open(&app).await;
    let some = json!({"url": "https://api.acme.test/h", "label": "Mine", "subscribed_events": ["payment.confirmed", "delivery.failed"]});
    let made = app.post(&key, "/v1/access/webhooks", some).await.ok();
    let followed = async |calls: &[&str]| {
        let (followed, follower) = follow(&app, ("live_api_key", &key), LIVE, "unused").await;
        let answer = ready(followed);
        let asked: Vec<_> = follower.made.iter().filter(|id| *id != "recheck").map(String::as_str).collect();
        assert_eq!(asked, calls);
        assert_eq!((&answer["webhooks"]["active_count"], &answer["webhooks"]["missing_events"]), (&json!(1), &json!([])));
        let list = app.get(&key, "/v1/access/webhooks").await.ok();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "no second endpoint: {list:#}");
        let only = list["items"][0].clone();
        assert_eq!((&only["id"], &only["url"], &only["label"]), (&made["id"], &made["url"], &made["label"]));
        let heard = only["subscribed_events"].as_array().unwrap();
        for event in ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired", "delivery.failed"] {
            assert!(heard.contains(&json!(event)), "{event} is not among {heard:?}");
        }
    };
    followed(&["complete_webhook"]).await;
    app.post(&key, &format!("/v1/access/webhooks/{}/pause", made["id"].as_str().unwrap()), json!({})).await.ok();
    followed(&["resume_webhook"]).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_products_are_told_apart() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    Shop::open(&app).await;
    let product = app.get(&key, "/v1/access/products").await.ok()["items"][0].clone();
    let hook = json!({"url": "https://api.acme.test/h", "subscribed_events":
        ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired"]});
    app.post(&key, "/v1/access/webhooks", hook).await.ok();

    let mut second = product_body(&product["access_app_id"], "second", product["merchant_wallet"].as_str().unwrap());
    second["status"] = json!("paused");
    app.post(&key, "/v1/access/products", second).await.ok();
    let both = app.get(&key, LIVE).await.ok();
    assert_eq!(both["blockers"][0]["code"], json!("product_required"));
    assert_eq!(both["next_actions"][0]["query"]["external_product_id"]["one_of"], json!(["second", "pro-ai-api"]));
    let mut follower = Follower::new(&app.base_url, json!({"external_product_id": "second", "live_mode_confirmed": true}));
    follower.learn(&json!({"live_api_key": key}));
    let answer = ready(follower.follow(both).await);
    assert_eq!(answer["product"]["external_product_id"], json!("second"));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_hilt_has_switched_the_rail_off_there_is_nothing_to_do_but_wait() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    let (followed, _) = follow(&app, ("live_api_key", &key), LIVE, &wallet()).await;
    ready(followed);
    let staff = app.token(Role::Staff, None).await;
    let switch = async |state: &str| {
        let request = app.request(Method::PUT, "/v1/admin/access/rails/solana_usdc/kill-switch").bearer_auth(&staff);
        app.send(request.json(&json!({"state": state, "reason": "drill"}))).await.ok();
    };
    switch("tripped").await;
    let off = app.until(&key, LIVE, |answer| answer["ready"] == json!(false)).await;
    assert_eq!(off["blockers"][0]["code"], json!("rail_kill_switched"));
    let (followed, follower) = follow(&app, ("live_api_key", &key), LIVE, "unused").await;
    let Followed::Stopped(kind, action) = followed else { panic!("ready while the rail is off") };
    assert_eq!((kind.as_str(), &action["method"], follower.made.len()), ("wait", &json!("GET"), 0));
    assert!(
        action["retry_after_seconds"].as_u64().is_some_and(|seconds| seconds > 0) && action["clears"][0] == json!("rail_kill_switched")
    );
    switch("not_tripped").await;
    app.until(&key, LIVE, |answer| answer["ready"] == json!(true)).await;
    app.close().await;
}
