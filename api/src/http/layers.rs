//! What every request passes through: a time limit, the account of it in log lines and metrics, and headers that keep browsers
//! from guessing.

use super::{
    problem::{Code, Problem},
    request_id::RequestId,
};
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{any::Any, time::Duration};
use tokio::time::Instant;

/// How long a request may take; clients of the seeds give up after 10 and 20 seconds (CV-12).
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Ends a request that takes too long. What it was writing is either in the log with its answer or not there at all.
pub async fn time_limit(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::of(Code::RequestTimeout).retry_after(1).into_response(),
    }
}

/// Answers for a handler that panicked. The message may quote anything, so only that it happened is told.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::of(Code::Internal).into_response()
}

/// One log line and one measurement a request, by route template: never a path with ids, never a query string.
pub async fn account(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let response = next.run(request).await;
    let (status, taken) = (response.status().as_u16(), begun.elapsed());
    metrics::counter!("hilt_http_requests_total", "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("hilt_http_request_duration_seconds", "method" => method, "route" => route.clone()).record(taken.as_secs_f64());
    let latency_us = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
    match status {
        500.. => tracing::warn!(http.method = method, http.route = route, http.status = status, latency_us, request_id, "request failed"),
        _ => tracing::info!(http.method = method, http.route = route, http.status = status, latency_us, request_id, "request answered"),
    }
    response
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

/// Answers are data: not to be cached by accident, guessed at, framed or run.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let documentation = request.uri().path().starts_with("/docs");
    let mut response = next.run(request).await;
    let policy = match documentation {
        true => {
            "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
        }
        false => "default-src 'none'; frame-ancestors 'none'",
    };
    let headers = response.headers_mut();
    absent(headers, header::CONTENT_SECURITY_POLICY, policy);
    absent(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    absent(headers, header::X_FRAME_OPTIONS, "DENY");
    absent(headers, header::REFERRER_POLICY, "no-referrer");
    absent(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    absent(headers, header::CACHE_CONTROL, "no-store");
    response
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
