//! The resource that each x402 session has of its own: a client that pays for it pays for the session, without a resource server.

use super::{Settled, no_such_session};
use crate::{
    http::{
        answers,
        fresh::OwnWrites,
        path::Segment,
        problem::{Code, Problem},
        request_id::RequestId,
    },
    routes::openapi::shapes::{PaidX402Session, X402PaymentRequired},
    services::x402::{header, payment_required, refusal, v1_body},
    state::State,
};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use events::vocab::id::SessionId;
use ledger::{payment::Payment, payment_session::PaymentSession, x402::Accepts};
use rails::x402::{Presented, Reason, Requirement, Version, decode_header};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::x402::{Facilitator, FacilitatorError, Presentation, Subject};

const PAYMENT_REQUIRED: HeaderName = HeaderName::from_static("payment-required");
const PAYMENT_SIGNATURE: HeaderName = HeaderName::from_static("payment-signature");
const PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("payment-response");
const X_PAYMENT: HeaderName = HeaderName::from_static("x-payment");
const X_PAYMENT_RESPONSE: HeaderName = HeaderName::from_static("x-payment-response");

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get, post))
}

/// Pay for an x402 session
///
/// Answers 402 with the session's requirement, in both versions, until a payment for it is presented and settles.
#[utoipa::path(get, path = "/v1/access/x402/resource/{session_id}", tag = "x402", operation_id = "x402_resource", security(()),
    params(("session_id" = String, Path), ("PAYMENT-SIGNATURE" = Option<String>, Header, description = "The payment, version 2"),
        ("X-PAYMENT" = Option<String>, Header, description = "The payment, version 1")),
    responses((status = 200, description = "Paid: `payment_session_id`, `status`, `payment_id`", body = PaidX402Session),
        (status = 402, description = "The requirement: version 2 in `PAYMENT-REQUIRED`, version 1 in the body", body = X402PaymentRequired),
        answers::X402Resource))]
async fn get(door: Door) -> Result<Response, Problem> {
    door.serve().await
}

/// Pay for an x402 session, by POST
#[utoipa::path(post, path = "/v1/access/x402/resource/{session_id}", tag = "x402", operation_id = "x402_resource_post", security(()),
    params(("session_id" = String, Path), ("PAYMENT-SIGNATURE" = Option<String>, Header, description = "The payment, version 2"),
        ("X-PAYMENT" = Option<String>, Header, description = "The payment, version 1")),
    responses((status = 200, description = "Paid: `payment_session_id`, `status`, `payment_id`", body = PaidX402Session),
        (status = 402, description = "The requirement: version 2 in `PAYMENT-REQUIRED`, version 1 in the body", body = X402PaymentRequired),
        answers::X402Resource))]
async fn post(door: Door) -> Result<Response, Problem> {
    door.serve().await
}

/// Who stands before the resource, by whatever method.
struct Door {
    facilitator: Facilitator,
    own_writes: OwnWrites,
    request_id: String,
    headers: HeaderMap,
    id: Segment,
}

impl FromRequestParts<State> for Door {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
        Ok(Door {
            facilitator: state.facilitator.clone(),
            own_writes: state.own_writes.clone(),
            request_id,
            headers: parts.headers.clone(),
            id: Segment::from_request_parts(parts, state).await?,
        })
    }
}

impl Door {
    async fn serve(&self) -> Result<Response, Problem> {
        let session: SessionId = self.id.id(Code::PaymentSessionNotFound)?;
        let subject = self.facilitator.session(session).await.map_err(unanswered)?.ok_or_else(no_such_session)?;
        let Some((version, value)) = presented(&self.headers) else {
            return match &subject.payment.state {
                Payment::Confirmed { .. } => Ok(paid(&subject).into_response()),
                _ => self.required(session, &subject, None).await,
            };
        };
        let outcome = match presentation(value, &subject, version) {
            Ok(presentation) => self.facilitator.settle(&presentation, &self.request_id).await,
            Err(refusal) => Err(refusal),
        };
        let settled = Settled::of(outcome, version, &self.facilitator, &self.own_writes)?;
        let mut response = match settled.succeeded() {
            true => paid(&subject).into_response(),
            false => self.required(session, &subject, settled.error()).await?,
        };
        let name = if version == Version::V2 { PAYMENT_RESPONSE } else { X_PAYMENT_RESPONSE };
        let told = serde_json::to_value(&settled).map_err(|error| Problem::internal(&error, "write an answer"))?;
        insert(response.headers_mut(), name, &told);
        Ok(response)
    }

    async fn required(&self, session: SessionId, subject: &Subject, error: Option<&str>) -> Result<Response, Problem> {
        let resource = self.facilitator.resource(session).await.map_err(unanswered)?.ok_or_else(no_such_session)?;
        let requirement = &subject.requirement.event;
        let accepts = Accepts::authored(requirement, &resource).ok_or_else(no_such_session)?.json();
        let over = matches!(subject.payment.state, Payment::Failed { .. } | Payment::Expired { .. })
            || matches!(subject.session.state, PaymentSession::Failed { .. });
        let error = error.or(over.then_some("payment_session_closed"));
        let v2 = payment_required(&accepts, &resource, error);
        let body = v1_body(&accepts, &requirement.network, error).unwrap_or_else(|| v2.clone());
        let mut response = (StatusCode::PAYMENT_REQUIRED, Json(body)).into_response();
        insert(response.headers_mut(), PAYMENT_REQUIRED, &v2);
        Ok(response)
    }
}

/// The header of the newer version counts.
fn presented(headers: &HeaderMap) -> Option<(Version, &str)> {
    let of = |name: &HeaderName, version| headers.get(name).and_then(|value| value.to_str().ok()).map(|text| (version, text));
    of(&PAYMENT_SIGNATURE, Version::V2).or_else(|| of(&X_PAYMENT, Version::V1))
}

/// The payment, presented for what this session requires.
fn presentation(value: &str, subject: &Subject, version: Version) -> Result<Presentation, FacilitatorError> {
    let unreadable = || rails::x402::Refusal::new(Reason::InvalidPayload, "the header is not base64 of a payment payload");
    let presented = Presented::parse(&decode_header(value).ok_or_else(unreadable)?)?;
    if presented.version != version {
        return Err(rails::x402::Refusal::new(Reason::InvalidVersion, "the header is of another version than the payload").into());
    }
    let accepts = Accepts::authored(&subject.requirement.event, "").map(|accepts| accepts.json());
    let mut required = Requirement::parse(&accepts.ok_or(FacilitatorError::Inconsistent)?)?;
    if version == Version::V1 {
        let network = rails::solana::Network::parse(&required.network).ok();
        required.network = network.and_then(|network| version.network(&network)).unwrap_or_default();
    }
    Ok(Presentation { presented, required })
}

fn paid(subject: &Subject) -> Json<Value> {
    Json(json!({
        "status": "paid",
        "payment_session_id": subject.session.stream.id,
        "payment_id": subject.facts.payment_id,
    }))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, json: &Value) {
    // Base64 is always a header's value.
    if let Ok(value) = HeaderValue::from_str(&header(json)) {
        headers.insert(name, value);
    }
}

/// Nothing is presented yet, so that there is nothing to refuse.
fn unanswered(error: FacilitatorError) -> Problem {
    match refusal(error, Reason::UnexpectedVerify) {
        Ok(_) => Problem::of(Code::Unavailable).retry_after(1),
        Err(problem) => problem,
    }
}
