//! A price source that speaks Coinbase's documented protocol, and can be stopped, made old, or made to talk nonsense.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use events::{clock::Clock, vocab::time::Timestamp};
use serde_json::json;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// What the source says when it is asked.
#[derive(Clone, Debug)]
pub enum PriceAnswer {
    /// The last trade: its price, and how many seconds ago it was.
    Ticker(&'static str, i64),
    /// The spot price, which carries no time.
    Spot(&'static str),
    /// An HTTP status without a body.
    Status(u16),
    /// A body that is no price.
    Text(&'static str),
    /// No answer at all.
    Hang,
}

struct Shared {
    clock: Clock,
    answer: Mutex<PriceAnswer>,
    asked: AtomicUsize,
}

/// A running source; it ends when dropped.
pub struct PriceServer {
    /// What to configure as `HILT_SOL_PRICE_URL`.
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl PriceServer {
    /// Starts a source whose times are those of `clock`.
    pub async fn start(clock: Clock, answer: PriceAnswer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/products/SOL-USD/ticker", listener.local_addr().expect("a bound port has an address"));
        let shared = Arc::new(Shared { clock, answer: Mutex::new(answer), asked: AtomicUsize::new(0) });
        let routes = Router::new().route("/products/SOL-USD/ticker", get(tell)).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("the source serves") });
        PriceServer { url, shared, server }
    }

    /// Says something else from the next question on.
    pub fn say(&self, answer: PriceAnswer) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }
}

impl Drop for PriceServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn tell(State(shared): State<Arc<Shared>>) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let time = |seconds: i64| -> Timestamp { shared.clock.now().plus_seconds(-seconds) };
    match answer {
        PriceAnswer::Ticker(price, age) => axum::Json(json!({
            "ask": price, "bid": price, "price": price, "size": "0.7", "volume": "53602.03940154", "trade_id": 86_326_522, "time": time(age),
        }))
        .into_response(),
        PriceAnswer::Spot(amount) => axum::Json(json!({"data": {"amount": amount, "base": "SOL", "currency": "USD"}})).into_response(),
        PriceAnswer::Status(status) => StatusCode::from_u16(status).expect("a valid status").into_response(),
        PriceAnswer::Text(text) => text.into_response(),
        PriceAnswer::Hang => std::future::pending().await,
    }
}
