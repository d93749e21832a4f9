//! Request ids: echoed when well formed, made otherwise; in the answer's header, in every problem, and in every event.

use super::problem::Problem;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    response::{IntoResponse, Response},
};
use events::clock::new_id;
use std::convert::Infallible;

/// The header.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// This request's id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(pub String);

/// 1 to 128 characters that are safe in a header, a log line and a URL.
fn well_formed(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

/// The id that the request brings, or a new one.
pub fn of(headers: &HeaderMap) -> String {
    let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| well_formed(id));
    given.map_or_else(made, str::to_owned)
}

fn made() -> String {
    let mut id = String::with_capacity(36);
    id.push_str("req_");
    id.push_str(new_id::<uuid::Uuid>().simple().encode_lower(&mut uuid::Uuid::encode_buffer()));
    id
}

/// Puts the id on the answer, and into the problem if it is one.
pub fn put(mut response: Response, id: &str) -> Response {
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>()
        && problem.request_id.is_none()
    {
        problem.request_id = Some(id.to_owned());
        let headers = std::mem::take(response.headers_mut());
        response = problem.into_response();
        for (name, value) in &headers {
            if !response.headers().contains_key(name) && name != axum::http::header::CONTENT_LENGTH {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId(made())))
    }
}

#[cfg(test)]
mod tests {
    use super::well_formed;

    #[test]
    fn only_ids_that_are_safe_everywhere_are_echoed() {
        assert!(well_formed("req-1_a.b:c"));
        for bad in ["", "a b", "a\nb", "é", &"x".repeat(129)] {
            assert!(!well_formed(bad));
        }
    }
}
