//! Apps, rail settings, products, readiness and rails: AC-50, 51, 53, 54, 55, 69.

use crate::{an_app, has_keys, product_body, put, shop::Shop, wallet};
use api::http::jwt::Role;
use events::{clock::new_id, vocab::id::OwnerId};
use hilt_tests::app::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_created_once_for_each_key_and_its_external_id_is_taken() {
    let app = TestApp::start(&[]).await;
    let body = json!({"name": "Pro AI API", "external_app_id": "pro-ai-api", "rail": "solana_usdc", "default_rail": "solana_usdc"});
    let path = "/v1/access/apps";
    let first = app.post_as(&app.live_key, path, "app-pro-ai-api-001", body.clone()).await;
    assert_eq!((first.status.as_u16(), first.replayed), (201, false));
    let position = first.position.expect("a write names its position");
    let made = first.ok();
    has_keys(&made, &["id", "name", "external_app_id", "rail_id", "default_rail", "livemode", "created_at"]);
    assert_eq!((&made["external_app_id"], &made["livemode"]), (&json!("pro-ai-api"), &json!(true)));

    let again = app.post_as(&app.live_key, path, "app-pro-ai-api-001", body.clone()).await;
    assert_eq!((again.status.as_u16(), again.replayed, again.position), (201, true, Some(position)));
    assert_eq!(again.ok(), made, "AC-50: the stored answer");
    let mut other = body.clone();
    other["name"] = json!("Another");
    app.post_as(&app.live_key, path, "app-pro-ai-api-001", other).await.refused(422, "idempotency_key_reused");
    app.post(&app.live_key, path, body.clone()).await.refused(409, "external_app_id_conflict");
    app.post(&app.sandbox_key, path, body.clone()).await.ok();
    let mut unknown = body.clone();
    unknown["default_rail"] = json!("paypal");
    app.post(&app.live_key, path, unknown).await.refused(422, "unknown_rail");
    let mut conflict = body.clone();
    conflict["rail"] = json!("x402");
    app.post(&app.live_key, path, conflict).await.refused(422, "rail_conflict");
    for missing in ["name", "external_app_id"] {
        let mut lacking = body.clone();
        lacking.as_object_mut().unwrap().remove(missing);
        let refused = app.post(&app.live_key, path, lacking).await.refused(422, "validation_failed");
        assert!(refused["detail"].as_str().unwrap().contains(missing), "{refused}");
    }

    let read = app.get(&app.live_key, &format!("{path}/{}", made["id"].as_str().unwrap())).await.ok();
    assert_eq!((&read["id"], &read["external_app_id"]), (&made["id"], &made["external_app_id"]));
    let list = app.get(&app.live_key, path).await.ok();
    assert_eq!((&list["count"], &list["items"][0]["id"]), (&json!(1), &made["id"]), "a sandbox app is not among the live ones");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_calls_at_once_with_one_key_have_one_effect() {
    let app = TestApp::start(&[]).await;
    let body = json!({"name": "Pro", "external_app_id": "pro", "default_rail": "solana_usdc"});
    let calls = (0..20).map(|_| app.post_as(&app.live_key, "/v1/access/apps", "one-key", body.clone()));
    let answers = futures::future::join_all(calls).await;
    let mut ids = std::collections::BTreeSet::new();
    let mut first = 0;
    for answer in answers {
        match answer.status.as_u16() {
            409 => drop(answer.refused(409, "idempotency_in_progress")),
            _ => {
                first += usize::from(!answer.replayed);
                ids.insert(answer.ok()["id"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!((first, ids.len()), (1, 1));
    assert_eq!(app.get(&app.live_key, "/v1/access/apps").await.ok()["count"], json!(1));
    let made = crate::shop::events_of_type(&app, "access_app.created").await;
    assert_eq!(made.len(), 1, "INV-84");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rail_setting_is_verified_reviewed_or_refused() {
    let app = TestApp::start(&[]).await;
    let (payout, path) = (wallet(), "/v1/access/rail-settings/solana_usdc");
    let body = json!({"enabled": true, "mode": "live", "payout_address": payout, "label": "Primary Solana USDC payout"});
    let saved = put(&app, &app.live_key, path, body.clone()).await.ok();
    let keys =
        ["rail_id", "enabled", "mode", "payout_address", "label", "status", "fee_collection", "blockers", "pending_review_age_seconds"];
    has_keys(&saved, &keys);
    assert_eq!((&saved["status"], &saved["blockers"]), (&json!("verified"), &json!([])), "DIS-10");
    let read = app.get(&app.live_key, path).await.ok();
    assert_eq!((&read["status"], &read["payout_address"], &read["label"]), (&saved["status"], &json!(payout), &saved["label"]));
    has_keys(&app.get(&app.live_key, "/v1/access/rail-settings").await.ok(), &["rail_settings"]);

    let bad = |address: Value| json!({"enabled": true, "mode": "live", "payout_address": address});
    for address in ["YOUR_SOLANA_PAYOUT_WALLET", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "1111"] {
        let refused = put(&app, &app.live_key, path, bad(json!(address))).await.refused(422, "invalid_wallet");
        assert_eq!(refused["errors"][0]["field"], json!("payout_address"), "{refused}");
    }
    put(&app, &app.live_key, "/v1/access/rail-settings/paypal", body.clone()).await.refused(422, "unknown_rail");
    put(&app, &app.live_key, "/v1/access/rail-settings/usdt", body.clone()).await.refused(422, "rail_family_not_configurable");
    put(&app, &app.sandbox_key, path, body.clone()).await.refused(403, "live_key_required");
    let base = json!({"enabled": true, "mode": "live", "payout_address": "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"});
    let waiting = put(&app, &app.live_key, "/v1/access/rail-settings/base_usdc", base).await.ok();
    assert_eq!(waiting["status"], json!("pending_review"), "two people look at every other live rail");
    let age = waiting["pending_review_age_seconds"].as_i64();
    assert!(age.is_some_and(|age| age >= 0), "{waiting}");
    app.get(&app.live_key, "/v1/access/rail-settings/tron_usdt").await.refused(404, "rail_setting_not_found");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_keeps_its_rules() {
    let app = TestApp::start(&[]).await;
    let own = an_app(&app, &app.live_key, "pro").await;
    let body = product_body(&own["id"], "pro-ai-api", &wallet());
    let path = "/v1/access/products";
    let altered = |field: &str, value: Value| {
        let mut body = body.clone();
        body["external_product_id"] = json!(format!("other-{field}"));
        body[field] = value;
        body
    };
    let made = app.post(&app.live_key, path, body.clone()).await.ok();
    let keys = [
        "id",
        "access_product_id",
        "product_id",
        "access_app_id",
        "external_product_id",
        "title",
        "description",
        "amount_minor_units",
        "entitlement_duration_days",
        "default_rail",
        "allowed_rails",
        "status",
        "livemode",
        "live_mode_confirmed",
        "created_at",
    ];
    has_keys(&made, &keys);
    assert_eq!((&made["id"], &made["status"]), (&made["access_product_id"], &json!("active")));
    let read = app.get(&app.live_key, &format!("{path}/{}", made["id"].as_str().unwrap())).await.ok();
    for key in keys {
        assert_eq!(read[key], made[key], "{key}: what was answered is what is read");
    }

    app.post(&app.live_key, path, body.clone()).await.refused(409, "external_product_id_conflict");
    for (field, value, code) in [
        ("live_mode_confirmed", json!(false), "live_mode_confirmation_required"),
        ("default_rail", json!("x402"), "default_rail_not_allowed"),
        ("default_rail", json!("paypal"), "unknown_rail"),
        ("allowed_rails", json!(["paypal"]), "unknown_rail"),
        ("allowed_rails", json!("some"), "validation_failed"),
        ("amount_minor_units", json!(0), "amount_out_of_range"),
        ("amount_minor_units", json!(1_u64 << 53), "amount_out_of_range"),
        ("amount_minor_units", json!("25"), "validation_failed"),
        ("amount_minor_units", json!(2.5), "validation_failed"),
        ("amount_minor_units", json!(-1), "validation_failed"),
        ("merchant_wallet", json!("YOUR_SOLANA_PAYOUT_WALLET"), "invalid_wallet"),
        ("entitlement_duration_days", json!(0), "entitlement_duration_out_of_range"),
        ("title", json!(" "), "title_required"),
        ("status", json!("on"), "validation_failed"),
    ] {
        app.post(&app.live_key, path, altered(field, value)).await.refused(422, code);
    }
    app.post(&app.live_key, path, altered("external_product_id", json!(""))).await.refused(422, "external_product_id_required");
    for unknown in [json!(new_id::<uuid::Uuid>()), json!("no-id")] {
        app.post(&app.live_key, path, altered("access_app_id", unknown)).await.refused(404, "app_not_found");
    }
    let mut paused = altered("status", json!("paused"));
    paused.as_object_mut().unwrap().remove("live_mode_confirmed");
    assert_eq!(app.post(&app.live_key, path, paused).await.ok()["status"], json!("paused"), "AC-53");
    let mut unsaid = altered("title", json!("T"));
    unsaid.as_object_mut().unwrap().remove("status");
    assert_eq!(app.post(&app.live_key, path, unsaid).await.ok()["status"], json!("paused"), "paused unless told");
    let all = app.post(&app.live_key, path, altered("allowed_rails", json!("all"))).await.ok();
    assert_eq!(all["allowed_rails"].as_array().unwrap().len(), 8);
    let most = app.post(&app.live_key, path, altered("amount_minor_units", json!((1_u64 << 53) - 1))).await.ok();
    assert_eq!(most["amount_minor_units"], json!((1_u64 << 53) - 1));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_and_rails_say_what_is_missing_and_what_can_be_paid() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let ready_path = format!("/v1/access/setup/readiness?external_product_id={}", shop.product);
    let ready = app.get(&app.live_key, &ready_path).await.ok();
    has_keys(&ready, &["ready", "mode", "blockers", "next_actions", "rails", "app", "product", "webhooks"]);
    assert_eq!((&ready["ready"], &ready["mode"]), (&json!(false), &json!("live")));
    let next = "Register a webhook covering payment, receipt, activation, and expiry events.";
    let blocker = json!({"code": "webhook_events_missing", "endpoint": "POST /v1/access/webhooks", "next_action": next});
    assert_eq!(ready["blockers"], json!([blocker]), "AC-54");
    let options = &ready["rails"]["payment_session_options"];
    assert_eq!(ready["rails"]["allowed_rails"], json!(["solana_usdc"]));
    assert_eq!((&options["rail_required"], &options["auto_select_rail"]), (&json!(false), &json!("solana_usdc")));
    assert_eq!(options["session_creatable_rails"], json!([{"rail_id": "solana_usdc"}]));
    let x402 = json!({"rail_id": "x402", "payment_session_blocker": "payment_session_adapter_not_implemented"});
    assert!(options["session_blocked_rails"].as_array().unwrap().contains(&x402), "{options}");

    let rails = app.get(&app.live_key, &format!("/v1/access/products/available-rails?external_product_id={}", shop.product)).await.ok();
    assert_eq!((&rails["mode"], &rails["default_rail"]), (&json!("live"), &json!("solana_usdc")));
    assert_eq!(rails["allowed_rails"], json!(["solana_usdc"]));
    let row = |row: &Value| json!({"rail_id": row["rail_id"], "available": row["available"], "blockers": row["blockers"], "payment_session": row["payment_session"]});
    let expected = json!({"rail_id": "solana_usdc", "available": true, "blockers": [], "payment_session": {"creatable": true}});
    assert_eq!(row(&rails["available_rails"][0]), expected, "AC-55");
    let blocked: Vec<Value> = rails["blocked_rails"].as_array().unwrap().iter().map(row).collect();
    let base = json!({"rail_id": "base_usdc", "available": false, "blockers": ["platform_rail_not_production_enabled"],
        "payment_session": {"creatable": false}});
    assert!(blocked.contains(&base), "{blocked:#?}");
    assert_eq!(blocked.len(), 7, "every known rail is evaluated");
    let options = &rails["payment_session_options"];
    assert_eq!(
        (&options["selection_field"], &options["rail_required"], &options["auto_select_rail"]),
        (&json!("rail"), &json!(false), &json!("solana_usdc"))
    );
    let base = json!({"rail_id": "base_usdc", "payment_session_blocker": "rail_not_effective"});
    assert!(options["session_blocked_rails"].as_array().unwrap().contains(&base), "{options}");

    let hook = json!({"label": "sync", "url": "https://api.example.com/hilt/webhook", "product_ids": [],
        "subscribed_events": ["payment.confirmed", "receipt.created", "membership.activated", "membership.expired", "delivery.failed"]});
    app.post(&app.live_key, "/v1/access/webhooks", hook).await.ok();
    let ready = app.get(&app.live_key, &ready_path).await.ok();
    assert_eq!((&ready["ready"], &ready["blockers"]), (&json!(true), &json!([])));
    app.get(&app.live_key, "/v1/access/products/available-rails?external_product_id=nothing").await.refused(404, "product_not_found");
    let nothing = app.get(&app.live_key, "/v1/access/setup/readiness?external_product_id=nothing").await.ok();
    assert_eq!(nothing["blockers"][0]["code"], json!("product_missing"));
    app.get(&app.live_key, "/v1/access/setup/readiness?external_product_id=x&mode=test").await.refused(422, "validation_failed");
    app.get(&app.sandbox_key, "/v1/access/setup/readiness?mode=live").await.refused(403, "live_key_required");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rails_are_listed_with_all_that_is_said_of_them() {
    let app = TestApp::start(&[]).await;
    let rails = app.get(&app.live_key, "/v1/access/rails").await.ok();
    let rails = rails["rails"].as_array().unwrap();
    assert_eq!(rails.len(), 8);
    let row = |id: &str| rails.iter().find(|rail| rail["rail_id"] == json!(id)).unwrap();
    let x402 = row("x402");
    for (key, value) in [
        ("status", json!("sandbox_available")),
        ("supports_sandbox", json!(true)),
        ("supports_live", json!(false)),
        ("requires_review", json!(true)),
        ("production_enabled", json!(false)),
        ("sandbox_enabled", json!(true)),
        ("confirmation_policy", json!("Developer-demo shape only; no Hilt live settlement confirmation in V0.")),
        ("settlement_verification_status", json!("sandbox_shape_only")),
        ("entitlement_activation_support", json!("sandbox_or_manually_seeded_checks_only_no_live_activation")),
        ("kill_switch_state", json!("not_tripped")),
    ] {
        assert_eq!(x402[key], value, "AC-69: {key}");
    }
    let policy = "Required before live use: facilitator proof uniqueness, nonce/payment header replay guard, and receipt proof mapping.";
    assert_eq!(x402["replay_protection_policy"], json!(policy));
    let solana = row("solana_usdc");
    assert_eq!((&solana["network"], &solana["settlement_asset"]), (&json!("solana:mainnet"), &json!("USDC")));
    let owner: OwnerId = new_id();
    let session = app.token(Role::Owner, Some(owner)).await;
    app.send(app.request(reqwest::Method::GET, "/v1/access/rails").bearer_auth(session)).await.ok();
    app.close().await;
}
