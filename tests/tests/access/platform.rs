//! The platform's own policy: emergency stops, capabilities, settings (RT-089..091, RT-101, RT-102, INV-21..35, INV-43, INV-47).

use crate::{
    shop::{Shop, events_of_type},
    staff::{Desk, gates, session, with_base},
};
use api::{
    app::{self, Parts},
    config::Config,
};
use hilt_tests::app::{SOON, TestApp};
use ledger::rails::Rails;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

async fn rail(app: &TestApp, rail: &str) -> Value {
    let rails = app.get(&app.live_key, "/v1/access/rails").await.ok();
    rails["rails"].as_array().unwrap().iter().find(|row| row["rail_id"] == json!(rail)).unwrap().clone()
}

async fn events(app: &TestApp) -> u64 {
    app.state.log.head().await.unwrap().next_position
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tripped_switch_stops_every_door_and_a_cleared_one_opens_them() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    shop.session(&app, "before").await;
    let stopped = desk.switch("solana_usdc", "tripped").await.ok();
    assert_eq!((&stopped["kill_switch"]["state"], &stopped["kill_switch"]["tripped_by"]), (&json!("tripped"), &json!("staff-1")));
    let head = events(&app).await;
    desk.switch("solana_usdc", "tripped").await.ok();
    assert_eq!(events(&app).await, head, "it was tripped already");

    for asked in [Some("solana_usdc"), None] {
        let refused = session(&app, &shop.product, asked).await;
        match asked {
            Some(_) => refused.refused(409, "rail_kill_switched"),
            None => refused.refused(409, "no_available_rails"),
        };
    }
    assert_eq!(gates(&app, &shop.product, "solana_usdc").await, (vec![json!("rail_kill_switched")], json!("rail_not_effective")));
    let sandbox =
        json!({"external_product_id": shop.product, "external_customer_id": "c", "rail": "solana_usdc", "confirm_sandbox_mode": true});
    let owner = app.token(api::http::jwt::Role::Owner, Some(app.owner)).await;
    let asked = app.request(Method::POST, "/v1/access/sandbox/payment-sessions").bearer_auth(owner).header("Idempotency-Key", "s");
    app.send(asked.json(&sandbox)).await.refused(409, "rail_disabled");
    assert_eq!(rail(&app, "solana_usdc").await["kill_switch_state"], json!("tripped"));
    assert_eq!(rail(&app, "x402").await["kill_switch_state"], json!("not_tripped"));
    assert_eq!(shop.check(&app, "before").await["reason"], json!("payment_pending"), "what was there before stays");

    desk.switch("solana_usdc", "not_tripped").await.ok();
    session(&app, &shop.product, None).await.ok();
    let tripped = events_of_type(&app, "kill_switch.tripped").await;
    let cleared = events_of_type(&app, "kill_switch.cleared").await;
    assert_eq!((tripped.len(), cleared.len()), (1, 1));
    assert_eq!((&tripped[0]["data"]["by"], &tripped[0]["data"]["reason"]), (&json!("staff-1"), &json!("drill")), "INV-44");
    assert_eq!((&tripped[0]["actor"]["kind"], &tripped[0]["owner_id"]), (&json!("staff"), &Value::Null));
    app.close().await;
}

/// INV-30 as the log shows it: between the trip and the end of the stop there is no session, whoever raced.
#[tokio::test(flavor = "multi_thread")]
async fn no_session_stands_behind_a_trip_in_the_log() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    let sell = async {
        let one = |n: usize| {
            let body = json!({"external_product_id": shop.product, "external_customer_id": format!("cust_{n}")});
            app.post(&app.live_key, "/v1/access/payment-sessions", body)
        };
        futures::future::join_all((0..40).map(one)).await
    };
    let (sold, _) = tokio::join!(sell, desk.switch("solana_usdc", "tripped"));
    let opened = sold.iter().filter(|answer| answer.status.as_u16() == 201).count();
    let position = |event: &Value| event["position"].as_u64().unwrap();
    let tripped = position(&events_of_type(&app, "kill_switch.tripped").await[0]);
    let sessions = events_of_type(&app, "payment_session.created").await;
    assert_eq!(sessions.len(), opened);
    assert!(sessions.iter().all(|session| position(session) < tripped));
    app.close().await;
}

