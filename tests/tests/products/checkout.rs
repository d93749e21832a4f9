//! The buyer's side: the public payload and the start of a payment.

use crate::{FEE_WALLET, USDC, connect, create, keys, lounge, path, send, telegram, text, wallet, with};
use events::vocab::{time::Timestamp, words::Scope};
use hilt_tests::app::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn the_public_payload_has_the_documented_keys_and_no_private_link() {
    let app = TestApp::start(&[("HILT_TELEGRAM_BOT_USERNAME", "@HiltConnectBot")]).await;
    let mine = wallet();
    let branding = json!({"merchant_name": "Example Merchant", "logo_url": "https://cdn.example.com/logo.png",
        "hero_image_url": "https://cdn.example.com/hero.png", "success_button_label": "Join Telegram", "accent_hex": "#1d4ed8"});
    let made = create(&app, &with(telegram(&mine), "branding", branding.clone())).await;
    let slug = text(&made, "slug");
    let page = app.get_public(&format!("/v1/products/p/{slug}")).await.ok();
    let documented: BTreeSet<_> = [
        "id",
        "slug",
        "title",
        "description",
        "image_url",
        "fixed_amount_lamports",
        "token_mint",
        "merchant_wallet",
        "delivery_type",
        "payment_count",
        "checkout_config",
        "amount_minor_units",
        "asset_symbol",
        "asset_decimals",
        "product_type",
        "identity_required",
        "identity_type",
        "identity_label",
    ]
    .into();
    assert_eq!(keys(&page).into_iter().collect::<BTreeSet<_>>(), documented, "AC-17");
    let config = &page["checkout_config"];
    assert_eq!(
        (&config["default_route"], &config["payment_asset"], &config["payment_chain"]),
        (&json!("phantom"), &json!("USDC"), &json!("SOLANA"))
    );
    assert_eq!(config["branding"], branding);
    let connect_url = format!("https://api.hilt.so/v1/products/p/{slug}/discord-connect/start");
    assert_eq!(config["identity_connect"], json!({"telegram_bot_username": "HiltConnectBot", "discord_connect_url": connect_url}));
    assert_eq!((&page["merchant_wallet"], &page["token_mint"], &page["payment_count"]), (&json!(mine), &json!(USDC), &json!(0)));
    assert!(!page.to_string().contains("privateinvite"), "INV: never the delivery value");
    app.get_public("/v1/products/p/nothing").await.refused(404, "product_not_found");

    let answer = app.request(Method::GET, &format!("/v1/products/p/{slug}")).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "public, max-age=5");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_asks_for_the_price_and_its_fee() {
    let app = TestApp::start(&[]).await;
    let mine = wallet();
    let made = create(&app, &lounge(&mine)).await;
    let minimal = connect(&app, &made, &json!({"payer_wallet": wallet()})).await.ok();
    for member in ["payment_id", "amount_minor_units", "merchant_amount_minor_units", "asset_symbol", "expires_at"] {
        assert!(!minimal[member].is_null(), "AC-4: {member}");
    }
    let reference = json!({"payer_wallet": wallet(), "customer_reference_type": "TELEGRAM_USER_ID",
        "customer_reference_value": "728255790", "customer_reference_display": "@crzypeas"});
    let answer = connect(&app, &made, &reference).await;
    let position = answer.position;
    let payment = answer.ok();
    assert!(position.is_some());
    let expected = json!({"amount_minor_units": 200_000, "merchant_amount_minor_units": 199_800, "fee_minor_units": 200,
        "fee_wallet": FEE_WALLET, "token_mint": USDC, "asset_symbol": "USDC", "asset_decimals": 6, "merchant_wallet": mine,
        "status": "PENDING_SIGNATURE"});
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&payment[member], value, "AC-18: {member}");
    }
    let phone = &payment["phantom_mobile"];
    assert!(text(phone, "connect_url").starts_with("https://phantom.app/ul/") && phone["dapp_public_key"].is_string(), "AC-18: {phone}");
    let nonce = text(&payment, "nonce");
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{nonce}");
    let expires_at: Timestamp = serde_json::from_value(payment["expires_at"].clone()).unwrap();
    let left = expires_at.seconds() - app.clock.now().seconds();
    assert!((1_790..=1_800).contains(&left), "thirty minutes: {left}");

    let items = app.get(&app.live_key, &format!("{}/payments", path(&made))).await.ok();
    let item = &items["items"][0];
    assert_eq!((&item["customer_reference_value"], &item["customer_reference_display"]), (&json!("728255790"), &json!("@crzypeas")));
    let public = app.get_public(&format!("/v1/payments/{}", text(&payment, "payment_id"))).await.ok();
    let safe: BTreeSet<_> =
        ["id", "product_id", "status", "tx_signature", "confirmed_at", "failed_at", "failure_reason", "delivery_status", "membership_id"]
            .into();
    assert_eq!(keys(&public).into_iter().collect::<BTreeSet<_>>(), safe, "INV-69");

    let refuse = async |body: Value, status: u16, code: &str| connect(&app, &made, &body).await.refused(status, code);
    refuse(json!({"payer_wallet": "bad wallet!"}), 422, "invalid_wallet").await;
    refuse(json!({}), 422, "validation_failed").await;
    refuse(json!({"payer_wallet": mine}), 422, "invalid_wallet").await;
    refuse(json!({"payer_wallet": FEE_WALLET}), 422, "invalid_wallet").await;
    refuse(json!({"payer_wallet": wallet(), "amount_minor_units": 1}), 422, "validation_failed").await;
    refuse(
        json!({"payer_wallet": wallet(), "customer_reference_type": "PASSPORT", "customer_reference_value": "1"}),
        422,
        "validation_failed",
    )
    .await;
    refuse(json!({"payer_wallet": wallet(), "identity_type": "TELEGRAM_USER_ID"}), 422, "validation_failed").await;
    let nowhere = json!({"slug": "nothing"});
    connect(&app, &nowhere, &json!({"payer_wallet": wallet()})).await.refused(404, "product_not_found");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_is_for_later_payments_only() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &lounge(&wallet())).await;
    let before = connect(&app, &made, &json!({"payer_wallet": wallet()})).await.ok();
    send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&json!({"amount_minor_units": 500_000}))).await.ok();
    let after = connect(&app, &made, &json!({"payer_wallet": wallet()})).await.ok();
    assert_eq!((&before["amount_minor_units"], &after["amount_minor_units"]), (&json!(200_000), &json!(500_000)));
    let items = app.get(&app.live_key, &format!("{}/payments", path(&made))).await.ok();
    assert_eq!((&items["items"][0]["amount_minor_units"], &items["items"][1]["amount_minor_units"]), (&json!(500_000), &json!(200_000)));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_of_a_tip_jar_chooses_the_amount() {
    let app = TestApp::start(&[]).await;
    let jar = json!({"product_type": "TIP_JAR", "title": "Tips", "token_mint": USDC, "merchant_wallet": wallet(),
        "tip_presets_lamports": [1_000_000, 5_000_000]});
    let made = create(&app, &jar).await;
    assert_eq!((&made["amount_minor_units"], &made["tip_presets_lamports"]), (&Value::Null, &json!([1_000_000, 5_000_000])));
    let page = app.get_public(&format!("/v1/products/p/{}", text(&made, "slug"))).await.ok();
    assert_eq!((&page["amount_minor_units"], &page["tip_presets_lamports"]), (&Value::Null, &json!([1_000_000, 5_000_000])));
    let tip = connect(&app, &made, &json!({"payer_wallet": wallet(), "amount_minor_units": 1_234_567})).await.ok();
    assert_eq!((&tip["amount_minor_units"], &tip["fee_minor_units"]), (&json!(1_234_567), &json!(1_234)), "INV-38: rounded down");
    let tiny = connect(&app, &made, &json!({"payer_wallet": wallet(), "amount_minor_units": 999})).await.ok();
    assert_eq!(
        (&tiny["fee_minor_units"], &tiny["fee_wallet"], &tiny["merchant_amount_minor_units"]),
        (&json!(0), &Value::Null, &json!(999))
    );
    for (amount, code) in
        [(json!(null), "validation_failed"), (json!(0), "amount_out_of_range"), (json!(1_u64 << 53), "amount_out_of_range")]
    {
        connect(&app, &made, &json!({"payer_wallet": wallet(), "amount_minor_units": amount})).await.refused(422, code);
    }
    app.close().await;
}

