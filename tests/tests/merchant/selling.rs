//! Products and checkout: AC-1 to AC-6, AC-11 to AC-27.

use super::desk::{Desk, USDC, has, keys};
use events::vocab::{bytes::TxSignature, time::Timestamp};
use hilt_tests::solana_tx::Keypair;
use reqwest::Method;
use serde_json::{Value, json};

fn instant(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().expect("a time")).expect("RFC 3339")
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_made_changed_listed_and_archived() {
    let desk = Desk::open().await;
    let lounge = desk.members_lounge().await;
    assert_eq!((&lounge["amount_minor_units"], &lounge["fixed_amount_lamports"]), (&json!(200_000), &json!(200_000)), "AC-1");
    assert!(!lounge["slug"].as_str().unwrap().is_empty());

    let circle = desk.inner_circle().await;
    assert_eq!(circle["delivery_value"], json!("https://t.me/+privateinvite"), "AC-12: the owner sees it");
    assert_eq!(circle["membership_config"]["renewal_reminder_offsets_days"], json!([7, 2, 1]));

    let wrong = |change: fn(&mut Value)| {
        let mut body = json!({
            "product_type": "PAYMENT_LINK", "title": "T", "amount_minor_units": 1, "token_mint": USDC,
            "merchant_wallet": desk.merchant_wallet, "membership_config": {"enabled": true, "billing_interval_days": 30},
        });
        change(&mut body);
        desk.ask(Method::POST, "/v1/products", Some(body))
    };
    wrong(|b| b["amount_minor_units"] = Value::Null).await.refused(400, "fixed_amount_required");
    wrong(|b| b["product_type"] = json!("X")).await.refused(400, "unsupported_product_type");
    wrong(|b| b["merchant_wallet"] = json!("bad wallet!")).await.refused(422, "invalid_wallet");
    wrong(|b| b["membership_config"]["billing_interval_days"] = json!(0)).await.refused(422, "invalid_membership_config");
    wrong(|b| b["fixed_amount_lamports"] = json!(2)).await.refused(422, "amount_conflict");

    let path = format!("/v1/products/{}", circle["id"].as_str().unwrap());
    let update = json!({
        "title": "Telegram Inner Circle", "description": "Updated description", "image_url": "https://cdn.example.com/new-cover.png",
        "delivery_value": "https://t.me/+updatedinvite", "membership_config": {"billing_interval_days": 30, "grace_period_days": 5},
    });
    let updated = desk.patch(&path, update).await;
    let config = &updated["membership_config"];
    assert_eq!((&config["grace_period_days"], &config["identity_required"]), (&json!(5), &json!(true)), "AC-15: deep-merged");
    assert_eq!(desk.get(&path).await["description"], json!("Updated description"), "AC-14, read your writes");

    let listed = desk.get("/v1/products?status=ACTIVE&product_type=PAYMENT_LINK&limit=20&offset=0").await;
    assert_eq!(listed["count"], json!(2), "AC-13");
    desk.ask(Method::DELETE, &path, None).await.ok();
    desk.ask(Method::DELETE, &path, None).await.ok();
    let listed = desk.get("/v1/products?status=active").await;
    assert_eq!((&listed["count"], &listed["items"][0]["id"]), (&json!(1), &lounge["id"]), "AC-16");
    assert_eq!(desk.get(&format!("{path}/payments")).await["count"], json!(0));
    has(&desk.get(&format!("{path}/analytics")).await, &["product_id", "payment_count", "confirmed_count", "gross_amount_minor_units"]);
    let public = format!("/v1/products/p/{}", circle["slug"].as_str().unwrap());
    desk.app.get_public(&public).await.refused(410, "product_archived");
    desk.app.get_public("/v1/products/p/nobody").await.refused(404, "product_not_found");
    desk.ask_as(&desk.app.sandbox_key, Method::GET, "/v1/products", None).await.refused(403, "live_key_required");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_page_a_handoff_and_a_connection() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (id, slug) = (circle["id"].as_str().unwrap(), circle["slug"].as_str().unwrap());

    let public = desk.app.get_public(&format!("/v1/products/p/{slug}")).await.ok();
    has(
        &public,
        &[
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
            "identity_required",
        ],
    );
    let config = &public["checkout_config"];
    assert_eq!(
        (&config["default_route"], &config["payment_asset"], &config["payment_chain"]),
        (&json!("phantom"), &json!("USDC"), &json!("SOLANA")),
        "AC-17"
    );
    let start = config["identity_connect"]["discord_connect_url"].as_str().unwrap();
    assert!(start.ends_with(&format!("/v1/products/p/{slug}/discord-connect/start")), "{start}");
    has(&config["branding"], &["merchant_name", "logo_url", "hero_image_url", "success_button_label", "accent_hex"]);
    assert!(!public.to_string().contains("privateinvite") && !keys(&public).contains(&"delivery_value"), "RT-009");

    let ask = json!({
        "identity_type": "TELEGRAM_USER_ID", "identity_value": "728255790", "identity_display": "@crzypeas", "expires_in_minutes": 30,
    });
    let handoff = desk.post(&format!("/v1/products/{id}/handoff-link"), ask).await;
    let mut names = keys(&handoff);
    names.sort_unstable();
    assert_eq!(names, ["checkout_url", "expires_at", "handoff_token", "product_id", "slug"], "AC-20: exactly");
    let token = handoff["handoff_token"].as_str().unwrap();
    assert!(token.starts_with("hilt_handoff_") && !token.contains("728255790"), "{token}");
    assert!(handoff["checkout_url"].as_str().unwrap().ends_with(&format!("/p/{slug}?handoff={token}")), "AC-3");
    let resolve = |slug: &str, token: &str| {
        let path = format!("/v1/products/p/{slug}/resolve-handoff");
        let body = json!({"handoff_token": token});
        let desk = &desk;
        async move { desk.buyer(&path, body).await }
    };
    let resolved = resolve(slug, token).await.ok();
    assert_eq!((&resolved["identity_value"], &resolved["identity_display"]), (&json!("728255790"), &json!("@crzypeas")), "AC-19");
    let other = desk.members_lounge().await;
    resolve(other["slug"].as_str().unwrap(), token).await.refused(422, "invalid_handoff_token");
    let other_end = if token.ends_with('A') { 'Q' } else { 'A' };
    resolve(slug, &format!("{}{other_end}", &token[..token.len() - 1])).await.refused(422, "invalid_handoff_token");

    let buyer = Keypair::generate().address().to_string();
    let connect = format!("/v1/products/p/{slug}/connect");
    let minimal = desk.buyer(&connect, json!({"payer_wallet": buyer})).await.ok();
    has(&minimal, &["payment_id", "amount_minor_units", "merchant_amount_minor_units", "asset_symbol", "expires_at"]);
    let full = json!({
        "payer_wallet": buyer, "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "728255790",
        "customer_reference_display": "@crzypeas",
    });
    let connected = desk.buyer(&connect, full).await.ok();
    let amounts =
        ["amount_minor_units", "merchant_amount_minor_units", "fee_minor_units", "asset_decimals"].map(|name| connected[name].as_u64());
    assert_eq!(amounts, [Some(200_000), Some(199_800), Some(200), Some(6)], "AC-18, MON-3");
    assert_eq!((&connected["status"], &connected["token_mint"]), (&json!("PENDING_SIGNATURE"), &json!(USDC)));
    let nonce = connected["nonce"].as_str().unwrap();
    assert!(nonce.len() >= 16 && nonce.chars().all(|c| c.is_ascii_hexdigit()), "{nonce}");
    assert!(connected["phantom_mobile"]["connect_url"].as_str().unwrap().starts_with("https://phantom.app/ul/"));
    assert!(connected["phantom_mobile"]["dapp_public_key"].is_string());
    let minutes = (instant(&connected["expires_at"]).micros() - desk.app.clock.now().micros()) / 60_000_000;
    assert!((29..=30).contains(&minutes), "MON-8: {minutes}");
    for wrong in ["", "abc", "not a wallet!", "So1anaMerchantWallet1111111111111111111111111"] {
        desk.buyer(&connect, json!({"payer_wallet": wrong})).await.refused(422, "invalid_wallet");
    }

    desk.app.clock.advance_seconds(31 * 60);
    resolve(slug, token).await.refused(410, "handoff_expired");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_a_payment_and_its_confirmation() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let (confirmed, tx, buyer) = desk.member(&circle).await;
    assert_eq!(
        (&confirmed["status"], &confirmed["delivery_type"], &confirmed["delivery_value"], &confirmed["delivery_status"]),
        (&json!("confirmed"), &json!("TELEGRAM_INVITE"), &json!("https://t.me/+privateinvite"), &json!("SENT")),
        "AC-24: {confirmed}"
    );
    assert_eq!((&confirmed["amount_lamports"], &confirmed["membership_status"]), (&json!(200_000), &json!("ACTIVE")));
    let days = (instant(&confirmed["membership_period_end_at"]).micros() - desk.app.clock.now().micros() + 43_200_000_000) / 86_400_000_000;
    assert_eq!(days, 30, "MON-7");

    let payment_id = confirmed["payment_id"].as_str().unwrap();
    let again = json!({
        "payment_id": payment_id, "slug": circle["slug"], "tx_signature": tx.to_string(), "payer_wallet": buyer.address().to_string(),
    });
    let again = desk.buyer("/v1/pay/confirm", again).await.ok();
    assert_eq!((&again["receipt_id"], &again["membership_id"]), (&confirmed["receipt_id"], &confirmed["membership_id"]));

    let status = desk.app.get_public(&format!("/v1/payments/{payment_id}")).await.ok();
    let mut names = keys(&status);
    names.sort_unstable();
    let safe =
        ["confirmed_at", "delivery_status", "failed_at", "failure_reason", "id", "membership_id", "product_id", "status", "tx_signature"];
    assert_eq!(names, safe, "INV-69");
    assert_eq!((&status["status"], &status["delivery_status"]), (&json!("CONFIRMED"), &json!("SENT")), "AC-26");
    assert!(status["confirmed_at"].is_string() && status["failed_at"].is_null());
    let unknown = "/v1/payments/f0f4e620-1ca3-4fc8-b0ba-2d04342fe467";
    desk.app.get_public(unknown).await.refused(404, "payment_not_found");

    let analytics = desk.get(&format!("/v1/products/{}/analytics", circle["id"].as_str().unwrap())).await;
    let sums = ["confirmed_count", "gross_amount_minor_units", "merchant_amount_minor_units", "fee_minor_units", "active_memberships"];
    assert_eq!(sums.map(|name| analytics[name].as_u64()), [Some(1), Some(200_000), Some(199_800), Some(200), Some(1)], "{analytics}");
    let public = desk.app.get_public(&format!("/v1/products/p/{}", circle["slug"].as_str().unwrap())).await.ok();
    assert_eq!(public["payment_count"], json!(1));
    desk.close().await;
}

