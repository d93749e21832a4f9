//! `POST /v1/access/payment-proofs` (RT-065).

#[path = "submit_proof/sandbox.rs"]
mod sandbox;
#[path = "submit_proof/x402.rs"]
mod x402;

use super::{input, openapi::shapes::RecordedProof};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        agent_setups, isolation,
        products::{self, ProductRef},
    },
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    claims::Claim,
    clock::{Clock, new_id},
    log::{Context, Log},
    unit::{Loaded, Unit, load},
    vault::Vault,
    vocab::{
        bytes::TxSignature,
        event::{EventType, RequiredTransfer, X402Proof},
        id::{ProofId, SessionId},
        rail::RailId,
        stream::{Category, StreamId},
        words::{PaymentProtocol, TransferRole, Trigger},
    },
};
use ledger::{
    Cited,
    payment::Payment,
    payment_session::{Open, PaymentSession},
    proof::{self, Basis, Proof, Signed, fingerprint},
    rails::Rails,
};
use sandbox::Candidates;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::{platform::Platform, settle::proof_id_of, x402::Facilitator};

/// A proof of a payment.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SubmitProof {
    /// The session that it pays; with `livemode: false` the sandbox session.
    pub payment_session_id: Option<String>,
    /// Your own id of the product; must be the session's.
    pub external_product_id: Option<String>,
    /// Your own id of the customer; must be the session's.
    pub external_customer_id: Option<String>,
    /// The customer's wallet; must be the session's.
    pub wallet: Option<String>,
    /// The customer's e-mail address; must be the session's.
    pub email: Option<String>,
    /// The rail; must be the session's.
    pub rail: Option<String>,
    /// The rail; must be the session's.
    pub settlement_rail: Option<String>,
    /// The amount; must be the requirement's.
    pub amount_minor_units: Option<u64>,
    /// CAIP-2; must be the requirement's.
    pub network: Option<String>,
    /// The mint; must be the requirement's.
    pub asset: Option<String>,
    /// The merchant's wallet; must be the requirement's.
    pub pay_to: Option<String>,
    /// The protocol around the payment; must be the session's.
    pub payment_protocol: Option<String>,
    /// Must be the requirement's.
    pub requirement_hash: Option<String>,
    /// `false` for a candidate of a sandbox session, whose id `payment_session_id` is then. It is no payment.
    pub livemode: Option<bool>,
    /// The Solana transaction.
    pub tx_signature: Option<String>,
    /// x402: the value of `PAYMENT-SIGNATURE` or `X-PAYMENT`.
    pub payment_signature: Option<String>,
    /// x402: must be the requirement's.
    pub payment_requirements_hash: Option<String>,
    /// x402: the requirement's `maxAmountRequired`, a decimal string.
    pub max_amount_required: Option<String>,
    /// x402: must be the requirement's.
    pub resource: Option<String>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(submit_proof))
}

