//! The floor: an axum route that reads the request and answers, and knows nothing.

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::post};
use serde::Deserialize;
use tokio::net::TcpListener;

/// What a check's request holds.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read and not looked at")]
struct Asked {
    product_id: Option<String>,
    access_product_id: Option<String>,
    external_product_id: Option<String>,
    rail: Option<String>,
    external_customer_id: Option<String>,
    customer_reference: Option<String>,
    wallet: Option<String>,
    email: Option<String>,
    livemode: Option<bool>,
}

/// Serves it on `listener` for good; answers have `length` bytes.
pub async fn serve(listener: TcpListener, length: usize) -> std::io::Result<()> {
    let body: &'static str = Box::leak(format!("\"{}\"", "x".repeat(length.saturating_sub(2))).into_boxed_str());
    let router = Router::new().route("/v1/access/entitlements/check", post(answer)).with_state(body);
    axum::serve(listener, router).await
}

async fn answer(State(body): State<&'static str>, Json(_): Json<Asked>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}
