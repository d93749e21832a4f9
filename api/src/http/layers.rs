//! What every request passes through: a time limit, the account of it in log lines and metrics, and headers that keep browsers
//! from guessing.

use super::{
    body::BodyLimit,
    guard::Guard,
    problem::{Code, Problem},
    request_id::{self, RequestId},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use std::{cell::RefCell, collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long a request may take; clients of the seeds give up after 10 and 20 seconds (CV-12).
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What stands around every route.
pub struct Around {
    /// Lets callers in; without one, all are let in.
    pub guard: Option<Guard>,
    /// What a body may have at most.
    pub body_limit: BodyLimit,
}

/// Everything that a request passes through, in one step: each step of its own would cost every request a copy of the route and two
/// allocations. A request that takes too long is ended; what it was writing is either in the log with its answer or not there at all.
pub async fn around(State(around): State<Arc<Around>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id::of(request.headers());
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let documentation = request.uri().path().starts_with("/docs");
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(around.body_limit);
    let answered = async {
        match &around.guard {
            Some(guard) => guard.pass(request, next).await,
            None => next.run(request).await,
        }
    };
    let answered = AssertUnwindSafe(answered).catch_unwind();
    let response = match tokio::time::timeout(TIME_LIMIT, answered).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => panicked(),
        Err(_) => Problem::of(Code::RequestTimeout).retry_after(1).into_response(),
    };
    let mut response = request_id::put(response, &id);
    secure(response.headers_mut(), documentation);
    account(method, route.as_ref().map_or("unmatched", MatchedPath::as_str), response.status().as_u16(), begun.elapsed(), &id);
    response
}

/// The answer for a handler that panicked. The message may quote anything, so only that it happened is told.
fn panicked() -> Response {
    tracing::error!("a handler panicked");
    Problem::of(Code::Internal).into_response()
}

/// Routes that are asked so often that a line for each good answer would drown all others: they are counted and measured only.
const QUIET: [&str; 4] = ["/v1/access/entitlements/check", "/healthz", "/readyz", "/metrics"];

/// One log line and one measurement a request, by route template: never a path with ids, never a query string.
fn account(method: &'static str, route: &str, status: u16, taken: Duration, request_id: &str) {
    measure(method, route, status, taken);
    let latency_us = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
    match status {
        500.. => tracing::warn!(http.method = method, http.route = route, http.status = status, latency_us, request_id, "request failed"),
        ..400 if QUIET.contains(&route) => {
            tracing::debug!(http.method = method, http.route = route, http.status = status, latency_us, request_id, "request answered");
        }
        _ => tracing::info!(http.method = method, http.route = route, http.status = status, latency_us, request_id, "request answered"),
    }
}

/// Where a kind of answer is counted and measured.
struct Meters {
    requests: metrics::Counter,
    durations: metrics::Histogram,
}

/// Meters by route, of one method and status.
type ByRoute = HashMap<Box<str>, Meters>;

thread_local! {
    /// The meters that this thread has looked up: finding one by its labels costs more than many an answer.
    static METERS: RefCell<HashMap<(&'static str, u16), ByRoute>> = RefCell::default();
}

fn measure(method: &'static str, route: &str, status: u16, taken: Duration) {
    METERS.with_borrow_mut(|meters| {
        let by_route = meters.entry((method, status)).or_default();
        if !by_route.contains_key(route) {
            let name = route.to_owned();
            let requests =
                metrics::counter!("hilt_http_requests_total", "method" => method, "route" => name.clone(), "status" => status.to_string());
            let durations = metrics::histogram!("hilt_http_request_duration_seconds", "method" => method, "route" => name);
            by_route.insert(route.into(), Meters { requests, durations });
        }
        if let Some(meters) = by_route.get(route) {
            meters.requests.increment(1);
            meters.durations.record(taken.as_secs_f64());
        }
    });
}

/// Callers may make up methods; metrics may not grow with them.
fn method_name(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// How many headers [`secure`] may add.
const SECURED: usize = 6;

/// Answers are data: not to be cached by accident, guessed at, framed or run.
fn secure(headers: &mut HeaderMap, documentation: bool) {
    let policy = match documentation {
        true => {
            "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
        }
        false => "default-src 'none'; frame-ancestors 'none'",
    };
    headers.reserve(SECURED);
    absent(headers, header::CONTENT_SECURITY_POLICY, policy);
    absent(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    absent(headers, header::X_FRAME_OPTIONS, "DENY");
    absent(headers, header::REFERRER_POLICY, "no-referrer");
    absent(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    absent(headers, header::CACHE_CONTROL, "no-store");
}

fn absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// No such route.
pub async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no such route").next_action("Read /openapi.json.")
}

/// A route that does not know the method.
pub async fn method_not_allowed() -> Problem {
    Problem::of(Code::MethodNotAllowed).next_action("Read /openapi.json.")
}
