//! A shop, a chain, a funded facilitator and a buyer without SOL.

use crate::shop::Shop;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::bytes::SolanaAddress;
use hilt_tests::{
    app::TestApp,
    chain::LocalSolana,
    solana_tx::{self, Instruction, Keypair, Message, Version, ata},
};
use rails::solana::programs::USDC_MINT;
use reqwest::Method;
use serde_json::{Value, json};

/// Everything that an x402 payment takes.
pub struct Scene {
    pub chain: LocalSolana,
    pub app: TestApp,
    pub shop: Shop,
    pub buyer: Keypair,
    pub fee_payer: SolanaAddress,
}

impl Scene {
    pub async fn open() -> Self {
        let chain = LocalSolana::start().await;
        let url = chain.rpc_url.clone();
        Scene::on(chain, &url).await
    }

    /// On a chain that the service reaches through `rpc_url`.
    pub async fn on(chain: LocalSolana, rpc_url: &str) -> Self {
        let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", rpc_url)]).await;
        let shop = Shop::open(&app).await;
        let fee_payer = app.state.facilitator.fee_payer();
        chain.airdrop(&fee_payer).await;
        let buyer = Keypair::generate();
        chain.fund_token(&buyer.address(), &USDC_MINT, 100_000_000).await;
        Scene { chain, app, shop, buyer, fee_payer }
    }

    /// What opens a session for a customer, without a key.
    pub fn ask(&self, customer: &str) -> Value {
        json!({
            "external_product_id": self.shop.product, "external_customer_id": customer, "payment_protocol": "x402",
            "settlement_rail": "solana_usdc", "metadata": {"resource": "https://api.example.com/ai/pro"},
        })
    }

    /// A session of a customer, whose merchant can receive the token.
    pub async fn session(&self, customer: &str) -> Value {
        let session = self.keyless(self.ask(customer)).await.ok()["payment_session"].take();
        let merchant: SolanaAddress = accepts(&session)["payTo"].as_str().unwrap().parse().unwrap();
        if self.chain.rpc().accounts(&[ata(&merchant, &USDC_MINT)]).await.unwrap()[0].is_none() {
            self.chain.fund_token(&merchant, &USDC_MINT, 0).await;
        }
        session
    }

    /// `POST /v1/access/payment-sessions` without an idempotency key.
    pub async fn keyless(&self, body: Value) -> hilt_tests::app::Answer {
        let request = self.app.request(Method::POST, "/v1/access/payment-sessions").header("X-Hilt-Key", &self.app.live_key);
        self.app.send(request.json(&body)).await
    }

    /// The instructions of a right payment.
    pub fn instructions(&self, session: &Value) -> Vec<Instruction> {
        let asked = accepts(session);
        let text = |name: &str| asked[name].as_str().unwrap().to_owned();
        let (mint, to): (SolanaAddress, SolanaAddress) = (text("asset").parse().unwrap(), text("payTo").parse().unwrap());
        let from = self.buyer.address();
        let amount = text("amount").parse().unwrap();
        let transfer = solana_tx::transfer_checked(ata(&from, &mint), mint, ata(&to, &mint), from, amount, 6);
        let memo = solana_tx::memo(asked["extra"]["memo"].as_str().unwrap());
        [solana_tx::compute_budget(20_000, 1).to_vec(), vec![transfer, memo]].concat()
    }

    /// A transaction of these instructions, signed by the buyer, that the facilitator pays for.
    pub async fn signed(&self, instructions: &[Instruction]) -> Vec<u8> {
        Message::compile(Version::V0, self.fee_payer, self.chain.blockhash().await, instructions).sign(&[&self.buyer])
    }

    /// What a facilitator is asked about a transaction.
    pub fn request(&self, session: &Value, transaction: &[u8]) -> Value {
        let asked = accepts(session);
        let payload = json!({"x402Version": 2, "accepted": asked, "payload": {"transaction": STANDARD.encode(transaction)}});
        json!({"x402Version": 2, "paymentPayload": payload, "paymentRequirements": asked})
    }

    /// The same in version 1.
    pub fn request_v1(&self, session: &Value, transaction: &[u8]) -> Value {
        let asked = &session["payment_requirement"]["x402"]["v1_body"]["accepts"][0];
        let payload = json!({
            "x402Version": 1, "scheme": "exact", "network": asked["network"], "payload": {"transaction": STANDARD.encode(transaction)},
        });
        json!({"x402Version": 1, "paymentPayload": payload, "paymentRequirements": asked})
    }

    pub async fn facilitator(&self, path: &str, body: &Value) -> Value {
        self.app.send(self.app.request(Method::POST, &format!("/v1/x402/{path}")).json(body)).await.ok()
    }
    pub async fn verify(&self, body: &Value) -> Value {
        self.facilitator("verify", body).await
    }
    pub async fn settle(&self, body: &Value) -> Value {
        self.facilitator("settle", body).await
    }
}

/// The requirement that clients choose.
pub fn accepts(session: &Value) -> &Value {
    &session["payment_requirement"]["paymentRequirements"]["accepts"][0]
}
