//! Buyers pay.

use super::shop::{DELIVERY, Scene};
use hilt_tests::qr;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_pays_usdc_and_gets_in() {
    let mut scene = Scene::start().await;
    let slug = scene.product(json!({})).await;
    let wallet = scene.wallet().await;
    scene.open("buyer", &format!("/p/{slug}"), Some(wallet)).await;
    scene.press("buyer", "Test Wallet").await;
    scene.shot("buyer", "paid-1-connected").await;
    scene.press("buyer", "Pay 29.00 USDC").await;
    scene.see("buyer", "Paid").await;
    scene.see("buyer", "Join Telegram").await;
    scene.shot("buyer", "paid-2-done").await;
    scene.accessible("buyer").await;
    let link = scene.browser.step("attribute", json!({"tab": "buyer", "selector": "#delivery-link", "name": "href"})).await;
    assert_eq!(link, json!(DELIVERY));

    // A reload shows the same, without another payment.
    scene.browser.step("reload", json!({"tab": "buyer"})).await;
    scene.see("buyer", "Join Telegram").await;
    let asked = scene.browser.step("asked", json!({"tab": "buyer"})).await;
    assert_eq!(asked, json!(["transaction"]), "the wallet was asked once");

    scene.press("buyer", "View receipt").await;
    scene.see("buyer", "Genuine and unchanged").await;
    scene.see("buyer", "29.00 USDC").await;
    scene.press("buyer", "Verify in this browser").await;
    scene.see("buyer", "Your browser agrees").await;
    scene.accessible("buyer").await;
    scene.shot("buyer", "paid-3-receipt").await;
    scene.close_tab("buyer").await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_no_reloading_and_coming_too_late_cost_nothing() {
    let mut scene = Scene::start().await;
    let slug = scene.product(json!({})).await;
    let path = format!("/p/{slug}");
    let mut wallet = scene.wallet().await;

    // The buyer says no, thinks again, and pays the same payment.
    wallet["mood"] = json!("decline");
    scene.open("first", &path, Some(wallet.clone())).await;
    scene.press("first", "Test Wallet").await;
    scene.press("first", "Pay 29.00 USDC").await;
    scene.see("first", "You said no in the wallet").await;
    scene.shot("first", "declined").await;
    scene.accessible("first").await;
    scene.browser.step("mood", json!({"tab": "first", "mood": "hang"})).await;
    scene.press("first", "Pay 29.00 USDC").await;
    scene.see("first", "Check the amount in your wallet").await;
    scene.browser.step("reload", json!({"tab": "first"})).await;
    scene.browser.step("mood", json!({"tab": "first", "mood": "sign"})).await;
    scene.press("first", "Test Wallet").await;
    scene.press("first", "Pay 29.00 USDC").await;
    scene.see("first", "Join Telegram").await;
    let requests = scene.browser.step("requests", json!({"tab": "first"})).await;
    let begun = requests.as_array().unwrap().iter().filter(|request| request.as_str().unwrap().ends_with("/connect")).count();
    assert_eq!(begun, 1, "three tries are one payment: {requests}");
    scene.close_tab("first").await;

    // Another hesitates for longer than a payment lives.
    wallet["mood"] = json!("hang");
    scene.open("late", &path, Some(wallet)).await;
    scene.press("late", "Test Wallet").await;
    scene.press("late", "Pay 29.00 USDC").await;
    scene.see("late", "Check the amount in your wallet").await;
    scene.app.clock.advance_seconds(31 * 60);
    scene.browser.step("reload", json!({"tab": "late"})).await;
    scene.see("late", "This payment ran out of time").await;
    scene.shot("late", "expired").await;
    scene.accessible("late").await;
    scene.press("late", "Start again").await;
    scene.see("late", "Pay with a wallet in this browser").await;
    scene.close_tab("late").await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_signed_before_it_pays() {
    let mut scene = Scene::start().await;
    let membership = json!({
        "platform": "TELEGRAM", "access_mode": "INVITE_LINK", "identity_type": "TELEGRAM_USER_ID",
        "identity_label": "Telegram username or user ID", "identity_required": true, "billing_interval_days": 30,
        "grace_period_days": 3, "platform_target_label": "Private Telegram Group",
    });
    let slug = scene.product(json!({"membership_config": membership})).await;
    let wallet = scene.wallet().await;
    scene.open("buyer", &format!("/p/{slug}"), Some(wallet)).await;
    // Without a wallet here, the page itself can be taken along.
    let code = scene.app.request(reqwest::Method::GET, &format!("/pages/qr/checkout/{slug}.svg")).send().await.unwrap();
    assert_eq!((code.status().as_u16(), &code.headers()["content-type"]), (200, &"image/svg+xml".parse().unwrap()));
    assert_eq!(qr::read(&code.text().await.unwrap()), format!("https://www.hilt.test/p/{slug}"));
    for wrong in ["a%2F..%2Fb.svg", "A.svg", ".svg", "x.png"] {
        assert_eq!(scene.app.get_public(&format!("/pages/qr/checkout/{wrong}")).await.status.as_u16(), 404, "{wrong}");
    }
    scene.see("buyer", "Go on with your phone").await;
    scene.press("buyer", "Test Wallet").await;
    scene.press("buyer", "Pay 29.00 USDC").await;
    scene.see("buyer", "Telegram username or user ID is missing").await;
    scene.accessible("buyer").await;
    scene.browser.step("type", json!({"tab": "buyer", "label": "Telegram username or user ID", "text": "728255790"})).await;
    scene.press("buyer", "Pay 29.00 USDC").await;
    scene.see("buyer", "Join Telegram").await;
    scene.see("buyer", "Access until").await;
    let asked = scene.browser.step("asked", json!({"tab": "buyer"})).await;
    assert_eq!(asked, json!(["message", "transaction"]), "the name first, then the money");
    scene.shot("buyer", "identity-done").await;
    scene.close_tab("buyer").await;
    scene.app.close().await;
}

/// Whoever was sent here by the merchant, or came by Discord, and goes on with his phone, goes on as the same buyer.
#[tokio::test(flavor = "multi_thread")]
async fn a_known_buyer_takes_the_page_to_his_phone_as_himself() {
    let mut scene = Scene::start().await;
    let membership = json!({
        "platform": "TELEGRAM", "identity_type": "TELEGRAM_USER_ID", "identity_label": "Telegram user ID", "identity_required": true,
        "billing_interval_days": 30, "grace_period_days": 3,
    });
    let slug = scene.product(json!({"membership_config": membership})).await;
    let other = scene.product(json!({"membership_config": membership})).await;
    let product = scene.app.get_public(&format!("/v1/products/p/{slug}")).await.ok();
    let known = json!({"identity_type": "TELEGRAM_USER_ID", "identity_value": "728255790", "identity_display": "@buyer"});
    let path = format!("/v1/products/{}/handoff-link", product["id"].as_str().unwrap());
    let link = scene.app.post(&scene.app.live_key, &path, known).await.ok();
    let token = link["handoff_token"].as_str().unwrap().to_owned();

    scene.open("desk", &format!("/p/{slug}?handoff={token}"), None).await;
    scene.see("desk", "@buyer").await;
    let source = scene.browser.step("attribute", json!({"tab": "desk", "selector": "#page-code", "name": "src"})).await;
    let code = scene.app.request(reqwest::Method::GET, source.as_str().unwrap()).send().await.unwrap();
    assert_eq!(code.headers()["cache-control"], "no-store");
    let address = qr::read(&code.text().await.unwrap());
    assert_eq!(address, link["checkout_url"].as_str().unwrap(), "the code leads where the merchant's link leads");

    scene.open("phone", address.strip_prefix("https://www.hilt.test").unwrap(), None).await;
    scene.see("phone", "@buyer").await;
    let carried = |href: Value| href.as_str().unwrap().contains(&format!("handoff%3D{token}"));
    assert!(carried(scene.browser.step("attribute", json!({"tab": "phone", "selector": "#open-phantom", "name": "href"})).await));
    scene.press("phone", "Change").await;
    assert!(!carried(scene.browser.step("attribute", json!({"tab": "phone", "selector": "#open-phantom", "name": "href"})).await));
    scene.close_tab("phone").await;
    scene.press("desk", "Change").await;
    let source = scene.browser.step("attribute", json!({"tab": "desk", "selector": "#page-code", "name": "src"})).await;
    assert_eq!(source, json!(format!("/pages/qr/checkout/{slug}.svg")), "whoever says that he is another takes nobody along");
    scene.close_tab("desk").await;

    let altered = token.replace("hilt_handoff_A", "hilt_handoff_B");
    for (slug, token) in [(&other, &token), (&slug, &altered), (&slug, &"https://evil.example".to_owned())] {
        let path = format!("/pages/qr/checkout/{slug}.svg?handoff={token}");
        let asked = scene.app.request(reqwest::Method::GET, &path).header("Accept", "application/json");
        scene.app.send(asked).await.refused(422, "invalid_handoff_token");
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_is_enough() {
    let mut scene = Scene::start().await;
    let slug = scene.product(json!({})).await;
    let wallet = scene.wallet().await;
    scene.open("keys", &format!("/p/{slug}"), Some(wallet)).await;
    for name in ["Skip to payment", "What you pay", "Test Wallet"] {
        scene.browser.step("tabTo", json!({"tab": "keys", "name": name})).await;
    }
    scene.browser.step("key", json!({"tab": "keys", "key": "Enter"})).await;
    scene.see("keys", "Pay 29.00 USDC").await;
    // Choosing a wallet leads the focus to the button that pays.
    scene.browser.step("key", json!({"tab": "keys", "key": "Enter"})).await;
    scene.see("keys", "Join Telegram").await;
    let focused = scene.browser.step("focused", json!({"tab": "keys"})).await;
    assert_eq!(focused, json!("Paid"), "the focus is where the news is");
    scene.close_tab("keys").await;
    scene.app.close().await;
}
