//! What an x402 proof must say (INV-8, INV-9): the signed payload, and seven fields exactly as the requirement has them.

use super::{Evidence, SubmitProof};
use crate::{
    http::problem::{Code, Problem},
    services::x402::refusal,
};
use events::vocab::{
    event::X402Proof,
    id::{EventId, SessionId},
    words::{Outcome, Trigger},
};
use ledger::{
    payment_session::Open,
    proof::{self, Verification},
    x402::Accepts,
};
use rails::x402::Reason;
use workers::x402::{Facilitator, FacilitatorError};

/// What looks at such proofs.
const VERIFIER: &str = "x402_facilitator";
/// The longest payload, in characters of its header.
const LONGEST_SIGNATURE: usize = rails::x402::MAX_HEADER_BYTES;

/// Reads the proof against the stored requirement; a field that is not there or differs is named, and nothing is recorded.
pub(super) async fn evidence(
    body: &SubmitProof,
    facilitator: &Facilitator,
    session_id: SessionId,
    open: &Open,
) -> Result<Evidence, Problem> {
    let missing = |field: &'static str| Problem::field(Code::ProofIncomplete, field, "is required with x402");
    let differs = |field: &'static str, why: &str| Problem::field(Code::PaymentRequirementMismatch, field, why.to_owned());
    let signature = body.payment_signature.as_deref().ok_or_else(|| missing("payment_signature"))?;
    if signature.is_empty() || signature.len() > LONGEST_SIGNATURE {
        return Err(Problem::field(Code::ValidationFailed, "payment_signature", format!("has 1 to {LONGEST_SIGNATURE} characters")));
    }
    let resource = facilitator.resource(session_id).await.map_err(unanswered)?;
    let not_x402 = || differs("payment_protocol", "is not the stored requirement's");
    let resource = resource.ok_or_else(not_x402)?;
    let accepts = Accepts::authored(&open.requirement, &resource).ok_or_else(not_x402)?;
    let asked = open.requirement.x402.as_ref().ok_or_else(not_x402)?;
    let fields = [
        ("payment_requirements_hash", &body.payment_requirements_hash, asked.payment_requirements_hash.to_string()),
        ("network", &body.network, accepts.network.to_owned()),
        ("asset", &body.asset, accepts.asset.to_string()),
        ("pay_to", &body.pay_to, accepts.pay_to.to_string()),
        ("max_amount_required", &body.max_amount_required, accepts.amount.to_string()),
        ("resource", &body.resource, resource.clone()),
    ];
    for (field, said, stored) in fields {
        match said {
            None => return Err(missing(field)),
            Some(said) if *said != stored => return Err(differs(field, "is not the stored requirement's")),
            Some(_) => {}
        }
    }
    let subject = facilitator.session(session_id).await.map_err(unanswered)?.ok_or_else(not_x402)?;
    let brought = facilitator.read_proof(&subject, signature);
    if let Some((refusal, version)) = &brought.refusal
        && refusal.reason.contradicts()
    {
        return Err(differs("payment_signature", &format!("{}: {}", refusal.reason.code(*version), refusal.message)));
    }
    let x402 = X402Proof { payment_requirements_hash: asked.payment_requirements_hash, message_hash: brought.message_hash };
    Ok(Evidence {
        signed: brought.signed,
        x402: Some(x402),
        resource: Some(resource),
        unusable: brought.refusal.map(|(refusal, version)| refusal.reason.code(version)),
    })
}

/// What was brought can pay nothing: recorded, and seen to have failed.
pub(super) fn failed(proof_event: EventId, reason: &str) -> proof::Command {
    proof::Command::RecordVerification(Box::new(Verification {
        proof_event,
        verifier: VERIFIER.to_owned(),
        trigger: Trigger::Proof,
        outcome: Outcome::Failed,
        reason: Some(reason.to_owned()),
        observed: None,
    }))
}

fn unanswered(error: FacilitatorError) -> Problem {
    match refusal(error, Reason::UnexpectedVerify) {
        Ok(_) => Problem::of(Code::Unavailable).retry_after(1),
        Err(problem) => problem,
    }
}
