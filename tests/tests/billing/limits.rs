//! What a plan allows: hosted products that sell, and credits.

use super::office::Office;
use hilt_tests::solana_tx::Keypair;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_allows_so_many_products_and_a_larger_one_more() {
    let office = Office::with(&[("HILT_PLAN_TEMPLATES", "sandbox=1,growth=2")]).await;
    let wallet = Keypair::generate().address().to_string();
    let product = |title: &str| {
        json!({"product_type": "PAYMENT_LINK", "title": title, "amount_minor_units": 200_000, "merchant_wallet": wallet,
            "token_mint": rails::solana::programs::USDC_MINT.to_string()})
    };
    let make = |title: &'static str| {
        let (office, body) = (&office, product(title));
        async move { office.app.post(&office.app.live_key, "/v1/products", body).await }
    };
    let first = make("One").await.ok();
    let before = office.head().await;
    let refused = make("Two").await.refused(409, "template_limit_reached");
    assert!(refused["next_action"].as_str().unwrap().contains("/v1/billing/checkout/stripe"), "{refused}");
    assert_eq!(office.head().await, before);
    let limits = |summary: Value| (summary["live_template_count"].clone(), summary["plan_limits"]["live_templates"].clone());
    assert_eq!(limits(office.summary().await), (json!(1), json!(1)));

    let subscription = office.subscribed().await;
    make("Two").await.ok();
    make("Three").await.refused(409, "template_limit_reached");
    assert_eq!(limits(office.summary().await), (json!(2), json!(2)));

    office.stripe.becomes(&subscription, "canceled");
    office.refresh().await.ok();
    assert_eq!(limits(office.summary().await), (json!(2), json!(1)), "what sells goes on selling");
    let path = format!("/v1/products/{}", first["id"].as_str().unwrap());
    office.ask(Method::DELETE, &path, None).await.ok();
    make("Four").await.refused(409, "template_limit_reached");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_follow_the_plan_that_is_paid_for() {
    let office = Office::with(&[("HILT_PLAN_CREDITS", "sandbox=1,growth=3")]).await;
    let receipt = |n: u8| {
        let wallet = Keypair::generate().address().to_string();
        let body = json!({
            "tx_sig": events::vocab::bytes::TxSignature([n; 64]).to_string(), "wallet": wallet, "counterparty_wallet": wallet,
            "token_mint": rails::solana::programs::USDC_MINT.to_string(), "amount_raw": 200_000,
        });
        let office = &office;
        async move { office.app.post(&office.app.live_key, "/v1/receipt", body).await }
    };
    receipt(1).await.ok();
    receipt(2).await.refused(402, "insufficient_credits");
    let subscription = office.subscribed().await;
    receipt(2).await.ok();
    receipt(3).await.ok();
    receipt(4).await.refused(402, "insufficient_credits");
    let balance = office.ask(Method::GET, "/v1/credits", None).await.ok();
    assert_eq!((&balance["plan"], &balance["granted"], &balance["burned"]), (&json!("growth"), &json!(3), &json!(3)));
    office.stripe.becomes(&subscription, "canceled");
    office.refresh().await.ok();
    assert_eq!(office.ask(Method::GET, "/v1/credits", None).await.ok()["granted"], json!(3), "what was granted for the month stays");
    office.close().await;
}
