//! The floor of a session over HTTP: an axum route that reads the request, appends the bytes of a session's events through the bare
//! group commit, and answers as many bytes as the service does.

use super::super::{
    bare::{Bare, anew},
    scratch::BenchError,
    scratch_log::ScratchLog,
};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use events::vocab::stream::Recorded;
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc};
use tokio::net::TcpListener;

/// What a request for a session holds.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read and not looked at")]
struct Asked {
    external_product_id: Option<String>,
    external_customer_id: Option<String>,
    wallet: Option<String>,
    email: Option<String>,
    rail: Option<String>,
    amount_minor_units: Option<u64>,
}

#[derive(Clone)]
struct Floor {
    bare: Bare,
    rows: Arc<Vec<Recorded>>,
    body: &'static str,
}

/// Serves it on `listener` for good. The events are the `count` from position `from` on, in the database at `url`.
pub async fn serve(listener: TcpListener, url: &str, from: u64, count: u64, length: usize) -> Result<(), BenchError> {
    let rows = Arc::new(ScratchLog::new(url).await?.log.read(from, count).await?);
    let body: &'static str = Box::leak(format!("\"{}\"", "x".repeat(length.saturating_sub(2))).into_boxed_str());
    let floor = Floor { bare: Bare::open(url).await?, rows, body };
    let router = Router::new().route("/v1/access/payment-sessions", post(open)).with_state(floor);
    axum::serve(listener, router).await.map_err(BenchError::Process)
}

async fn open(State(floor): State<Floor>, Json(_): Json<Asked>) -> Response {
    match floor.bare.append(anew(&floor.rows, &mut HashMap::new())).await {
        Ok(()) => (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], floor.body).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
