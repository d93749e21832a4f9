//! The merchant's side: create, read, change, archive, and the workspace's profile.

use crate::{create, lounge, path, send, telegram, text, wallet, with};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_created_and_read_back_as_they_were_sent() {
    let app = TestApp::start(&[]).await;
    let mine = wallet();
    let first = create(&app, &lounge(&mine)).await;
    assert!(text(&first, "slug").starts_with("members-lounge-"), "AC-1: {first}");
    assert_eq!((&first["amount_minor_units"], &first["fixed_amount_lamports"]), (&json!(200_000), &json!(200_000)), "DIS-2");

    let discord =
        with(with(lounge(&mine), "delivery_type", json!("DISCORD_INVITE")), "delivery_value", json!("https://discord.gg/example"));
    let second = create(&app, &discord).await;
    assert_ne!(text(&second, "slug"), text(&first, "slug"), "AC-2");

    let asked = telegram(&mine);
    let made = create(&app, &asked).await;
    for (member, value) in asked.as_object().unwrap() {
        match value.as_object() {
            Some(settings) => settings.iter().for_each(|(name, value)| assert_eq!(&made[member][name], value, "AC-12: {member}.{name}")),
            None => assert_eq!(&made[member], value, "AC-12: {member}"),
        }
    }
    assert_eq!(
        (&made["amount_minor_units"], &made["asset_symbol"], &made["asset_decimals"]),
        (&json!(29_000_000), &json!("USDC"), &json!(6))
    );
    assert_eq!((&made["status"], &made["payment_count"]), (&json!("ACTIVE"), &json!(0)));
    assert_eq!(made["checkout_url"], json!(format!("https://www.hilt.so/p/{}", text(&made, "slug"))));
    assert_eq!(app.get(&app.live_key, &path(&made)).await.ok(), made, "AC-14: the answer is what a read shows");

    let list = app.get(&app.live_key, "/v1/products?status=active&product_type=payment_link&limit=2&offset=0").await.ok();
    assert_eq!((&list["count"], &list["items"][0], &list["has_more"]), (&json!(3), &made, &json!(true)), "AC-13, DIS-18");
    let next = format!("/v1/products?limit=2&cursor={}", text(&list, "next_cursor"));
    let rest = app.get(&app.live_key, &next).await.ok();
    assert_eq!((&rest["items"], &rest["has_more"]), (&json!([first]), &json!(false)));
    assert_eq!(app.get(&app.live_key, "/v1/products?product_type=TIP_JAR").await.ok()["count"], json!(0));

    let session = app.token(Role::Owner, Some(app.owner)).await;
    let seen = app.send(app.request(Method::GET, &path(&made)).bearer_auth(session)).await.ok();
    assert_eq!(seen, made, "DIS-1: either credential");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_product_is_told_by_code_and_field_and_changes_nothing() {
    let app = TestApp::start(&[]).await;
    let good = telegram(&wallet());
    let without = |member: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(member);
        body
    };
    let config = |member: &str, value: Value| {
        let mut body = good.clone();
        body["membership_config"][member] = value;
        body
    };
    let table = [
        (without("product_type"), 422, "validation_failed", "product_type"),
        (with(good.clone(), "product_type", json!("X")), 400, "unsupported_product_type", "product_type"),
        (without("fixed_amount_lamports"), 400, "fixed_amount_required", "amount_minor_units"),
        (with(good.clone(), "fixed_amount_lamports", json!(0)), 422, "amount_out_of_range", "amount_minor_units"),
        (with(good.clone(), "fixed_amount_lamports", json!(1_u64 << 53)), 422, "amount_out_of_range", "amount_minor_units"),
        (with(good.clone(), "fixed_amount_lamports", json!(-1)), 422, "validation_failed", "fixed_amount_lamports"),
        (with(good.clone(), "fixed_amount_lamports", json!(2.5)), 422, "validation_failed", "fixed_amount_lamports"),
        (with(good.clone(), "amount_minor_units", json!(1)), 422, "amount_conflict", "fixed_amount_lamports"),
        (without("title"), 422, "title_required", "title"),
        (without("merchant_wallet"), 422, "invalid_wallet", "merchant_wallet"),
        (with(good.clone(), "merchant_wallet", json!("bad wallet!")), 422, "invalid_wallet", "merchant_wallet"),
        (with(good.clone(), "token_mint", json!(wallet())), 422, "validation_failed", "token_mint"),
        (with(good.clone(), "delivery_type", json!("PIGEON")), 422, "validation_failed", "delivery_type"),
        (with(good.clone(), "delivery_value", json!("javascript:alert(1)")), 422, "validation_failed", "delivery_value"),
        (without("delivery_value"), 422, "validation_failed", "delivery_value"),
        (with(good.clone(), "max_payments", json!(0)), 422, "validation_failed", "max_payments"),
        (with(good.clone(), "tip_presets_lamports", json!([0])), 422, "validation_failed", "tip_presets_lamports"),
        (with(good.clone(), "branding", json!({"accent_hex": "blue"})), 422, "validation_failed", "branding.accent_hex"),
        (config("billing_interval_days", json!(0)), 422, "invalid_membership_config", "membership_config.billing_interval_days"),
        (config("grace_period_days", json!(-1)), 422, "invalid_membership_config", "membership_config.grace_period_days"),
        (
            config("renewal_reminder_offsets_days", json!([30])),
            422,
            "invalid_membership_config",
            "membership_config.renewal_reminder_offsets_days",
        ),
        (
            config("renewal_reminder_offsets_days", json!([2, 2])),
            422,
            "invalid_membership_config",
            "membership_config.renewal_reminder_offsets_days",
        ),
        (config("platform", json!("SLACK")), 422, "invalid_membership_config", "membership_config.platform"),
        (config("identity_type", json!(null)), 422, "invalid_membership_config", "membership_config.identity_type"),
        (config("billing_interval_days", json!("a month")), 422, "validation_failed", "membership_config.billing_interval_days"),
        (without("token_mint"), 503, "pricing_unavailable", ""),
    ];
    let before = app.state.log.head().await.unwrap().next_position;
    for (body, status, code, field) in table {
        let refused = send(&app, &app.live_key, Method::POST, "/v1/products", Some(&body)).await.refused(status, code);
        assert!(refused["detail"].is_string(), "AC-2: {refused}");
        assert_eq!(refused["errors"][0]["field"].as_str().unwrap_or_default(), field, "{refused}");
    }
    assert_eq!(app.state.log.head().await.unwrap().next_position, before, "nothing was appended");
    send(&app, &app.sandbox_key, Method::POST, "/v1/products", Some(&good)).await.refused(403, "live_key_required");
    app.get(&app.sandbox_key, "/v1/products").await.refused(403, "live_key_required");
    app.get_public("/v1/products").await.refused(401, "auth_required");
    let no_scopes = app.key(app.owner, true, &[Scope::Webhooks]).await;
    send(&app, &no_scopes, Method::POST, "/v1/products", Some(&good)).await.ok();
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_merged_recorded_once_and_private_where_it_must_be() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &telegram(&wallet())).await;
    let change = json!({
        "title": "Telegram Inner Circle", "description": "Updated description", "image_url": "https://cdn.example.com/new-cover.png",
        "delivery_value": "https://t.me/+updatedinvite", "membership_config": {"billing_interval_days": 30, "grace_period_days": 5},
    });
    let changed = send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&change)).await.ok();
    let config = &changed["membership_config"];
    assert_eq!((&config["grace_period_days"], &config["identity_required"]), (&json!(5), &json!(true)), "AC-15");
    assert_eq!(config["renewal_reminder_offsets_days"], json!([7, 2, 1]));
    assert_eq!((&changed["delivery_value"], &changed["max_payments"]), (&json!("https://t.me/+updatedinvite"), &json!(500)));
    assert_eq!(app.get(&app.live_key, &path(&made)).await.ok(), changed);

    let head = async || app.state.log.head().await.unwrap().next_position;
    let before = head().await;
    assert_eq!(send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&change)).await.ok(), changed);
    assert_eq!(head().await, before, "the same again is no event");

    let audit = format!("/v1/admin/access/audit-events?stream=product-{}", text(&made, "id"));
    let auditor = app.token(Role::Auditor, None).await;
    let trail = app.send(app.request(Method::GET, &audit).bearer_auth(auditor)).await.ok();
    let types: Vec<_> = trail["items"].as_array().unwrap().iter().map(|event| text(event, "event_type")).collect();
    assert_eq!(types, ["product.created", "product.updated"]);
    let changes = trail["items"][1]["data"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4, "title did not change: {changes:?}");
    assert!(!trail.to_string().contains("t.me"), "the link is sealed");
    let rows: Vec<String> = sqlx::query_scalar("SELECT table_schema FROM information_schema.tables WHERE table_name = 'products'")
        .fetch_all(app.state.log.pool())
        .await
        .unwrap();
    for schema in rows {
        let dump = format!("SELECT coalesce(string_agg(t::text, ''), '') FROM {schema}.products t");
        let dump: String = sqlx::query_scalar(sqlx::AssertSqlSafe(dump)).fetch_one(app.state.log.pool()).await.unwrap();
        assert!(!dump.contains("t.me"), "and in no read model");
    }

    let patch = async |body: Value, status: u16, code: &str| {
        send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&body)).await.refused(status, code);
    };
    patch(json!({"product_type": "TIP_JAR"}), 422, "validation_failed").await;
    patch(json!({"amount_minor_units": null}), 400, "fixed_amount_required").await;
    patch(json!({"token_mint": null}), 400, "fixed_amount_required").await;
    patch(json!({"token_mint": null, "amount_minor_units": 5}), 503, "pricing_unavailable").await;
    patch(json!({"title": " "}), 422, "title_required").await;
    patch(json!({"membership_config": {"renewal_reminder_offsets_days": [30]}}), 422, "invalid_membership_config").await;
    let cleared =
        send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&json!({"max_payments": null, "membership_config": null}))).await;
    let cleared = cleared.ok();
    assert_eq!((&cleared["max_payments"], &cleared["membership_config"]), (&Value::Null, &Value::Null), "null clears");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_product_and_another_body_is_refused() {
    let app = TestApp::start(&[]).await;
    let body = lounge(&wallet());
    let first = app.post_as(&app.live_key, "/v1/products", "product-1", body.clone()).await;
    let (position, made) = (first.position, first.ok());
    assert!(position.is_some(), "Hilt-Position");
    let again = app.post_as(&app.live_key, "/v1/products", "product-1", body.clone()).await;
    assert_eq!((again.replayed, again.position), (true, position));
    assert_eq!(again.ok(), made, "times included");
    let other = with(body, "title", json!("Another"));
    app.post_as(&app.live_key, "/v1/products", "product-1", other).await.refused(422, "idempotency_key_reused");
    assert_eq!(app.get(&app.live_key, "/v1/products").await.ok()["count"], json!(1));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_product_sells_no_more_and_its_trail_stays() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &lounge(&wallet())).await;
    let payment = crate::connect(&app, &made, &json!({"payer_wallet": wallet()})).await.ok();
    let archived = send(&app, &app.live_key, Method::DELETE, &path(&made), None).await.ok();
    assert_eq!((&archived["status"], &archived["id"]), (&json!("ARCHIVED"), &made["id"]), "AC-16");
    let before = app.state.log.head().await.unwrap().next_position;
    assert_eq!(send(&app, &app.live_key, Method::DELETE, &path(&made), None).await.ok(), archived, "a repeat is a no-op");
    assert_eq!(app.state.log.head().await.unwrap().next_position, before);
    assert_eq!(app.get(&app.live_key, "/v1/products?status=ACTIVE").await.ok()["count"], json!(0));
    assert_eq!(app.get(&app.live_key, "/v1/products?status=ARCHIVED").await.ok()["items"], json!([archived]));
    assert_eq!(app.get(&app.live_key, &path(&made)).await.ok(), archived, "INV-81");
    let payments = app.get(&app.live_key, &format!("{}/payments", path(&made))).await.ok();
    assert_eq!((&payments["count"], &payments["items"][0]["id"]), (&json!(1), &payment["payment_id"]));
    app.get_public(&format!("/v1/payments/{}", text(&payment, "payment_id"))).await.ok();

    let title = json!({"title": "Other"});
    send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&title)).await.refused(410, "product_archived");
    app.get_public(&format!("/v1/products/p/{}", text(&made, "slug"))).await.refused(410, "product_archived");
    crate::connect(&app, &made, &json!({"payer_wallet": wallet()})).await.refused(410, "product_archived");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owners_products_do_not_exist() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &lounge(&wallet())).await;
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    for tail in ["", "/payments", "/analytics"] {
        let theirs = format!("{}{tail}", path(&made));
        app.get(&app.live_key, &theirs).await.ok();
        app.get(&stranger, &theirs).await.refused(404, "product_not_found");
        let unknown = format!("/v1/products/{}{tail}", new_id::<OwnerId>());
        app.get(&app.live_key, &unknown).await.refused(404, "product_not_found");
        app.get(&app.live_key, &format!("/v1/products/nothing{tail}")).await.refused(404, "product_not_found");
    }
    let title = json!({"title": "Mine now"});
    send(&app, &stranger, Method::PATCH, &path(&made), Some(&title)).await.refused(404, "product_not_found");
    send(&app, &stranger, Method::DELETE, &path(&made), None).await.refused(404, "product_not_found");
    assert_eq!(app.get(&stranger, "/v1/products").await.ok()["items"], json!([]));
    assert_eq!(app.get(&app.live_key, &path(&made)).await.ok(), made);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_may_offer_no_hosted_products() {
    let app = TestApp::start(&[("HILT_HOSTED_PRODUCTS", "off")]).await;
    let body = lounge(&wallet());
    send(&app, &app.live_key, Method::POST, "/v1/products", Some(&body)).await.refused(503, "feature_disabled");
    app.until(&app.live_key, "/v1/products", |body| body["count"] == json!(0)).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_shows_itself_as_it_was_saved_last() {
    let app = TestApp::start(&[]).await;
    let put = async |body: &Value| send(&app, &app.live_key, Method::PUT, "/v1/workspace/profile", Some(body)).await;
    let empty = app.until(&app.live_key, "/v1/workspace/profile", |body| body.get("merchant_name").is_some()).await;
    assert_eq!((&empty["merchant_name"], &empty["address_lines"], &empty["updated_at"]), (&Value::Null, &json!([]), &Value::Null));
    let profile = json!({
        "merchant_name": "Example Merchant", "legal_name": "Example Ltd", "address_lines": ["1 Main Street", "12345 Town"],
        "tax_id": "GB123", "support_email": "help@example.com", "website": "https://example.com",
        "logo_url": "https://cdn.example.com/logo.png", "accent_hex": "#1d4ed8",
    });
    let saved = put(&profile).await.ok();
    for (member, value) in profile.as_object().unwrap() {
        assert_eq!(&saved[member], value);
    }
    assert_eq!(app.get(&app.live_key, "/v1/workspace/profile").await.ok(), saved);
    let before = app.state.log.head().await.unwrap().next_position;
    assert_eq!(put(&profile).await.ok(), saved);
    assert_eq!(app.state.log.head().await.unwrap().next_position, before, "the same again is no event");
    put(&json!({"website": "javascript:alert(1)"})).await.refused(422, "validation_failed");
    send(&app, &app.sandbox_key, Method::PUT, "/v1/workspace/profile", Some(&profile)).await.refused(403, "live_key_required");
    let stranger = app.key(new_id::<OwnerId>(), true, Scope::ALL).await;
    assert_eq!(app.get(&stranger, "/v1/workspace/profile").await.ok()["merchant_name"], Value::Null);

    let product =
        create(&app, &with(lounge(&wallet()), "branding", json!({"merchant_name": "Lounge", "success_button_label": "Go in"}))).await;
    let page = app.get_public(&format!("/v1/products/p/{}", text(&product, "slug"))).await.ok();
    let branding = &page["checkout_config"]["branding"];
    let own_wins = json!({"merchant_name": "Lounge", "logo_url": "https://cdn.example.com/logo.png", "hero_image_url": null,
        "success_button_label": "Go in", "accent_hex": "#1d4ed8"});
    assert_eq!(branding, &own_wins);
    let cleared = put(&json!({})).await.ok();
    assert_eq!(cleared["merchant_name"], Value::Null);
    app.close().await;
}
