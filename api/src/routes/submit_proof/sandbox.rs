//! Proofs with `livemode: false` (RT-065): candidates for a sandbox session. They are kept once, pay nothing, confirm nothing, and never
//! come near a live session; the session is confirmed by the proof that it was opened with (RT-068).

use super::SubmitProof;
use crate::{
    http::{
        auth::Merchant,
        idempotency::{Answer, Draft},
        problem::{Code, Problem},
        rejection,
    },
    routes::{context, input},
    services::{
        isolation,
        products::{self, ProductRef},
        sandbox_time,
    },
    state::State,
};
use axum::extract::FromRef;
use events::{
    claims::Claim,
    clock::{Clock, new_id},
    log::{Context, Log},
    unit::{Unit, load},
    vault::Vault,
    vocab::{
        bytes::Hash32,
        event::SandboxSessionCreated,
        id::{ProofId, SandboxSessionId},
        rail::RailId,
        stream::{Category, StreamId},
        words::PaymentProtocol,
    },
};
use ledger::{
    proof::{Signed, fingerprint},
    rails::KillSwitch,
    requirement::canonical,
    sandbox_session::{Candidate, Command, SandboxSession},
};
use serde_json::json;
use workers::platform::Platform;

/// The longest payload, in characters of its header.
const LONGEST_SIGNATURE: usize = rails::x402::MAX_HEADER_BYTES;

/// Keeps candidate proofs.
#[derive(Clone)]
pub(super) struct Candidates {
    log: Log,
    vault: Vault,
    clock: Clock,
    platform: Platform,
    network: String,
}

impl FromRef<State> for Candidates {
    fn from_ref(state: &State) -> Self {
        Candidates {
            log: state.log.clone(),
            vault: state.vault.clone(),
            clock: state.clock.clone(),
            platform: state.platform.clone(),
            network: state.settings.solana_network.clone(),
        }
    }
}

/// What was brought, read.
struct Brought {
    signed: Signed,
    protocol: Option<PaymentProtocol>,
}

