//! What a resource server needs to answer 402 in both versions, made from one stored requirement (RT-063).

use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::{event::PaymentRequirementAuthored, id::SessionId, words::FeeSource};
use ledger::x402::Accepts;
use rails::{
    solana::Network,
    x402::{Reason, Refusal, Version},
};
use serde_json::{Value, json};
use workers::x402::FacilitatorError;

/// The longest resource, in characters.
const LONGEST_RESOURCE: usize = 2048;

/// What the payment opens, as `metadata.resource` says; without it the session's own resource.
pub fn resource(metadata: &Option<Value>, session: SessionId, settings: &Settings) -> Result<String, Problem> {
    let wrong = |rule: &str| Problem::field(Code::ValidationFailed, "metadata.resource", rule);
    match metadata.as_ref().and_then(|metadata| metadata.get("resource")) {
        None | Some(Value::Null) => Ok(own_resource(session, settings)),
        Some(Value::String(text)) if text.len() > LONGEST_RESOURCE => Err(wrong("is too long")),
        Some(Value::String(text)) => {
            let known = ["https://", "http://", "/"].iter().any(|start| text.starts_with(start));
            match known && !text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                true => Ok(text.clone()),
                false => Err(wrong("is the URL of what is protected, or its path")),
            }
        }
        Some(_) => Err(wrong("expected a string")),
    }
}

/// Where a session can be paid without a resource server.
pub fn own_resource(session: SessionId, settings: &Settings) -> String {
    format!("{}/v1/access/x402/resource/{session}", settings.public_api_url)
}

/// The x402 part of a requirement's public form; nothing once the resource is erased with the customer.
pub fn requirement_part(requirement: &PaymentRequirementAuthored, resource: &str, settings: &Settings) -> Option<Value> {
    let accepts = Accepts::authored(requirement, resource)?.json();
    let hash = requirement.x402.as_ref()?.payment_requirements_hash;
    let required = payment_required(&accepts, resource, None);
    let v1 = v1_body(&accepts, &requirement.network, None);
    Some(json!({
        "payment_protocol": "x402",
        "settlement_rail_id": requirement.rail_id,
        "payment_requirements_hash": hash,
        "paymentRequirements": { "x402Version": 2, "accepts": [accepts] },
        "fee_collection": {
            "model": FeeSource::MerchantReceivable,
            "status": "planned",
            "amount_minor_units": requirement.fee_amount,
        },
        "x402": {
            "facilitator_url": format!("{}/v1/x402", settings.public_api_url),
            "payment_required_header": header(&required),
            "payment_required": required,
            "v1_body": v1,
        },
    }))
}

/// A `PaymentRequired` of version 2: what the header `PAYMENT-REQUIRED` holds.
pub fn payment_required(accepts: &Value, resource: &str, error: Option<&str>) -> Value {
    json!({
        "x402Version": 2,
        "error": error.unwrap_or("payment required"),
        "resource": { "url": resource, "description": "", "mimeType": "application/json" },
        "accepts": [accepts],
    })
}

/// The body of a 402 in version 1, on networks for which that version has a name.
pub fn v1_body(accepts: &Value, network: &str, error: Option<&str>) -> Option<Value> {
    let network = Version::V1.network(&Network::parse(network).ok()?)?;
    Some(json!({
        "x402Version": 1,
        "error": error.unwrap_or("payment required"),
        "accepts": [{
            "scheme": accepts["scheme"],
            "network": network,
            "maxAmountRequired": accepts["maxAmountRequired"],
            "asset": accepts["asset"],
            "payTo": accepts["payTo"],
            "resource": accepts["resource"],
            "description": "",
            "mimeType": "application/json",
            "outputSchema": null,
            "maxTimeoutSeconds": accepts["maxTimeoutSeconds"],
            "extra": accepts["extra"],
        }],
    }))
}

/// JSON as x402 headers carry it.
pub fn header(json: &Value) -> String {
    STANDARD.encode(json.to_string())
}

/// Tells a refusal, which is an answer, from what keeps the facilitator from answering. `unreachable` is the word for a chain that
/// cannot be asked.
pub fn refusal(error: FacilitatorError, unreachable: Reason) -> Result<Refusal, Problem> {
    let told = match error.refusal() {
        Ok(refusal) => Ok(refusal),
        Err(FacilitatorError::NoChain) => Ok(Refusal::new(unreachable, "this deployment has no Solana RPC configured")),
        Err(FacilitatorError::Chain(unavailable)) => {
            tracing::warn!(%unavailable, "the chain cannot be asked");
            Ok(Refusal::new(unreachable, "the chain cannot be asked now: try again"))
        }
        Err(FacilitatorError::Busy) => Err(Problem::of(Code::Overloaded).retry_after(1)),
        Err(FacilitatorError::Append(error)) => Err(rejection::append(error)),
        Err(FacilitatorError::Read(error)) => Err(rejection::read(&error)),
        Err(FacilitatorError::Settle(error)) => Err(rejection::settle(error)),
        Err(error) => Err(Problem::internal(&error, "verify a payment")),
    };
    let stage = if unreachable == Reason::UnexpectedSettle { "settle" } else { "verify" };
    let reason = told.as_ref().map_or_else(|problem| problem.code, |refusal| refusal.reason.code(Version::V2));
    metrics::counter!("access.x402_facilitator_failures_total", "stage" => stage, "reason" => reason).increment(1);
    told
}