/// Connects `buyers` at once; how many got a payment. The rest must be told that the product is sold out.
async fn rush(app: &TestApp, product: &Value, buyers: usize) -> usize {
    let body = json!({"payer_wallet": wallet()});
    let answers = futures::future::join_all((0..buyers).map(|_| connect(app, product, &body))).await;
    let mut sold = 0;
    for answer in answers {
        match answer.status.as_u16() {
            201 => sold += 1,
            _ => drop(answer.refused(409, "max_payments_reached")),
        }
    }
    sold
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capped_product_is_never_oversold_and_a_place_comes_back() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &with(lounge(&wallet()), "max_payments", json!(7))).await;
    assert_eq!(rush(&app, &made, 50).await, 7, "fifty at once for seven places");
    assert_eq!(rush(&app, &made, 3).await, 0);

    app.clock.advance_seconds(1_800 + 121);
    let payments = format!("{}/payments?status=expired", path(&made));
    app.until(&app.live_key, &payments, |body| body["count"] == json!(7)).await;
    let deadline = std::time::Instant::now() + hilt_tests::app::SOON;
    let mut again = 0;
    while again < 7 {
        again += rush(&app, &made, 4).await;
        assert!(std::time::Instant::now() < deadline, "the places of expired payments never came back: {again}");
    }
    assert_eq!(again, 7, "each place once more");
    assert_eq!(rush(&app, &made, 10).await, 0);

    let cap = async |payments: Value| {
        send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&json!({"max_payments": payments}))).await.ok();
    };
    cap(json!(3)).await;
    assert_eq!(rush(&app, &made, 5).await, 0, "a lower cap counts what is open");
    cap(json!(9)).await;
    assert_eq!(rush(&app, &made, 12).await, 2);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_that_is_set_later_counts_the_payments_before_it() {
    let app = TestApp::start(&[]).await;
    let made = create(&app, &lounge(&wallet())).await;
    assert_eq!(rush(&app, &made, 5).await, 5);
    send(&app, &app.live_key, Method::PATCH, &path(&made), Some(&json!({"max_payments": 6}))).await.ok();
    assert_eq!(rush(&app, &made, 20).await, 1);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_backs_an_access_product_is_shown_and_sold_only_by_its_sessions() {
    let app = TestApp::start(&[]).await;
    let key = app.key(app.owner, true, Scope::ALL).await;
    let made =
        app.post(&key, "/v1/access/apps", json!({"name": "Pro", "external_app_id": "pro", "default_rail": "solana_usdc"})).await.ok();
    let body = json!({"access_app_id": made["id"], "external_product_id": "pro", "title": "Pro", "amount_minor_units": 5_000_000,
        "merchant_wallet": wallet(), "entitlement_duration_days": 30, "status": "active", "live_mode_confirmed": true});
    let access = app.post(&key, "/v1/access/products", body).await.ok();
    let backing = app.get(&key, &format!("/v1/products/{}", text(&access, "product_id"))).await.ok();
    assert_eq!(backing["access_product_id"], access["id"]);
    send(&app, &key, Method::PATCH, &path(&backing), Some(&json!({"amount_minor_units": 1}))).await.refused(409, "backing_product");
    send(&app, &key, Method::DELETE, &path(&backing), None).await.refused(409, "backing_product");
    app.get_public(&format!("/v1/products/p/{}", text(&backing, "slug"))).await.ok();
    connect(&app, &backing, &json!({"payer_wallet": wallet()})).await.refused(404, "product_not_found");
    app.close().await;
}
