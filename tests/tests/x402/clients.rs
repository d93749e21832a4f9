//! x402's own clients pay: a merchant's endpoint through the ledger's facilitator, and a session's own resource.

use crate::{scene::Scene, shop};
use hilt_tests::{
    paid_endpoint::{Server, Version},
    processes::free_port,
    x402_clients::{Client, PATIENCE, folder, order},
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

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

async fn endpoint_is_paid(version: u64) {
    let scene = Scene::open().await;
    // The merchant's token account must be there, as it is for whoever has ever received the token.
    scene.session("somebody").await;
    let endpoint = Endpoint::start(&scene, version).await;
    assert_eq!(endpoint.supported["kinds"][0]["extra"]["feePayer"], json!(scene.fee_payer.to_string()));
    let order = order(&scene.chain, &endpoint.url, "cust_npm", version).await;
    let paid = Client::Npm.pay(&order).await;
    assert_eq!((&paid["status"], &paid["body"]["answer"]), (&json!(200), &json!("paid response")), "{paid}");
    assert_eq!(paid["settled"]["success"], json!(true), "{paid}");
    let checked = scene.shop.check(&scene.app, "cust_npm").await;
    assert_eq!((&checked["has_access"], &checked["receipt_id"]), (&json!(true), &paid["body"]["receipt_id"]));
    // He who has paid is not asked again.
    let again = Client::Npm.pay(&order).await;
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
        let paid = Client::Pypi.pay(&order(&scene.chain, &endpoint.url, &customer, version).await).await;
        assert_eq!((&paid["status"], &paid["body"]["answer"]), (&json!(200), &json!("paid response")), "{paid}");
        assert_eq!(paid["settled"]["success"], json!(true), "{paid}");
        assert_eq!(scene.shop.check(&scene.app, &customer).await["has_access"], json!(true));
    }
    scene.app.close().await;
}

/// AC-57, AC-58, AC-70 with clients that nobody wrote for this service: each of x402's pays each version of the example.
#[tokio::test(flavor = "multi_thread")]
async fn x402s_clients_pay_the_example_in_every_version() {
    let scene = Scene::open().await;
    scene.session("somebody").await;
    tokio::join!(example_is_paid(&scene, Version::FastApi), example_is_paid(&scene, Version::Express));
    let settled = shop::events_of_type(&scene.app, "settlement.evidenced").await;
    assert_eq!(settled.len(), 8, "two servers, two clients, two versions of x402");
    assert_eq!(shop::events_of_type(&scene.app, "fee.due").await.len(), 8);
    scene.app.close().await;
}

async fn example_is_paid(scene: &Scene, example: Version) {
    let settings = [
        ("HILT_API_URL", scene.app.base_url.as_str()),
        ("HILT_API_KEY", &scene.app.live_key),
        ("HILT_PAY_API_PRODUCT", &scene.shop.product),
    ];
    let server = Server::start(example, free_port(), &settings).await;
    let nobody = server.post("/ai/pro", None, json!({})).await;
    assert_eq!(nobody.status(), 400, "AC-58");
    for client in [Client::Npm, Client::Pypi] {
        for version in [2, 1] {
            let customer = format!("{example:?}_{client:?}_{version}");
            let denied = server.denied(&customer).await;
            assert!(!denied.to_string().contains(&scene.app.live_key), "INV-82: {denied}");
            let mut order = order(&scene.chain, &format!("{}/ai/pro", server.url), &customer, version).await;
            order["method"] = json!("POST");
            order["body"] = json!({"prompt": "summarize this research dataset"});
            let paid = client.pay(&order).await;
            assert_eq!((&paid["status"], &paid["body"]["answer"]), (&json!(200), &json!("paid response")), "{customer}: {paid}");
            assert_eq!(paid["settled"]["success"], json!(true), "{customer}: {paid}");
            let checked = scene.shop.check(&scene.app, &customer).await;
            assert_eq!((&checked["has_access"], &checked["rail_id"]), (&json!(true), &paid["body"]["rail_id"]), "{customer}");
            let receipt = paid["body"]["receipt_id"].as_str().expect("a paid answer names its receipt");
            assert_eq!(checked["receipt_id"], json!(receipt), "{customer}");
            assert_eq!(scene.app.get_public(&format!("/v1/receipt/{receipt}/verify")).await.ok()["valid"], json!(true));
            // Whoever has paid is let in without being asked.
            assert_eq!(server.work(&customer).await.0, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_own_resource_is_paid_without_a_resource_server() {
    let scene = Scene::open().await;
    for version in [2, 1] {
        let customer = format!("cust_v{version}");
        let session = scene.session(&customer).await;
        let url = format!("{}/v1/access/x402/resource/{}", scene.app.base_url, session["id"].as_str().unwrap());
        let paid = Client::Npm.pay(&order(&scene.chain, &url, &customer, version).await).await;
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
