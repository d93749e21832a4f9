//! The x402 facilitator: `GET /v1/x402/supported`, `POST /v1/x402/verify`, `POST /v1/x402/settle`, and a resource that each x402
//! session has of its own.
//!
//! No credential: a payment carries its own authorization, and only what the ledger asked for is verified or settled. Answers have
//! x402's own forms and words, with status 200 where the facilitator could say something.

mod resource;

use crate::{
    http::{
        answers,
        body::{Body, BodyLimit},
        fresh::OwnWrites,
        problem::{Code, Problem},
        request_id::RequestId,
    },
    services::x402::refusal,
    state::State,
};
use axum::{Extension, Json, extract::State as Part};
use rails::x402::{Reason, Refusal, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::x402::{Done, Facilitator, FacilitatorError, Outcome, Presentation};

/// A transaction has 1,232 bytes; what comes with it is not longer than this.
const LONGEST_BODY: usize = 64 * 1024;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(supported))
        .routes(routes!(verify))
        .routes(routes!(settle))
        .merge(resource::routes())
        .layer(Extension(BodyLimit(LONGEST_BODY)))
}

/// What this facilitator can do.
#[derive(Serialize, ToSchema)]
struct Supported {
    /// Scheme and network, for each version.
    kinds: Vec<PaymentKind>,
    /// None.
    extensions: Vec<String>,
    /// The wallets that pay the network, by CAIP-2 network.
    #[schema(value_type = Object)]
    signers: Value,
}

/// A kind of payment.
#[derive(Serialize, ToSchema)]
struct PaymentKind {
    #[serde(rename = "x402Version")]
    x402_version: u64,
    /// `exact`.
    scheme: &'static str,
    network: String,
    /// `feePayer`, as requirements name it.
    #[schema(value_type = Object)]
    extra: Value,
}

/// A payment and what it is for.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
struct FacilitatorRequest {
    /// 1 or 2.
    #[serde(rename = "x402Version")]
    x402_version: Option<u64>,
    /// What the client sent in `PAYMENT-SIGNATURE` or `X-PAYMENT`, decoded.
    #[serde(rename = "paymentPayload")]
    #[schema(value_type = Object)]
    payment_payload: Option<Value>,
    /// The requirement that it is for, as the session's answer has it.
    #[serde(rename = "paymentRequirements")]
    #[schema(value_type = Object)]
    payment_requirements: Option<Value>,
}

/// Whether a payment would be taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Verified {
    is_valid: bool,
    /// A word of x402's vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid_reason: Option<&'static str>,
    /// For developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    invalid_message: Option<String>,
    /// The buyer's wallet, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
}

/// What became of a payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settled {
    success: bool,
    /// A word of x402's vocabulary; `settlement_pending` is not a failure: settling again goes on waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_reason: Option<&'static str>,
    /// For developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<String>,
    /// The transaction; empty when there is none.
    transaction: String,
    network: String,
    /// What was paid, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// Where the payment stands in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    extra: Option<Value>,
}

/// What this facilitator supports
#[utoipa::path(get, path = "/v1/x402/supported", tag = "x402", operation_id = "x402_supported", security(()),
    responses((status = 200, description = "Kinds, extensions and signers", body = Supported), answers::Unexpected))]
async fn supported(Part(facilitator): Part<Facilitator>) -> Json<Supported> {
    let network = facilitator.network();
    let fee_payer = facilitator.fee_payer().to_string();
    let kind = |version: Version| {
        let network = version.network(network)?;
        let extra = json!({ "feePayer": fee_payer });
        Some(PaymentKind { x402_version: version.number(), scheme: ledger::x402::SCHEME, network, extra })
    };
    Json(Supported {
        kinds: [Version::V2, Version::V1].into_iter().filter_map(kind).collect(),
        extensions: Vec::new(),
        signers: json!({ network.as_str(): [fee_payer] }),
    })
}

/// Whether a payment would be taken
///
/// Changes nothing. A payment that was settled is `duplicate_settlement`: what is served on a positive answer is served once.
#[utoipa::path(post, path = "/v1/x402/verify", tag = "x402", operation_id = "x402_verify", security(()),
    request_body = FacilitatorRequest,
    responses((status = 200, description = "`isValid`, and why not", body = Verified), answers::Facilitator))]