/// Record a proof. It grants nothing by itself: verification, settlement, receipt and activation follow on chain evidence.
///
/// With `livemode: false` it is a candidate for a sandbox session, recorded for sandbox-capable callers and never a payment; the session is
/// confirmed at `POST /v1/access/sandbox/payment-sessions/{id}/confirm`.
#[utoipa::path(
    post, path = "/v1/access/payment-proofs", tag = "access", operation_id = "submit_payment_proof",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = SubmitProof,
    responses(
        (status = 201, description = "`proof`, `grants_access: false`, `next_stages`", body = RecordedProof),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`, `live_key_required`, `sandbox_key_required`", body = Problem),
        (status = 404, description = "`payment_session_not_found`, `sandbox_session_not_found`, `product_not_found`", body = Problem),
        (status = 409, description = "`proof_replayed`, `rail_disabled`, `payment_session_closed`", body = Problem),
        (status = 410, description = "`payment_expired`, `sandbox_proof_expired`", body = Problem),
        (status = 422, description = "`payment_session_required`, `payment_requirement_mismatch`, `proof_incomplete`, `customer_identity_required`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn submit_proof(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    Part(facilitator): Part<Facilitator>,
    Part(candidates): Part<Candidates>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<SubmitProof>,
) -> Result<Response, Problem> {
    if body.livemode == Some(false) {
        merchant.require_sandbox()?;
        let operation =
            Operation { owner: merchant.owner, name: "POST /v1/access/payment-proofs".into(), key: Some(key), request_hash: hash };
        return commands.run(operation, || candidates.record(&merchant, &request_id, &body)).await;
    }
    agent_setups::require_live(&log, &settings, &merchant).await?;
    let session_id = body.session_id()?;
    // What was brought, for the trace that a refusal leaves; an x402 payload can be read only when its session is known.
    let brought = Mutex::new(if body.is_x402() { None } else { Some(Signed::Transaction(body.tx()?)) });
    let operation = Operation { owner: merchant.owner, name: "POST /v1/access/payment-proofs".into(), key: Some(key), request_hash: hash };
    let context = |correlation_id| Context {
        owner_id: Some(merchant.owner),
        livemode: true,
        actor: merchant.actor.clone(),
        request_id: Some(request_id.clone()),
        correlation_id,
    };
    let replayed = || Problem::new(Code::ProofReplayed, "this proof is recorded already");
    let rails = platform.rails().await.map_err(|error| rejection::read(&error))?;
    let outcome = commands
        .run(operation, || async {
            let session = load::<PaymentSession>(&log, StreamId::new(Category::PaymentSession, session_id)).await;
            let session = session.map_err(|error| rejection::read(&error))?;
            let open = body.open(&session, &merchant)?;
            body.matches(&log, &vault, &rails, &merchant, open).await?;
            let payment = load::<Payment>(&log, StreamId::new(Category::Payment, open.session.payment_id)).await;
            let payment = payment.map_err(|error| rejection::read(&error))?;
            let facts = payment.state.facts().ok_or_else(|| Problem::of(Code::PaymentNotFound))?;
            let requirement_event = session.first(EventType::PaymentRequirementAuthored).ok_or_else(|| Problem::of(Code::Internal))?;
            let evidence = match body.is_x402() {
                true => x402::evidence(&body, &facilitator, session_id, open).await?,
                false => Evidence::transaction(body.tx()?),
            };
            if let Ok(mut brought) = brought.lock() {
                *brought = Some(evidence.signed);
            }
            let id = proof_id_of(facts, &evidence.signed);
            let mut proof = load::<Proof>(&log, StreamId::new(Category::Proof, id)).await.map_err(|error| rejection::read(&error))?;
            let fingerprint = fingerprint(&settings.solana_network, &evidence.signed);
            let claim = Claim::fingerprint(merchant.owner, true, RailId::SolanaUsdc, &fingerprint);
            if log.find_claim(&claim).await.map_err(|error| rejection::read(&error))?.is_some() || proof.state.proof().is_some() {
                return Err(replayed());
            }
            // Its end is recorded when the worker comes by, but it is over from the instant itself (INV-68). What was recorded before
            // is still settled.
            if matches!(payment.state, Payment::PendingSignature { .. }) && clock.now() >= facts.expires_at {
                return Err(Problem::of(Code::PaymentExpired).next_action("Open another session."));
            }
            let mut unit = Unit::new(&log, context(payment.correlation_id.unwrap_or_else(new_id)));
            let command = proof::Fingerprint {
                proof_id: id,
                rail_id: RailId::SolanaUsdc,
                network: settings.solana_network.clone(),
                signed: evidence.signed,
                x402: evidence.x402.clone(),
                trigger: Trigger::Proof,
                payment: facts.clone(),
                basis: Basis::Requirement(Box::new(Cited::new(requirement_event, open.requirement.clone()))),
            };
            let made = unit
                .decide(&mut proof, proof::Command::Fingerprint(Box::new(command)), Some(requirement_event))
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            if let (Some(reason), Some(proof_event)) = (evidence.unusable, made.first().copied()) {
                let look = x402::failed(proof_event, reason);
                unit.decide(&mut proof, look, Some(proof_event)).map_err(|refused| rejection::decided(refused.code(), refused))?;
            }
            let answer = Answer::created(view(&proof.state, open, &evidence).ok_or_else(|| Problem::of(Code::Internal))?)?;
            Ok(Draft { unit, answer })
        })
        .await;
    if let Err(problem) = &outcome {
        let brought = brought.lock().ok().and_then(|brought| *brought);
        record_refusal(&log, context(session_id.0), session_id, brought, &settings, problem).await;
    }
    outcome
}

/// What was brought, read.
struct Evidence {
    signed: Signed,
    x402: Option<X402Proof>,
    /// The protected resource.
    resource: Option<String>,
    /// Why it can pay nothing.
    unusable: Option<&'static str>,
}

impl Evidence {
    fn transaction(tx: TxSignature) -> Self {
        Evidence { signed: Signed::Transaction(tx), x402: None, resource: None, unusable: None }
    }
}

impl SubmitProof {
    /// Whether it is brought as an x402 proof.
    fn is_x402(&self) -> bool {
        self.payment_protocol.is_some() || self.payment_signature.is_some() || self.rail.as_deref() == Some("x402")
    }

    fn session_id(&self) -> Result<SessionId, Problem> {
        match &self.payment_session_id {
            Some(id) => input::id(id, Code::PaymentSessionNotFound),
            None => Err(Problem::field(Code::PaymentSessionRequired, "payment_session_id", "is required")),
        }
    }

    fn tx(&self) -> Result<TxSignature, Problem> {
        let text = self.tx_signature.as_deref();
        let text = text.ok_or_else(|| Problem::field(Code::ProofIncomplete, "tx_signature", "is required on solana_usdc"))?;
        text.parse()
            .map_err(|rule: events::vocab::bytes::Malformed| Problem::field(Code::ValidationFailed, "tx_signature", rule.to_string()))
    }

    /// The protocol that it is brought for.
    fn protocol(&self) -> Option<&str> {
        let x402 = self.is_x402().then_some(PaymentProtocol::X402.as_str());
        self.payment_protocol.as_deref().or(x402)
    }

    /// The caller's own open session.
    fn open<'a>(&self, session: &'a Loaded<PaymentSession>, merchant: &Merchant) -> Result<&'a Open, Problem> {
        if session.owner_id.is_some_and(|owner| owner != merchant.owner) {
            return Err(isolation::foreign("payment_session", Code::PaymentSessionNotFound));
        }
        match &session.state {
            PaymentSession::Absent | PaymentSession::Created(_) => Err(Problem::of(Code::PaymentSessionNotFound)),
            // A paid session still takes the proof's field checks and then the replay check.
            PaymentSession::Pending(open) | PaymentSession::Confirmed { open, .. } => Ok(open),
            PaymentSession::Expired(_) => Err(Problem::of(Code::PaymentExpired)),
            PaymentSession::Failed { .. } => Err(Problem::of(Code::PaymentSessionClosed)),
        }
    }

    /// Everything the caller says of the payment must be what the stored requirement says (INV-8).
    async fn matches(&self, log: &Log, vault: &Vault, rails: &Rails, merchant: &Merchant, open: &Open) -> Result<(), Problem> {
        let mismatch = |field: &str| Problem::field(Code::PaymentRequirementMismatch, field, "is not the stored requirement's");
        // `rail: "x402"` is the protocol's old name, which settles over another rail.
        let legacy = self.rail.as_deref() == Some("x402") && open.session.payment_protocol.is_some();
        let plain = if legacy { &None } else { &self.rail };
        let rail = input::agreeing_rails(&[("rail", plain), ("settlement_rail", &self.settlement_rail)])?;
        if rail.is_some_and(|rail| rails.get(rail).adapter.is_none()) {
            return Err(Problem::of(Code::RailDisabled));
        }
        let requirement = &open.requirement;
        let same = [
            ("rail", rail.is_none_or(|rail| rail == requirement.rail_id)),
            ("amount_minor_units", self.amount_minor_units.is_none_or(|amount| amount == requirement.gross.units())),
            ("payment_protocol", self.protocol() == open.session.payment_protocol.map(|protocol| protocol.as_str())),
            ("asset", self.asset.as_ref().is_none_or(|asset| *asset == requirement.asset.to_string())),
            (
                "pay_to",
                self.pay_to.as_ref().is_none_or(|wallet| requirement.required_transfers.iter().any(|leg| is_merchants(leg, wallet))),
            ),
            ("network", self.network.as_ref().is_none_or(|network| *network == requirement.network)),
            ("requirement_hash", self.requirement_hash.as_ref().is_none_or(|hash| *hash == requirement.requirement_hash.to_string())),
        ];
        if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(mismatch(field));
        }
        if let Some(external) = &self.external_product_id {
            let same = match products::find(log, merchant.owner, true, &ProductRef::External(external.clone())).await {
                Ok(found) => found.product.access_product_id == open.session.access_product_id,
                // A product that there is not is not the session's either, and the attempt leaves the same trace.
                Err(problem) if problem.code == Code::ProductNotFound.as_str() => false,
                Err(problem) => return Err(problem),
            };
            if !same {
                return Err(mismatch("external_product_id"));
            }
        }
        let customer = input::Customer::parse(&self.external_customer_id, &None, &self.wallet, &self.email)?;
        for identity in customer.identities() {
            let subject = vault.find_subject(merchant.owner, &[identity]).await.map_err(|error| rejection::read(&error))?;
            if subject != Some(open.session.subject_id) {
                return Err(mismatch(identity.0));
            }
        }
        Ok(())
    }
}

fn is_merchants(leg: &RequiredTransfer, wallet: &str) -> bool {
    leg.role == TransferRole::Merchant && leg.pay_to.to_string() == wallet
}

/// A refused proof leaves a trace, and nothing else (TR-33): `proof.replay_rejected` or `proof.rejected`.
async fn record_refusal(
    log: &Log,
    context: Context,
    session_id: SessionId,
    brought: Option<Signed>,
    settings: &Settings,
    problem: &Problem,
) {
    let replayed = problem.code == Code::ProofReplayed.as_str();
    if !replayed && problem.code != Code::PaymentRequirementMismatch.as_str() {
        return;
    }
    let id: ProofId = new_id();
    let mut unit = Unit::new(log, context);
    let mut refused = unit.start::<Proof>(StreamId::new(Category::Proof, id));
    let (rail_id, session_id) = (RailId::SolanaUsdc, Some(session_id));
    let command = match brought.filter(|_| replayed) {
        Some(signed) => {
            let fingerprint = fingerprint(&settings.solana_network, &signed);
            proof::Command::RecordReplay { fingerprint, rail_id, tx: signed.tx(), session_id, payment_id: None }
        }
        None => {
            let field = problem.errors.first().map(|error| error.field.clone());
            proof::Command::Reject { rail_id, session_id, payment_id: None, reason: problem.code.to_owned(), field }
        }
    };
    let recorded = match unit.decide(&mut refused, command, None) {
        Ok(_) => unit.commit().await.map(|_| ()).map_err(|error| error.to_string()),
        Err(rejection) => Err(rejection.to_string()),
    };
    if let Err(error) = recorded {
        tracing::warn!(error, "a refused proof could not be recorded");
    }
}

fn view(proof: &Proof, open: &Open, evidence: &Evidence) -> Option<Value> {
    let recorded = proof.proof()?;
    Some(json!({
        "proof": {
            "id": recorded.proof_id,
            "fingerprint": recorded.fingerprint,
            "status": "recorded",
            "rail_id": recorded.rail_id,
            "settlement_rail_id": recorded.rail_id,
            "livemode": true,
            "payment_session_id": recorded.session_id,
            "tx_signature": recorded.tx_signature,
            "requirement_binding": {
                "payment_session_id": recorded.session_id,
                "pending_entitlement_id": recorded.entitlement_id,
                "payment_protocol": open.session.payment_protocol,
                "settlement_rail_id": recorded.rail_id,
                "requirement_hash": recorded.requirement_hash,
                "payment_requirements_hash": recorded.x402.as_ref().map(|x402| x402.payment_requirements_hash),
                "resource": evidence.resource,
            },
        },
        "verification": evidence.unusable.map(|reason| json!({ "outcome": "failed", "reason": reason })),
        "grants_access": false,
        "next_stages": ["verification", "settlement", "receipt", "entitlement"],
    }))
}