/// AC-22, AC-23, AC-25: what a buyer can do wrong on the way.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_the_way_is_told_apart() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let slug = circle["slug"].as_str().unwrap();
    let (buyer, stranger) = (desk.wallet().await, Keypair::generate());
    let wallet = buyer.address().to_string();

    let start = json!({
        "slug": slug, "wallet_address": wallet, "wallet_source": "EXTERNAL_PHANTOM", "customer_reference_type": "TELEGRAM_USER_ID",
        "customer_reference_value": "728255790", "customer_reference_display": "@crzypeas",
    });
    let started = desk.buyer("/v1/pay/identity/start", start).await.ok();
    let message = started["challenge_message"].as_str().unwrap();
    assert!(message.starts_with("Sign this message to verify your wallet"), "AC-21: {message}");
    let forged = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, stranger.sign(message.as_bytes()));
    let complete = json!({"session_id": started["session_id"], "wallet_address": wallet, "signed_message_b64": forged});
    desk.buyer("/v1/pay/identity/complete", complete).await.refused(422, "invalid_signature");

    let payment = desk.buyer(&format!("/v1/products/p/{slug}/connect"), json!({"payer_wallet": wallet})).await.ok();
    let payment_id = payment["payment_id"].clone();
    let (unseen, other) = (TxSignature([9; 64]).to_string(), TxSignature([8; 64]).to_string());
    let broadcast = |tx: &str, payer: String| {
        let body = json!({"payment_id": payment_id, "tx_signature": tx, "payer_wallet": payer, "wallet_source": "EXTERNAL_PHANTOM"});
        let desk = &desk;
        async move { desk.buyer("/v1/pay/broadcast", body).await }
    };
    broadcast(&unseen, stranger.address().to_string()).await.refused(422, "payer_wallet_mismatch");
    let recorded = broadcast(&unseen, wallet.clone()).await.ok();
    let mut names = keys(&recorded);
    names.sort_unstable();
    assert_eq!(names, ["payment_id", "status", "tx_signature"], "AC-23: exactly");
    assert_eq!(recorded["status"], json!("PENDING_CONFIRMATION"));
    broadcast(&unseen, wallet.clone()).await.ok();
    broadcast(&other, wallet.clone()).await.refused(409, "tx_conflict");

    let confirm = |tx: &str, more: Value| {
        let mut body = json!({"payment_id": payment_id, "slug": slug, "tx_signature": tx, "payer_wallet": wallet});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        let desk = &desk;
        async move { desk.buyer("/v1/pay/confirm", body).await }
    };
    confirm(&unseen, json!({})).await.refused(422, "identity_verification_required");
    let session = desk.identity(slug, &buyer).await;
    let with_identity = json!({"identity_session_id": session["session_id"]});
    confirm(&unseen, with_identity.clone()).await.refused(408, "tx_not_confirmed");
    confirm(&other, with_identity.clone()).await.refused(409, "tx_conflict");
    confirm(&unseen, json!({"identity_session_id": session["session_id"], "payer_wallet": stranger.address().to_string()}))
        .await
        .refused(422, "payer_wallet_mismatch");

    let late = desk.buyer(&format!("/v1/products/p/{slug}/connect"), json!({"payer_wallet": wallet})).await.ok();
    desk.app.clock.advance_seconds(31 * 60);
    let body =
        json!({"payment_id": late["payment_id"], "tx_signature": other, "payer_wallet": wallet, "wallet_source": "EXTERNAL_PHANTOM"});
    desk.buyer("/v1/pay/broadcast", body).await.refused(410, "payment_expired");
    let body = json!({"payment_id": late["payment_id"], "slug": slug, "tx_signature": other, "payer_wallet": wallet});
    desk.buyer("/v1/pay/confirm", body).await.refused(410, "payment_expired");

    for path in ["connect/callback", "message-url", "message/callback", "transaction-url", "transaction/callback"] {
        let answer = desk.buyer(&format!("/v1/pay/phantom/{path}"), json!({"payment_id": "nonsense"})).await;
        assert!(answer.status.is_client_error() && answer.body["detail"].is_string(), "AC-27 {path}: {answer:?}");
        assert_ne!(answer.body["code"], json!("not_found"), "{path} is a route");
    }
    desk.close().await;
}

