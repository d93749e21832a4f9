//! The entitlement check (RT-066): its reasons, own writes, other processes, and what happens when its index cannot follow the log.

use crate::{an_app, product_body, shop::Shop, wallet};
use events::{
    log::Context,
    unit::Unit,
    vocab::{
        id::{EntitlementId, OwnerId},
        stream::{Actor, Category, StreamId},
        words::Scope,
    },
};
use hilt_tests::{
    app::TestApp,
    payments::{self, force},
    processes::{free_port, hilt},
};
use ledger::entitlement::{self, Entitlement};
use serde_json::{Value, json};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};

const CHECK: &str = "/v1/access/entitlements/check";
const SANDBOX: &str = "/v1/access/sandbox/payment-sessions";

fn reason(answer: &Value) -> (&str, &str, &str, bool) {
    let text = |key: &str| answer[key].as_str().unwrap();
    (text("reason"), text("status"), text("source"), answer["has_access"].as_bool().unwrap())
}

/// Takes an entitlement away, as staff do.
async fn revoke(log: &events::log::Log, owner: OwnerId, livemode: bool, id: EntitlementId) -> u64 {
    let context = Context { owner_id: Some(owner), livemode, actor: Actor::system("test"), request_id: None, correlation_id: id.0 };
    let mut unit = Unit::new(log, context);
    let mut entitlement = unit.load::<Entitlement>(StreamId::new(Category::Entitlement, id)).await.unwrap();
    unit.decide(&mut entitlement, entitlement::Command::Revoke { reason: "refund".into() }, None).unwrap();
    unit.commit().await.unwrap().last_position
}

/// A sandbox product of the app's owner.
async fn sandbox_product(app: &TestApp) {
    let made = an_app(app, &app.sandbox_key, "pro").await;
    let mut body = product_body(&made["id"], "pro-ai-api", &wallet());
    body["live_mode_confirmed"] = json!(false);
    body["allowed_rails"] = json!(["solana_usdc", "x402"]);
    app.post(&app.sandbox_key, "/v1/access/products", body).await.ok();
}

/// Opens and confirms a sandbox session of that customer; its entitlement.
async fn sandbox_access(app: &TestApp, customer: &Value) -> EntitlementId {
    let mut body = json!({"external_product_id": "pro-ai-api", "confirm_sandbox_mode": true});
    body.as_object_mut().unwrap().extend(customer.as_object().unwrap().clone());
    let made = app.post(&app.sandbox_key, SANDBOX, body).await.ok();
    let path = format!("{SANDBOX}/{}/confirm", made["sandbox_session"]["id"].as_str().unwrap());
    app.post(&app.sandbox_key, &path, json!({"proof": made["sandbox_session"]["proof"]})).await.ok();
    made["pending_entitlement"]["id"].as_str().unwrap().parse().unwrap()
}

