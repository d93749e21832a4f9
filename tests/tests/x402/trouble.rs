//! The facilitator when things go wrong: a chain that is slow, two processes at once, a crash at the worst line, an emergency stop.

use crate::{
    scene::Scene,
    shop::{events_of_type, until_event},
};
use api::{
    app::{self, Parts},
    config::Config,
    http::jwt::Role,
};
use hilt_tests::{
    app::{SOON, TestApp},
    chain::LocalSolana,
    rpc_proxy::{RpcProxy, hold_at_confirmed},
};
use ledger::rails::Rails;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A service behind a proxy to its chain.
async fn behind_a_proxy() -> (RpcProxy, Scene) {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    let scene = Scene::on(chain, &proxy.url).await;
    (proxy, scene)
}

/// Another process of the same deployment, without memory of the first.
struct Other {
    url: String,
    http: Client,
    over: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Other {
    async fn start(app: &TestApp, rpc_url: &str) -> Self {
        let settings = [("HILT_ROLES", "api"), ("HILT_FEE_WALLET", "11111111111111111111111111111112"), ("HILT_SOLANA_RPC_URL", rpc_url)];
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (over, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(other.serve(listener, async { ended.await.unwrap_or_default() }));
        Other { url, http: Client::builder().no_proxy().build().unwrap(), over, served }
    }

    async fn settle(&self, body: &Value) -> Value {
        let answer = self.http.post(format!("{}/v1/x402/settle", self.url)).json(body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn end(self) {
        self.over.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_is_not_final_in_time_is_pending_and_settling_again_goes_on() {
    let (proxy, scene) = behind_a_proxy().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    proxy.set_rule(hold_at_confirmed);
    let began = Instant::now();
    let pending = scene.settle(&request).await;
    assert!(began.elapsed() < Duration::from_secs(30), "resource servers give a facilitator 30 seconds");
    assert_eq!((&pending["success"], &pending["errorReason"]), (&json!(false), &json!("settlement_pending")), "{pending}");
    let tx = pending["transaction"].as_str().unwrap();
    assert!(!tx.is_empty(), "it is on its way");
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["reason"], json!("payment_pending"), "INV-7");
    assert!(events_of_type(&scene.app, "settlement.evidenced").await.is_empty());
    assert_eq!(scene.verify(&request).await["isValid"], json!(true), "he is not to pay another time");

    proxy.clear_rule();
    let deadline = Instant::now() + SOON;
    let settled = loop {
        let settled = scene.settle(&request).await;
        // A client goes on while it is told to, and tries again when the node did not answer.
        match settled["errorReason"].as_str() {
            Some("settlement_pending" | "unexpected_settle_error") => assert!(Instant::now() < deadline, "{settled}"),
            _ => break settled,
        }
    };
    assert_eq!((&settled["success"], &settled["transaction"]), (&json!(true), &json!(tx)), "{settled}");
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["has_access"], json!(true));
    assert_eq!(events_of_type(&scene.app, "settlement.evidenced").await.len(), 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_settle_one_payment_once() {
    let scene = Scene::open().await;
    let other = Other::start(&scene.app, &scene.chain.rpc_url).await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    let calls = (0..6).map(|number| {
        let (scene, other, request) = (&scene, &other, &request);
        async move { if number % 2 == 0 { scene.settle(request).await } else { other.settle(request).await } }
    });
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer["success"] == json!(true)), "{answers:#?}");
    assert!(answers.iter().all(|answer| answer == &answers[0]), "one transaction, one receipt: {answers:#?}");
    for once in ["proof.fingerprinted", "payment.broadcast_recorded", "settlement.evidenced", "receipt.created", "fee.due"] {
        assert_eq!(events_of_type(&scene.app, once).await.len(), 1, "{once}");
    }
    // Two payments for one session, one at each process: one is sent.
    let session = scene.session("cust_2").await;
    let instructions = scene.instructions(&session);
    let (one, two) = (scene.signed(&instructions).await, {
        let mut dearer = instructions.clone();
        dearer.splice(..2, hilt_tests::solana_tx::compute_budget(20_000, 2));
        scene.signed(&dearer).await
    });
    let (one, two) = (scene.request(&session, &one), scene.request(&session, &two));
    let (here, there) = tokio::join!(scene.settle(&one), other.settle(&two));
    let paid = [&here, &there].iter().filter(|answer| answer["success"] == json!(true)).count();
    assert_eq!(paid, 1, "{here} {there}");
    assert_eq!(events_of_type(&scene.app, "settlement.evidenced").await.len(), 2);
    other.end().await;
    scene.app.close().await;
}

/// The request ends between the record that a transaction is on its way and the sending of it.
async fn dies_before_sending(proxy: &RpcProxy, scene: &Scene, request: &Value) {
    proxy.withhold(Some("sendTransaction"));
    let path = format!("{}/v1/x402/settle", scene.app.base_url);
    let dying = tokio::spawn(Client::builder().no_proxy().build().unwrap().post(path).json(request).send());
    let deadline = Instant::now() + SOON;
    while proxy.calls("sendTransaction") == 0 {
        assert!(Instant::now() < deadline, "it never came to sending");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    dying.abort();
    assert_eq!(events_of_type(&scene.app, "payment.broadcast_recorded").await.len(), 1, "recorded before it is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_sending_is_made_good_by_whoever_asks_again() {
    let (proxy, scene) = behind_a_proxy().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    dies_before_sending(&proxy, &scene, &request).await;
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["reason"], json!("payment_pending"));
    proxy.withhold(None);
    let other = Other::start(&scene.app, &scene.chain.rpc_url).await;
    let settled = other.settle(&request).await;
    assert_eq!(settled["success"], json!(true), "{settled}");
    for once in ["proof.fingerprinted", "payment.broadcast_recorded", "settlement.evidenced", "receipt.created"] {
        assert_eq!(events_of_type(&scene.app, once).await.len(), 1, "{once}");
    }
    other.end().await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_sending_that_nobody_asks_about_ends_the_payment() {
    let (proxy, scene) = behind_a_proxy().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    dies_before_sending(&proxy, &scene, &request).await;
    scene.app.clock.advance_seconds(30 * 60 + 601);
    until_event(&scene.app, "payment.failed").await;
    let failed = events_of_type(&scene.app, "payment.failed").await;
    assert_eq!(failed[0]["data"]["reason"], json!("tx_never_appeared"));
    assert!(events_of_type(&scene.app, "settlement.evidenced").await.is_empty());
    let again = scene.session("cust_1").await;
    assert_ne!(again["id"], session["id"], "another session can be had");
    scene.app.close().await;
}

/// INV-30: during a stop no session is opened, nothing is verified and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_holds_the_facilitator_too() {
    let (proxy, scene) = behind_a_proxy().await;
    let session = scene.session("cust_1").await;
    let request = scene.request(&session, &scene.signed(&scene.instructions(&session)).await);
    let staff = scene.app.token_of("staff-1", Role::Staff, None).await;
    let switch = async |state: &str| {
        let asked = scene.app.request(Method::PUT, "/v1/admin/access/rails/solana_usdc/kill-switch").bearer_auth(&staff);
        scene.app.send(asked.json(&json!({"state": state, "reason": "drill"}))).await.ok();
    };
    switch("tripped").await;
    scene.keyless(scene.ask("cust_2")).await.refused(409, "rail_kill_switched");
    let verified = scene.verify(&request).await;
    assert_eq!((&verified["isValid"], &verified["invalidReason"]), (&json!(false), &json!("invalid_transaction_state")), "{verified}");
    let settled = scene.settle(&request).await;
    assert_eq!((&settled["success"], &settled["errorReason"]), (&json!(false), &json!("invalid_transaction_state")), "{settled}");
    assert!(settled["errorMessage"].as_str().unwrap().contains("rail_kill_switched"), "{settled}");
    assert_eq!(proxy.calls("sendTransaction"), 0, "no money moves");
    assert!(events_of_type(&scene.app, "payment.broadcast_recorded").await.is_empty());
    switch("not_tripped").await;
    assert_eq!(scene.settle(&request).await["success"], json!(true));
    assert_eq!(scene.shop.check(&scene.app, "cust_1").await["has_access"], json!(true));
    scene.app.close().await;
}
