//! The workspace as a data subject, and its profile.

use crate::http::{problem::Problem, rejection};
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        id::{OwnerId, SubjectId},
        stream::{Category, StreamId},
    },
};
use ledger::workspace::Profile;

/// The merchant as a data subject: whose key seals delivery values and the profile. A merchant may be a person.
pub async fn merchant(vault: &Vault, owner: OwnerId) -> Result<SubjectId, Problem> {
    let subject = vault.resolve_subject(owner, &[("workspace", &owner.to_string())]).await;
    subject.map_err(|error| rejection::read(&error))
}

/// The stream of a workspace.
pub fn stream(owner: OwnerId) -> StreamId {
    StreamId::new(Category::Workspace, owner.0)
}

/// The profile as it was saved last; `None` if it never was, or the merchant is erased.
pub async fn stored_profile(log: &Log, vault: &Vault, owner: OwnerId) -> Result<Option<Profile>, Problem> {
    let events = log.read_stream(stream(owner), 0).await.map_err(|error| rejection::read(&error))?;
    let Some(last) = events.last() else { return Ok(None) };
    let personal = vault.open(last).await.map_err(|error| rejection::read(&error))?;
    Ok(personal.and_then(|personal| personal.metadata).and_then(|json| Profile::from_json(&json)))
}
