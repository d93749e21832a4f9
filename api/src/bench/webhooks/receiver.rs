//! The receiver: takes whatever is sent to it, and remembers what and when.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use events::{clock::Clock, vocab::id::EventId};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A message that arrived.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Arrived {
    /// `webhook-id`.
    pub id: Option<EventId>,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Bytes of its body.
    pub length: usize,
}

type Arrivals = Arc<Mutex<Vec<Arrived>>>;

/// Serves on `listener` for good: messages to `/{number}`, how many came at `/count`, and all from the `from`th on at `/since/{from}`.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new()
        .route("/{number}", post(receive))
        .route("/count", get(count))
        .route("/since/{from}", get(since))
        .with_state(Arrivals::default());
    axum::serve(listener, router).await
}

async fn receive(State(arrivals): State<Arrivals>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let arrived = Arrived { id, at: Clock::machine().now().micros(), length: body.len() };
    match arrivals.lock() {
        Ok(mut arrivals) => {
            arrivals.push(arrived);
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn count(State(arrivals): State<Arrivals>) -> Json<usize> {
    Json(arrivals.lock().map_or(0, |arrivals| arrivals.len()))
}

async fn since(State(arrivals): State<Arrivals>, Path(from): Path<usize>) -> Json<Vec<Arrived>> {
    Json(arrivals.lock().map_or_else(|_| Vec::new(), |arrivals| arrivals.get(from..).unwrap_or_default().to_vec()))
}
