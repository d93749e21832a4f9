//! Issuing, rotating and revoking API keys. Only a key's hash is kept.

use events::{
    clock::{Clock, new_id, random_bytes},
    log::{AppendError, Context, Log, ReadError},
    unit::{Loaded, Unit, load},
    vocab::{
        bytes::Hash32,
        event::ApiKeyIssued,
        id::{ApiKeyId, OwnerId},
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::Scope,
    },
};
use ledger::api_key::{self, ApiKey, Rejection};

/// A key to issue. Its workspace and mode are those of the append that issues it.
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// What to recognise it by.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether a live key may use the sandbox too.
    pub sandbox_capable: bool,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
}

impl Issue {
    /// A key that may do what `scopes` say, until it is revoked.
    pub fn new(label: &str, scopes: &[Scope]) -> Self {
        Issue { label: label.to_owned(), scopes: scopes.to_vec(), sandbox_capable: false, expires_at: None }
    }
}

/// An issued key. It is shown once.
pub struct Issued {
    /// Its id.
    pub key_id: ApiKeyId,
    /// The key itself.
    pub key: String,
    /// What is on record.
    pub facts: ApiKeyIssued,
}

/// Why a key could not be issued or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A rule refuses it.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The stream of a key.
pub fn stream(key_id: ApiKeyId) -> StreamId {
    StreamId::new(Category::ApiKey, key_id)
}

/// Decides that a key is issued, as a part of `unit`: a key of that unit's workspace and mode.
pub fn decide_issue(unit: &mut Unit<'_>, issue: Issue, now: Timestamp) -> Result<Issued, Rejection> {
    decide(unit, new_id(), issue, None, now)
}

/// Decides, as a part of `unit`, that a new key takes the place of `old`: it may do the same and ends at `expires_at`.
pub fn decide_rotation(
    unit: &mut Unit<'_>,
    old: &mut Loaded<ApiKey>,
    overlap_seconds: u32,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Issued, Rejection> {
    let successor_id: ApiKeyId = new_id();
    unit.decide(old, api_key::Command::Rotate { successor_id, overlap_seconds, now }, None)?;
    let ApiKey::Rotated { issued, .. } = &old.state else { return Err(Rejection::NotFound) };
    let issue = Issue { label: issued.label.clone(), scopes: issued.scopes.clone(), sandbox_capable: issued.sandbox_capable, expires_at };
    decide(unit, successor_id, issue, Some(issued.key_id), now)
}

fn decide(
    unit: &mut Unit<'_>,
    key_id: ApiKeyId,
    issue: Issue,
    rotated_from: Option<ApiKeyId>,
    now: Timestamp,
) -> Result<Issued, Rejection> {
    let livemode = unit.context().livemode;
    let mode = if livemode { "live" } else { "sandbox" };
    let key = format!("hk_{mode}_{}", hex::encode(random_bytes::<24>()));
    let command = api_key::Issue {
        key_id,
        label: issue.label,
        prefix: key.chars().take(mode.len() + 10).collect(),
        key_hash: Hash32::of(&key),
        scopes: issue.scopes,
        livemode,
        sandbox_capable: issue.sandbox_capable,
        expires_at: issue.expires_at,
        rotated_from,
        now,
    };
    let mut loaded = unit.start::<ApiKey>(stream(key_id));
    unit.decide(&mut loaded, api_key::Command::Issue(command), None)?;
    match loaded.state {
        ApiKey::Active(facts) => Ok(Issued { key_id, key, facts: *facts }),
        ApiKey::Absent | ApiKey::Rotated { .. } | ApiKey::Revoked(_) => Err(Rejection::NotFound),
    }
}

/// Issues a key of `owner` by itself.
pub async fn issue(log: &Log, clock: &Clock, owner: OwnerId, livemode: bool, issue: Issue, actor: Actor) -> Result<Issued, KeyError> {
    let context = Context { owner_id: Some(owner), livemode, actor, request_id: None, correlation_id: new_id() };
    let mut unit = Unit::new(log, context);
    let issued = decide_issue(&mut unit, issue, clock.now())?;
    unit.commit().await?;
    Ok(issued)
}

/// Revokes a key.
pub async fn revoke(log: &Log, key_id: ApiKeyId, reason: &str, actor: Actor) -> Result<(), KeyError> {
    let mut loaded = load::<ApiKey>(log, stream(key_id)).await?;
    let context = Context {
        owner_id: loaded.owner_id,
        livemode: loaded.livemode.unwrap_or(false),
        actor,
        request_id: None,
        correlation_id: key_id.0,
    };
    let mut unit = Unit::new(log, context);
    unit.decide(&mut loaded, api_key::Command::Revoke { reason: reason.to_owned() }, None)?;
    if !unit.is_empty() {
        unit.commit().await?;
    }
    Ok(())
}
