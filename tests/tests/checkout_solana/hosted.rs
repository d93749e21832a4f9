//! Hosted products sold for USDC and for SOL, paid on a real chain, exact to the unit.

use super::sessions::{post, submission, transaction};
use hilt_tests::{
    app::TestApp,
    chain::LocalSolana,
    prices::{PriceAnswer, PriceServer},
    solana_tx::{self, Keypair, sign_built},
};
use rails::solana::programs::{NATIVE_MINT, USDC_MINT};
use reqwest::Method;
use serde_json::{Value, json};

/// A deployment with a chain and a price, and a merchant who sells.
struct Stall {
    chain: LocalSolana,
    prices: PriceServer,
    app: TestApp,
    merchant: Keypair,
    fee_wallet: Keypair,
}

impl Stall {
    async fn open() -> Self {
        let chain = LocalSolana::start().await;
        let prices = PriceServer::start(events::clock::Clock::machine(), PriceAnswer::Spot("143.21")).await;
        let fee_wallet = Keypair::generate();
        let settings = [
            ("HILT_SOLANA_RPC_URL", chain.rpc_url.as_str()),
            ("HILT_SOL_PRICE_URL", prices.url.as_str()),
            ("HILT_FEE_WALLET", &fee_wallet.address().to_string()),
        ];
        let app = TestApp::start(&settings).await;
        Stall { app, chain, prices, merchant: Keypair::generate(), fee_wallet }
    }

    /// A product; `fields` replace those of a plain one for USDC.
    async fn product(&self, fields: Value) -> Value {
        let mut body = json!({
            "product_type": "PAYMENT_LINK", "title": "Members lounge", "amount_minor_units": 200_000, "token_mint": USDC_MINT,
            "merchant_wallet": self.merchant.address(), "delivery_type": "REDIRECT", "delivery_value": "https://example.com/welcome",
        });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.app.post(&self.app.live_key, "/v1/products", body).await.ok()
    }

    async fn in_sol(&self) -> Value {
        self.product(json!({"title": "In SOL", "token_mint": null, "amount_minor_units": 50_000_000})).await
    }

    async fn connect(&self, product: &Value, buyer: &Keypair) -> Value {
        let path = format!("/v1/products/p/{}/connect", product["slug"].as_str().unwrap());
        post(&self.app, &path, &json!({"payer_wallet": buyer.address()})).await.ok()
    }

    async fn buyer(&self) -> Keypair {
        let buyer = Keypair::generate();
        self.chain.fund(&buyer.address(), 10_000_000).await;
        buyer
    }

