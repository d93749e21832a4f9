//! RT-059: a product is paused, activated and changed, and the hosted product behind it says the same.

use crate::{an_app, product_body, shop::Shop, wallet};
use hilt_tests::app::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn change(app: &TestApp, key: &str, id: &str, body: Value) -> Answer {
    let idempotency: uuid::Uuid = events::clock::new_id();
    let request = app.request(Method::PATCH, &format!("/v1/access/products/{id}")).header("X-Hilt-Key", key);
    app.send(request.header("Idempotency-Key", idempotency.to_string()).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_live_product_starts_to_sell_or_changes_without_the_merchants_word() {
    let app = TestApp::start(&[]).await;
    let key = app.live_key.clone();
    Shop::open(&app).await;
    let product = app.get(&key, "/v1/access/products").await.ok()["items"][0].clone();
    let id = product["id"].as_str().unwrap();
    let open = async || {
        let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": "c", "rail": "solana_usdc"});
        app.post(&key, "/v1/access/payment-sessions", body).await
    };
    let before = open().await.ok();

    let paused = change(&app, &key, id, json!({"status": "paused"})).await.ok();
    assert_eq!((&paused["status"], &paused["id"]), (&json!("paused"), &product["id"]));
    assert_eq!(paused["created_at"], product["created_at"]);
    open().await.refused(409, "product_not_active");
    let refused = change(&app, &key, id, json!({"status": "active"})).await.refused(422, "live_mode_confirmation_required");
    assert_eq!(refused["errors"][0]["field"], json!("live_mode_confirmed"), "{refused}");
    change(&app, &key, id, json!({"status": "active", "live_mode_confirmed": false})).await.refused(422, "live_mode_confirmation_required");
    let edited = change(&app, &key, id, json!({"title": "Pro, a year", "description": null, "amount_minor_units": 90_000_000})).await.ok();
    assert_eq!((&edited["title"], &edited["description"], &edited["status"]), (&json!("Pro, a year"), &json!(null), &json!("paused")));
    let sells = change(&app, &key, id, json!({"status": "active", "live_mode_confirmed": true})).await.ok();
    assert_eq!((&sells["status"], &sells["live_mode_confirmed"]), (&json!("active"), &json!(true)));
    change(&app, &key, id, json!({"amount_minor_units": 1})).await.refused(422, "live_mode_confirmation_required");
    let dearer = json!({"amount_minor_units": 95_000_000, "entitlement_duration_days": 365, "live_mode_confirmed": true});
    let dearer = change(&app, &key, id, dearer).await.ok();
    assert_eq!(app.get(&key, &format!("/v1/access/products/{id}")).await.ok(), dearer, "CV-13");

    let after = open().await.ok();
    let asks = |session: &Value| session["payment_session"]["payment_requirement"]["gross_amount_minor_units"].clone();
    assert_eq!((asks(&before), asks(&after)), (json!(25_000_000), json!(95_000_000)), "an open session keeps its price");
    let hosted = app.get(&key, &format!("/v1/products/{}", product["product_id"].as_str().unwrap())).await.ok();
    assert_eq!((&hosted["title"], &hosted["amount_minor_units"]), (&json!("Pro, a year"), &json!(95_000_000)));
    assert_eq!(hosted["membership_config"]["billing_interval_days"], json!(365));
    for name in ["access_product.updated", "access_product.activated", "access_product.paused"] {
        assert!(!crate::shop::events_of_type(&app, name).await.is_empty(), "{name}");
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_the_rules_and_says_what_never_changes() {
    let app = TestApp::start(&[]).await;
    let key = app.sandbox_key.clone();
    let own = an_app(&app, &key, "pro").await;
    let mut body = product_body(&own["id"], "pro-ai-api", &wallet());
    body["status"] = json!("paused");
    let product = app.post(&key, "/v1/access/products", body).await.ok();
    let id = product["id"].as_str().unwrap();
    for (body, code, field) in [
        (json!({"title": "  "}), "title_required", None),
        (json!({"amount_minor_units": 0}), "amount_out_of_range", None),
        (json!({"entitlement_duration_days": 0}), "entitlement_duration_out_of_range", None),
        (json!({"default_rail": "x402"}), "default_rail_not_allowed", None),
        (json!({"allowed_rails": ["base_usdc"]}), "default_rail_not_allowed", None),
        (json!({"allowed_rails": "some"}), "validation_failed", Some("allowed_rails")),
        (json!({"default_rail": "paypal"}), "unknown_rail", Some("default_rail")),
        (json!({"status": "sold"}), "validation_failed", Some("status")),
        (json!({"merchant_wallet": wallet()}), "validation_failed", Some("merchant_wallet")),
        (json!({"external_product_id": "other"}), "validation_failed", Some("external_product_id")),
        (json!({"access_app_id": id}), "validation_failed", Some("access_app_id")),
        (json!({"title": 5}), "validation_failed", Some("title")),
    ] {
        let refused = change(&app, &key, id, body.clone()).await.refused(422, code);
        if let Some(field) = field {
            assert_eq!(refused["errors"][0]["field"], json!(field), "{body}: {refused}");
        }
    }
    assert_eq!(app.get(&key, &format!("/v1/access/products/{id}")).await.ok(), product, "a refusal changes nothing");
    let same = json!({"merchant_wallet": product["merchant_wallet"], "external_product_id": "pro-ai-api", "title": product["title"]});
    assert_eq!(change(&app, &key, id, same).await.ok(), product, "what is so already is no change");
    let all = change(&app, &key, id, json!({"allowed_rails": "all", "status": "active"})).await.ok();
    assert_eq!((all["allowed_rails"].as_array().unwrap().len(), &all["status"]), (8, &json!("active")), "a sandbox product needs no word");

    change(&app, &app.live_key, id, json!({"status": "paused"})).await.refused(404, "product_not_found");
    change(&app, &key, "nothing", json!({"status": "paused"})).await.refused(404, "product_not_found");
    let request = app.request(Method::PATCH, &format!("/v1/access/products/{id}")).header("X-Hilt-Key", &key);
    app.send(request.json(&json!({"status": "paused"}))).await.refused(400, "idempotency_key_required");
    app.close().await;
}
