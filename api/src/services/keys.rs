//! Issuing and revoking API keys. Only a key's hash is kept.

use events::{
    clock::{new_id, random_bytes},
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, load},
    vocab::{
        bytes::Hash32,
        id::{ApiKeyId, OwnerId},
        stream::{Actor, Category, StreamId},
        words::Scope,
    },
};
use ledger::api_key::{self, ApiKey};

/// A key to issue.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The workspace.
    pub owner: OwnerId,
    /// What to recognise it by.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether it moves real money.
    pub livemode: bool,
    /// Whether a live key may use the sandbox too.
    pub sandbox_capable: bool,
}

/// An issued key. It is shown once: `Debug` hides it.
pub struct Issued {
    /// Its id.
    pub key_id: ApiKeyId,
    /// The key itself.
    pub key: String,
}

/// Why a key could not be issued or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A rule refuses it.
    #[error("{0}")]
    Rejected(#[from] api_key::Rejection),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Issues a key.
pub async fn issue(log: &Log, issue: Issue, actor: Actor) -> Result<Issued, KeyError> {
    let key_id: ApiKeyId = new_id();
    let mode = if issue.livemode { "live" } else { "sandbox" };
    let key = format!("hk_{mode}_{}", hex::encode(random_bytes::<24>()));
    let context = Context { owner_id: Some(issue.owner), livemode: issue.livemode, actor, request_id: None, correlation_id: key_id.0 };
    let mut unit = Unit::new(log, context);
    let mut stream = unit.start::<ApiKey>(StreamId::new(Category::ApiKey, key_id));
    let command = api_key::Issue {
        key_id,
        label: issue.label,
        prefix: key.chars().take(mode.len() + 10).collect(),
        key_hash: Hash32::of(&key),
        scopes: issue.scopes,
        livemode: issue.livemode,
        sandbox_capable: issue.sandbox_capable,
    };
    unit.decide(&mut stream, api_key::Command::Issue(command), None)?;
    unit.commit().await?;
    Ok(Issued { key_id, key })
}

/// Revokes a key.
pub async fn revoke(log: &Log, key_id: ApiKeyId, reason: &str, actor: Actor) -> Result<(), KeyError> {
    let mut stream = load::<ApiKey>(log, StreamId::new(Category::ApiKey, key_id)).await?;
    let context = Context {
        owner_id: stream.owner_id,
        livemode: stream.livemode.unwrap_or(false),
        actor,
        request_id: None,
        correlation_id: key_id.0,
    };
    let mut unit = Unit::new(log, context);
    unit.decide(&mut stream, api_key::Command::Revoke { reason: reason.to_owned() }, None)?;
    if !unit.is_empty() {
        unit.commit().await?;
    }
    Ok(())
}
