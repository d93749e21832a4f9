//! What pages are made of, how they look, and what nobody can make them do.

use super::shop::Scene;
use hilt_tests::app::TestApp;
use reqwest::{Method, header};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_looks_the_same_to_everyone_and_says_what_it_costs() {
    let mut scene = Scene::start().await;
    let slug = scene.product(json!({"max_payments": 500})).await;
    let url = format!("{}/p/{slug}", scene.app.base_url);
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
    for (name, width, dark, agent, sees) in [
        ("desktop", 1280, false, None, "Test Wallet"),
        ("desktop-dark", 1280, true, None, "Test Wallet"),
        ("phone", 360, false, Some(phone), "Open in Phantom"),
        ("narrow-dark", 320, true, None, "Test Wallet"),
    ] {
        let wallet = agent.is_none().then(|| json!({"seed": "11".repeat(32)}));
        let opened = json!({
            "tab": name, "url": url, "viewport": {"width": width, "height": 760}, "dark": dark, "agent": agent, "touch": agent.is_some(),
            "wallet": wallet,
        });
        assert_eq!(scene.browser.step("open", opened).await["status"], json!(200));
        for text in ["Telegram Inner Circle", "29.00", "Example Merchant", sees] {
            scene.see(name, text).await;
        }
        scene.accessible(name).await;
        assert_eq!(scene.browser.step("overflow", json!({"tab": name})).await, json!(0), "{name} scrolls sideways");
        scene.shot(name, &format!("start-{name}")).await;
        scene.close_tab(name).await;
    }
    scene.browser.step("open", json!({"tab": "plain", "url": url, "script": false})).await;
    let seen = scene.browser.step("text", json!({"tab": "plain"})).await;
    assert!(seen.as_str().unwrap().contains("This costs 29.00 USDC, paid on Solana"), "{seen}");
    scene.shot("plain", "start-without-script").await;
    scene.close_tab("plain").await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_merchant_or_a_stranger_writes_is_text() {
    let mut scene = Scene::start().await;
    let attack = "</title><script>document.title='owned'</script><img src=x onerror=document.title='owned'>";
    let branding = json!({"merchant_name": attack, "success_button_label": attack, "accent_hex": "#00ff00"});
    let membership = json!({
        "platform": "CUSTOM", "identity_type": "MERCHANT_REFERENCE", "identity_label": attack, "billing_interval_days": 30,
        "grace_period_days": 0, "platform_target_label": attack,
    });
    let product = json!({"title": attack, "description": attack, "branding": branding, "membership_config": membership});
    let slug = scene.product(product).await;
    let wallet = scene.wallet().await;
    scene.open("x", &format!("/p/{slug}?handoff=%3Cscript%3Edocument.title%3D'owned'%3C/script%3E"), Some(wallet)).await;
    scene.see("x", "Your personal link does not work here").await;
    scene.browser.step("type", json!({"tab": "x", "label": attack, "text": attack})).await;
    scene.press("x", "Test Wallet").await;
    // A colour that black is read on, not white.
    let ink = scene.browser.step("style", json!({"tab": "x", "selector": "#pay-button", "property": "color"})).await;
    assert_eq!(ink, json!("rgb(0, 0, 0)"));
    scene.press("x", "Pay 29.00 USDC").await;
    scene.see("x", "Paid").await;
    scene.see("x", attack).await;
    let seen = scene.browser.step("text", json!({"tab": "x"})).await;
    assert!(seen.as_str().unwrap().matches("<script>").count() >= 4, "shown as it was written: {seen}");
    scene.close_tab("x").await;

    let product = json!({
        "product_type": "PAYMENT_LINK", "title": "x", "amount_minor_units": 1_000_000, "merchant_wallet": "11111111111111111111111111111112",
        "token_mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "branding": {"accent_hex": "#fff}body{display:none"},
    });
    scene.app.post(&scene.app.live_key, "/v1/products", product).await.refused(422, "validation_failed");
    for colour in ["fff", "fffff%7D", "ffffff%7Dbody%7Bdisplay:none", "%2e%2e%2fx", "ffffffff"] {
        let answer = scene.app.get_public(&format!("/pages/accent/{colour}.css")).await;
        assert_eq!(answer.status.as_u16(), 404, "{colour}");
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_page_for_people_and_a_problem_for_programs() {
    let app = TestApp::start(&[]).await;
    for (path, code, words) in [
        ("/p/nothing-here", "product_not_found", "There is no such checkout"),
        ("/p/%3Cscript%3E", "product_not_found", "There is no such checkout"),
        ("/r/00000000-0000-7000-8000-000000000000", "receipt_not_found", "There is no such receipt"),
        ("/r/not-an-id", "receipt_not_found", "There is no such receipt"),
    ] {
        let page = app.request(Method::GET, path).header(header::ACCEPT, "text/html,*/*;q=0.8").send().await.unwrap();
        assert_eq!(page.status().as_u16(), 404, "{path}");
        let headers = page.headers().clone();
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"), "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "form-action 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert_eq!(
            (&headers[header::REFERRER_POLICY], &headers[header::X_CONTENT_TYPE_OPTIONS]),
            (&"no-referrer".parse().unwrap(), &"nosniff".parse().unwrap())
        );
        let text = page.text().await.unwrap();
        assert!(text.contains(words) && !text.contains("<script>"), "{path}: {text}");
        let problem = app.send(app.request(Method::GET, path).header(header::ACCEPT, "application/json")).await;
        problem.refused(404, code);
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_checkout_says_so() {
    let scene = Scene::start().await;
    let slug = scene.product(json!({})).await;
    let product = scene.app.get_public(&format!("/v1/products/p/{slug}")).await.ok();
    let path = format!("/v1/products/{}", product["id"].as_str().unwrap());
    let archive = scene.app.request(Method::DELETE, &path).header("X-Hilt-Key", &scene.app.live_key).header("Idempotency-Key", "archive");
    scene.app.send(archive).await.ok();
    let page = scene.app.request(Method::GET, &format!("/p/{slug}")).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 410);
    assert!(page.text().await.unwrap().contains("This is no longer for sale"));
    scene.app.close().await;
}

/// A page, its styles and its scripts together are smaller than one picture, and a browser keeps all but the page.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_small() {
    let scene = Scene::start().await;
    let slug = scene.product(json!({})).await;
    let page = scene.app.request(Method::GET, &format!("/p/{slug}")).send().await.unwrap().text().await.unwrap();
    let mut bytes = page.len();
    for href in page.split('"').filter(|part| part.starts_with("/pages/")) {
        let asset = scene.app.request(Method::GET, href).send().await.unwrap();
        assert!(asset.status().is_success(), "{href}");
        let keep = asset.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        assert!(keep.contains("immutable") || href.contains("/accent/"), "{href}: {keep}");
        bytes += asset.bytes().await.unwrap().len();
    }
    assert!(bytes < 72 * 1024, "the page weighs {bytes} bytes");
    assert!(!page.contains(&scene.app.live_key) && !page.contains("hk_"), "INV-82");
    scene.app.close().await;
}
