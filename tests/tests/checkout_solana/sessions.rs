//! A session's payment as a transaction: built, signed by a key that the service does not know, sent through it, and settled; and
//! everything else that a caller may hand in instead.

use crate::shop::{Shop, events_of_type, legs, memo, until_event};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hilt_tests::{
    app::{Answer, TestApp},
    chain::LocalSolana,
    rpc_proxy::{Exchange, Reply, RpcProxy},
    solana_tx::{self, Keypair, Message, Version, sign_built},
};
use rails::solana::programs::USDC_MINT;
use reqwest::Method;
use serde_json::{Value, json};

const PRICE: u64 = 25_000_000;
const FEE: u64 = 250_000;

async fn buyer(chain: &LocalSolana) -> Keypair {
    let buyer = Keypair::generate();
    chain.fund(&buyer.address(), 100_000_000).await;
    buyer
}

pub async fn post(app: &TestApp, path: &str, body: &Value) -> Answer {
    app.send(app.request(Method::POST, path).json(body)).await
}

/// The bytes of a transaction in an answer.
pub fn transaction(answer: &Value) -> Vec<u8> {
    STANDARD.decode(answer["transaction"].as_str().expect("an answer with a transaction")).expect("base64")
}

async fn built(app: &TestApp, payment_id: &str, payer: &Keypair) -> Vec<u8> {
    let body = json!({"payment_id": payment_id, "payer_wallet": payer.address().to_string()});
    transaction(&post(app, "/v1/pay/transaction", &body).await.ok())
}

pub fn submission(payment_id: &str, payer: &Keypair, signed: &[u8]) -> Value {
    let wallet = payer.address().to_string();
    json!({"payment_id": payment_id, "payer_wallet": wallet, "wallet_source": "EXTERNAL_PHANTOM", "transaction": STANDARD.encode(signed)})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_payment_is_signed_sent_and_settled() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    let (shop, buyer) = (Shop::open(&app).await, buyer(&chain).await);
    let session = shop.session(&app, "cust_built").await;
    let payment_id = session["payment_session"]["payment_id"].as_str().unwrap();
    let requirement = &session["payment_session"]["payment_requirement"];

    let body = json!({"payment_id": payment_id, "payer_wallet": buyer.address().to_string()});
    let answer = post(&app, "/v1/pay/transaction", &body).await.ok();
    assert_eq!(
        (&answer["memo"], &answer["amount_minor_units"], &answer["asset_symbol"]),
        (&requirement["memo"], &json!(PRICE), &json!("USDC"))
    );
    let signed = sign_built(&transaction(&answer), &buyer);

    let submission = submission(payment_id, &buyer, &signed);
    let sent = post(&app, "/v1/pay/submit", &submission).await.ok();
    assert_eq!((&sent["status"], &sent["payment_id"]), (&json!("PENDING_CONFIRMATION"), &json!(payment_id)));
    assert_eq!(sent["tx_signature"], json!(solana_tx::signature_of(&signed).to_string()));
    // Whoever asks for a second transaction would pay twice; sending the first again does no harm.
    let second = post(&app, "/v1/pay/transaction", &body).await;
    assert!(["payment_pending_confirmation", "payment_already_confirmed"].contains(&second.body["code"].as_str().unwrap()), "{second:?}");
    assert_eq!(post(&app, "/v1/pay/submit", &submission).await.ok()["tx_signature"], sent["tx_signature"]);

    shop.until_access(&app, "cust_built").await;
    post(&app, "/v1/pay/transaction", &body).await.refused(409, "payment_already_confirmed");
    assert_eq!(post(&app, "/v1/pay/submit", &submission).await.ok()["status"], json!("CONFIRMED"));
    until_event(&app, "payment.confirmed").await;
    assert_eq!(events_of_type(&app, "payment.broadcast_recorded").await.len(), 1, "sent three times, recorded once");
    for ((wallet, amount), exact) in legs(requirement).into_iter().zip([PRICE - FEE, FEE]) {
        assert_eq!((amount, chain.tokens(&wallet, &USDC_MINT).await), (exact, exact));
    }
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_pays_through_solana_pay() {
    let chain = LocalSolana::start().await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url)]).await;
    let (shop, buyer) = (Shop::open(&app).await, buyer(&chain).await);
    let session = shop.session(&app, "cust_phone").await;
    let path = format!("/v1/pay/solana/{}", session["payment_session"]["payment_id"].as_str().unwrap());

    let shown = app.get_public(&path).await.ok();
    assert_eq!(shown["label"], json!("Pro AI API - 30 days"));
    let icon = app.request(Method::GET, "/v1/pay/solana/icon.svg").send().await.unwrap();
    assert_eq!(icon.headers()["content-type"], "image/svg+xml");
    assert!(shown["icon"].as_str().unwrap().ends_with("/v1/pay/solana/icon.svg"), "{shown}");

    let asked = post(&app, &path, &json!({"account": buyer.address().to_string()})).await.ok();
    assert!(asked["message"].is_string(), "{asked}");
    // The wallet sends by itself and tells nobody.
    chain.send(&sign_built(&transaction(&asked), &buyer), false).await;
    shop.until_access(&app, "cust_phone").await;

    post(&app, &path, &json!({"account": "not a wallet"})).await.refused(422, "invalid_wallet");
    let unknown = "/v1/pay/solana/0190f3c4-0000-7000-8000-000000000000";
    app.get_public(unknown).await.refused(404, "payment_not_found");
    post(&app, unknown, &json!({"account": buyer.address().to_string()})).await.refused(404, "payment_not_found");
    app.close().await;
}

