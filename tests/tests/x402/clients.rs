//! x402's own clients pay: a merchant's endpoint through the ledger's facilitator, and a session's own resource.

use crate::{scene::Scene, shop};
use hilt_tests::{python, solana_tx::Keypair};
use rails::solana::programs::USDC_MINT;
use serde_json::{Value, json};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
};

const PATIENCE: Duration = Duration::from_secs(30);

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("x402");
    assert!(folder.join("node_modules").is_dir(), "run `npm ci` in tests/x402 first");
    folder
}

/// A merchant's protected endpoint; it ends when dropped.
struct Endpoint {
    url: String,
    supported: Value,
    _server: Child,
}

impl Endpoint {
    async fn start(scene: &Scene, version: u64) -> Self {
        let mut server = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder())
            .env("HILT_API_URL", &scene.app.base_url)
            .env("HILT_API_KEY", &scene.app.live_key)
            .env("HILT_PAY_API_PRODUCT", &scene.shop.product)
            .env("X402_VERSION", version.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(server.stdout.take().expect("stdout is piped")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("it starts in time").expect("text").expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        Endpoint { url: ready["url"].as_str().unwrap().to_owned(), supported: ready["supported"].clone(), _server: server }
    }
}

/// Runs a client with `order` on its stdin; the last line that it prints.
async fn run(mut command: Command, order: &Value) -> Value {
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("the client starts");
    let mut stdin = client.stdin.take().expect("stdin is piped");
    stdin.write_all(order.to_string().as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, client.wait_with_output()).await.expect("it ends in time").expect("it ends");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("the client failed: {text}"))
}

async fn npm(order: &Value) -> Value {
    let mut node = Command::new("node");
    node.arg("pay.mjs").current_dir(folder());
    run(node, order).await
}

async fn pypi(order: &Value) -> Value {
    let mut program = python::program("python");
    program.arg(python::folder().join("x402_pay.py"));
    run(program, order).await
}

/// A buyer with USDC and no SOL, and what his client is told.
async fn order(scene: &Scene, url: &str, customer: &str, version: u64) -> Value {
    let seed = *b"0123456789abcdef0123456789abcdef";
    let mut own = seed;
    own[..customer.len().min(32)].copy_from_slice(&customer.as_bytes()[..customer.len().min(32)]);
    let buyer = Keypair::from_seed(own);
    scene.chain.fund_token(&buyer.address(), &USDC_MINT, 30_000_000).await;
    let secret = [own.as_slice(), &buyer.address().0].concat();
    json!({
        "url": url, "headers": {"X-Customer-Id": customer}, "version": version, "rpcUrl": scene.chain.rpc_url,
        "secret": hex::encode(secret),
    })
}

async fn endpoint_is_paid(version: u64) {
    let scene = Scene::open().await;
    // The merchant's token account must be there, as it is for whoever has ever received the token.
    scene.session("somebody").await;
    let endpoint = Endpoint::start(&scene, version).await;
    assert_eq!(endpoint.supported["kinds"][0]["extra"]["feePayer"], json!(scene.fee_payer.to_string()));
    let order = order(&scene, &endpoint.url, "cust_npm", version).await;
    let paid = npm(&order).await;
    assert_eq!((&paid["status"], &paid["body"]["answer"]), (&json!(200), &json!("paid response")), "{paid}");
    assert_eq!(paid["settled"]["success"], json!(true), "{paid}");
    let checked = scene.shop.check(&scene.app, "cust_npm").await;
    assert_eq!((&checked["has_access"], &checked["receipt_id"]), (&json!(true), &paid["body"]["receipt_id"]));
    // He who has paid is not asked again.
    let again = npm(&order).await;
    assert_eq!((&again["status"], &again["sent"]), (&json!(200), &json!({})), "{again}");
    assert_eq!(shop::events_of_type(&scene.app, "settlement.evidenced").await.len(), 1);
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_npm_client_pays_an_endpoint_in_version_2() {
    endpoint_is_paid(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_npm_client_pays_an_endpoint_in_version_1() {
    endpoint_is_paid(1).await;
}

/// It takes the version that it is asked in, one customer for each.
#[tokio::test(flavor = "multi_thread")]
async fn the_pypi_client_pays_an_endpoint_in_both_versions() {
    let scene = Scene::open().await;
    scene.session("somebody").await;
    for version in [2, 1] {
        let endpoint = Endpoint::start(&scene, version).await;
        let customer = format!("cust_pypi_{version}");
        let paid = pypi(&order(&scene, &endpoint.url, &customer, version).await).await;
        assert_eq!((&paid["status"], &paid["body"]["answer"]), (&json!(200), &json!("paid response")), "{paid}");
        assert_eq!(paid["settled"]["success"], json!(true), "{paid}");
        assert_eq!(scene.shop.check(&scene.app, &customer).await["has_access"], json!(true));
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_own_resource_is_paid_without_a_resource_server() {
    let scene = Scene::open().await;
    for version in [2, 1] {
        let customer = format!("cust_v{version}");
        let session = scene.session(&customer).await;
        let url = format!("{}/v1/access/x402/resource/{}", scene.app.base_url, session["id"].as_str().unwrap());
        let paid = npm(&order(&scene, &url, &customer, version).await).await;
        assert_eq!((&paid["status"], &paid["body"]["status"]), (&json!(200), &json!("paid")), "{paid}");
        assert_eq!(paid["settled"]["success"], json!(true), "{paid}");
        assert_eq!(scene.shop.check(&scene.app, &customer).await["has_access"], json!(true));
        let path = format!("/v1/access/x402/resource/{}", session["id"].as_str().unwrap());
        assert_eq!(scene.app.get_public(&path).await.ok()["status"], json!("paid"));
    }
    scene.app.get_public("/v1/access/x402/resource/nobody").await.refused(404, "payment_session_not_found");
    let plain = scene.shop.session(&scene.app, "cust_plain").await;
    let path = format!("/v1/access/x402/resource/{}", plain["payment_session"]["id"].as_str().unwrap());
    scene.app.get_public(&path).await.refused(404, "payment_session_not_found");
    scene.app.close().await;
}
