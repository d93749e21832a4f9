//! INV-19, 83, 92, AC-99: another owner's ids do not exist, and a key does what its scopes say.

use crate::{an_app, product_body, shop::Shop, wallet};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn another_owners_ids_do_not_exist() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_1").await;
    let session_id = session["payment_session"]["id"].as_str().unwrap();
    let product = app.get(&app.live_key, "/v1/access/products").await.ok()["items"][0].clone();
    let app_id = product["access_app_id"].clone();
    let hook = json!({"url": "https://api.example.com/h", "subscribed_events": ["payment.confirmed"]});
    let hook = app.post(&app.live_key, "/v1/access/webhooks", hook).await.ok();
    let ticket = json!({"subject": "Help", "category": "OTHER", "body": "A buyer says that access did not arrive."});
    let ticket = app.post(&app.live_key, "/v1/support/tickets", ticket).await.ok();

    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let (hook_id, ticket_id, access_product) = (text(&hook["id"]), text(&ticket["ticket_id"]), text(&product["id"]));
    for (path, code) in [
        (format!("/v1/access/apps/{}", text(&app_id)), "app_not_found"),
        (format!("/v1/access/products/{access_product}"), "product_not_found"),
        (format!("/v1/access/payment-sessions/{session_id}"), "payment_session_not_found"),
        (format!("/v1/access/webhooks/{hook_id}"), "webhook_not_found"),
        (format!("/v1/access/webhooks/{hook_id}/deliveries"), "webhook_not_found"),
        (format!("/v1/support/tickets/{ticket_id}"), "ticket_not_found"),
        ("/v1/access/rail-settings/solana_usdc".to_owned(), "rail_setting_not_found"),
        (format!("/v1/access/products/available-rails?product_id={access_product}"), "product_not_found"),
        ("/v1/access/products/available-rails?external_product_id=pro-ai-api".to_owned(), "product_not_found"),
    ] {
        app.get(&app.live_key, &path).await.ok();
        app.get(&stranger, &path).await.refused(404, code);
    }
    for list in ["/v1/access/apps", "/v1/access/products", "/v1/access/payment-sessions", "/v1/access/webhooks", "/v1/memberships"] {
        assert_eq!(app.get(&stranger, list).await.ok()["items"], json!([]), "{list}");
    }
    assert_eq!(app.get(&stranger, "/v1/support/tickets").await.ok()["tickets"], json!([]));
    assert_eq!(app.get(&stranger, "/v1/access/rail-settings").await.ok()["rail_settings"], json!([]));

    let refuse = async |path: &str, body: serde_json::Value, status: u16, code: &str| {
        app.post(&stranger, path, body).await.refused(status, code);
    };
    refuse("/v1/access/products", product_body(&app_id, "theirs", &wallet()), 404, "app_not_found").await;
    for product in
        [json!({"external_product_id": "pro-ai-api"}), json!({"product_id": product["product_id"]}), json!({"product_id": access_product})]
    {
        let mut body = json!({"external_customer_id": "cust_1", "rail": "solana_usdc"});
        body.as_object_mut().unwrap().extend(product.as_object().unwrap().clone());
        refuse("/v1/access/payment-sessions", body.clone(), 404, "product_not_found").await;
        refuse("/v1/access/entitlements/check", body, 404, "product_not_found").await;
    }
    let proof = json!({"payment_session_id": session_id, "external_customer_id": "cust_1", "rail": "solana_usdc",
        "tx_signature": events::vocab::bytes::TxSignature([3; 64]).to_string()});
    refuse("/v1/access/payment-proofs", proof, 404, "payment_session_not_found").await;
    let theirs = json!({"url": "https://api.example.com/h", "subscribed_events": ["payment.confirmed"], "product_ids": [access_product]});
    refuse("/v1/access/webhooks", theirs, 422, "validation_failed").await;
    let message = json!({"body": "A message on a ticket that is not mine."});
    refuse(&format!("/v1/support/tickets/{ticket_id}/message"), message, 404, "ticket_not_found").await;
    let sandbox = app.key(new_id::<OwnerId>(), false, Scope::ALL).await;
    let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": "c", "confirm_sandbox_mode": true, "rail": "x402"});
    app.post(&sandbox, "/v1/access/sandbox/payment-sessions", body).await.refused(404, "product_not_found");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let app = TestApp::start(&[]).await;
    Shop::open(&app).await;
    let routes: Vec<(Method, &str, Scope)> = vec![
        (Method::GET, "/v1/access/rails", Scope::Read),
        (Method::GET, "/v1/access/apps", Scope::Read),
        (Method::GET, "/v1/access/products", Scope::Read),
        (Method::GET, "/v1/access/rail-settings", Scope::Read),
        (Method::GET, "/v1/access/payment-sessions", Scope::Read),
        (Method::GET, "/v1/access/setup/readiness", Scope::Read),
        (Method::GET, "/v1/access/products/available-rails?external_product_id=pro-ai-api", Scope::Read),
        (Method::POST, "/v1/access/entitlements/check", Scope::Read),
        (Method::POST, "/v1/access/apps", Scope::Write),
        (Method::PUT, "/v1/access/rail-settings/solana_usdc", Scope::Write),
        (Method::POST, "/v1/access/products", Scope::Write),
        (Method::POST, "/v1/access/payment-sessions", Scope::Write),
        (Method::POST, "/v1/access/payment-proofs", Scope::Write),
        (Method::POST, "/v1/access/webhooks", Scope::Webhooks),
    ];
    let body = json!({"name": "x", "external_app_id": "x", "access_app_id": "x", "external_product_id": "x", "title": "x",
        "amount_minor_units": 1, "merchant_wallet": "x", "entitlement_duration_days": 1, "enabled": true, "external_customer_id": "x",
        "url": "x", "subscribed_events": []});
    for held in Scope::ALL {
        let key = app.key(app.owner, true, &[*held]).await;
        for (method, path, needed) in &routes {
            let mut request = app.request(method.clone(), path).header("X-Hilt-Key", &key);
            if *method != Method::GET {
                let idempotency: uuid::Uuid = new_id();
                request = request.header("Idempotency-Key", idempotency.to_string()).json(&body);
            }
            let answer = app.send(request).await;
            match held == needed {
                true => assert_ne!(answer.body["code"], json!("scope_required"), "{method} {path} with {held}"),
                false => drop(answer.refused(403, "scope_required")),
            }
        }
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_of_one_kind_and_one_owner() {
    let app = TestApp::start(&[]).await;
    an_app(&app, &app.live_key, "pro").await;
    let path = "/v1/access/apps";
    app.get_public(path).await.refused(401, "auth_required");
    for bad in ["hk_live_nothing", "nothing", "hk_sandbox_0000"] {
        app.get(bad, path).await.refused(401, "invalid_api_key");
    }
    app.send(app.request(Method::GET, path).bearer_auth("a.b.c")).await.refused(401, "invalid_token");
    let owner = app.token(Role::Owner, Some(app.owner)).await;
    let other = app.token(Role::Owner, Some(new_id())).await;
    let (staff, auditor) = (app.token(Role::Staff, None).await, app.token(Role::Auditor, None).await);
    let both = |token: &str| app.request(Method::GET, path).header("X-Hilt-Key", &app.live_key).bearer_auth(token);
    assert_eq!(app.send(both(&owner)).await.ok()["count"], json!(1));
    app.send(both(&other)).await.refused(401, "credential_conflict");
    for token in [&staff, &auditor] {
        app.send(app.request(Method::GET, path).bearer_auth(token)).await.refused(403, "merchant_required");
    }
    let audit = "/v1/admin/access/audit-events";
    for token in [&staff, &auditor] {
        app.send(app.request(Method::GET, audit).bearer_auth(token)).await.ok();
    }
    app.send(app.request(Method::GET, audit).bearer_auth(&owner)).await.refused(403, "staff_required");
    app.get(&app.live_key, audit).await.refused(403, "staff_required");
    let live_only = ["/v1/memberships", "/v1/receipts", "/v1/support/tickets"];
    for path in live_only {
        app.get(&app.sandbox_key, path).await.refused(403, "live_key_required");
        app.get(&app.live_key, path).await.ok();
    }
    app.close().await;
}
