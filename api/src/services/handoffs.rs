//! Handoffs for those who issue them, and for the checkout page that reads them.

use super::{
    buyer::Identity,
    handoff_token::{HandoffToken, TokenError},
    hosted::Hosted,
};
use crate::{
    http::{
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use events::{
    log::Log,
    unit::{Loaded, Unit, load},
    vault::Vault,
    vocab::{
        event::{EventType, HandoffIssued},
        id::HandoffId,
        stream::{Category, StreamId},
        time::Timestamp,
        words::HandoffSource,
    },
};
use ledger::handoff::{self, Handoff};
use serde::Serialize;
use utoipa::ToSchema;

/// A handoff, for whoever sends the buyer on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoffLink {
    /// The signed token.
    #[schema(example = "hilt_handoff_...")]
    pub handoff_token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The checkout page, with the token.
    pub checkout_url: String,
    /// The product.
    pub product_id: String,
    /// Its public name.
    pub slug: String,
}

/// A handoff to issue.
pub struct Issue<'a> {
    /// For which product.
    pub hosted: &'a Hosted,
    /// To whom.
    pub identity: &'a Identity,
    /// Who says so.
    pub source: HandoffSource,
    /// How long it lives.
    pub minutes: u32,
    /// Now.
    pub now: Timestamp,
}

/// The stream of a handoff.
pub fn stream(id: HandoffId) -> StreamId {
    StreamId::new(Category::Handoff, id)
}

/// Decides the handoff in `unit` and signs its token.
pub async fn issue(
    unit: &mut Unit<'_>,
    handoff: &mut Loaded<Handoff>,
    vault: &Vault,
    settings: &Settings,
    issue: Issue<'_>,
) -> Result<HandoffLink, Problem> {
    let product = &issue.hosted.product;
    let command = handoff::Issue {
        handoff_id: handoff.stream.id.into(),
        product_id: product.product_id,
        subject_id: issue.identity.subject(vault, issue.hosted.owner).await?,
        source: issue.source,
        identity_type: issue.identity.identity_type,
        identity: issue.identity.personal(),
        minutes: issue.minutes,
        now: issue.now,
    };
    let cause = handoff.last_event;
    let decided = unit.decide(handoff, handoff::Command::Issue(Box::new(command)), cause);
    decided.map_err(|refused| rejection::decided(refused.code(), refused))?;
    let issued = handoff.state.issued().ok_or_else(|| Problem::of(Code::Internal))?;
    let token = HandoffToken { handoff_id: issued.handoff_id, product_id: issued.product_id, expires_at: issued.expires_at };
    let token = token.sign(vault).await.map_err(|error| rejection::read(&error))?;
    Ok(HandoffLink {
        checkout_url: format!("{}/p/{}?handoff={token}", settings.public_web_url, product.slug),
        handoff_token: token,
        expires_at: issued.expires_at,
        product_id: issued.product_id.to_string(),
        slug: product.slug.clone(),
    })
}

/// The handoff that a token refers to, if it is for that product.
pub async fn find(log: &Log, vault: &Vault, hosted: &Hosted, token: &str) -> Result<Loaded<Handoff>, Problem> {
    let invalid = || Problem::field(Code::InvalidHandoffToken, "handoff_token", "is not a valid token for this product");
    let token = HandoffToken::verify(token, vault).await.map_err(|error| match error {
        TokenError::NotOurs => invalid(),
        TokenError::Vault(error) => rejection::read(&error),
    })?;
    if token.product_id != hosted.product.product_id {
        return Err(invalid());
    }
    let handoff = load::<Handoff>(log, stream(token.handoff_id)).await.map_err(|error| rejection::read(&error))?;
    match handoff.state.issued() {
        Some(issued) if issued.product_id == token.product_id && handoff.owner_id == Some(hosted.owner) => Ok(handoff),
        _ => Err(invalid()),
    }
}

/// Who the buyer is, as it was sealed when the handoff was issued. A person who was erased since is nobody any more.
pub async fn identity(log: &Log, vault: &Vault, handoff: &Loaded<Handoff>) -> Result<(Identity, HandoffIssued), Problem> {
    let gone = || Problem::new(Code::InvalidHandoffToken, "the person of this handoff is not known any more");
    let issued = handoff.state.issued().cloned().ok_or_else(gone)?;
    let events = log.read_stream(handoff.stream, 0).await.map_err(|error| rejection::read(&error))?;
    let sealed = events.iter().find(|event| event.envelope.event_type == EventType::HandoffIssued).ok_or_else(gone)?;
    let personal = vault.open(sealed).await.map_err(|error| rejection::read(&error))?;
    Ok((Identity::sealed(personal.as_ref()).ok_or_else(gone)?, issued))
}
