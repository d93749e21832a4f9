//! What each stage of a proof checks, and the event it yields.

use super::{Basis, Fingerprint, Rejection, Settle, Signed, Verification};
use crate::{Cited, check::first_false};
use events::{
    claims::FOREIGN,
    vocab::{
        bytes::{Hash32, TxSignature},
        event::{
            PaymentRequirementAuthored, ProofFingerprinted, ReceiptCreated, ReceiptMapped, SettlementEvidenced, VerificationAttempted,
        },
        id::EventId,
        rail::RailId,
        stream::Fact,
        words::{Outcome, Trigger},
    },
};

/// The fingerprint of a Solana transaction: SHA-256 of the network, a zero byte, and the 64 bytes of its signature. It is of
/// the bytes, not of their text, so that no other spelling of the same signature is a new proof.
pub fn solana_fingerprint(network: &str, tx: &TxSignature) -> Hash32 {
    Hash32::of([network.as_bytes(), &[0], &tx.0].concat())
}

/// The fingerprint of what was signed, on its network.
pub fn fingerprint(network: &str, signed: &Signed) -> Hash32 {
    match signed {
        Signed::Transaction(tx) => solana_fingerprint(network, tx),
        // 32 bytes after a one can be no transaction's 64 after a zero.
        Signed::Unusable(content) => Hash32::of([network.as_bytes(), &[1], &content.0].concat()),
    }
}

impl Fingerprint {
    pub(super) fn event(self) -> Result<ProofFingerprinted, Rejection> {
        if self.rail_id != RailId::SolanaUsdc {
            return Err(Rejection::RailDisabled { rail: self.rail_id });
        }
        let payment = &self.payment;
        let (requirement_event, requirement_hash) = match &self.basis {
            Basis::Requirement(cited) => {
                fits(&self, &cited.event)?;
                (cited.id, Some(cited.event.requirement_hash))
            }
            Basis::Checkout(_) if payment.session_id.is_some() => {
                return Err(Rejection::RequirementMismatch { field: "payment_session_id" });
            }
            Basis::Checkout(id) => (*id, None),
        };
        Ok(ProofFingerprinted {
            proof_id: self.proof_id,
            fingerprint: fingerprint(&self.network, &self.signed),
            rail_id: self.rail_id,
            network: self.network,
            tx_signature: self.signed.tx(),
            session_id: payment.session_id,
            payment_id: payment.payment_id,
            entitlement_id: payment.entitlement_id,
            access_product_id: payment.access_product_id,
            product_id: payment.product_id,
            subject_id: payment.subject_id,
            amount: payment.amount,
            requirement_hash,
            trigger: self.trigger,
            requirement_event,
            x402: self.x402,
        })
    }
}

fn fits(proof: &Fingerprint, requirement: &PaymentRequirementAuthored) -> Result<(), Rejection> {
    let payment = &proof.payment;
    let same = [
        ("payment_session_id", payment.session_id == Some(requirement.session_id)),
        ("rail_id", proof.rail_id == requirement.rail_id),
        ("network", proof.network == requirement.network),
        ("asset", payment.asset.mint == requirement.asset),
        ("memo", payment.memo() == requirement.memo),
        ("gross_amount_minor_units", payment.amount == requirement.gross),
        ("merchant_amount_minor_units", payment.merchant_amount == requirement.merchant_amount),
        ("hilt_fee_minor_units", payment.fee_amount == requirement.fee_amount),
        (
            "payment_requirements_hash",
            proof.x402.as_ref().is_none_or(|x402| {
                requirement.x402.as_ref().is_some_and(|asked| asked.payment_requirements_hash == x402.payment_requirements_hash)
            }),
        ),
    ];
    match first_false(same) {
        Some(field) => Err(Rejection::RequirementMismatch { field }),
        None => Ok(()),
    }
}