/// Whatever is wrong, the answer says with which field.
#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_body_names_the_field() {
    let desk = Desk::open().await;
    let circle = desk.inner_circle().await;
    let slug = circle["slug"].as_str().unwrap();
    let product = json!({"product_type": "PAYMENT_LINK", "title": "T", "amount_minor_units": 1, "token_mint": USDC,
        "merchant_wallet": desk.merchant_wallet});
    let buyer = json!({"payer_wallet": Keypair::generate().address().to_string()});
    let name = json!({"slug": slug, "wallet_address": buyer["payer_wallet"], "wallet_source": "EXTERNAL_PHANTOM",
        "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "728255790"});
    let ticket = json!({"subject": "Help", "category": "OTHER", "body": "A message of some length."});
    let app = json!({"name": "App", "external_app_id": "app"});
    let (products, connect, tickets) = ("/v1/products", format!("/v1/products/p/{slug}/connect"), "/v1/support/tickets");
    let before = desk.app.state.log.head().await.unwrap().next_position;
    for (path, body, field, value, status) in [
        (products, &product, "product_type", json!("X"), 400),
        (products, &product, "product_type", json!(null), 422),
        (products, &product, "amount_minor_units", json!(null), 400),
        (products, &product, "title", json!(7), 422),
        (&connect, &buyer, "payer_wallet", json!("nobody"), 422),
        (&connect, &buyer, "customer_reference_value", json!(7), 422),
        (&connect, &buyer, "customer_reference_type", json!({}), 422),
        ("/v1/pay/identity/start", &name, "customer_reference_display", json!([]), 422),
        (tickets, &ticket, "subject", json!("two\nlines"), 422),
        (tickets, &ticket, "body", json!("x".repeat(20_001)), 422),
        ("/v1/access/apps", &app, "external_app_id", json!("x".repeat(256)), 422),
        ("/v1/access/apps", &app, "name", json!("x".repeat(201)), 422),
        ("/v1/access/entitlements/check", &json!({"external_customer_id": "c"}), "external_product_id", json!(null), 422),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let answer = desk.app.post(&desk.app.live_key, path, wrong).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["field"]), (status, &json!(field)), "{path}: {}", answer.body);
    }
    let mut without = name.clone();
    without.as_object_mut().unwrap().remove("wallet_address");
    let answer = desk.buyer("/v1/pay/identity/start", without).await;
    assert_eq!(answer.body["errors"][0], json!({"field": "wallet_address", "message": "is required"}));
    assert_eq!(desk.app.state.log.head().await.unwrap().next_position, before, "what is refused leaves nothing in the log");
    desk.close().await;
}
