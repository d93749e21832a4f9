//! A merchant with products, and buyers with a wallet.

use hilt_tests::{app::TestApp, browser::Browser, chain::LocalSolana, solana_tx::Keypair};
use serde_json::{Value, json};

/// What a paid product leads to.
pub const DELIVERY: &str = "https://t.me/+privateinvite";
/// Mainnet's USDC.
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// A chain, a service on it, and a browser.
pub struct Scene {
    /// The chain.
    pub chain: LocalSolana,
    /// The service.
    pub app: TestApp,
    /// The browser.
    pub browser: Browser,
}

impl Scene {
    /// Starts all three.
    pub async fn start() -> Self {
        let chain = LocalSolana::start().await;
        let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", &chain.rpc_url), ("HILT_PUBLIC_WEB_URL", "https://www.hilt.test")]).await;
        Scene { chain, app, browser: Browser::start().await }
    }

    /// A Telegram membership at 29 USDC, with what `change` says; gives its slug.
    pub async fn product(&self, change: Value) -> String {
        let mut product = json!({
            "product_type": "PAYMENT_LINK", "title": "Telegram Inner Circle", "description": "Monthly paid access",
            "amount_minor_units": 29_000_000, "token_mint": USDC, "merchant_wallet": Keypair::generate().address().to_string(),
            "delivery_type": "TELEGRAM_INVITE", "delivery_value": DELIVERY,
            "branding": {"merchant_name": "Example Merchant", "success_button_label": "Join Telegram", "accent_hex": "#1d4ed8"},
        });
        for (name, value) in change.as_object().expect("an object").clone() {
            product[name] = value;
        }
        let made = self.app.post(&self.app.live_key, "/v1/products", product).await.ok();
        made["slug"].as_str().expect("a product has a slug").to_owned()
    }

    /// A funded wallet, for the browser.
    pub async fn wallet(&self) -> Value {
        let seed: [u8; 32] = events::clock::random_bytes();
        self.chain.fund(&Keypair::from_seed(seed).address(), 100_000_000).await;
        json!({"seed": hex::encode(seed)})
    }

    /// Opens a page in a new tab.
    pub async fn open(&mut self, tab: &str, path: &str, wallet: Option<Value>) -> Value {
        let url = format!("{}{path}", self.app.base_url);
        self.browser.step("open", json!({"tab": tab, "url": url, "wallet": wallet})).await
    }

    /// Waits for words.
    #[track_caller]
    pub fn see<'a>(&'a mut self, tab: &str, text: &str) -> impl Future<Output = Value> + 'a {
        self.browser.step("see", json!({"tab": tab, "text": text}))
    }

    /// Presses a button or link.
    #[track_caller]
    pub fn press<'a>(&'a mut self, tab: &str, name: &str) -> impl Future<Output = Value> + 'a {
        self.browser.step("press", json!({"tab": tab, "name": name}))
    }

    /// Leaves a picture, if somebody wants one.
    pub async fn shot(&mut self, tab: &str, label: &str) {
        self.browser.step("shot", json!({"tab": tab, "label": label})).await;
    }

    /// Nothing that is bad for some people is on the page.
    pub async fn accessible(&mut self, tab: &str) {
        assert_eq!(self.browser.step("accessible", json!({"tab": tab})).await, json!([]), "axe-core");
    }

    /// Ends a tab, in which nothing may have gone wrong.
    #[track_caller]
    pub fn close_tab<'a>(&'a mut self, tab: &str) -> impl Future<Output = Value> + 'a {
        self.browser.step("close", json!({"tab": tab}))
    }
}
