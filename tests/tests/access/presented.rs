//! INV-33: what is not open is presented as open to nobody. Every answer that says something of rails, payments or access is looked
//! through, for merchants, agents and buyers: sandbox, review-required, gated, disabled and stopped rails, and settlement by x402, Base
//! and EVM before the platform has enabled it.

use crate::{
    put,
    staff::{COLLECTOR, Desk, EVM, product, setting, with_base},
    wallet,
};
use hilt_tests::{app::TestApp, payments};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What may be presented.
struct Open {
    /// Rails in production.
    production: BTreeSet<String>,
    /// Those of them that run.
    running: BTreeSet<String>,
}

impl Open {
    /// By the platform's own list.
    async fn now(app: &TestApp) -> Self {
        let rails = app.get(&app.live_key, "/v1/access/rails").await.ok();
        let rows = rails["rails"].as_array().unwrap();
        let of = |holds: &dyn Fn(&Value) -> bool| {
            rows.iter().filter(|row| holds(row)).map(|row| row["rail_id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        Open {
            production: of(&|row| row["production_enabled"] == json!(true)),
            running: of(&|row| row["production_enabled"] == json!(true) && row["kill_switch_state"] == json!("not_tripped")),
        }
    }

    /// What a payload presents that is not open, by path.
    fn breaches(&self, payload: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let sandbox = payload["mode"] == json!("sandbox") || payload["livemode"] == json!(false);
        self.look(payload, None, sandbox, "", &mut found);
        found
    }

    fn look(&self, value: &Value, rail: Option<&str>, sandbox: bool, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.look(item, rail, sandbox, &format!("{path}/{number}"), found);
                }
            }
            Value::Object(members) => {
                let named = ["rail_id", "rail"].iter().find_map(|name| members.get(*name).and_then(Value::as_str));
                let rail = named.or(rail);
                let sandbox = sandbox || members.get("livemode") == Some(&json!(false));
                for (name, member) in members {
                    let path = format!("{path}/{name}");
                    let closed = |open: &BTreeSet<String>| rail.is_some_and(|rail| !open.contains(rail));
                    let breach = match name.as_str() {
                        // Which rails there are in production is no matter of the mode.
                        "production_enabled" | "supports_live" => *member == json!(true) && closed(&self.production),
                        "available" | "creatable" | "ready" => *member == json!(true) && !sandbox && closed(&self.running),
                        "auto_select_rail" => !sandbox && member.as_str().is_some_and(|rail| !self.running.contains(rail)),
                        "session_creatable_rails" | "available_rails" => {
                            let rails = member.as_array().into_iter().flatten().filter_map(|row| row["rail_id"].as_str());
                            !sandbox && rails.into_iter().any(|rail| !self.running.contains(rail))
                        }
                        _ => false,
                    };
                    if breach {
                        found.push(path.clone());
                    }
                    self.look(member, rail, sandbox, &path, found);
                }
            }
            _ => {}
        }
    }
}

/// Words that no buyer reads while the rails behind them are closed.
fn words_of_closed_rails(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let closed = ["base_usdc", "evm_usdc", "usdt", "solana_usdt", "erc20_usdt", "tron_usdt", "eip155", "ethereum", "tron", "polygon"];
    closed.into_iter().filter(|word| words.contains(word)).collect()
}

/// A merchant who has put settings on every rail and allows them all, a hosted product, and a paid receipt.
struct Scene {
    hosted: Value,
    session: Value,
    receipt: String,
}

const PRODUCT: &str = "pro";