pub(super) fn verification(
    proof: &ProofFingerprinted,
    last: Option<&VerificationAttempted>,
    look: Verification,
) -> Result<Vec<Fact>, Rejection> {
    if last.is_some_and(|last| last.proof_event != look.proof_event) {
        return Err(Rejection::WrongStageCited { field: "proof_event" });
    }
    let foreign = |last: &VerificationAttempted| {
        last.outcome == Outcome::Failed && last.reason.as_deref().is_some_and(|reason| FOREIGN.contains(&reason))
    };
    // Its fingerprint may be another proof's by now, so that nothing can be built on this one any more.
    if last.is_some_and(foreign) {
        return Err(Rejection::Released);
    }
    let seen = look.observed.as_ref().is_some_and(|observed| observed.payer.is_some());
    match look.outcome {
        Outcome::Passed if !seen => return Err(Rejection::ObservationRequired),
        Outcome::Pending | Outcome::Failed | Outcome::Error if look.reason.is_none() => return Err(Rejection::ReasonRequired),
        _ => {}
    }
    let again = |last: &VerificationAttempted| last.outcome == look.outcome && last.reason == look.reason;
    let undecided = matches!(look.outcome, Outcome::Pending | Outcome::Error);
    if look.trigger == Trigger::Watcher && undecided && last.is_some_and(again) {
        return Ok(vec![]);
    }
    let attempted = VerificationAttempted {
        proof_id: proof.proof_id,
        payment_id: proof.payment_id,
        session_id: proof.session_id,
        rail_id: proof.rail_id,
        fingerprint: proof.fingerprint,
        attempt: last.map_or(1, |last| last.attempt.saturating_add(1)),
        verifier: look.verifier,
        trigger: look.trigger,
        outcome: look.outcome,
        reason: if look.outcome == Outcome::Passed { None } else { look.reason },
        observed: look.observed,
        proof_event: look.proof_event,
    };
    Ok(vec![attempted.into()])
}

pub(super) fn settlement(
    proof: &ProofFingerprinted,
    passed: &VerificationAttempted,
    settle: Settle,
) -> Result<SettlementEvidenced, Rejection> {
    let payment = &settle.payment;
    let observed = passed.observed.as_ref();
    let gross = settle.merchant_amount.checked_add(settle.fee_amount);
    let same = [
        ("payment_id", payment.payment_id == proof.payment_id),
        ("session_id", payment.session_id == proof.session_id),
        ("payer", observed.and_then(|seen| seen.payer) == Some(settle.payer)),
        ("slot", observed.map(|seen| seen.slot) == Some(settle.slot)),
        ("merchant_amount", settle.merchant_amount == payment.merchant_amount),
        ("fee_amount", settle.fee_amount == payment.fee_amount),
        ("gross", gross == Some(proof.amount) && proof.amount == payment.amount),
    ];
    if let Some(field) = first_false(same) {
        return Err(Rejection::SettlementMismatch { field });
    }
    let tx_signature = proof.tx_signature.ok_or(Rejection::SettlementMismatch { field: "tx_signature" })?;
    Ok(SettlementEvidenced {
        proof_id: proof.proof_id,
        payment_id: proof.payment_id,
        session_id: proof.session_id,
        rail_id: proof.rail_id,
        transfer_id: settle.transfer_id,
        tx_signature,
        payer: settle.payer,
        slot: settle.slot,
        gross: proof.amount,
        merchant_amount: settle.merchant_amount,
        fee_amount: settle.fee_amount,
        verification_event: settle.verification_event,
    })
}

pub(super) fn mapping(
    proof: &ProofFingerprinted,
    settled: &SettlementEvidenced,
    settlement_event: EventId,
    receipt: &Cited<ReceiptCreated>,
) -> Result<ReceiptMapped, Rejection> {
    let created = &receipt.event;
    let same = [
        ("settlement_event", created.settlement_event == Some(settlement_event)),
        ("payment_id", created.payment_id == Some(settled.payment_id)),
        ("product_id", created.product_id == Some(proof.product_id)),
        ("tx_signature", created.tx_signature == settled.tx_signature),
        ("amount", created.amount == settled.gross),
        ("wallet", created.wallet == settled.payer),
    ];
    if let Some(field) = first_false(same) {
        return Err(Rejection::ReceiptMismatch { field });
    }
    Ok(ReceiptMapped {
        proof_id: proof.proof_id,
        receipt_id: created.receipt_id,
        payment_id: settled.payment_id,
        session_id: settled.session_id,
        entitlement_id: proof.entitlement_id,
        rail_id: settled.rail_id,
        settlement_event,
        receipt_event: receipt.id,
    })
}
