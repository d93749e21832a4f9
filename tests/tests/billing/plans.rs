//! Subscribing, and how a subscription stands.

use super::office::{CHECKOUT, Office, PORTAL, REFRESH, SESSIONS, SUMMARY, checkout};
use api::http::jwt::Role;
use events::{
    clock::{Clock, new_id},
    vocab::id::OwnerId,
};
use futures::future::join_all;
use hilt_tests::{
    app::{SOON, TestApp},
    payments,
    prices::{PriceAnswer, PriceServer},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_has_its_items_before_anybody_has_subscribed() {
    let prices = PriceServer::start(Clock::adjustable(), PriceAnswer::Spot("143.21")).await;
    let office = Office::with(&[("HILT_SOL_PRICE_URL", &prices.url)]).await;
    let shop = payments::shop(&office.app.state.log, true).await;
    payments::paid(&office.app.state.log, &shop).await;
    payments::paid(&office.app.state.log, &shop).await;
    let sandbox = payments::shop(&office.app.state.log, false).await;
    assert_ne!(sandbox.owner_id, shop.owner_id);
    let token = office.app.token(Role::Owner, Some(shop.owner_id)).await;
    let head = office.head().await - 1;
    let asked = office.app.request(Method::GET, SUMMARY).bearer_auth(&token).header("Hilt-Min-Position", head);
    let summary = office.app.send(asked).await.ok();
    assert_eq!(
        (&summary["tier"], &summary["billing_status"], &summary["billing_interval"]),
        (&json!("sandbox"), &json!("none"), &json!(null))
    );
    assert_eq!((&summary["stripe_customer_id"], &summary["stripe_subscription_id"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&summary["live_template_count"], &summary["plan_limits"]["live_templates"]),
        (&json!(0), &json!(null)),
        "what backs an access product is no template"
    );
    assert_eq!(summary["plan_limits"]["credits_per_month"], json!(100));
    assert_eq!(summary["fee_rates"], json!({"workspace_fee_bps": 10, "access_fee_bps": 100}));
    let total = &summary["payment_totals_by_asset"][0];
    assert_eq!(
        (&total["asset_symbol"], &total["confirmed_count"], &total["gross_amount_minor_units"]),
        (&json!("USDC"), &json!(2), &json!(50_000_000))
    );
    let worth = &summary["usdc_equivalent_totals"];
    assert_eq!((&worth["gross_amount_minor_units"], &worth["fee_minor_units"]), (&json!(50_000_000), &total["fee_minor_units"]));
    assert_eq!((&summary["sol_price_usd"], &summary["invoices"], &summary["synced_at"]), (&json!("143.210000"), &json!([]), &json!(null)));

    prices.say(PriceAnswer::Status(500));
    office.app.clock.advance_seconds(2);
    let asked = office.app.request(Method::GET, SUMMARY).bearer_auth(&token);
    let without = office.app.send(asked).await.ok();
    assert_eq!(
        (&without["sol_price_usd"], &without["usdc_equivalent_totals"]),
        (&json!(null), &json!(null)),
        "MON-9: no number is made up"
    );
    assert_eq!(without["payment_totals_by_asset"], summary["payment_totals_by_asset"]);
    let empty = office.summary().await;
    assert_eq!((&empty["live_template_count"], &empty["payment_totals_by_asset"]), (&json!(0), &json!([])), "another owner's is not shown");
    assert_eq!(office.stripe.asked(), 0, "a summary asks nobody");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_subscribes_and_looks_after_it() {
    let office = Office::open().await;
    office.portal().await.refused(409, "stripe_customer_required");
    let nothing = office.refresh().await.ok();
    assert_eq!((&nothing["billing_status"], office.stripe.asked()), (&json!("none"), 0), "whoever is no customer is not asked after");

    let opened = office.checkout("growth", "monthly").await.ok();
    let session = opened["session_id"].as_str().unwrap();
    assert_eq!(opened["checkout_url"], json!(format!("https://checkout.stripe.com/c/pay/{session}")), "AC-38");
    let asked = &office.stripe.calls(SESSIONS)[0];
    let owner = office.app.owner.to_string();
    for (field, value) in [
        ("mode", "subscription"),
        ("line_items[0][price]", "price_growthMonthly"),
        ("success_url", "https://app.hilt.so/dashboard/billing?stripe=success"),
        ("metadata[hilt_product]", "hilt_workspace"),
        ("metadata[hilt_owner_id]", &owner),
        ("metadata[hilt_plan]", "growth"),
        ("metadata[hilt_interval]", "monthly"),
        ("subscription_data[metadata][hilt_owner_id]", &owner),
    ] {
        assert_eq!(asked.fields.get(field).map(String::as_str), Some(value), "{field}");
    }
    assert!(asked.idempotency_key.is_some());
    assert_eq!(office.summary().await["billing_status"], json!("none"), "nothing is bought by asking");

    let subscription = office.stripe.completes(session);
    let refreshed = office.refresh().await;
    assert!(refreshed.position.is_some());
    let shown = refreshed.ok();
    assert_eq!(
        (&shown["tier"], &shown["billing_status"], &shown["billing_interval"]),
        (&json!("growth"), &json!("active"), &json!("monthly"))
    );
    assert_eq!((&shown["subscribed_plan"], &shown["stripe_subscription_id"]), (&json!("growth"), &json!(subscription)));
    assert!(shown["stripe_customer_id"].as_str().unwrap().starts_with("cus_"));
    assert!(shown["synced_at"].is_string() && shown["current_period_end_at"].is_string());
    let invoice = &shown["invoices"][0];
    assert_eq!((&invoice["status"], &invoice["currency"], &invoice["total_minor_units"]), (&json!("paid"), &json!("usd"), &json!(34_900)));
    assert!(!shown.to_string().contains("secretLink"), "an invoice's page opens for anyone who has its address");
    assert_eq!(office.summary().await, shown, "the read model says what the log says");
    assert_eq!(shown["plan_limits"]["credits_per_month"], json!(10_000));
    let credits = office.ask(Method::GET, "/v1/credits", None).await.ok();
    assert_eq!((&credits["plan"], &credits["balance"]), (&json!("growth"), &json!(10_000)), "the plan that is paid for counts");

    let before = office.head().await;
    assert_eq!(office.refresh().await.ok(), shown);
    assert_eq!(office.head().await, before, "nothing new is no event");
    let portal = office.portal().await.ok();
    assert!(portal["portal_url"].as_str().unwrap().starts_with("https://billing.stripe.com/p/session/"));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_and_no_stranger_reaches_billing() {
    let office = Office::open().await;
    office.subscribed().await;
    let before = (office.head().await, office.stripe.asked());
    let staff = office.app.token(Role::Staff, None).await;
    let routes = [
        (Method::GET, SUMMARY, None),
        (Method::POST, CHECKOUT, Some(checkout("growth", "monthly"))),
        (Method::POST, PORTAL, Some(json!({"return_url": "https://app.hilt.so/"}))),
        (Method::POST, REFRESH, None),
    ];
    for (method, path, body) in routes {
        let request = || {
            let request = office.app.request(method.clone(), path);
            body.as_ref().map_or(office.app.request(method.clone(), path), |body| request.json(body))
        };
        for key in [&office.app.live_key, &office.app.sandbox_key] {
            office.app.send(request().header("X-Hilt-Key", key)).await.refused(403, "dashboard_session_required");
        }
        office.app.send(request().bearer_auth(&staff)).await.refused(403, "merchant_required");
        office.app.send(request()).await.refused(401, "auth_required");
    }
    assert_eq!((office.head().await, office.stripe.asked()), before, "INV-57: nothing happened, here or there");
    let stranger: OwnerId = new_id();
    let token = office.app.token(Role::Owner, Some(stranger)).await;
    let theirs = office.app.send(office.app.request(Method::GET, SUMMARY).bearer_auth(&token)).await.ok();
    assert_eq!((&theirs["billing_status"], &theirs["stripe_customer_id"]), (&json!("none"), &json!(null)));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_names_its_field_and_asks_nobody() {
    let office = Office::open().await;
    let wrong = |field: &'static str, value: Value| {
        let mut body = checkout("growth", "monthly");
        body[field] = value;
        let office = &office;
        async move {
            let refused = office.ask(Method::POST, CHECKOUT, Some(body)).await.refused(422, "validation_failed");
            assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
        }
    };
    wrong("plan", json!("enterprise")).await;
    wrong("plan", json!(7)).await;
    wrong("interval", json!("weekly")).await;
    wrong("success_url", json!("javascript:alert(1)")).await;
    wrong("cancel_url", json!("/dashboard")).await;
    let refused = office.ask(Method::POST, PORTAL, Some(json!({"return_url": ""}))).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], json!("return_url"));
    office.ask(Method::POST, CHECKOUT, None).await.refused(415, "unsupported_media_type");
    assert_eq!((office.stripe.asked(), office.events("workspace_billing.checkout_started").await), (0, 0));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_at_stripe_nothing_is_for_sale() {
    let app = TestApp::start(&[]).await;
    let token = app.token(Role::Owner, Some(app.owner)).await;
    let send = |method: Method, path: &str, body: Value| app.send(app.request(method, path).bearer_auth(&token).json(&body));
    send(Method::POST, CHECKOUT, checkout("growth", "monthly")).await.refused(503, "stripe_not_configured");
    send(Method::POST, PORTAL, json!({"return_url": "https://app.hilt.so/"})).await.refused(503, "stripe_not_configured");
    send(Method::POST, REFRESH, json!({})).await.refused(503, "stripe_not_configured");
    assert_eq!(send(Method::GET, SUMMARY, json!({})).await.ok()["tier"], json!("sandbox"));
    app.close().await;

    let office = Office::with(&[("HILT_STRIPE_WORKSPACE_PRICES", "growth_monthly=price_growthMonthly")]).await;
    office.checkout("scale", "yearly").await.refused(503, "stripe_price_not_configured");
    assert_eq!(office.stripe.asked(), 0);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_never_has_two_subscriptions() {
    let office = Office::open().await;
    let first = office.checkout("starter", "monthly").await.ok();
    let second = office.checkout("growth", "monthly").await.ok();
    assert_ne!(first["session_id"], second["session_id"]);
    let closed = format!("{SESSIONS}/{}/expire", first["session_id"].as_str().unwrap());
    assert_eq!(office.stripe.calls(&closed).len(), 1, "only the page asked for last takes a payment");
    office.stripe.completes(second["session_id"].as_str().unwrap());
    // Nobody has asked Stripe since.
    let refused = office.checkout("growth", "yearly").await.refused(409, "subscription_exists");
    assert!(refused["next_action"].as_str().unwrap().contains("/v1/billing/portal/stripe"), "{refused}");
    assert_eq!(office.events("workspace_billing.checkout_started").await, 2);

    let subscription = office.refresh().await.ok()["stripe_subscription_id"].as_str().unwrap().to_owned();
    for status in ["past_due", "unpaid", "paused", "trialing"] {
        office.stripe.becomes(&subscription, status);
        office.checkout("growth", "yearly").await.refused(409, "subscription_exists");
    }
    office.stripe.becomes(&subscription, "canceled");
    office.checkout("growth", "yearly").await.ok();
    assert_eq!(office.stripe.calls("POST /v1/customers").len(), 1, "one customer for one workspace");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_stands_as_stripe_says() {
    let office = Office::open().await;
    let subscription = office.subscribed().await;
    let shows = |status: &'static str, tier: &'static str| {
        let office = &office;
        async move {
            let shown = office.refresh().await.ok();
            assert_eq!((&shown["billing_status"], &shown["tier"]), (&json!(status), &json!(tier)), "{shown}");
            shown
        }
    };
    office.stripe.becomes(&subscription, "past_due");
    assert_eq!(shows("past_due", "sandbox").await["subscribed_plan"], json!("growth"), "what is not paid for grants nothing");
    office.stripe.becomes(&subscription, "active");
    office.stripe.moves_to(&subscription, "price_growthYearly");
    assert_eq!(shows("active", "growth").await["billing_interval"], json!("yearly"), "the price counts, not what was said at first");
    office.stripe.moves_to(&subscription, "price_unknown");
    assert_eq!(shows("active", "sandbox").await["subscribed_plan"], json!(null), "a price that nobody configured stands for no plan");
    office.stripe.moves_to(&subscription, "price_growthMonthly");
    office.stripe.ends_with_the_period(&subscription);
    assert_eq!(shows("active", "growth").await["cancel_at_period_end"], json!(true));
    let customer = office.summary().await["stripe_customer_id"].as_str().unwrap().to_owned();
    office.stripe.subscribes_elsewhere(&customer);
    assert_eq!(
        shows("active", "growth").await["stripe_subscription_id"],
        json!(subscription),
        "what is no plan of a workspace is passed over"
    );
    office.stripe.becomes(&subscription, "canceled");
    shows("canceled", "sandbox").await;
    assert_eq!(office.ask(Method::GET, "/v1/credits", None).await.ok()["plan"], json!("sandbox"));

    office.stripe.deletes(&customer);
    let gone = shows("none", "sandbox").await;
    assert_eq!((&gone["stripe_customer_id"], &gone["invoices"]), (&json!(null), &json!([])));
    office.portal().await.refused(409, "stripe_customer_required");
    let anew = office.checkout("growth", "monthly").await.ok();
    office.stripe.completes(anew["session_id"].as_str().unwrap());
    assert_ne!(shows("active", "growth").await["stripe_customer_id"], json!(customer));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_was_deleted_behind_our_back_has_no_portal_and_subscribes_anew() {
    let office = Office::open().await;
    office.checkout("growth", "monthly").await.ok();
    let customer = office.summary().await["stripe_customer_id"].as_str().unwrap().to_owned();
    office.stripe.deletes(&customer);
    office.portal().await.refused(409, "stripe_customer_required");
    let anew = office.checkout("growth", "monthly").await.ok();
    office.stripe.completes(anew["session_id"].as_str().unwrap());
    assert_eq!(office.refresh().await.ok()["billing_status"], json!("active"));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_at_once_put_it_on_record_once() {
    let office = Office::open().await;
    let opened = office.checkout("growth", "monthly").await.ok();
    office.stripe.completes(opened["session_id"].as_str().unwrap());
    let answers = join_all((0..6).map(|_| office.refresh())).await;
    let answers: Vec<_> = answers.into_iter().map(|answer| answer.ok()).collect();
    for answer in &answers {
        assert_eq!((&answer["tier"], &answer["synced_at"]), (&json!("growth"), &answers[0]["synced_at"]));
    }
    assert_eq!(office.events("workspace_billing.synced").await, 1);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkouts_at_once_leave_one_page_open() {
    let office = Office::open().await;
    let opened = join_all((0..4).map(|_| office.checkout("growth", "monthly"))).await;
    let sessions: Vec<_> = opened.into_iter().map(|answer| answer.ok()["session_id"].as_str().unwrap().to_owned()).collect();
    let expired = |session: &String| !office.stripe.calls(&format!("{SESSIONS}/{session}/expire")).is_empty();
    let open: Vec<_> = sessions.iter().filter(|session| !expired(session)).collect();
    assert_eq!(open.len(), 1, "{sessions:?}");
    let made = office.stripe.calls("POST /v1/customers");
    assert!(made.iter().all(|call| call.idempotency_key == made[0].idempotency_key), "one customer, however often he was asked for");

    let key = "order-7";
    let token = office.token().await;
    let again = |plan: &'static str| {
        let request = office.app.request(Method::POST, CHECKOUT).bearer_auth(&token).header("Idempotency-Key", key);
        office.app.send(request.json(&checkout(plan, "monthly")))
    };
    let first = again("starter").await;
    let before = office.stripe.asked();
    let second = again("starter").await;
    assert_eq!((second.replayed, office.stripe.asked()), (true, before), "a replay asks nobody");
    assert_eq!(first.ok(), second.ok());
    again("growth").await.refused(422, "idempotency_key_reused");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_an_hour_stripe_is_asked_without_being_told_to() {
    let office = Office::open().await;
    let opened = office.checkout("growth", "monthly").await.ok();
    let subscription = office.stripe.completes(opened["session_id"].as_str().unwrap());
    for (status, shown) in [("active", "active"), ("past_due", "past_due"), ("canceled", "canceled")] {
        office.stripe.becomes(&subscription, status);
        // A round that came before the read model shows the checkout would be the last for an hour.
        office.app.caught_up().await;
        office.app.clock.advance_seconds(3_600);
        until_status(&office, shown).await;
    }
    office.close().await;
}

async fn until_status(office: &Office, status: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let shown = office.summary().await;
        if shown["billing_status"] == json!(status) {
            return;
        }
        assert!(Instant::now() < deadline, "it never became {status}: {shown}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