impl Candidates {
    /// Keeps one for the caller's own sandbox session.
    pub async fn record(&self, merchant: &Merchant, request_id: &str, body: &SubmitProof) -> Result<Draft<'_>, Problem> {
        let Candidates { log, clock, .. } = self;
        let id = body.payment_session_id.as_deref();
        let id = id.ok_or_else(|| Problem::field(Code::PaymentSessionRequired, "payment_session_id", "is required"))?;
        let id: SandboxSessionId = input::id(id, Code::SandboxSessionNotFound)?;
        let brought = brought(body)?;
        let session = load::<SandboxSession>(log, StreamId::new(Category::SandboxSession, id)).await;
        let mut session = session.map_err(|error| rejection::read(&error))?;
        if session.owner_id.is_some_and(|owner| owner != merchant.owner) {
            return Err(isolation::foreign("sandbox_session", Code::SandboxSessionNotFound));
        }
        let facts = session.state.facts().cloned().ok_or_else(|| Problem::of(Code::SandboxSessionNotFound))?;
        self.matches(merchant, body, &facts, brought.protocol).await?;
        let fingerprint = fingerprint(&self.network, &brought.signed);
        let claim = Claim::fingerprint(merchant.owner, false, facts.rail_id, &fingerprint);
        if log.find_claim(&claim).await.map_err(|error| rejection::read(&error))?.is_some() {
            return Err(Problem::new(Code::ProofReplayed, "this proof is recorded already"));
        }
        let own = context(merchant, false, request_id);
        let mut unit = Unit::new(log, Context { correlation_id: session.correlation_id.unwrap_or(own.correlation_id), ..own });
        let now = sandbox_time::now(log, clock, merchant.owner, facts.test_clock_id).await?;
        let proof_id: ProofId = new_id();
        let candidate = Candidate { proof_id, payment_protocol: brought.protocol, fingerprint, now };
        let cause = session.last_event;
        unit.decide(&mut session, Command::RecordProof(Box::new(candidate)), cause)
            .map_err(|refused| rejection::decided(refused.code(), refused))?;
        let answer = Answer::created(json!({
            "proof": {
                "id": proof_id,
                "fingerprint": fingerprint,
                "status": "recorded",
                "rail_id": facts.rail_id,
                "settlement_rail_id": settles_on(facts.rail_id),
                "livemode": false,
                "payment_session_id": id,
                "tx_signature": brought.signed.tx(),
                "requirement_binding": {
                    "payment_session_id": id,
                    "pending_entitlement_id": facts.entitlement_id,
                    "payment_protocol": brought.protocol,
                    "settlement_rail_id": settles_on(facts.rail_id),
                    // The sandbox asks for no payment, so there is no requirement to bind to.
                    "requirement_hash": null,
                    "payment_requirements_hash": null,
                    "resource": null,
                },
            },
            "verification": null,
            "grants_access": false,
            "next_stages": ["sandbox_confirmation"],
        }))?;
        Ok(Draft { unit, answer })
    }

    /// What the caller says of the payment must be what the session says. It asks for no amount and names no wallets.
    async fn matches(
        &self,
        merchant: &Merchant,
        body: &SubmitProof,
        session: &SandboxSessionCreated,
        protocol: Option<PaymentProtocol>,
    ) -> Result<(), Problem> {
        let mismatch = |field: &str| Problem::field(Code::PaymentRequirementMismatch, field, "is not the sandbox session's");
        let named = |field: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| input::rail(field, text)).transpose().map(|rail| (field, rail))
        };
        let (own, settles) = (session.rail_id, settles_on(session.rail_id));
        let rails = self.platform.rails().await.map_err(|error| rejection::read(&error))?;
        for (field, rail) in [named("rail", &body.rail)?, named("settlement_rail", &body.settlement_rail)?] {
            // `rail: "x402"` is the protocol's old name.
            let protocols = field == "rail" && rail == Some(RailId::X402) && protocol.is_some();
            if rail.is_some_and(|rail| rails.get(rail).adapter.is_none()) {
                return Err(Problem::of(Code::RailDisabled));
            }
            if rail.is_some_and(|rail| rail != own && rail != settles) && !protocols {
                return Err(mismatch(field));
            }
        }
        if protocol.is_none() && own == RailId::X402 {
            return Err(mismatch("payment_protocol"));
        }
        let rail = rails.get(own);
        if !rail.sandbox_enabled || rail.kill_switch == KillSwitch::Tripped {
            return Err(Problem::of(Code::RailDisabled));
        }
        if let Some(external) = &body.external_product_id {
            let named = ProductRef::External(external.clone());
            // A sandbox session may be of a live product that its owner tries out.
            let mut same = false;
            for livemode in [false, true] {
                same |= match products::find(&self.log, merchant.owner, livemode, &named).await {
                    Ok(found) => found.product.access_product_id == session.access_product_id,
                    Err(problem) if problem.code == Code::ProductNotFound.as_str() => false,
                    Err(problem) => return Err(problem),
                };
            }
            if !same {
                return Err(mismatch("external_product_id"));
            }
        }
        let customer = input::Customer::parse(&body.external_customer_id, &None, &body.wallet, &body.email)?;
        for identity in customer.identities() {
            let subject = self.vault.find_subject(merchant.owner, &[identity]).await.map_err(|error| rejection::read(&error))?;
            if subject != Some(session.subject_id) {
                return Err(mismatch(identity.0));
            }
        }
        Ok(())
    }
}

/// The rail that would settle it.
fn settles_on(rail: RailId) -> RailId {
    if rail == RailId::X402 { RailId::SolanaUsdc } else { rail }
}

fn brought(body: &SubmitProof) -> Result<Brought, Problem> {
    if !body.is_x402() {
        return Ok(Brought { signed: Signed::Transaction(body.tx()?), protocol: None });
    }
    let protocol = PaymentProtocol::X402;
    if body.payment_protocol.as_deref().is_some_and(|said| said != protocol.as_str()) {
        return Err(Problem::field(Code::ValidationFailed, "payment_protocol", "x402"));
    }
    let signature = body.payment_signature.as_deref().map(str::trim);
    let signature = signature.ok_or_else(|| Problem::field(Code::ProofIncomplete, "payment_signature", "is required with x402"))?;
    if signature.is_empty() || signature.len() > LONGEST_SIGNATURE {
        return Err(Problem::field(Code::ValidationFailed, "payment_signature", format!("has 1 to {LONGEST_SIGNATURE} characters")));
    }
    // Of its meaning and not of its spelling, where it is a payload.
    let content = match rails::x402::decode_header(signature) {
        Some(payload) => Hash32::of(canonical(&payload)),
        None => Hash32::of(signature),
    };
    Ok(Brought { signed: Signed::Unusable(content), protocol: Some(protocol) })
}
