//! A workspace with one of everything, so that a request finds what it asks for.

use crate::shop::{Shop, legs, memo};
use api::http::jwt::Role;
use events::{
    clock::new_id,
    vocab::{id::OwnerId, words::Scope},
};
use hilt_tests::{
    app::TestApp,
    chain::{LocalSolana, PayRequest},
    discord_oauth::{self, DiscordOAuthServer},
    prices::{PriceAnswer, PriceServer},
    solana_tx::Keypair,
    stripe::StripeServer,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Mainnet's USDC.
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
const HELIUS_SECRET: &str = "helius-sends-this-verbatim";
/// What Alchemy signs with.
const ALCHEMY_KEY: &str = "alchemy-signing-key";

/// See the module.
pub struct World {
    pub app: TestApp,
    chain: LocalSolana,
    wallet: String,
    known: Map<String, Value>,
    // They end with the value.
    _discord: DiscordOAuthServer,
    _prices: PriceServer,
    stripe: StripeServer,
}

impl World {
    /// A service with everything configured that a deployment can have, and a merchant who has used it.
    pub async fn make() -> Self {
        let chain = LocalSolana::start().await;
        let discord = DiscordOAuthServer::start().await;
        let prices = PriceServer::start(events::clock::Clock::adjustable(), PriceAnswer::Spot("150.00")).await;
        let stripe = StripeServer::start().await;
        let [stripe_url, stripe_key, stripe_prices] = stripe.settings();
        let app = TestApp::start(&[
            stripe_url,
            stripe_key,
            stripe_prices,
            ("HILT_SOLANA_RPC_URL", &chain.rpc_url),
            ("HILT_SMTP_URL", "smtp://127.0.0.1:9"),
            ("HILT_MAIL_FROM", "receipts@example.com"),
            ("HILT_HELIUS_WEBHOOK_SECRET", HELIUS_SECRET),
            ("HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY", ALCHEMY_KEY),
            ("HILT_SOL_PRICE_URL", &prices.url),
            ("HILT_DISCORD_API_URL", &discord.api_url),
            ("HILT_DISCORD_CLIENT_ID", discord_oauth::CLIENT_ID),
            ("HILT_DISCORD_CLIENT_SECRET", discord_oauth::CLIENT_SECRET),
        ])
        .await;
        let wallet = Keypair::generate().address().to_string();
        let mut world = World { app, chain, wallet, known: Map::new(), _discord: discord, _prices: prices, stripe };
        world.access().await;
        world.hosted().await;
        world.desk().await;
        world.billing().await;
        world
    }

    /// Remembers a value that exists, under the names that ask for it.
    fn know(&mut self, names: &[&str], value: &Value) {
        assert!(!value.is_null(), "{names:?} was not made");
        for name in names {
            let values = self.known.entry(*name).or_insert_with(|| json!([]));
            values.as_array_mut().unwrap().push(value.clone());
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.app.post(&self.app.live_key, path, body).await.ok()
    }

    /// The access surface: a payment, an open session, a sandbox session, a webhook.
    async fn access(&mut self) {
        let shop = Shop::open(&self.app).await;
        self.know(&["external_product_id"], &json!(shop.product));
        self.know(&["external_customer_id", "customer_reference"], &json!("cust_123"));
        let apps = self.app.get(&self.app.live_key, "/v1/access/apps").await.ok();
        self.know(&["access_app_id", "/v1/access/apps/{id}#id"], &apps["items"][0]["id"].clone());
        let products = self.app.get(&self.app.live_key, "/v1/access/products").await.ok();
        self.know(&["access_product_id", "/v1/access/products/{id}#id"], &products["items"][0]["id"].clone());

        let paid = shop.session(&self.app, "cust_123").await;
        let requirement = &paid["payment_session"]["payment_requirement"];
        let tx = self.pays(&legs(requirement), memo(requirement)).await;
        shop.until_access(&self.app, "cust_123").await;
        self.know(&["tx_signature", "tx_sig"], &tx);
        let open = shop.session(&self.app, "cust_124").await;
        for session in [&paid, &open] {
            self.know(&["payment_session_id", "/v1/access/payment-sessions/{id}#id"], &session["payment_session"]["id"].clone());
            self.know(&["payment_id"], &session["payment_session"]["payment_id"].clone());
        }

        let key = self.app.sandbox_key.clone();
        let made = self.app.post(&key, "/v1/access/apps", json!({"name": "Try", "external_app_id": "try"})).await.ok();
        let product = json!({
            "access_app_id": made["id"], "external_product_id": shop.product, "title": "Try", "amount_minor_units": 1_000_000,
            "merchant_wallet": self.wallet, "entitlement_duration_days": 30, "default_rail": "solana_usdc",
            "allowed_rails": ["solana_usdc", "x402"], "status": "active",
        });
        self.app.post(&key, "/v1/access/products", product).await.ok();
        let session = json!({"external_product_id": shop.product, "external_customer_id": "cust_123", "confirm_sandbox_mode": true});
        let session = self.app.post(&key, "/v1/access/sandbox/payment-sessions", session).await.ok();
        self.know(&["/v1/access/sandbox/payment-sessions/{id}/confirm#id"], &session["sandbox_session"]["id"].clone());
        self.know(&["proof"], &session["sandbox_session"]["proof"].clone());

        let webhook = json!({"url": "http://127.0.0.1:9/hook", "subscribed_events": ["payment.confirmed", "membership.activated"]});
        let webhook = self.post("/v1/access/webhooks", webhook).await;
        for path in ["/v1/access/webhooks/{id}#id", "/v1/access/webhooks/{id}/deliveries#id"] {
            self.know(&[path], &webhook["id"].clone());
        }
    }

    /// A hosted product that sold once, and a payment that waits.
    async fn hosted(&mut self) {
        let product = json!({
            "product_type": "PAYMENT_LINK", "title": "Members lounge", "amount_minor_units": 200_000, "token_mint": USDC,
            "merchant_wallet": self.wallet, "delivery_type": "REDIRECT", "delivery_value": "https://example.com/welcome",
            "membership_config": {"enabled": true, "billing_interval_days": 30, "grace_period_days": 3},
        });
        let product = self.post("/v1/products", product).await;
        self.know(&["product_id"], &product["id"].clone());
        self.know(&["slug"], &product["slug"].clone());
        let connect = format!("/v1/products/p/{}/connect", product["slug"].as_str().unwrap());
        let wallet = Keypair::generate().address();
        self.chain.fund(&wallet, 100_000_000).await;
        let buyer = json!({"payer_wallet": wallet.to_string()});
        let waits = self.app.send(self.app.request(Method::POST, &connect).json(&buyer)).await.ok();
        self.know(&["payment_id"], &waits["payment_id"].clone());
        self.know(&["payer_wallet", "wallet", "wallet_address", "account"], &buyer["payer_wallet"].clone());
        self.know(&["merchant_wallet", "payout_address", "pay_to"], &json!(self.wallet));
        self.know(&["token_mint", "asset"], &json!(USDC));
        self.know(&["email", "support_email"], &json!("buyer@example.com"));
        let identity = json!({
            "slug": product["slug"], "wallet_address": buyer["payer_wallet"], "wallet_source": "EXTERNAL_PHANTOM",
            "identity_type": "TELEGRAM_USER_ID", "identity_value": "12345", "identity_display": "@buyer",
        });
        let started = self.app.send(self.app.request(Method::POST, "/v1/pay/identity/start").json(&identity)).await.ok();
        self.know(&["session_id", "identity_session_id"], &started["session_id"].clone());
    }

    /// What follows from payments, and what the merchant does at his desk.
    async fn desk(&mut self) {
        let key = self.app.live_key.clone();
        let members = self.app.until(&key, "/v1/memberships", |page| page["count"] == json!(1)).await;
        self.know(&["membership_id"], &members["items"][0]["id"].clone());
        let receipts = self.app.until(&key, "/v1/receipts", |page| page["total"] == json!(1)).await;
        let receipt = receipts["receipts"].as_array().or(receipts["items"].as_array()).map(|rows| rows[0].clone()).unwrap();
        self.know(&["receipt_id"], &receipt.get("receipt_id").or(receipt.get("id")).unwrap().clone());
        let ticket = json!({"category": "BILLING", "subject": "A question", "body": "Where does my payment stand, please?"});
        let ticket = self.post("/v1/support/tickets", ticket).await;
        self.know(&["ticket_id"], &ticket["ticket_id"].clone());
        let signed = self.app.state.checkpointer.sign().await.expect("the log is signed");
        self.know(&["/v1/log/checkpoints/{size}#size", "to"], &json!(signed.size));
        self.know(&["/v1/log/tile/{level}/{index}#level"], &json!("0"));
        self.know(&["/v1/log/tile/{level}/{index}#index", "/v1/log/tile/entries/{index}#index"], &json!("000.p/9"));
        self.know(&["note"], &json!(signed.note));
        for rail in ["solana_usdc", "x402", "base_usdc"] {
            self.know(&["rail_id"], &json!(rail));
        }
    }

    /// A merchant who has subscribed, and whose subscription has ended since, so that he may again.
    async fn billing(&mut self) {
        let token = self.app.token(Role::Owner, Some(self.app.owner)).await;
        let body = json!({"plan": "growth", "interval": "monthly", "success_url": "https://app.hilt.so/dashboard/billing?stripe=success",
            "cancel_url": "https://app.hilt.so/dashboard/billing?stripe=cancel"});
        let asked = self.app.request(Method::POST, "/v1/billing/checkout/stripe").bearer_auth(&token).json(&body);
        let opened = self.app.send(asked).await.ok();
        let subscription = self.stripe.completes(opened["session_id"].as_str().unwrap());
        self.stripe.becomes(&subscription, "canceled");
        self.app.send(self.app.request(Method::POST, "/v1/billing/refresh/stripe").bearer_auth(&token)).await.ok();
        self.know(&["success_url", "cancel_url", "return_url"], &body["success_url"].clone());
    }

    /// Pays on the chain, and waits until it is final.
    async fn pays(&self, legs: &[(events::vocab::bytes::SolanaAddress, u64)], memo: &str) -> Value {
        let buyer = Keypair::generate();
        self.chain.fund(&buyer.address(), 100_000_000).await;
        let tx = self.chain.pay(PayRequest::usdc(&buyer, legs, memo)).await;
        self.chain.wait_finalized(&tx).await;
        json!(tx.to_string())
    }

    /// What there is, for the fuzzer: every kind of credential, and the values that exist.
    pub async fn described(&self) -> Value {
        let app = &self.app;
        let stranger: OwnerId = new_id();
        let key = |name: &str, key: &str| json!({"name": name, "headers": {"X-Hilt-Key": key}});
        let bearer = |name: &str, token: &str| json!({"name": name, "headers": {"Authorization": format!("Bearer {token}")}});
        let read_only = app.key(app.owner, true, &[Scope::Read]).await;
        let strangers = app.key(stranger, true, Scope::ALL).await;
        let credentials = json!([
            key("live key", &app.live_key),
            key("live key", &app.live_key),
            key("live key", &app.live_key),
            key("sandbox key", &app.sandbox_key),
            key("sandbox key", &app.sandbox_key),
            key("read-only key", &read_only),
            key("stranger's key", &strangers),
            key("no key of ours", "hk_live_000000000000000000000000000000000000000000000000"),
            bearer("owner's session", &app.token(Role::Owner, Some(app.owner)).await),
            bearer("owner's session", &app.token(Role::Owner, Some(app.owner)).await),
            bearer("stranger's session", &app.token(Role::Owner, Some(stranger)).await),
            bearer("staff", &app.token(Role::Staff, None).await),
            bearer("auditor", &app.token(Role::Auditor, None).await),
            json!({"name": "provider", "headers": {"Authorization": HELIUS_SECRET}}),
            json!({"name": "none", "headers": {}}),
        ]);
        json!({"credentials": credentials, "known": self.known})
    }
}