/// What is told of an event is how the rails stood then, whenever it is told, and by whichever process.
#[tokio::test(flavor = "multi_thread")]
async fn the_rails_of_any_position_are_those_that_the_log_had_by_then() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    let solana = events::vocab::rail::RailId::SolanaUsdc;
    let evm = events::vocab::rail::RailId::EvmUsdc;
    desk.switch("solana_usdc", "tripped").await.ok();
    desk.capability("evm_usdc", json!({"allowlisted_chains": ["eip155:10"], "reason": "review"})).await.ok();
    desk.switch("solana_usdc", "not_tripped").await.ok();
    let position = async |kind: &str| events_of_type(&app, kind).await[0]["position"].as_u64().unwrap();
    let (tripped, said, cleared) =
        (position("kill_switch.tripped").await, position("rail_capability.updated").await, position("kill_switch.cleared").await);
    assert!(tripped < said && said < cleared);
    let stands = |rails: &Rails| (rails.get(solana).kill_switch.as_str(), rails.get(evm).allowlisted_chains.len());
    let expected = [
        (0, ("not_tripped", 0)),
        (tripped, ("not_tripped", 0)),
        (tripped + 1, ("tripped", 0)),
        (said, ("tripped", 0)),
        (said + 1, ("tripped", 1)),
        (cleared, ("tripped", 1)),
        (cleared + 1, ("not_tripped", 1)),
    ];
    // One that has read before, and one that has not; forwards, backwards, and after more has happened.
    let fresh = || workers::platform::Platform::new(app.state.log.clone(), Rails::standard());
    let known = fresh();
    for (at, stood) in expected.iter().chain(expected.iter().rev()) {
        assert_eq!(stands(&known.at(*at).await.unwrap()), *stood, "at {at}");
        assert_eq!(stands(&fresh().at(*at).await.unwrap()), *stood, "at {at}, read anew");
        assert_eq!(stands(&app.state.platform.at(*at).await.unwrap()), *stood, "at {at}, in the service");
    }
    desk.switch("solana_usdc", "tripped").await.ok();
    let again = events_of_type(&app, "kill_switch.tripped").await[1]["position"].as_u64().unwrap();
    assert_eq!(stands(&known.at(again).await.unwrap()), ("not_tripped", 1));
    assert_eq!(stands(&known.at(again + 1).await.unwrap()), ("tripped", 1), "what came since is read");
    assert_eq!(stands(&known.at(said).await.unwrap()), ("tripped", 0), "and what was stays");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_overlooks_no_trip() {
    let app = TestApp::start(&[]).await;
    let (desk, shop) = (Desk::of(&app).await, Shop::open(&app).await);
    let settings = [("HILT_ROLES", "api"), ("HILT_FEE_WALLET", "11111111111111111111111111111112")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parts = Parts {
        config: Config::parse(None, settings).unwrap(),
        database_url: app.database.service_url().to_owned(),
        nats_url: None,
        master_key: [7; 32],
        rails: Rails::standard(),
        clock: app.clock.clone(),
        check_network: false,
    };
    let other = app::build(parts).await.unwrap();
    let platform = other.state.platform.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (over, ended) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(other.serve(listener, async { ended.await.unwrap_or_default() }));
    let state = |rails: &Rails| rails.get(events::vocab::rail::RailId::SolanaUsdc).kill_switch;
    assert_eq!(state(&platform.shown().await.unwrap()), ledger::rails::KillSwitch::NotTripped);

    desk.switch("solana_usdc", "tripped").await.ok();
    let tripped = Instant::now();
    let body = json!({"external_product_id": shop.product, "external_customer_id": "cust_1"});
    let asked = reqwest::Client::new().post(format!("{url}/v1/access/payment-sessions")).header("X-Hilt-Key", &app.live_key);
    let refused = asked.header("Idempotency-Key", "elsewhere").json(&body).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 409, "a command decides on the log");
    while state(&platform.shown().await.unwrap()) != ledger::rails::KillSwitch::Tripped {
        assert!(tripped.elapsed() < SOON, "what is shown never came to it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(workers::platform::SHOWN_FOR < Duration::from_secs(1), "the stated bound");
    over.send(()).unwrap();
    served.await.unwrap().unwrap();
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rail_goes_live_before_it_has_passed_every_gate() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    let before = events(&app).await;
    let readiness = desk.get("/rails/production-readiness").await;
    let rows = readiness["rails"].as_array().unwrap();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let id = row["rail_id"].as_str().unwrap();
        assert_eq!(row["production_ready"], row["production_enabled"], "{id}");
        let on = json!({"production_enabled": true, "status": "production_available", "reason": "launch"});
        if id == "solana_usdc" {
            continue;
        }
        let refused = desk.capability(id, on).await.refused(409, "production_gates_closed");
        assert_eq!(refused["blockers"], row["closed_gates"], "the gates are named");
        let open = desk.capability(id, json!({"live_apply_gate": "open", "reason": "launch"})).await;
        open.refused(409, "production_gates_closed");
    }
    let base = rows.iter().find(|row| row["rail_id"] == json!("base_usdc")).unwrap();
    for gate in ["verification", "replay_protection", "settlement_finality", "receipt_mapping", "support_evidence", "monitoring"] {
        assert!(base["closed_gates"].as_array().unwrap().contains(&json!(gate)), "{gate}: {base}");
    }
    let contracts = desk.get("/rails/proof-contracts").await;
    let contracts = contracts["proof_contracts"].as_array().unwrap();
    let of = |rail: &str| contracts.iter().find(|row| row["rail_id"] == json!(rail)).unwrap();
    assert_eq!(of("base_usdc")["proof_type"], json!("erc20_transfer_v1"));
    assert_eq!((&of("tron_usdt")["proof_type"], &of("tron_usdt")["scaffold"]), (&json!("tron_transfer_v1"), &json!(true)));
    assert_eq!(of("usdt")["proof_type"], Value::Null);
    assert_eq!(events(&app).await, before, "looking and being refused leave no trace (AC-89)");

    let production = app.get(&app.live_key, "/v1/access/rails").await.ok();
    let production: Vec<_> =
        production["rails"].as_array().unwrap().iter().filter(|rail| rail["production_enabled"] == json!(true)).collect();
    assert_eq!(production.len(), 1, "INV-21");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_enables_no_rail() {
    for (name, value) in [
        ("HILT_BASE_USDC_PRODUCTION_ENABLED", "true"),
        ("HILT_RAIL_BASE_USDC_ENABLED", "1"),
        ("HILT_PAY_API_SETTLEMENT_RAIL", "base_usdc"),
        ("HILT_SOLANA_USDC_TWO_PERSON_REVIEW", "true"),
    ] {
        let settings = [(name.to_owned(), value.to_owned()), ("HILT_FEE_WALLET".to_owned(), "11111111111111111111111111111112".to_owned())];
        // Either it is no setting at all, or it changes nothing: the rails are what the service was built with and the log says.
        if Config::parse(None, settings).is_ok() {
            let app = TestApp::start(&[(name, value)]).await;
            let rails = app.state.platform.rails().await.unwrap();
            assert_eq!(*rails, Rails::standard(), "INV-31: {name}");
            assert!(!app.state.platform.standing().await.unwrap().policy.state.solana_usdc_two_person_review());
            app.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_kept_and_secrets_are_not() {
    let app = TestApp::start(&[]).await;
    let desk = Desk::of(&app).await;
    let said = json!({"provider_policy": "two of three agree", "webhook_policy": "wakes only", "token_policy": "native USDC",
        "finality_policy": "finalized", "allowlisted_chains": ["eip155:8453", "eip155:10"],
        "secret_references": ["env:HILT_EVM_RPC_URLS"], "reason": "review 12"});
    let kept = desk.capability("evm_usdc", said.clone()).await.ok();
    for key in ["provider_policy", "webhook_policy", "token_policy", "finality_policy", "secret_references"] {
        assert_eq!(kept[key], said[key], "{key}");
    }
    assert_eq!((&kept["changed_by"], &kept["production_enabled"]), (&json!("staff-1"), &json!(false)));
    let more = desk.capability("evm_usdc", json!({"token_policy": "", "reason": "review 13"})).await.ok();
    assert_eq!((&more["token_policy"], &more["provider_policy"]), (&Value::Null, &said["provider_policy"]), "what is left out stays");
    for (body, code) in [
        (json!({"production_enabled": true}), "reason_required"),
        (json!({"secret_references": ["sk_live_4242424242424242"], "reason": "r"}), "invalid_secret_reference"),
        (json!({"allowlisted_chains": ["base"], "reason": "r"}), "invalid_chain"),
        (json!({"status": "on", "reason": "r"}), "validation_failed"),
        (json!({"status": "production_available", "reason": "r"}), "rail_status_conflict"),
        (json!({"live_apply_gate": "ajar", "reason": "r"}), "validation_failed"),
    ] {
        desk.capability("evm_usdc", body).await.refused(422, code);
    }
    desk.capability("evm_usdc", json!({"sandbox_enabled": true, "reason": "r"})).await.refused(409, "sandbox_not_supported");
    desk.capability("paypal", json!({"reason": "r"})).await.refused(422, "unknown_rail");

    let chain = |chain: &str, state: &str| json!({"chain": chain, "state": state, "reason": "reorg"});
    let switch = |body| desk.send(0, Method::PUT, "/rails/evm_usdc/kill-switch", body);
    let one = switch(chain("eip155:10", "tripped")).await.ok();
    assert_eq!(one["kill_switch"]["state"], json!("not_tripped"), "the other chain goes on");
    let row = |rail: &Value, name: &str| rail["chains"].as_array().unwrap().iter().find(|row| row["chain"] == json!(name)).unwrap().clone();
    assert_eq!((&row(&one, "eip155:10")["state"], &row(&one, "eip155:8453")["state"]), (&json!("tripped"), &json!("not_tripped")));
    let both = switch(chain("eip155:8453", "tripped")).await.ok();
    assert_eq!(both["kill_switch"]["state"], json!("tripped"));
    assert_eq!(rail(&app, "evm_usdc").await["kill_switch_state"], json!("tripped"));
    switch(chain("solana", "tripped")).await.refused(422, "invalid_chain");
    switch(json!({"state": "off", "reason": "r"})).await.refused(422, "validation_failed");
    switch(json!({"state": "tripped"})).await.refused(422, "reason_required");
    let base = desk.send(0, Method::PUT, "/rails/base_usdc/kill-switch", chain("eip155:8453", "tripped")).await.ok();
    assert_eq!(base["kill_switch"]["state"], json!("tripped"), "Base has one chain");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn merchants_and_auditors_reach_no_staff_route() {
    let app = TestApp::start_with(&[], with_base()).await;
    let id = events::clock::new_id::<uuid::Uuid>();
    let auditor = app.token(api::http::jwt::Role::Auditor, None).await;
    let owner = app.token(api::http::jwt::Role::Owner, Some(app.owner)).await;
    let before = events(&app).await;
    for (method, path) in [
        (Method::GET, "/settings".to_owned()),
        (Method::GET, "/settings/solana_usdc_two_person_review".to_owned()),
        (Method::PUT, "/settings/solana_usdc_two_person_review".to_owned()),
        (Method::GET, "/rails/production-readiness".to_owned()),
        (Method::GET, "/rails/proof-contracts".to_owned()),
        (Method::PUT, "/rails/base_usdc/kill-switch".to_owned()),
        (Method::PUT, "/rails/base_usdc/capability".to_owned()),
        (Method::GET, "/rail-settings".to_owned()),
        (Method::POST, format!("/rail-settings/{id}/apply-verification")),
        (Method::PUT, format!("/rail-settings/{id}/fee-collection")),
        (Method::GET, "/approvals".to_owned()),
        (Method::POST, "/approvals".to_owned()),
        (Method::GET, format!("/approvals/{id}")),
        (Method::POST, format!("/approvals/{id}/approve")),
        (Method::POST, format!("/approvals/{id}/reject")),
        (Method::GET, "/entitlements".to_owned()),
        (Method::GET, format!("/entitlements/{id}")),
        (Method::POST, format!("/entitlements/{id}/mark-failed")),
        (Method::POST, format!("/entitlements/{id}/revoke")),
    ] {
        let path = format!("/v1/admin/access{path}");
        let body = json!({"reason": "r", "value": true, "state": "tripped", "production_enabled": true, "action": "rail_setting_verification",
            "target": id, "status": "active", "approval_id": id});
        let request = || app.request(method.clone(), &path).json(&body);
        app.send(request().header("X-Hilt-Key", &app.live_key)).await.refused(403, "staff_required");
        app.send(request().bearer_auth(&owner)).await.refused(403, "staff_required");
        app.send(request().bearer_auth(&auditor)).await.refused(403, "staff_required");
        app.send(request()).await.refused(401, "auth_required");
    }
    assert_eq!(events(&app).await, before);
    let document = app.get_public("/openapi.json").await.ok();
    assert!(!document["paths"].as_object().unwrap().keys().any(|path| path.starts_with("/v1/admin")), "INV-47");
    app.close().await;
}
