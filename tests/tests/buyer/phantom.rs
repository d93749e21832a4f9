//! RT-020 to RT-024 with a wallet that encrypts and signs.

use super::scene::{OnSale, Scene};
use events::vocab::event::Event;
use hilt_tests::{
    app::Answer,
    phantom_wallet::PhantomWallet,
    solana_tx::{Message, Version},
};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use url::Url;

/// Opens the redirect link as the phone's browser does; the checkout page's fragment, which its script hands in.
async fn returned(scene: &Scene, on_sale: &OnSale, link: &Url) -> Value {
    let path = format!("{}?{}", link.path(), link.query().unwrap());
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let answer = http.get(format!("{}{path}", scene.app.base_url)).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let to: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    assert_eq!((to.path(), to.query()), (format!("/p/{}", on_sale.slug).as_str(), None), "the answer is in the fragment only");
    let fields = url::form_urlencoded::parse(to.fragment().unwrap().as_bytes()).into_owned();
    fields.map(|(name, value)| (name, Value::String(value))).collect::<serde_json::Map<_, _>>().into()
}

struct Phone<'a> {
    scene: &'a Scene,
    on_sale: &'a OnSale,
    wallet: PhantomWallet,
    payment: Value,
}

impl<'a> Phone<'a> {
    async fn new(scene: &'a Scene, on_sale: &'a OnSale) -> Phone<'a> {
        let buyer = scene.buyer().await;
        let payment = scene.connect(on_sale, &buyer).await;
        Phone { scene, on_sale, wallet: PhantomWallet::new(buyer), payment }
    }
    fn connect_url(&self) -> &str {
        self.payment["phantom_mobile"]["connect_url"].as_str().expect("RT-010 offers Phantom")
    }
    async fn hand_in(&self, step: &str, link: &Url) -> Answer {
        let body = returned(self.scene, self.on_sale, link).await;
        assert_eq!(body["phantom"], json!(step));
        self.scene.public(&format!("/v1/pay/phantom/{step}/callback"), body).await
    }
    async fn connect(&self) -> Value {
        self.hand_in("connect", &self.wallet.open(self.connect_url())).await.ok()
    }
    async fn transaction_url(&self) -> String {
        let asked = json!({ "payment_id": self.payment["payment_id"] });
        let answer = self.scene.public("/v1/pay/phantom/transaction-url", asked).await.ok();
        answer["url"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_connects_proves_who_pays_and_pays() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(true).await;
    let phone = Phone::new(&scene, &on_sale).await;
    assert!(phone.connect_url().starts_with("https://phantom.app/ul/"));
    let dapp = &phone.payment["phantom_mobile"]["dapp_public_key"];
    assert_eq!(dapp.as_str().unwrap().parse::<rails::phantom::EncryptionKey>().unwrap().to_string(), dapp.as_str().unwrap());
    let other = scene.connect(&on_sale, &phone.wallet.keypair).await;
    assert_ne!(&other["phantom_mobile"]["dapp_public_key"], dapp, "each payment has a key pair of its own");

    let connected = phone.connect().await;
    assert_eq!(connected["wallet_address"], json!(phone.wallet.keypair.address().to_string()));

    let session = scene.start_identity(&on_sale, &phone.wallet.keypair, "728255790").await;
    let ask = json!({ "payment_id": phone.payment["payment_id"], "identity_session_id": session["session_id"] });
    let link = scene.public("/v1/pay/phantom/message-url", ask).await.ok();
    let link = link["url"].as_str().unwrap();
    let shown = bs58::decode(phone.wallet.asked(link)["message"].as_str().unwrap()).into_vec().unwrap();
    assert_eq!(String::from_utf8(shown).unwrap(), session["challenge_message"].as_str().unwrap());
    let back = phone.wallet.open(link);
    let proved = phone.hand_in("message", &back).await.ok();
    assert_eq!((&proved["status"], &proved["session_id"]), (&json!("VERIFIED"), &session["session_id"]));
    assert_eq!(phone.hand_in("message", &back).await.ok(), proved, "handed in again");

    let back = phone.wallet.open(&phone.transaction_url().await);
    let sent = phone.hand_in("transaction", &back).await.ok();
    assert_eq!(sent["status"], json!("PENDING_CONFIRMATION"));
    let again = phone.hand_in("transaction", &back).await.ok();
    assert_eq!(again["tx_signature"], sent["tx_signature"]);
    let settled = scene.until_status(&phone.payment, "CONFIRMED").await;
    assert_eq!(settled["tx_signature"], sent["tx_signature"]);
    for is in [
        |event: &Event| matches!(event, Event::PhantomSessionConnected(_)),
        |event: &Event| matches!(event, Event::PhantomMessageSigned(_)),
        |event: &Event| matches!(event, Event::PhantomTransactionSigned(_)),
        |event: &Event| matches!(event, Event::IdentitySessionConsumed(_)),
    ] {
        assert_eq!(scene.count(is).await, 1);
    }
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_this_wallets_or_not_this_payment_is_refused() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(false).await;
    let phone = Phone::new(&scene, &on_sale).await;
    let id = phone.payment["payment_id"].clone();

    // AC-27: each route exists, and says what is wrong.
    for path in ["connect/callback", "message-url", "message/callback", "transaction-url", "transaction/callback"] {
        let answer = scene.public(&format!("/v1/pay/phantom/{path}"), json!({ "payment_id": id, "identity_session_id": id })).await;
        assert!(answer.status.is_client_error() && answer.body["detail"].is_string() && answer.status != 405, "{path}: {}", answer.body);
    }
    let ask = json!({ "payment_id": id });
    scene.public("/v1/pay/phantom/transaction-url", ask.clone()).await.refused(409, "phantom_session_missing");
    let unknown = json!({ "payment_id": "f0f4e620-1ca3-4fc8-b0ba-2d04342fe467" });
    scene.public("/v1/pay/phantom/transaction-url", unknown).await.refused(404, "payment_not_found");

    let refused = phone.hand_in("connect", &phone.wallet.refuse(phone.connect_url())).await.refused(422, "phantom_refused");
    assert_eq!(refused["blockers"], json!(["user_rejected"]));
    // Another wallet than the payment's.
    let stranger = PhantomWallet::new(scene.buyer().await);
    phone.hand_in("connect", &stranger.open(phone.connect_url())).await.refused(422, "payer_wallet_mismatch");
    // An answer to another payment's link does not open here.
    let other = Phone::new(&scene, &on_sale).await;
    let mut crossed = returned(&scene, &on_sale, &other.wallet.open(other.connect_url())).await;
    crossed["payment_id"] = id.clone();
    scene.public("/v1/pay/phantom/connect/callback", crossed).await.refused(422, "phantom_payload_invalid");
    let lie = phone.wallet.answer_with(phone.connect_url(), &json!({ "public_key": "x" }));
    phone.hand_in("connect", &lie).await.refused(422, "phantom_payload_invalid");

    phone.connect().await;
    let link = phone.transaction_url().await;
    // A transaction of the wallet's own, that pays somebody else.
    let theirs = hilt_tests::chain::PayRequest::usdc(&phone.wallet.keypair, &[(stranger.keypair.address(), 1_000_000)], "HILT:ours");
    let message = Message::compile(Version::Legacy, phone.wallet.keypair.address(), scene.chain.blockhash().await, &theirs.instructions());
    let signed = bs58::encode(message.sign(&[&phone.wallet.keypair])).into_string();
    let swapped = phone.wallet.answer_with(&link, &json!({ "transaction": signed }));
    phone.hand_in("transaction", &swapped).await.refused(422, "phantom_payload_invalid");
    // What was asked for, unsigned.
    let unsigned = phone.wallet.asked(&link)["transaction"].clone();
    phone
        .hand_in("transaction", &phone.wallet.answer_with(&link, &json!({ "transaction": unsigned })))
        .await
        .refused(422, "phantom_payload_invalid");
    assert_eq!(scene.count(|event| matches!(event, Event::PaymentBroadcastRecorded(_))).await, 0);

    let expired = phone.wallet.open(&link);
    scene.app.clock.advance_seconds(31 * 60);
    phone.hand_in("transaction", &expired).await.refused(410, "payment_expired");
    scene.public("/v1/pay/phantom/transaction-url", ask).await.refused(410, "payment_expired");
    scene.app.close().await;
}