/// The answer, which is the same however the customer is named (AC-66).
async fn ask(app: &TestApp, key: &str, customer: &Value, more: Value) -> Value {
    let mut answers = Vec::new();
    for (name, value) in customer.as_object().unwrap() {
        let names = if name == "external_customer_id" { vec![name.as_str(), "customer_reference"] } else { vec![name.as_str()] };
        for name in names {
            let mut body = json!({"external_product_id": "pro-ai-api", name: value});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            answers.push(app.post(key, CHECK, body).await.ok());
        }
    }
    for other in &answers {
        assert_eq!(reason(other), reason(&answers[0]), "{answers:#?}");
    }
    answers.swap_remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_given_whichever_identity_is_named() {
    let app = TestApp::start(&[]).await;
    Shop::open(&app).await;
    sandbox_product(&app).await;
    let customer =
        |n: u8| json!({"external_customer_id": format!("cust_{n}"), "wallet": wallet(), "email": format!("Buyer.{n}@example.com")});
    let (key, sandbox) = (app.live_key.clone(), app.sandbox_key.clone());
    let (paying, trying, stranger) = (customer(1), customer(2), customer(3));
    assert_eq!(reason(&ask(&app, &key, &stranger, json!({})).await), ("no_entitlement", "not_found", "none", false), "COD-33");
    let elsewhere = ask(&app, &key, &stranger, json!({"rail": "base_usdc"})).await;
    assert_eq!(reason(&elsewhere), ("no_entitlement_for_rail", "not_found", "none", false), "COD-32: the product does not allow it");

    let mut body = json!({"external_product_id": "pro-ai-api"});
    body.as_object_mut().unwrap().extend(paying.as_object().unwrap().clone());
    let made = app.post(&key, "/v1/access/payment-sessions", body).await.ok();
    let pending = ask(&app, &key, &paying, json!({})).await;
    assert_eq!(reason(&pending), ("payment_pending", "pending", "access_entitlement", false), "COD-29, INV-17");
    assert_eq!(pending["last_payment_id"], made["payment_session"]["payment_id"]);
    let elsewhere = ask(&app, &key, &paying, json!({"rail": "x402"})).await;
    assert_eq!(reason(&elsewhere), ("no_entitlement_for_rail", "not_found", "none", false), "COD-32: what there is is of another rail");

    sandbox_access(&app, &trying).await;
    let active = ask(&app, &sandbox, &trying, json!({})).await;
    assert_eq!(reason(&active), ("active_entitlement", "active", "sandbox_entitlement", true), "COD-27");
    assert_eq!((&active["sandbox_only"], &active["livemode"]), (&json!(true), &json!(false)));
    for customer in [&trying, &paying] {
        let live = ask(&app, &key, customer, json!({})).await;
        assert_ne!(live["source"], json!("sandbox_entitlement"), "INV-39: a live key never sees sandbox access");
        assert_eq!(live["has_access"], json!(false));
    }
    app.clock.advance_seconds(31 * 86_400);
    let expired = ask(&app, &sandbox, &trying, json!({})).await;
    assert_eq!(reason(&expired), ("entitlement_expired", "expired", "sandbox_entitlement", false), "COD-30: by the clock, not by a sweep");
    let again = sandbox_access(&app, &trying).await;
    assert_eq!(ask(&app, &sandbox, &trying, json!({})).await["has_access"], json!(true));
    revoke(&app.state.log, app.owner, false, again).await;
    app.until(&sandbox, "/readyz", |body| body["access_index"]["lag"] == json!(0)).await;
    assert_eq!(ask(&app, &sandbox, &trying, json!({})).await["reason"], json!("entitlement_expired"), "expired says more than revoked");
    let third = customer(4);
    let revoked = sandbox_access(&app, &third).await;
    let position = revoke(&app.state.log, app.owner, false, revoked).await;
    let question = json!({"external_product_id": "pro-ai-api", "external_customer_id": third["external_customer_id"]});
    let request = app.request(reqwest::Method::POST, CHECK).header("X-Hilt-Key", &sandbox).header("Hilt-Min-Position", position);
    let answer = app.send(request.json(&question)).await.ok();
    assert_eq!(reason(&answer), ("entitlement_revoked", "revoked", "sandbox_entitlement", false), "COD-31");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_has_access_over_the_bridge() {
    let app = TestApp::start(&[]).await;
    let shop = payments::shop(&app.state.log, true).await;
    let key = app.key(shop.owner_id, true, Scope::ALL).await;
    let paid = payments::paid(&app.state.log, &shop).await;
    let head = app.state.log.head().await.unwrap().next_position - 1;
    let ask = async |position: u64| {
        let body = json!({"product_id": shop.product_id, "external_customer_id": "customer-1"});
        let request = app.request(reqwest::Method::POST, CHECK).header("X-Hilt-Key", &key).header("Hilt-Min-Position", position);
        app.send(request.json(&body)).await.ok()
    };
    let answer = ask(head).await;
    assert_eq!(reason(&answer), ("active_membership", "active", "membership_bridge", true), "COD-28, DIS-24");
    assert_eq!((&answer["receipt_id"], &answer["last_payment_id"]), (&json!(paid.receipt_id), &json!(paid.session.payment_id)), "AC-64");
    let entitlement = paid.session.entitlement_id;
    let position = revoke(&app.state.log, shop.owner_id, true, entitlement).await;
    assert_eq!(reason(&ask(position).await).0, "entitlement_revoked", "what is taken away is not given by the bridge");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_sees_his_own_writes_at_once_however_many_write() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app).await;
    let one = async |number: usize| {
        for round in 0..3 {
            let customer = json!({"external_customer_id": format!("cust_{number}_{round}")});
            let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": customer["external_customer_id"]});
            assert_eq!(app.post(&app.sandbox_key, CHECK, body.clone()).await.ok()["has_access"], json!(false));
            sandbox_access(&app, &customer).await;
            let answer = app.post(&app.sandbox_key, CHECK, body).await.ok();
            assert_eq!(answer["has_access"], json!(true), "{number} does not see what he wrote: {answer}");
        }
    };
    futures::future::join_all((0..12).map(one)).await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_feed_breaks_postgresql_answers_and_the_index_comes_back() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app).await;
    let customer = json!({"external_customer_id": "cust_1"});
    let entitlement = sandbox_access(&app, &customer).await;
    let check = async || {
        let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": "cust_1"});
        app.post(&app.sandbox_key, CHECK, body).await.ok()
    };
    let index = async || app.get_public("/readyz").await.body["access_index"].clone();
    assert_eq!(check().await["has_access"], json!(true));
    let before = index().await["fallbacks"].as_u64().unwrap();
    // Its connection is cut as often as it is made.
    let admin = app.database.admin_pool().await;
    let cut = tokio::spawn(async move {
        loop {
            sqlx::query(include_str!("sql/cut_access_index.sql")).execute(&admin).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let deadline = Instant::now() + Duration::from_secs(20);
    while index().await["fallbacks"].as_u64().unwrap() == before {
        assert_eq!(check().await["has_access"], json!(true));
        assert!(Instant::now() < deadline, "it never noticed: {}", index().await);
    }
    revoke(&app.state.log, app.owner, false, entitlement).await;
    assert_eq!(check().await["reason"], json!("entitlement_revoked"), "PostgreSQL is asked about all that is committed");
    cut.abort();
    app.until(&app.sandbox_key, "/readyz", |body| body["access_index"]["state"] == json!("live")).await;
    let settled = index().await["fallbacks"].clone();
    assert_eq!(check().await["reason"], json!("entitlement_revoked"));
    assert_eq!(index().await["fallbacks"], settled, "the index answers again");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_shows_in_another_process_that_was_started_later() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app).await;
    let mut granted = Vec::new();
    for number in 0..8 {
        granted.push(sandbox_access(&app, &json!({"external_customer_id": format!("cust_{number}")})).await);
    }
    let port = free_port();
    let mut command = hilt(&["serve", "--roles", "api"]);
    command
        .env("HILT_DATABASE_URL", app.database.service_url())
        .env("HILT_NATS_URL", hilt_tests::stack::nats_url())
        .env("HILT_NATS_PREFIX", hilt_tests::stack::nats_prefix())
        .env("HILT_MASTER_KEY", hex::encode([7; 32]))
        .env("HILT_FEE_WALLET", "11111111111111111111111111111112")
        .env("HILT_LISTEN", format!("127.0.0.1:{port}"))
        .env("HILT_LOG", "warn");
    let _other = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let there = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let index = async || {
        let answer = http.get(there("/readyz")).send().await.ok()?;
        Some(answer.json::<Value>().await.ok()?["access_index"].clone())
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while index().await.is_none_or(|index| index["state"] != json!("live")) {
        assert!(Instant::now() < deadline, "the other process has no index");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(index().await.unwrap()["entitlements"].as_u64().unwrap() >= 8, "it was filled from the read models");
    let check = async |number: usize| {
        let body = json!({"external_product_id": "pro-ai-api", "external_customer_id": format!("cust_{number}")});
        let answer = http.post(there(CHECK)).header("X-Hilt-Key", &app.sandbox_key).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["reason"].as_str().unwrap().to_owned()
    };
    let mut taken = Vec::new();
    for (number, entitlement) in granted.into_iter().enumerate() {
        assert_eq!(check(number).await, "active_entitlement");
        revoke(&app.state.log, app.owner, false, entitlement).await;
        let revoked = Instant::now();
        let mut asked = revoked.elapsed();
        while check(number).await != "entitlement_revoked" {
            assert!(asked < projections::access_index::BOUND, "asked {asked:?} after the revocation, which is past the stated bound");
            asked = revoked.elapsed();
        }
        taken.push(revoked.elapsed());
    }
    taken.sort();
    println!("seen in another process after {:?} at the median, {:?} at most", taken[taken.len() / 2], taken[taken.len() - 1]);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_found_by_his_wallet_alone() {
    let app = TestApp::start(&[]).await;
    sandbox_product(&app).await;
    let customer = json!({"external_customer_id": "cust_1", "wallet": wallet(), "email": "buyer@example.com"});
    sandbox_access(&app, &customer).await;
    assert_eq!(ask(&app, &app.sandbox_key, &customer, json!({})).await["has_access"], json!(true));
    let identity = [("external_customer_id", "cust_1")];
    let subject = app.state.vault.find_subject(app.owner, &identity).await.unwrap().unwrap();
    app.state.vault.erase(subject).await.unwrap();
    let erased = events::vocab::event::SubjectErased { subject_id: subject, reason: "asked".into(), approval: None };
    let position = force(&app.state.log, app.owner, false, StreamId::new(Category::Subject, subject), erased).await;
    for (name, access) in [("external_customer_id", false), ("email", false), ("wallet", true)] {
        let body = json!({"external_product_id": "pro-ai-api", name: customer[name]});
        let request = app.request(reqwest::Method::POST, CHECK).header("X-Hilt-Key", &app.sandbox_key);
        let answer = app.send(request.header("Hilt-Min-Position", position).json(&body)).await.ok();
        assert_eq!(answer["has_access"], json!(access), "{name}");
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bench_measures_both_servers_and_sees_every_revocation() {
    let database = hilt_tests::db::Database::fresh().await;
    let mut command = hilt(&["bench", "check", "--entitlements", "2000", "--connections", "4", "--seconds", "1", "--turns", "1", "--json"]);
    let output = command.env("HILT_ADMIN_DATABASE_URL", database.admin_url()).stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["bench"], &report["entitlements"]), (&json!("check"), &json!(2_000)), "{report}");
    let positive = |value: &Value| value.as_f64().unwrap() > 0.0;
    assert!(["check", "floor"].iter().all(|server| positive(&report[server]["requests_per_second"])), "{report}");
    let revoked = &report["half"]["revocations"];
    assert!(revoked["revocations"].as_u64().unwrap() > 10 && positive(&revoked["denied_after_p50_us"]), "{report}");
}
