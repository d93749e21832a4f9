//! The identity that a confirm call names: what is wrong with it, before anyone asks the chain. Settlement checks it again, on the
//! streams that it appends to.

use super::pay::Confirm;
use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    services::{
        buyer::Identity,
        identity::{self, Opened},
    },
};
use events::{
    log::Log,
    vault::Vault,
    vocab::{bytes::SolanaAddress, event::PaymentCreated, id::IdentitySessionId, time::Timestamp},
};
use ledger::{
    identity_session::{IdentitySession, Rejection},
    payment::Payment,
};

/// The session to use up, if the payment needs one or the caller names one.
pub async fn check(
    log: &Log,
    vault: &Vault,
    payment: &Payment,
    body: &Confirm,
    now: Timestamp,
) -> Result<Option<IdentitySessionId>, Problem> {
    let Some(facts) = payment.facts() else { return Err(Problem::of(Code::PaymentNotFound)) };
    let said = body.identity.parse()?;
    let Some(named) = body.identity_session_id.as_deref().map(str::trim).filter(|named| !named.is_empty()) else {
        return if facts.identity_required { Err(missing()) } else { Ok(None) };
    };
    let unknown = || refused("is not a verified identity session");
    let id: IdentitySessionId = named.parse().map_err(|_| unknown())?;
    let opened = identity::open(log, vault, id).await;
    let Opened { loaded, personal } = opened.map_err(|problem| match problem.code == Code::IdentitySessionNotFound.as_str() {
        true => unknown(),
        false => problem,
    })?;
    let payer = facts.payer_wallet.or_else(|| body.payer_wallet.as_deref()?.parse().ok());
    usable(facts, payer, &loaded.state, now)?;
    match (said, Identity::sealed(Some(&personal))) {
        (None, _) => Ok(Some(id)),
        (Some(said), Some(proved)) if said.same(&proved) => Ok(Some(id)),
        (Some(_), _) => Err(Problem::field(
            Code::IdentityVerificationRequired,
            "customer_reference_value",
            "is not the identity that the identity session verified",
        )),
    }
}

/// What a caller without a proof of identity is told.
pub fn missing() -> Problem {
    refused("is required: this product asks who pays")
        .next_action("Start an identity session, have the wallet sign its message, and confirm with its session_id.")
}

fn usable(facts: &PaymentCreated, payer: Option<SolanaAddress>, session: &IdentitySession, now: Timestamp) -> Result<(), Problem> {
    if let IdentitySession::Consumed { payment_id, .. } = session
        && *payment_id == facts.payment_id
    {
        return Ok(());
    }
    // Who has paid is for the chain to say; settlement compares that wallet too.
    let payer = payer.or(session.started().map(|started| started.wallet)).ok_or_else(|| refused("is not verified"))?;
    session.usable(facts.product_id, payer, now).map_err(|rejected| match rejected {
        Rejection::PayerMismatch => {
            Problem::field(Code::WalletMismatch, "identity_session_id", "was signed by another wallet than the payer's")
        }
        Rejection::ProductMismatch => refused("is for another product"),
        Rejection::NotVerified | Rejection::NotFound => refused("is not verified, or was too long ago"),
        other => rejection::decided(other.code(), other),
    })
}

fn refused(rule: &str) -> Problem {
    Problem::field(Code::IdentityVerificationRequired, "identity_session_id", rule)
}