    async fn status(&self, payment: &Value, holds: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/v1/payments/{}", payment["payment_id"].as_str().unwrap());
        self.app.until(&self.app.live_key, &path, holds).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_in_usdc_is_paid_to_wallets_that_never_held_any() {
    let stall = Stall::open().await;
    let (product, buyer) = (stall.product(json!({})).await, stall.buyer().await);
    let payment = stall.connect(&product, &buyer).await;
    let payment_id = payment["payment_id"].as_str().unwrap();
    let parts = ["amount_minor_units", "merchant_amount_minor_units", "fee_minor_units"].map(|name| payment[name].as_u64().unwrap());
    assert_eq!(parts, [200_000, 199_800, 200], "MON-3");

    let answer = post(&stall.app, "/v1/pay/transaction", &json!({"payment_id": payment_id})).await.ok();
    let signed = sign_built(&transaction(&answer), &buyer);
    let sent = post(&stall.app, "/v1/pay/submit", &submission(payment_id, &buyer, &signed)).await.ok();
    let tx = solana_tx::signature_of(&signed);
    stall.chain.wait_finalized(&tx).await;
    let confirm =
        json!({"payment_id": payment_id, "slug": product["slug"], "tx_signature": sent["tx_signature"], "payer_wallet": buyer.address()});
    let confirmed = post(&stall.app, "/v1/pay/confirm", &confirm).await.ok();
    assert_eq!((&confirmed["status"], &confirmed["amount_minor_units"]), (&json!("confirmed"), &json!(200_000)));
    assert_eq!(post(&stall.app, "/v1/pay/confirm", &confirm).await.ok()["receipt_id"], confirmed["receipt_id"]);
    assert_eq!(stall.chain.tokens(&stall.merchant.address(), &USDC_MINT).await, 199_800);
    assert_eq!(stall.chain.tokens(&stall.fee_wallet.address(), &USDC_MINT).await, 200);
    stall.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_in_sol_is_paid_in_lamports_and_found_by_the_watcher() {
    let stall = Stall::open().await;
    stall.chain.airdrop(&stall.fee_wallet.address()).await;
    let (product, buyer) = (stall.in_sol().await, stall.buyer().await);
    assert_eq!((&product["asset_symbol"], &product["asset_decimals"]), (&json!("SOL"), &json!(9)), "INV-80");
    let payment = stall.connect(&product, &buyer).await;
    let parts = ["amount_minor_units", "merchant_amount_minor_units", "fee_minor_units"].map(|name| payment[name].as_u64().unwrap());
    assert_eq!(parts, [50_000_000, 49_950_000, 50_000], "MON-14 at 10 bps");
    let answer = post(&stall.app, "/v1/pay/transaction", &json!({"payment_id": payment["payment_id"]})).await.ok();
    assert_eq!(answer["asset_symbol"], json!("SOL"));
    let tx = stall.chain.send(&sign_built(&transaction(&answer), &buyer), false).await;

    let paid = stall.status(&payment, |body| body["status"] == "CONFIRMED").await;
    assert_eq!(paid["tx_signature"], json!(tx.to_string()));
    assert_eq!(stall.chain.lamports(&stall.merchant.address()).await, 49_950_000);
    assert_eq!(stall.chain.lamports(&stall.fee_wallet.address()).await, 1_000_050_000);
    stall.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_wrapped_or_misdirected_sol_pays_nothing() {
    let stall = Stall::open().await;
    let fee_wallet = stall.fee_wallet.address();
    stall.chain.airdrop(&fee_wallet).await;
    stall.chain.create_mint_at(&NATIVE_MINT, 9).await;
    let (product, buyer) = (stall.in_sol().await, stall.buyer().await);
    let (payer, merchant) = (buyer.address(), stall.merchant.address());
    for wallet in [payer, merchant, fee_wallet] {
        stall.chain.fund_token(&wallet, &NATIVE_MINT, 100_000_000).await;
    }
    let wrapped = |to, amount| {
        let account = |owner| solana_tx::ata(&owner, &NATIVE_MINT);
        solana_tx::transfer_checked(account(payer), NATIVE_MINT, account(to), payer, amount, 9)
    };
    let sol = |to, lamports| solana_tx::transfer_sol(payer, to, lamports);
    for (reason, transfers) in [
        ("amount_short", vec![sol(merchant, 49_949_999), sol(fee_wallet, 50_000)]),
        ("amount_short", vec![sol(merchant, 50_000_000)]),
        ("wrong_recipient", vec![sol(Keypair::generate().address(), 49_950_000), sol(fee_wallet, 50_000)]),
        ("wrong_mint", vec![wrapped(merchant, 49_950_000), wrapped(fee_wallet, 50_000)]),
    ] {
        let payment = stall.connect(&product, &buyer).await;
        let mut instructions = transfers;
        instructions.push(solana_tx::memo(payment["memo"].as_str().unwrap()));
        let tx = stall.chain.submit(&[&buyer], &instructions, false).await;
        stall.chain.wait_finalized(&tx).await;
        let confirm = json!({"payment_id": payment["payment_id"], "tx_signature": tx.to_string()});
        let refused = post(&stall.app, "/v1/pay/confirm", &confirm).await.refused(422, "tx_failed");
        assert_eq!(refused["blockers"], json!([reason]), "{refused}");
        stall.status(&payment, |body| body["status"] == "FAILED" && body["failure_reason"] == reason).await;
    }
    stall.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sol_is_sold_only_while_its_price_is_fresh() {
    let stall = Stall::open().await;
    let buyer = stall.buyer().await;
    let sol = json!({
        "product_type": "PAYMENT_LINK", "title": "In SOL", "token_mint": NATIVE_MINT, "amount_minor_units": 50_000_000,
        "merchant_wallet": stall.merchant.address(),
    });
    let product = stall.in_sol().await;
    let path = format!("/v1/products/p/{}/connect", product["slug"].as_str().unwrap());
    let connect = json!({"payer_wallet": buyer.address()});
    for answer in [PriceAnswer::Status(500), PriceAnswer::Ticker("143", 61), PriceAnswer::Text("{}")] {
        stall.prices.say(answer);
        // Beyond the second for which an answer serves a burst.
        stall.app.clock.advance_seconds(2);
        stall.app.post(&stall.app.live_key, "/v1/products", sol.clone()).await.refused(503, "pricing_unavailable");
        post(&stall.app, &path, &connect).await.refused(503, "pricing_unavailable");
    }
    // A dollar needs no price.
    let dollars = stall.product(json!({})).await;
    stall.connect(&dollars, &buyer).await;
    stall.prices.say(PriceAnswer::Spot("150"));
    stall.app.clock.advance_seconds(2);
    stall.connect(&product, &buyer).await;
    stall.app.post(&stall.app.live_key, "/v1/products", sol).await.ok();
    stall.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_nobody_knows_pays_a_product_by_solana_pay() {
    let stall = Stall::open().await;
    let (product, buyer) = (stall.product(json!({"branding": {"merchant_name": "The Lounge"}})).await, stall.buyer().await);
    let open = format!("/v1/products/p/{}/solana-pay", product["slug"].as_str().unwrap());
    let payment = post(&stall.app, &open, &json!({})).await.ok();
    assert_eq!((&payment["amount_minor_units"], &payment["fee_minor_units"]), (&json!(200_000), &json!(200)));
    let link = payment["url"].as_str().unwrap().strip_prefix("solana:").expect("a Solana Pay link");
    let path = link.strip_prefix("https://api.hilt.so").expect("the service's own address");

    assert_eq!(stall.app.get_public(path).await.ok()["label"], json!("The Lounge"));
    let asked = post(&stall.app, path, &json!({"account": buyer.address()})).await.ok();
    stall.chain.send(&sign_built(&transaction(&asked), &buyer), false).await;
    stall.status(&payment, |body| body["status"] == "CONFIRMED").await;
    assert_eq!(stall.chain.tokens(&stall.merchant.address(), &USDC_MINT).await, 199_800);

    let jar = stall
        .product(json!({"product_type": "TIP_JAR", "title": "Tips", "amount_minor_units": null, "tip_presets_lamports": [1_000_000]}))
        .await;
    let tip = format!("/v1/products/p/{}/solana-pay", jar["slug"].as_str().unwrap());
    post(&stall.app, &tip, &json!({})).await.refused(422, "validation_failed");
    assert_eq!(post(&stall.app, &tip, &json!({"amount_minor_units": 3_000_000})).await.ok()["amount_minor_units"], json!(3_000_000));

    let members = json!({"enabled": true, "identity_type": "TELEGRAM_USER_ID", "identity_required": true, "billing_interval_days": 30});
    let members = stall.product(json!({"title": "Members", "membership_config": members})).await;
    let path = format!("/v1/products/p/{}/solana-pay", members["slug"].as_str().unwrap());
    post(&stall.app, &path, &json!({})).await.refused(422, "identity_verification_required");
    post(&stall.app, "/v1/products/p/nothing/solana-pay", &json!({})).await.refused(404, "product_not_found");
    let archive = stall.app.request(Method::DELETE, &format!("/v1/products/{}", product["id"].as_str().unwrap()));
    stall.app.send(archive.header("X-Hilt-Key", &stall.app.live_key)).await.ok();
    post(&stall.app, &open, &json!({})).await.refused(410, "product_archived");
    stall.app.close().await;
}
