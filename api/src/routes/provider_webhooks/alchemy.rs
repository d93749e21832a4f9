//! `POST /v1/access/provider-webhooks/alchemy/evm` (RT-076, INV-62): what Alchemy says of ERC-20 transfers is kept as candidates.

use crate::{
    http::{
        body::RawBody,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part, http::HeaderMap};
use events::{
    clock::new_id,
    log::{Context, Log},
    unit::{self, Unit},
    vocab::{
        bytes::{EvmAddress, EvmHash},
        event::{ProviderWebhookReceived, TransferCandidate},
        stream::Actor,
    },
};
use hmac::{Hmac, Mac as _};
use ledger::provider_webhook::{self, Command, ProviderWebhook};
use rails::alchemy::{self, Block, Message};
use serde::Serialize;
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The provider's name in events.
const PROVIDER: &str = "alchemy";
/// The header that signs the body: lower-case hex of HMAC-SHA256.
const SIGNATURE: &str = "x-alchemy-signature";

/// What was taken from a message.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlchemyCandidates)]
pub struct Candidates {
    /// Always true.
    #[schema(example = true)]
    pub received: bool,
    /// Transfers that the message names. None of them is believed.
    pub candidates: Vec<Candidate>,
    /// Always false: a webhook pays nothing.
    #[schema(example = false)]
    pub payment_accepted: bool,
}

/// A transfer that a provider says it saw.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Candidate {
    /// The EVM chain.
    #[schema(example = 8453)]
    pub chain_id: u64,
    /// The transaction.
    #[schema(value_type = String)]
    pub tx_hash: EvmHash,
    /// The log's place in its block.
    pub log_index: u32,
    /// The token.
    #[schema(value_type = String, example = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913")]
    pub token_contract: EvmAddress,
    /// Who sent it.
    #[schema(value_type = String)]
    pub from: EvmAddress,
    /// Who got it.
    #[schema(value_type = String)]
    pub to: EvmAddress,
    /// In the token's minor units, as decimal digits: a token may have up to 256 bits.
    #[schema(example = "25000000")]
    pub amount: String,
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(alchemy_evm))
}

/// Alchemy says that ERC-20 transfers happened. They are kept as candidates: no payment, receipt, access or rail changes.
///
/// A custom (GraphQL) webhook whose query selects `block { hash number logs { account { address } topics data index transaction
/// { hash status } } }`. A message that came before is acknowledged and not kept again; blocks without transfers and the provider's
/// own errors are acknowledged.
#[utoipa::path(
    post, path = "/v1/access/provider-webhooks/alchemy/evm", tag = "provider webhooks", operation_id = "alchemy_webhook",
    params(("X-Alchemy-Signature" = String, Header, description = "Lower-case hex of HMAC-SHA256 over the body as it was sent")),
    request_body(content = serde_json::Value, description = "A GRAPHQL webhook"),
    responses(
        (status = 200, description = "Taken", body = Candidates),
        (status = 400, description = "`malformed_request`", body = Problem),
        (status = 401, description = "`invalid_provider_signature`", body = Problem),
        (status = 413, description = "`payload_too_large`", body = Problem),
        (status = 503, description = "`feature_disabled`: no signing key is configured; `overloaded`, `unavailable`", body = Problem),
    )
)]
async fn alchemy_evm(
    Part(settings): Part<Arc<Settings>>,
    Part(log): Part<Log>,
    RequestId(request_id): RequestId,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<Candidates>, Problem> {
    let Some(key) = &settings.alchemy_signing_key else {
        return Err(Problem::new(Code::FeatureDisabled, "HILT_PAY_API_ALCHEMY_WEBHOOK_SIGNING_KEY is not set"));
    };
    let sent = headers.get(SIGNATURE).map_or(&b""[..], |value| value.as_bytes());
    if !is_signed(key.expose(), &body, sent) {
        return Err(Problem::of(Code::InvalidProviderSignature));
    }
    let message = alchemy::message(&body).map_err(|rule| Problem::new(Code::MalformedRequest, rule.to_string()))?;
    let outcome = match &message {
        Message::Transfers(_) => "transfers",
        Message::Heartbeat => "heartbeat",
        Message::ProviderError => "provider_error",
    };
    metrics::counter!("hilt_provider_webhooks_total", "provider" => PROVIDER, "outcome" => outcome).increment(1);
    let (chain_id, candidates) = match message {
        Message::Heartbeat => (0, Vec::new()),
        Message::ProviderError => {
            tracing::warn!(webhook.provider = PROVIDER, "a provider could not answer its own webhook's query");
            (0, Vec::new())
        }
        Message::Transfers(block) => {
            let chain_id = settings
                .alchemy_chains
                .of(&block)
                .ok_or_else(|| Problem::new(Code::MalformedRequest, "the message's network is not known here, nor its webhook"))?;
            let candidates = block.candidates.clone();
            keep(&log, chain_id, block, request_id).await?;
            (chain_id, candidates)
        }
    };
    let candidates = candidates.into_iter().map(|transfer| Candidate::new(chain_id, transfer)).collect();
    Ok(Json(Candidates { received: true, candidates, payment_accepted: false }))
}

/// Compares hex with hex, so that nothing but the documented form is a signature; in constant time.
fn is_signed(key: &str, body: &[u8], sent: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes()).as_bytes().ct_eq(sent).into()
}

/// Keeps a message, unless it is kept.
async fn keep(log: &Log, chain_id: u64, block: Block, request_id: String) -> Result<(), Problem> {
    let context =
        Context { owner_id: None, livemode: true, actor: Actor::system(PROVIDER), request_id: Some(request_id), correlation_id: new_id() };
    let mut unit = Unit::new(log, context);
    let stream = provider_webhook::stream(PROVIDER, &block.message_ref);
    let mut message = unit.load::<ProviderWebhook>(stream).await.map_err(|error| rejection::read(&error))?;
    let received = ProviderWebhookReceived {
        provider: PROVIDER.to_owned(),
        message_ref: block.message_ref,
        webhook_ref: block.webhook_ref,
        sequence_number: block.sequence_number,
        chain_id,
        block_number: block.number,
        block_hash: block.hash,
        candidates: block.candidates,
    };
    let Ok(_) = unit.decide(&mut message, Command::Receive(Box::new(received)), None);
    if unit.is_empty() {
        return Ok(());
    }
    match unit.commit().await {
        Ok(_) => Ok(()),
        // It came twice at the same moment.
        Err(error) if unit::is_conflict(&error) => Ok(()),
        Err(error) => Err(rejection::append(error)),
    }
}

impl Candidate {
    fn new(chain_id: u64, transfer: TransferCandidate) -> Self {
        let TransferCandidate { tx_hash, log_index, token_contract, from, to, amount } = transfer;
        Candidate { chain_id, tx_hash, log_index, token_contract, from, to, amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_lower_case_hex_of_the_bodys_hmac() {
        let (key, body) = ("Jefe", b"what do ya want for nothing?");
        let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_signed(key, body, right.as_bytes()));
        for wrong in ["", &right.to_uppercase(), &right[..62], &format!("0x{right}"), &right.replace('5', "6")] {
            assert!(!is_signed(key, body, wrong.as_bytes()), "{wrong}");
        }
    }
}