async fn verify(Part(facilitator): Part<Facilitator>, Body { value: body, .. }: Body<Value>) -> Result<Json<Verified>, Problem> {
    let version = Presentation::version(&body);
    let verified = match Presentation::parse(&body) {
        Ok(presentation) => facilitator.verify(&presentation).await,
        Err(refusal) => Err(refusal.into()),
    };
    Ok(Json(match verified {
        Ok(payer) => Verified { is_valid: true, invalid_reason: None, invalid_message: None, payer: Some(payer.to_string()) },
        Err(error) => {
            let Refusal { reason, message, payer } = refusal(error, Reason::UnexpectedVerify)?;
            let payer = payer.map(|payer| payer.to_string());
            Verified { is_valid: false, invalid_reason: Some(reason.code(version)), invalid_message: Some(message), payer }
        }
    }))
}

/// Settle a payment
///
/// Pays the network, sends the transaction and waits, at most 22 seconds, until it is final and settled in the ledger. Settling
/// again answers with the same transaction.
#[utoipa::path(post, path = "/v1/x402/settle", tag = "x402", operation_id = "x402_settle", security(()),
    request_body = FacilitatorRequest,
    responses((status = 200, description = "`success` and the transaction, or why not", body = Settled), answers::Facilitator))]
async fn settle(
    Part(facilitator): Part<Facilitator>,
    Part(own_writes): Part<OwnWrites>,
    RequestId(request_id): RequestId,
    Body { value: body, .. }: Body<Value>,
) -> Result<Json<Settled>, Problem> {
    let version = Presentation::version(&body);
    let outcome = match Presentation::parse(&body) {
        Ok(presentation) => facilitator.settle(&presentation, &request_id).await,
        Err(refusal) => Err(refusal.into()),
    };
    Settled::of(outcome, version, &facilitator, &own_writes).map(Json)
}

impl Settled {
    /// The answer to a settlement, in the words of `version`.
    pub(super) fn of(
        outcome: Result<Outcome, FacilitatorError>,
        version: Version,
        facilitator: &Facilitator,
        own_writes: &OwnWrites,
    ) -> Result<Self, Problem> {
        let network = version.network(facilitator.network()).unwrap_or_else(|| facilitator.network().to_string());
        Ok(match outcome {
            Ok(Outcome::Done(done)) => {
                // The merchant's next check must know of it, though he has written nothing himself.
                if let Some(position) = done.settled.position {
                    own_writes.wrote(done.owner, position);
                }
                Settled::done(&done, network)
            }
            Ok(Outcome::Pending { tx, payer }) => Settled {
                success: false,
                error_reason: Some(Reason::SettlementPending.code(version)),
                error_message: Some("sent, and not final yet: settle again to go on waiting".to_owned()),
                payer: Some(payer.to_string()),
                transaction: tx.to_string(),
                network,
                amount: None,
                extra: None,
            },
            Err(error) => {
                let Refusal { reason, message, payer } = refusal(error, Reason::UnexpectedSettle)?;
                Settled {
                    success: false,
                    error_reason: Some(reason.code(version)),
                    error_message: Some(message),
                    payer: payer.map(|payer| payer.to_string()),
                    transaction: String::new(),
                    network,
                    amount: None,
                    extra: None,
                }
            }
        })
    }

    fn done(Done { tx, payer, settled, .. }: &Done, network: String) -> Self {
        Settled {
            success: true,
            error_reason: None,
            error_message: None,
            payer: Some(payer.to_string()),
            transaction: tx.to_string(),
            network,
            amount: Some(settled.confirmed.amount.to_string()),
            extra: Some(json!({
                "payment_session_id": settled.confirmed.session_id,
                "payment_id": settled.confirmed.payment_id,
                "receipt_id": settled.receipt.as_ref().map(|receipt| receipt.receipt_id),
            })),
        }
    }

    /// Whether it paid.
    pub(super) fn succeeded(&self) -> bool {
        self.success
    }

    /// Why not, for a 402.
    pub(super) fn error(&self) -> Option<&'static str> {
        self.error_reason
    }
}

/// What keeps a facilitator's answer from being one.
pub(super) fn no_such_session() -> Problem {
    Problem::of(Code::PaymentSessionNotFound)
}
