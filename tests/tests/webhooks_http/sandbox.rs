//! What a developer tries in the sandbox: he is told of access there as he will be of memberships, and nothing was paid (INV-39).

use super::{arrived, shop::events_of_type};
use hilt_tests::{
    app::TestApp,
    receiver::{Answer, Receiver},
};
use serde_json::{Value, json};

pub const HOOKS: &str = "/v1/access/webhooks";
pub const FEED: &str = "/v1/access/events";
const SESSIONS: &str = "/v1/access/sandbox/payment-sessions";

/// A product in the sandbox.
pub async fn product(app: &TestApp, key: &str) -> Value {
    let made = app.post(key, "/v1/access/apps", json!({"name": "Pro", "external_app_id": "pro"})).await.ok();
    let product = json!({
        "access_app_id": made["id"], "external_product_id": "pro-ai-api", "title": "Pro AI API - 30 days", "amount_minor_units": 25_000_000,
        "merchant_wallet": "11111111111111111111111111111112", "entitlement_duration_days": 30, "default_rail": "solana_usdc",
        "allowed_rails": ["solana_usdc", "x402"], "status": "active",
    });
    app.post(key, "/v1/access/products", product).await.ok()
}

/// Access in the sandbox for `customer`.
pub async fn access(app: &TestApp, key: &str, customer: &str) {
    let asked =
        json!({"external_product_id": "pro-ai-api", "external_customer_id": customer, "rail": "x402", "confirm_sandbox_mode": true});
    let session = app.post(key, SESSIONS, asked).await.ok()["sandbox_session"].clone();
    let confirm = format!("{SESSIONS}/{}/confirm", session["id"].as_str().unwrap());
    app.post(key, &confirm, json!({"proof": session["proof"]})).await.ok();
}

