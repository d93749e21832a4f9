//! A JSON-RPC proxy before a real chain, for the faults that a chain cannot be made to show: it passes real answers on,
//! and a rule may alter, withhold or break them.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError, RwLock},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// One call and the chain's real answer to it.
pub struct Exchange {
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// The whole JSON-RPC answer.
    pub answer: Value,
}

/// What the caller gets.
pub enum Reply {
    /// The real answer.
    Pass,
    /// Another JSON-RPC answer.
    Answer(Value),
    /// An HTTP status without a body.
    Status(u16),
    /// A body that is no JSON-RPC answer.
    Text(&'static str),
    /// A connection that breaks in the middle of the answer.
    Break,
    /// No answer at all.
    Hang,
}

type Rule = Arc<dyn Fn(Exchange) -> Reply + Send + Sync>;

struct Shared {
    upstream: String,
    http: reqwest::Client,
    rule: RwLock<Rule>,
    calls: Mutex<Vec<String>>,
    withheld: RwLock<Option<&'static str>>,
}

/// A running proxy; it ends when dropped.
pub struct RpcProxy {
    /// Its address, to be configured instead of the chain's.
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl RpcProxy {
    /// Starts a proxy before `upstream` that passes everything on.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port has an address"));
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http: crate::chain::http_client(),
            rule: RwLock::new(Arc::new(|_| Reply::Pass)),
            calls: Mutex::default(),
            withheld: RwLock::default(),
        });
        let app = Router::new().fallback(forward).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("the proxy serves") });
        RpcProxy { url, shared, server }
    }

    /// Replaces the rule, from the next call on.
    pub fn set_rule(&self, rule: impl Fn(Exchange) -> Reply + Send + Sync + 'static) {
        *self.shared.rule.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rule);
    }

    /// Passes everything on again.
    pub fn clear_rule(&self) {
        self.set_rule(|_| Reply::Pass);
    }

    /// Keeps calls of a method from the chain, unanswered, or lets them pass again: what the caller begins never happens.
    pub fn withhold(&self, method: Option<&'static str>) {
        *self.shared.withheld.write().unwrap_or_else(PoisonError::into_inner) = method;
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|called| *called == method).count()
    }
}

impl Drop for RpcProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A rule: Solana transactions never get beyond `confirmed`.
pub fn hold_at_confirmed(mut exchange: Exchange) -> Reply {
    if exchange.method != "getSignatureStatuses" {
        return Reply::Pass;
    }
    for status in exchange.answer["result"]["value"].as_array_mut().into_iter().flatten().filter(|status| status.is_object()) {
        status["confirmationStatus"] = "confirmed".into();
        status["confirmations"] = 10.into();
    }
    Reply::Answer(exchange.answer)
}

async fn forward(State(shared): State<Arc<Shared>>, question: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&question).unwrap_or_default();
    let method = asked["method"].as_str().unwrap_or_default().to_owned();
    shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push(method.clone());
    if *shared.withheld.read().unwrap_or_else(PoisonError::into_inner) == Some(method.as_str()) {
        std::future::pending::<()>().await;
    }
    let request = shared.http.post(&shared.upstream).header("content-type", "application/json").body(question);
    let Ok(real) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let Ok(answer) = real.json::<Value>().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let rule = shared.rule.read().unwrap_or_else(PoisonError::into_inner).clone();
    match rule(Exchange { method, params: asked["params"].clone(), answer: answer.clone() }) {
        Reply::Pass => axum::Json(answer).into_response(),
        Reply::Answer(altered) => axum::Json(altered).into_response(),
        Reply::Status(status) => StatusCode::from_u16(status).expect("a valid status").into_response(),
        Reply::Text(text) => text.into_response(),
        Reply::Break => {
            let pieces = [Ok(Bytes::from_static(b"{\"jsonrpc\"")), Err(io::Error::other("broken on purpose"))];
            Body::from_stream(futures::stream::iter(pieces)).into_response()
        }
        Reply::Hang => std::future::pending().await,
    }
}
