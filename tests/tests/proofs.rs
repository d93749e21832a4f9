//! Proofs: what is recorded, what is refused, and that nothing but the chain settles a payment (INV-1 to 8, AC-63).

#[path = "proofs/candidates.rs"]
mod candidates;
#[path = "proofs/receipts.rs"]
mod receipts;
#[path = "proofs/recorded.rs"]
mod recorded;
#[path = "proofs/settled.rs"]
mod settled;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;

use events::vocab::bytes::TxSignature;
use hilt_tests::{
    app::TestApp,
    chain::{LocalSolana, PayRequest},
    solana_tx::Keypair,
};
use serde_json::{Value, json};
use shop::{Shop, legs, memo};

const PROOFS: &str = "/v1/access/payment-proofs";

/// The proof that `tx` pays the session.
fn proof_of(session: &Value, customer: &str, tx: TxSignature) -> Value {
    json!({"payment_session_id": session["payment_session"]["id"], "external_product_id": "pro-ai-api",
        "external_customer_id": customer, "rail": "solana_usdc", "tx_signature": tx.to_string()})
}

/// A buyer with 100 USDC.
async fn buyer(chain: &LocalSolana) -> Keypair {
    let buyer = Keypair::generate();
    chain.fund(&buyer.address(), 100_000_000).await;
    buyer
}

/// Pays what the session requires.
async fn pay(chain: &LocalSolana, buyer: &Keypair, session: &Value) -> TxSignature {
    let requirement = &session["payment_session"]["payment_requirement"];
    chain.pay(PayRequest::usdc(buyer, &legs(requirement), memo(requirement))).await
}

/// The session as it is now.
async fn session_now(app: &TestApp, session: &Value) -> Value {
    let path = format!("/v1/access/payment-sessions/{}", session["payment_session"]["id"].as_str().unwrap());
    app.get(&app.live_key, &path).await.ok()["payment_session"].clone()
}

/// A shop on a chain that is asked through `rpc_url`.
async fn open(rpc_url: &str) -> (TestApp, Shop) {
    let app = TestApp::start(&[("HILT_SOLANA_RPC_URL", rpc_url)]).await;
    let shop = Shop::open(&app).await;
    (app, shop)
}
