//! A merchant who sells on the hosted checkout, on a real local chain, and his buyers.

use events::vocab::{bytes::TxSignature, event::Event};
use hilt_tests::{
    app::{Answer, SOON, TestApp},
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub const HELIUS_SECRET: &str = "helius-sends-this-verbatim";

/// A service, its chain, and one merchant.
pub struct Scene {
    pub chain: LocalSolana,
    pub app: TestApp,
    merchant: Keypair,
}

/// A product on sale.
#[derive(Clone)]
pub struct OnSale {
    pub id: String,
    pub slug: String,
}

impl Scene {
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let chain = LocalSolana::start().await;
        let fixed = [("HILT_SOLANA_RPC_URL", chain.rpc_url.as_str()), ("HILT_HELIUS_WEBHOOK_SECRET", HELIUS_SECRET)];
        let settings: Vec<_> = fixed.into_iter().chain(settings.iter().copied()).collect();
        let app = TestApp::start(&settings).await;
        Scene { chain, app, merchant: Keypair::generate() }
    }

    /// AC-12, with or without the identity.
    pub async fn sells(&self, identity_required: bool) -> OnSale {
        let membership = json!({
            "enabled": true, "platform": "TELEGRAM", "access_mode": "INVITE_LINK", "identity_type": "TELEGRAM_USER_ID",
            "identity_label": "Telegram username or user ID", "identity_required": identity_required, "billing_interval_days": 30,
            "grace_period_days": 3, "renewal_reminder_offsets_days": [7, 2, 1], "platform_target_label": "Private Telegram Group",
        });
        self.sells_with(membership, "TELEGRAM_INVITE").await
    }

    pub async fn sells_with(&self, membership: Value, delivery_type: &str) -> OnSale {
        let product = json!({
            "product_type": "PAYMENT_LINK", "title": "Telegram Inner Circle", "amount_minor_units": 29_000_000,
            "token_mint": rails::solana::programs::USDC_MINT.to_string(), "merchant_wallet": self.merchant.address().to_string(),
            "delivery_type": delivery_type, "delivery_value": "https://t.me/+privateinvite", "membership_config": membership,
        });
        let made = self.app.post(&self.app.live_key, "/v1/products", product).await.ok();
        OnSale { id: made["id"].as_str().unwrap().to_owned(), slug: made["slug"].as_str().unwrap().to_owned() }
    }

    /// A wallet with 100 USDC.
    pub async fn buyer(&self) -> Keypair {
        let buyer = Keypair::generate();
        self.chain.fund(&buyer.address(), 100_000_000).await;
        buyer
    }

    /// A call without a credential.
    pub async fn public(&self, path: &str, body: Value) -> Answer {
        self.app.send(self.app.request(Method::POST, path).json(&body)).await
    }

    /// RT-010.
    pub async fn connect(&self, on_sale: &OnSale, buyer: &Keypair) -> Value {
        let path = format!("/v1/products/p/{}/connect", on_sale.slug);
        self.public(&path, json!({ "payer_wallet": buyer.address().to_string() })).await.ok()
    }

    /// Pays what `connect` asked for, and waits until it is final.
    pub async fn pay(&self, buyer: &Keypair, payment: &Value) -> TxSignature {
        let tx = self.send(buyer, payment).await;
        self.chain.wait_finalized(&tx).await;
        tx
    }

    pub async fn send(&self, buyer: &Keypair, payment: &Value) -> TxSignature {
        let text = |name: &str| payment[name].as_str().unwrap().to_owned();
        let units = |name: &str| payment[name].as_u64().unwrap();
        let merchant = (text("merchant_wallet").parse().unwrap(), units("merchant_amount_minor_units"));
        let fee = (text("fee_wallet").parse().unwrap(), units("fee_minor_units"));
        self.chain.pay(PayRequest::usdc(buyer, &[merchant, fee], &format!("HILT:{}", text("nonce")))).await
    }

    /// RT-014.
    pub async fn start_identity(&self, on_sale: &OnSale, buyer: &Keypair, value: &str) -> Value {
        let body = json!({
            "slug": on_sale.slug, "wallet_address": buyer.address().to_string(), "wallet_source": "EXTERNAL_PHANTOM",
            "customer_reference_type": "TELEGRAM_USER_ID", "customer_reference_value": value, "customer_reference_display": "@crzypeas",
        });
        self.public("/v1/pay/identity/start", body).await.ok()
    }

    /// RT-015, signed by `buyer`.
    pub async fn complete_identity(&self, session: &Value, buyer: &Keypair) -> Answer {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let signature = buyer.sign(session["challenge_message"].as_str().unwrap().as_bytes());
        let body = json!({
            "session_id": session["session_id"], "wallet_address": buyer.address().to_string(), "signed_message_b64": STANDARD.encode(signature),
        });
        self.public("/v1/pay/identity/complete", body).await
    }

    /// A verified identity session's id.
    pub async fn verified(&self, on_sale: &OnSale, buyer: &Keypair, value: &str) -> String {
        let session = self.start_identity(on_sale, buyer, value).await;
        self.complete_identity(&session, buyer).await.ok();
        session["session_id"].as_str().unwrap().to_owned()
    }

    /// RT-017.
    pub async fn confirm(&self, on_sale: &OnSale, payment: &Value, tx: TxSignature, buyer: &Keypair, session: Option<&str>) -> Answer {
        let mut body = json!({
            "payment_id": payment["payment_id"], "slug": on_sale.slug, "tx_signature": tx.to_string(),
            "payer_wallet": buyer.address().to_string(),
        });
        if let Some(session) = session {
            body["identity_session_id"] = json!(session);
        }
        self.public("/v1/pay/confirm", body).await
    }

    /// RT-018.
    pub async fn payment(&self, payment: &Value) -> Value {
        self.app.get_public(&format!("/v1/payments/{}", payment["payment_id"].as_str().unwrap())).await.ok()
    }

    /// Waits for a status of the payment.
    pub async fn until_status(&self, payment: &Value, status: &str) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let found = self.payment(payment).await;
            if found["status"] == json!(status) {
                return found;
            }
            assert!(Instant::now() < deadline, "the payment never became {status}: {found}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// RT-019 with the right secret.
    pub async fn helius(&self, body: Value) -> Answer {
        let request = self.app.request(Method::POST, "/v1/provider-webhooks/helius/solana").header("Authorization", HELIUS_SECRET);
        self.app.send(request.json(&body)).await
    }

    /// Every event of the log.
    pub async fn events(&self) -> Vec<Event> {
        let head = self.app.state.log.head().await.unwrap().next_position;
        let recorded = self.app.state.log.read_range(0..head).await.unwrap();
        recorded.iter().map(|recorded| recorded.decode().unwrap()).collect()
    }

    /// How many events `is` holds for.
    pub async fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events().await.iter().filter(|event| is(event)).count()
    }
}
