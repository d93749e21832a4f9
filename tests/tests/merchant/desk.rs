//! A merchant's desk: his service, the chain, his key, and what he asks of them.

use api::http::jwt::Role;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::{bytes::TxSignature, id::OwnerId};
use hilt_tests::{
    app::{Answer, TestApp},
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
    stripe::StripeServer,
};
use reqwest::Method;
use serde_json::{Value, json};

/// The mint of USDC, as the documents write it.
pub const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// See the module.
pub struct Desk {
    /// The service.
    pub app: TestApp,
    /// The chain.
    pub chain: LocalSolana,
    /// Where the merchant is paid.
    pub merchant_wallet: String,
    stripe: StripeServer,
}

impl Desk {
    /// A service on a chain of its own.
    pub async fn open() -> Self {
        let chain = LocalSolana::start().await;
        let stripe = StripeServer::start().await;
        let [stripe_url, stripe_key, stripe_prices] = stripe.settings();
        let app = TestApp::start(&[
            stripe_url,
            stripe_key,
            stripe_prices,
            ("HILT_SOLANA_RPC_URL", &chain.rpc_url),
            ("HILT_SMTP_URL", "smtp://127.0.0.1:9"),
            ("HILT_MAIL_FROM", "receipts@example.com"),
        ])
        .await;
        Desk { app, chain, merchant_wallet: Keypair::generate().address().to_string(), stripe }
    }

    /// A request with the merchant's live key.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask_as(&self.app.live_key, method, path, body).await
    }

    /// A request with another key.
    pub async fn ask_as(&self, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.app.request(method, path).header("X-Hilt-Key", key);
        self.app
            .send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await.ok()
    }
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, path, Some(body)).await.ok()
    }
    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.ask(Method::PATCH, path, Some(body)).await.ok()
    }

    /// A buyer's request: no credential.
    pub async fn buyer(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.app.request(Method::POST, path).json(&body)).await
    }

    /// The owner's dashboard session.
    pub async fn jwt(&self, owner: OwnerId) -> String {
        self.app.token(Role::Owner, Some(owner)).await
    }

    /// The product of the first example: 0.20 USDC, a page to go to.
    pub async fn members_lounge(&self) -> Value {
        let product = json!({
            "product_type": "PAYMENT_LINK", "title": "Members lounge", "description": "Monthly access",
            "amount_minor_units": 200_000, "token_mint": USDC, "merchant_wallet": self.merchant_wallet,
            "delivery_type": "REDIRECT", "delivery_value": "https://example.com/welcome",
        });
        self.post("/v1/products", product).await
    }

    /// The product of the second document, at the price that its checkout example uses.
    pub async fn inner_circle(&self) -> Value {
        let product = json!({
            "product_type": "PAYMENT_LINK", "title": "Telegram Inner Circle", "description": "Monthly paid access",
            "image_url": "https://cdn.example.com/cover.png", "fixed_amount_lamports": 200_000, "token_mint": USDC,
            "merchant_wallet": self.merchant_wallet, "delivery_type": "TELEGRAM_INVITE",
            "delivery_value": "https://t.me/+privateinvite", "max_payments": 500,
            "membership_config": {
                "enabled": true, "platform": "TELEGRAM", "access_mode": "INVITE_LINK", "identity_type": "TELEGRAM_USER_ID",
                "identity_label": "Telegram username or user ID", "identity_required": true, "billing_interval_days": 30,
                "grace_period_days": 3, "renewal_reminder_offsets_days": [7, 2, 1], "platform_target_label": "Private Telegram Group",
            },
        });
        self.post("/v1/products", product).await
    }

    /// A wallet with 100 USDC and some SOL.
    pub async fn wallet(&self) -> Keypair {
        let buyer = Keypair::generate();
        self.chain.fund(&buyer.address(), 100_000_000).await;
        buyer
    }

    /// The transaction that a connected payment asks for, final on the chain.
    pub async fn pay(&self, buyer: &Keypair, payment: &Value) -> TxSignature {
        let leg = |wallet: &str, amount: &str| (payment[wallet].as_str().unwrap().parse().unwrap(), payment[amount].as_u64().unwrap());
        let legs = [leg("merchant_wallet", "merchant_amount_minor_units"), leg("fee_wallet", "fee_minor_units")];
        let memo = format!("HILT:{}", payment["nonce"].as_str().unwrap());
        let tx = self.chain.pay(PayRequest::usdc(buyer, &legs, &memo)).await;
        self.chain.wait_finalized(&tx).await;
        tx
    }

    /// A verified identity session of `buyer` for `@crzypeas`.
    pub async fn identity(&self, slug: &str, buyer: &Keypair) -> Value {
        let wallet = buyer.address().to_string();
        let start = json!({
            "slug": slug, "wallet_address": wallet, "wallet_source": "EXTERNAL_PHANTOM",
            "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "728255790",
            "customer_reference_display": "@crzypeas",
        });
        let started = self.buyer("/v1/pay/identity/start", start).await.ok();
        let message = started["challenge_message"].as_str().unwrap();
        let signature = STANDARD.encode(buyer.sign(message.as_bytes()));
        let complete = json!({"session_id": started["session_id"], "wallet_address": wallet, "signed_message_b64": signature});
        let verified = self.buyer("/v1/pay/identity/complete", complete).await.ok();
        assert_eq!(verified["status"], json!("VERIFIED"), "{verified}");
        started
    }

    /// A member of the inner circle: what confirming his payment answered, and his transaction.
    pub async fn member(&self, product: &Value) -> (Value, TxSignature, Keypair) {
        let slug = product["slug"].as_str().unwrap();
        let buyer = self.wallet().await;
        let session = self.identity(slug, &buyer).await;
        let connect = json!({
            "payer_wallet": buyer.address().to_string(), "customer_reference_type": "TELEGRAM_USER_ID",
            "customer_reference_value": "728255790", "customer_reference_display": "@crzypeas",
        });
        let payment = self.buyer(&format!("/v1/products/p/{slug}/connect"), connect).await.ok();
        let tx = self.pay(&buyer, &payment).await;
        let confirm = json!({
            "payment_id": payment["payment_id"], "slug": slug, "tx_signature": tx.to_string(),
            "payer_wallet": buyer.address().to_string(), "identity_session_id": session["session_id"],
            "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": "728255790",
            "customer_reference_display": "@crzypeas",
        });
        let confirmed = self.buyer("/v1/pay/confirm", confirm).await.ok();
        (confirmed, tx, buyer)
    }

    /// Ends the service: rebuilt equals live, the log verifies, and nothing that buyers did reached Stripe (INV-79).
    pub async fn close(self) {
        assert_eq!(self.stripe.asked(), 0, "INV-79: Stripe is for the merchant's own subscription");
        self.app.close().await;
    }
}

/// The members of an object.
pub fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Whether the object has all of these members.
#[track_caller]
pub fn has(value: &Value, names: &[&str]) {
    let found = keys(value);
    for name in names {
        assert!(found.contains(name), "{name} is missing in {value}");
    }
}