impl Scene {
    async fn make(app: &TestApp) -> Self {
        let payout = wallet();
        product(app, PRODUCT, &payout, json!("all")).await;
        setting(app, "solana_usdc", json!({"payout_address": payout})).await;
        for (rail, address) in
            [("x402", payout.as_str()), ("base_usdc", EVM), ("evm_usdc", EVM), ("solana_usdt", &payout), ("erc20_usdt", EVM)]
        {
            setting(app, rail, json!({"payout_address": address})).await;
        }
        let body = json!({"product_type": "PAYMENT_LINK", "title": "Inner circle", "amount_minor_units": 200_000, "merchant_wallet": payout,
            "token_mint": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"});
        let hosted = app.post(&app.live_key, "/v1/products", body).await.ok();
        let body = json!({"external_product_id": PRODUCT, "external_customer_id": "cust_1"});
        let session = app.post(&app.live_key, "/v1/access/payment-sessions", body).await.ok();
        let merchant = payments::shop(&app.state.log, true).await;
        let receipt = payments::paid(&app.state.log, &merchant).await.receipt_id.to_string();
        Scene { hosted, session, receipt }
    }

    /// What merchants and agents are answered.
    async fn told_to_merchants(&self, app: &TestApp) -> Vec<(String, Value)> {
        let session = self.session["payment_session"]["id"].as_str().unwrap();
        let mut told = vec![("the session".to_owned(), self.session.clone())];
        for (key, path) in [
            (&app.live_key, "/v1/access/rails".to_owned()),
            (&app.sandbox_key, "/v1/access/rails".to_owned()),
            (&app.live_key, format!("/v1/access/products/available-rails?external_product_id={PRODUCT}")),
            (&app.live_key, format!("/v1/access/products/available-rails?external_product_id={PRODUCT}&mode=live")),
            (&app.live_key, format!("/v1/access/setup/readiness?external_product_id={PRODUCT}")),
            (&app.live_key, "/v1/access/setup/readiness?external_product_id=nothing".to_owned()),
            (&app.sandbox_key, "/v1/access/setup/readiness?mode=sandbox".to_owned()),
            (&app.live_key, "/v1/access/rail-settings".to_owned()),
            (&app.live_key, "/v1/access/rail-settings/base_usdc".to_owned()),
            (&app.live_key, "/v1/access/rail-settings/x402".to_owned()),
            (&app.live_key, "/v1/access/products".to_owned()),
            (&app.live_key, "/v1/access/apps".to_owned()),
            (&app.live_key, "/v1/access/payment-sessions".to_owned()),
            (&app.live_key, format!("/v1/access/payment-sessions/{session}")),
            (&app.live_key, "/v1/access/events".to_owned()),
            (&app.live_key, "/v1/products".to_owned()),
            (&app.live_key, "/v1/memberships".to_owned()),
            (&app.live_key, "/v1/receipts".to_owned()),
        ] {
            let body = app.get(key, &path).await.ok();
            told.push((path, body));
        }
        let check = json!({"external_product_id": PRODUCT, "external_customer_id": "cust_1", "rail": "base_usdc"});
        told.push(("a check".to_owned(), app.post(&app.live_key, "/v1/access/entitlements/check", check).await.ok()));
        told.extend(self.told_to_agents(app).await);
        told
    }

    async fn told_to_agents(&self, app: &TestApp) -> Vec<(String, Value)> {
        let asked = json!({"agent_name": "Cursor", "agent_platform": "cursor", "requested_use_case": "sell an API",
            "requested_permissions": ["access:read"], "ttl_hours": 1});
        let begun = app.send(app.request(Method::POST, "/v1/access/agent-bootstrap").json(&asked)).await.ok();
        let (id, token) = (begun["setup_intent"]["id"].as_str().unwrap(), &begun["setup_token"]);
        let manifest = json!({"setup_token": token, "manifest": {
            "app": {"name": "Acme", "external_app_id": "acme"},
            "product": {"external_product_id": "api", "title": "API", "amount_minor_units": 1_000_000, "default_rail": "base_usdc",
                "allowed_rails": ["base_usdc", "x402", "solana_usdc"]},
            "payment_protocol": "x402", "settlement_rail": "base_usdc",
            "protected_resource": {"url": "https://api.acme.test/x", "method": "POST", "customer_identity": "external_customer_id"}}});
        let path = format!("/v1/access/agent-bootstrap/{id}");
        let attached = app.send(app.request(Method::POST, &format!("{path}/manifest")).json(&manifest)).await.ok();
        let status = app.send(app.request(Method::POST, &format!("{path}/status")).json(&json!({"setup_token": token}))).await.ok();
        assert!(attached["live_blockers"].as_array().is_some_and(|blockers| !blockers.is_empty()), "{attached}");
        vec![("bootstrap".to_owned(), begun.clone()), ("manifest".to_owned(), attached), ("status".to_owned(), status)]
    }

    /// What buyers are answered and see.
    async fn told_to_buyers(&self, app: &TestApp) -> Vec<(String, String)> {
        let slug = self.hosted["slug"].as_str().unwrap();
        let checkout = self.session["payment_session"]["checkout_url"].as_str().unwrap();
        let checkout = url::Url::parse(checkout).unwrap();
        let checkout = format!("{}?{}", checkout.path(), checkout.query().unwrap_or_default());
        let mut told = Vec::new();
        for path in [
            format!("/v1/products/p/{slug}"),
            format!("/p/{slug}"),
            checkout,
            format!("/v1/payments/{}", self.session["payment_session"]["payment_id"].as_str().unwrap()),
            format!("/v1/receipt/{}/public", self.receipt),
            format!("/v1/receipt/{}/verify", self.receipt),
            format!("/r/{}", self.receipt),
            "/v1/x402/supported".to_owned(),
        ] {
            let answer = app.request(Method::GET, &path).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            told.push((path, answer.text().await.unwrap()));
        }
        let script = told.iter().find(|(path, _)| path.starts_with("/p/")).map(|(_, page)| scripts(page)).unwrap_or_default();
        assert!(!script.is_empty(), "a page has a script");
        for path in script {
            told.push((path.clone(), app.request(Method::GET, &path).send().await.unwrap().text().await.unwrap()));
        }
        told
    }
}

/// The scripts of a page.
fn scripts(page: &str) -> Vec<String> {
    page.split('"').filter(|text| text.starts_with('/') && text.ends_with(".js")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_presents_a_rail_that_is_not_open() {
    let app = TestApp::start(&[]).await;
    let (desk, scene) = (Desk::of(&app).await, Scene::make(&app).await);
    let open = Open::now(&app).await;
    assert_eq!(open.running, BTreeSet::from(["solana_usdc".to_owned()]), "INV-21");
    for (what, payload) in scene.told_to_merchants(&app).await {
        assert_eq!(open.breaches(&payload), Vec::<String>::new(), "{what}: {payload:#}");
    }
    for (path, text) in scene.told_to_buyers(&app).await {
        assert_eq!(words_of_closed_rails(&text), Vec::<&str>::new(), "{path}");
        let payload = serde_json::from_str(&text).unwrap_or(Value::Null);
        assert_eq!(open.breaches(&payload), Vec::<String>::new(), "{path}: {text}");
    }
    // x402 settles over what is open, and nothing else is offered to its clients.
    let asked = json!({"external_product_id": PRODUCT, "external_customer_id": "cust_2", "payment_protocol": "x402",
        "settlement_rail": "solana_usdc", "metadata": {"resource": "https://api.example.com/x"}});
    let x402 = app.post(&app.live_key, "/v1/access/payment-sessions", asked.clone()).await.ok();
    assert_eq!(open.breaches(&x402), Vec::<String>::new(), "{x402:#}");
    assert!(words_of_closed_rails(&x402["payment_session"]["payment_requirement"].to_string()).is_empty(), "{x402:#}");
    for rail in ["base_usdc", "evm_usdc", "solana_usdt"] {
        let mut elsewhere = asked.clone();
        elsewhere["settlement_rail"] = json!(rail);
        app.post(&app.live_key, "/v1/access/payment-sessions", elsewhere).await.refused(409, "rail_not_effective");
    }

    // Stopped: nothing at all is presented, to merchants and buyers alike.
    desk.switch("solana_usdc", "tripped").await.ok();
    let stopped = Open::now(&app).await;
    assert!(stopped.running.is_empty());
    for (what, payload) in scene.told_to_merchants(&app).await {
        // What was opened before is what it was; the session's adapter is asked about below.
        if what != "the session" && !what.starts_with("/v1/access/payment-sessions") {
            assert_eq!(stopped.breaches(&payload), Vec::<String>::new(), "{what}: {payload:#}");
        }
    }
    let slug = scene.hosted["slug"].as_str().unwrap();
    let public = app.get_public(&format!("/v1/products/p/{slug}")).await.ok();
    assert_eq!(public["accepts_payments"], json!(false));
    for (path, text) in scene.told_to_buyers(&app).await.into_iter().filter(|(path, _)| path.starts_with("/p/")) {
        assert!(text.contains("Payments are stopped") && !text.contains("id=\"wallets\""), "{path}");
    }
    desk.switch("solana_usdc", "not_tripped").await.ok();
    assert_eq!(app.get_public(&format!("/v1/products/p/{slug}")).await.ok()["accepts_payments"], Value::Null);
    app.close().await;
}

/// The looks above would see it: what staff have opened is presented, and by yesterday's list that is a breach.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_opened_is_presented_and_would_have_been_seen_before() {
    let app = TestApp::start_with(&[], with_base()).await;
    let desk = Desk::of(&app).await;
    let before = Open::now(&app).await;
    product(&app, PRODUCT, &wallet(), json!(["solana_usdc", "base_usdc"])).await;
    desk.capability("base_usdc", json!({"production_enabled": true, "reason": "launch"})).await.ok();
    let whole = json!({"payout_address": EVM, "fee_collection_mode": "merchant_allowance_pull", "fee_collector_address": COLLECTOR});
    let whole = setting(&app, "base_usdc", whole).await;
    desk.verify(&whole).await;
    let allowance = desk.agree("fee_collection_activation", &whole).await;
    desk.fees(&whole, json!({"status": "active", "approval_id": allowance["id"]})).await.ok();
    let path = format!("/v1/access/products/available-rails?external_product_id={PRODUCT}");
    let rails = app.get(&app.live_key, &path).await.ok();
    let seen = before.breaches(&rails);
    for expected in
        ["/available_rails/0/available", "/available_rails/0/payment_session/creatable", "/payment_session_options/auto_select_rail"]
    {
        assert!(seen.iter().any(|path| path == expected), "{expected} is not among {seen:?}");
    }
    assert_eq!(Open::now(&app).await.breaches(&rails), Vec::<String>::new());
    assert_eq!(before.breaches(&app.get(&app.live_key, "/v1/access/rails").await.ok()), ["/rails/2/production_enabled"]);
    app.close().await;
}

/// What clients are generated from, examples and all.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_presents_no_rail_that_is_not_open() {
    let app = TestApp::start(&[]).await;
    let open = Open::now(&app).await;
    let document = app.get_public("/openapi.json").await.ok();
    let mut examples = Vec::new();
    collect_examples(&document, &mut examples);
    assert!(examples.len() > 20, "{}", examples.len());
    for example in examples {
        assert_eq!(open.breaches(example), Vec::<String>::new(), "{example:#}");
    }
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| !path.starts_with("/v1/admin/")), "INV-47");
    put(&app, &app.sandbox_key, "/v1/access/rail-settings/base_usdc", json!({"enabled": true, "mode": "live", "payout_address": EVM}))
        .await
        .refused(403, "live_key_required");
    app.close().await;
}

fn collect_examples<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "example" | "examples" | "default" => found.push(member),
                    _ => collect_examples(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_examples(item, found)),
        _ => {}
    }
}
