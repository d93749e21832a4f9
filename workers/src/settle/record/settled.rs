//! What a confirmed payment led to, read from its streams.

use super::proof_id;
use crate::settle::{SettleError, Settled, Settlement};
use events::{
    log::Log,
    unit::load,
    vocab::{
        event::{PaymentConfirmed, PaymentCreated},
        id::{MembershipId, SubjectId},
        stream::{Category, StreamId},
    },
};
use ledger::{
    entitlement::Entitlement, identity_session::IdentitySession, membership::Membership, payment::Payment, proof::Proof, receipt::Receipt,
};

/// Who became a member by a confirmed payment.
async fn member_of(log: &Log, facts: &PaymentCreated, confirmed: &PaymentConfirmed) -> Result<SubjectId, SettleError> {
    let Some(id) = confirmed.identity_session_id else { return Ok(facts.subject_id) };
    let session = load::<IdentitySession>(log, StreamId::new(Category::IdentitySession, id)).await?;
    session.state.started().map(|started| started.subject_id).ok_or(SettleError::Inconsistent)
}

/// A confirmed payment and what it led to, read from its streams.
pub async fn settled(log: &Log, payment: &Payment, position: Option<u64>) -> Result<Settlement, SettleError> {
    let Payment::Confirmed { facts, confirmed } = payment else {
        return Err(SettleError::Rejected { code: "tx_not_confirmed", detail: "the payment is not confirmed".into() });
    };
    let proof = load::<Proof>(log, StreamId::new(Category::Proof, proof_id(facts, &confirmed.tx_signature))).await?;
    let receipt = match &proof.state {
        Proof::Mapped { mapped, .. } => match load::<Receipt>(log, StreamId::new(Category::Receipt, mapped.receipt_id)).await?.state {
            Receipt::Issued(created) => Some(*created),
            Receipt::Absent => None,
        },
        _ => None,
    };
    let membership = match facts.membership {
        Some(_) => {
            let id = MembershipId::of(facts.product_id, member_of(log, facts, confirmed).await?);
            let membership = load::<Membership>(log, StreamId::new(Category::Membership, id)).await?;
            membership.state.member().map(|member| (id, member.period_end))
        }
        None => None,
    };
    let entitlement = match facts.entitlement_id {
        Some(id) => match load::<Entitlement>(log, StreamId::new(Category::Entitlement, id)).await?.state {
            Entitlement::Active { activated, .. } => Some(*activated),
            _ => None,
        },
        None => None,
    };
    Ok(Settlement::Settled(Box::new(Settled {
        payment: (**facts).clone(),
        confirmed: (**confirmed).clone(),
        receipt,
        membership,
        entitlement,
        position,
    })))
}
