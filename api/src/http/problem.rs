//! Error answers (RFC 9457, CV-4). The codes are in [`codes`](super::codes).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use super::codes::Code;

/// One field and the rule that it breaks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field.
    #[schema(example = "payout_address")]
    pub field: String,
    /// The rule, in words.
    pub message: String,
}

/// An error answer, `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `https://docs.hilt.so/problems/{code}`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The same for every occurrence of the code.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Stable code to match on.
    pub code: &'static str,
    /// The request's id, also in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Fields that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_action: Option<String>,
    /// Whether the same request may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// Seconds to wait, sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// The problem of that code, with what is wrong this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem {
            type_: format!("https://docs.hilt.so/problems/{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: detail.into(),
            code: code.as_str(),
            request_id: None,
            errors: Vec::new(),
            blockers: Vec::new(),
            next_action: None,
            retryable: None,
            retry_after: None,
        }
    }
    /// The problem of that code, in the code's own words.
    pub fn of(code: Code) -> Self {
        Problem::new(code, code.title())
    }
    /// One field that breaks a rule.
    pub fn field(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let mut problem = Problem::new(code, format!("{field}: {message}"));
        problem.errors = vec![FieldError { field, message }];
        problem
    }
    /// With what to do next.
    pub fn next_action(mut self, next: impl Into<String>) -> Self {
        self.next_action = Some(next.into());
        self
    }
    /// May be tried again after `seconds`.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retryable = Some(true);
        self.retry_after = Some(seconds);
        self
    }
    /// Our own fault: the caller learns nothing of the inside, the operator everything.
    pub fn internal(error: &(dyn std::error::Error + 'static), doing: &str) -> Self {
        let mut causes = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push_str(": ");
            causes.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(operation = doing, error = causes, "request failed");
        Problem::of(Code::Internal)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self.clone())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_is_made_once_and_leads_back_to_itself() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }
}
