//! Receipts: made by hand and paid for in credits, with notes for the invoice, shown to anyone, and true to their signature whatever
//! happens around them (INV-74 to INV-76, INV-93).

#[path = "receipts/invoice.rs"]
mod invoice;
#[path = "receipts/manual.rs"]
mod manual;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;

use events::vocab::bytes::TxSignature;
use hilt_tests::{app::TestApp, solana_tx::Keypair};
use serde_json::{Value, json};

const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

/// A transaction that no chain knows, described.
fn described(tx: u8) -> Value {
    json!({"tx_sig": TxSignature([tx; 64]).to_string(), "wallet": Keypair::generate().address().to_string(),
        "counterparty_wallet": Keypair::generate().address().to_string(), "token_mint": USDC, "amount_raw": 200_000, "memo": "HILT:nonce"})
}

/// Makes a receipt by hand.
async fn make(app: &TestApp, body: &Value) -> hilt_tests::app::Answer {
    app.post(&app.live_key, "/v1/receipt", body.clone()).await
}

/// What is left of the month's credits.
async fn balance(app: &TestApp) -> Value {
    app.get(&app.live_key, "/v1/credits").await.ok()["balance"].clone()
}

/// Whether the service says that a receipt holds.
async fn valid(app: &TestApp, id: &Value) -> Value {
    app.get_public(&format!("/v1/receipt/{}/verify", id.as_str().unwrap())).await.ok()["valid"].clone()
}