/// The service sends no stranger's transaction, and records none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_payment_is_not_sent() {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &proxy.url)]).await;
    let (shop, buyer) = (Shop::open(&app).await, buyer(&chain).await);
    let session = shop.session(&app, "cust_wrong").await;
    let payment_id = session["payment_session"]["payment_id"].as_str().unwrap();
    let unsigned = built(&app, payment_id, &buyer).await;
    let signed = sign_built(&unsigned, &buyer);

    let mut another_amount = unsigned.clone();
    let at = another_amount.windows(8).position(|bytes| bytes == (PRICE - FEE).to_le_bytes()).unwrap();
    another_amount[at] -= 1;
    let mut false_signature = signed.clone();
    false_signature[1] ^= 1;
    let its_memo = [solana_tx::memo(memo(&session["payment_session"]["payment_requirement"]))];
    let only_memo = Message::compile(Version::Legacy, buyer.address(), chain.blockhash().await, &its_memo);
    for (name, bytes) in [
        ("unsigned", unsigned.clone()),
        ("another amount", sign_built(&another_amount, &buyer)),
        ("a false signature", false_signature),
        ("cut off", signed[..signed.len() - 1].to_vec()),
        ("nothing", Vec::new()),
        ("only the memo", only_memo.sign(&[&buyer])),
        ("another's", sign_built(&unsigned, &Keypair::generate())),
    ] {
        let refused = post(&app, "/v1/pay/submit", &submission(payment_id, &buyer, &bytes)).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], json!("transaction"), "{name}");
    }
    let not_base64 = json!({"payment_id": payment_id, "payer_wallet": buyer.address().to_string(), "transaction": "§"});
    post(&app, "/v1/pay/submit", &not_base64).await.refused(422, "validation_failed");
    assert_eq!(proxy.calls("sendTransaction"), 0);

    // A node that would not take it: the payment stays open for another.
    let poor = Keypair::generate();
    chain.airdrop(&poor.address()).await;
    let hopeless = sign_built(&built(&app, payment_id, &poor).await, &poor);
    post(&app, "/v1/pay/submit", &submission(payment_id, &poor, &hopeless)).await.refused(422, "tx_failed");
    let status = app.get_public(&format!("/v1/payments/{payment_id}")).await.ok();
    assert_eq!((&status["status"], &status["tx_signature"]), (&json!("PENDING_SIGNATURE"), &Value::Null));
    post(&app, "/v1/pay/submit", &submission(payment_id, &buyer, &signed)).await.ok();
    shop.until_access(&app, "cust_wrong").await;
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_cannot_be_made_gets_no_transaction() {
    let chain = LocalSolana::start().await;
    let proxy = RpcProxy::start(&chain.rpc_url).await;
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &proxy.url)]).await;
    let (shop, buyer) = (Shop::open(&app).await, buyer(&chain).await);
    let named = json!({"external_product_id": shop.product, "wallet": buyer.address().to_string(), "rail": "solana_usdc"});
    let session = app.post(&app.live_key, "/v1/access/payment-sessions", named).await.ok();
    let payment_id = session["payment_session"]["payment_id"].as_str().unwrap();
    let asked_by = |wallet: &str| json!({"payment_id": payment_id, "payer_wallet": wallet});
    let path = "/v1/pay/transaction";
    // The payment names its payer: nobody else, and no need to say so.
    post(&app, path, &asked_by(&Keypair::generate().address().to_string())).await.refused(422, "payer_wallet_mismatch");
    post(&app, path, &asked_by("0x00")).await.refused(422, "invalid_wallet");
    post(&app, path, &json!({"payment_id": payment_id})).await.ok();
    post(&app, path, &json!({"payment_id": "none"})).await.refused(404, "payment_not_found");
    let open = shop.session(&app, "cust_nobody").await;
    post(&app, path, &json!({"payment_id": open["payment_session"]["payment_id"]})).await.refused(422, "validation_failed");
    let merchant = open["payment_session"]["payment_requirement"]["required_transfers"][0]["pay_to"].clone();
    let oneself = json!({"payment_id": open["payment_session"]["payment_id"], "payer_wallet": merchant});
    post(&app, path, &oneself).await.refused(422, "invalid_wallet");

    chain.fund_token(&merchant.as_str().unwrap().parse().unwrap(), &USDC_MINT, 1).await;
    chain.hand_over(&merchant.as_str().unwrap().parse().unwrap(), &USDC_MINT, &buyer.address()).await;
    post(&app, path, &json!({"payment_id": payment_id})).await.refused(409, "recipient_cannot_receive");

    proxy.set_rule(|exchange: Exchange| if exchange.method == "getLatestBlockhash" { Reply::Status(500) } else { Reply::Pass });
    let other = shop.session(&app, "cust_other").await;
    chain.hand_over(&merchant.as_str().unwrap().parse().unwrap(), &USDC_MINT, &merchant.as_str().unwrap().parse().unwrap()).await;
    let body = json!({"payment_id": other["payment_session"]["payment_id"], "payer_wallet": buyer.address().to_string()});
    post(&app, path, &body).await.refused(503, "chain_unavailable");
    proxy.clear_rule();
    post(&app, path, &body).await.ok();

    app.clock.advance_seconds(31 * 60);
    post(&app, path, &body).await.refused(410, "payment_expired");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_chain_there_is_no_transaction() {
    let app = TestApp::start(&[]).await;
    let shop = Shop::open(&app).await;
    let session = shop.session(&app, "cust_dark").await;
    let body = json!({"payment_id": session["payment_session"]["payment_id"], "payer_wallet": Keypair::generate().address().to_string()});
    post(&app, "/v1/pay/transaction", &body).await.refused(503, "chain_unavailable");
    app.close().await;
}