/// An endpoint at `path` of the receiver; its id and its secret.
pub async fn hook(app: &TestApp, key: &str, receiver: &Receiver, path: &str) -> (String, String) {
    let all = ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired", "delivery.failed"];
    let made = app.post(key, HOOKS, json!({"url": receiver.url(path), "subscribed_events": all})).await.ok();
    (made["id"].as_str().unwrap().to_owned(), made["signing_secret"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn sandbox_access_is_told_like_a_membership_from_its_beginning_to_its_end() {
    let app = TestApp::start(&[]).await;
    let receiver = Receiver::start().await;
    let key = &app.sandbox_key;
    let product = product(&app, key).await;
    let (_, secret) = hook(&app, key, &receiver, "sandbox").await;
    hook(&app, &app.live_key, &receiver, "live").await;
    access(&app, key, "cust_1").await;
    let told = arrived(&receiver, "sandbox", 1).await[0].clone();
    assert!(told.verifies_with(&secret));
    let begun = told.json();
    assert_eq!((&begun["type"], &begun["livemode"]), (&json!("membership.activated"), &json!(false)));
    let membership = &begun["data"]["membership"];
    assert_eq!((&membership["status"], &membership["external_customer_id"]), (&json!("ACTIVE"), &json!("cust_1")));
    assert_eq!((&membership["payment_id"], &membership["tx_signature"]), (&Value::Null, &Value::Null));
    assert_eq!(begun["data"]["sandbox"]["entitlement_id"], membership["id"]);
    let access = &begun["data"]["access"];
    assert_eq!(access["access_product"], json!({"id": product["id"], "external_product_id": "pro-ai-api"}));
    assert_eq!(access["rail_id"], json!("x402"));
    assert!(membership["current_period_end_at"].as_str().is_some());

    app.clock.advance_seconds(31 * 86_400);
    let ended = arrived(&receiver, "sandbox", 2).await[1].json();
    assert_eq!((&ended["type"], &ended["data"]["membership"]["status"]), (&json!("membership.expired"), &json!("EXPIRED")));
    assert_eq!(ended["data"]["membership"]["current_period_end_at"], membership["current_period_end_at"]);
    assert_eq!(ended["previous_sequence"], begun["sequence"]);
    assert!(receiver.received("live").is_empty(), "the sandbox tells live endpoints nothing");

    let feed = app.get(key, FEED).await.ok();
    assert_eq!(feed["items"], json!([begun, ended]));
    assert_eq!(app.get(&app.live_key, FEED).await.ok()["items"], json!([]));
    let by_product = format!("{FEED}?type=membership.activated&product_id={}", product["id"].as_str().unwrap());
    assert_eq!(app.get(key, &by_product).await.ok()["items"], json!([begun]));
    for nothing in ["payment.created", "payment.confirmed", "receipt.created", "membership.activated"] {
        assert!(events_of_type(&app, nothing).await.is_empty(), "INV-39: {nothing}");
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_paged_filtered_waited_for_and_each_owners_own() {
    let app = TestApp::start(&[]).await;
    let key = &app.sandbox_key;
    product(&app, key).await;
    let stranger = app.key(events::clock::new_id(), false, events::vocab::words::Scope::ALL).await;
    let writer = app.key(app.owner, false, &[events::vocab::words::Scope::Write]).await;
    app.get(&writer, FEED).await.refused(403, "scope_required");
    for (query, status, code) in [
        ("limit=0", 422, "validation_failed"),
        ("limit=101", 422, "validation_failed"),
        ("wait_seconds=26", 422, "validation_failed"),
        ("after=x", 422, "validation_failed"),
        ("type=payment.imagined", 422, "unknown_event"),
        ("type=webhook.test", 422, "unknown_event"),
        ("product_id=00000000-0000-0000-0000-000000000000", 404, "product_not_found"),
    ] {
        app.get(key, &format!("{FEED}?{query}")).await.refused(status, code);
    }
    // Whoever waits is told as soon as it happens, and long before he would give up.
    let waiting = async {
        let begun = std::time::Instant::now();
        let page = app.get(key, &format!("{FEED}?wait_seconds=25")).await.ok();
        (page, begun.elapsed())
    };
    let (waited, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        access(&app, key, "cust_0").await;
    });
    assert_eq!(waited.0["items"].as_array().map(Vec::len), Some(1));
    assert!(waited.1 < std::time::Duration::from_secs(15), "{waited:?}");
    for number in 1..5 {
        access(&app, key, &format!("cust_{number}")).await;
    }
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let page = app.get(key, &format!("{FEED}?limit=2{after}")).await.ok();
        items.extend(page["items"].as_array().unwrap().clone());
        after = format!("&after={}", page["next_after"]);
        if page["has_more"] == json!(false) {
            assert_eq!(page["next_after"], page["head_position"]);
            assert_eq!(page["last_sequence"], items.last().unwrap()["sequence"]);
            break;
        }
    }
    let customers: Vec<_> = items.iter().map(|item| item["data"]["membership"]["external_customer_id"].clone()).collect();
    assert_eq!(customers, ["cust_0", "cust_1", "cust_2", "cust_3", "cust_4"].map(|customer| json!(customer)));
    assert!(items.windows(2).all(|pair| pair[1]["previous_sequence"] == pair[0]["sequence"]));
    assert_eq!(app.get(key, &format!("{FEED}?limit=2{after}")).await.ok()["items"], json!([]));
    let none = app.get(key, &format!("{FEED}?type=payment.confirmed")).await.ok();
    assert_eq!((&none["items"], &none["next_after"]), (&json!([]), &none["head_position"]));
    let theirs = app.get(&stranger, FEED).await.ok();
    assert_eq!((&theirs["items"], &theirs["last_sequence"]), (&json!([]), &Value::Null), "INV-19");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_is_signed_sent_once_and_in_no_feed() {
    let app = TestApp::start(&[]).await;
    let receiver = Receiver::start().await;
    let key = &app.sandbox_key;
    let (id, secret) = hook(&app, key, &receiver, "hook").await;
    receiver.answers("hook", [Answer::Status(500)], Answer::Status(200));
    for (number, status, reason) in [(1, "dead_lettered", json!("test_failed")), (2, "delivered", Value::Null)] {
        let sent = app.post(key, &format!("{HOOKS}/{id}/test"), json!({})).await;
        assert_eq!(sent.status.as_u16(), 202);
        let sent = sent.ok();
        let told = arrived(&receiver, "hook", number).await[number - 1].clone();
        assert!(told.verifies_with(&secret));
        let body = told.json();
        assert_eq!((&body["type"], &body["id"]), (&json!("webhook.test"), &sent["event_id"]));
        assert_eq!((&body["livemode"], &body["previous_sequence"]), (&json!(false), &Value::Null));
        let path = format!("{HOOKS}/{id}/deliveries/{}", sent["delivery_id"].as_str().unwrap());
        let delivery = app.until(key, &path, |body| body["status"] == json!(status)).await;
        assert_eq!((&delivery["dead_letter_reason"], delivery["attempts"].as_array().map(Vec::len)), (&reason, Some(1)));
    }
    assert_eq!(app.get(key, FEED).await.ok()["items"], json!([]));
    let subscribe = json!({"url": receiver.url("x"), "subscribed_events": ["webhook.test"]});
    app.post(key, HOOKS, subscribe).await.refused(422, "unknown_event");
    app.close().await;
}
