//! API keys (OBJ-12).

use crate::check::{filled, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{ApiKeyIssued, ApiKeyRevoked, Event},
        id::ApiKeyId,
        stream::Fact,
        words::Scope,
    },
};

/// An API key.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum ApiKey {
    /// Not issued.
    #[default]
    Absent,
    /// Works.
    Active(ApiKeyIssued),
    /// Works no more.
    Revoked(ApiKeyIssued),
}

/// What is asked of a key.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Issue it.
    Issue(Issue),
    /// End it.
    Revoke {
        /// Why.
        reason: String,
    },
}

/// See [`Command::Issue`].
#[derive(Clone, PartialEq, Debug)]
pub struct Issue {
    /// Its id.
    pub key_id: ApiKeyId,
    /// The merchant's own words.
    pub label: String,
    /// The first characters of the key, to recognise it by: at most [`LONGEST_PREFIX`], so that they give nothing away.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub key_hash: Hash32,
    /// What it may do; repeated words count once.
    pub scopes: Vec<Scope>,
    /// Whether it is a live key.
    pub livemode: bool,
    /// Whether a live key may use the sandbox too (INV-40); a sandbox key may anyway.
    pub sandbox_capable: bool,
}

/// The most characters of a key that are kept.
pub const LONGEST_PREFIX: usize = 20;

rejections! {
    /// Why a key command is refused.
    pub enum Rejection {
        /// There is no such key.
        NotFound = "api_key_not_found", "there is no such API key";
        /// No label.
        LabelRequired = "label_required", "label is required";
        /// The prefix is of the other mode, or is so long that it gives the key away.
        InvalidPrefix = "invalid_key_prefix",
            "a key's kept prefix starts with hk_live_ or hk_sandbox_ as its mode says and has at most 20 characters";
        /// It may do nothing.
        PermissionsRequired = "permissions_required", "permissions names at least one permission";
        /// The id is in use for another key.
        AlreadyExists = "already_exists", "the API key exists with other content";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason is required";
    }
}

impl Decider for ApiKey {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (ApiKey::Absent, Command::Issue(issue)) => Ok(vec![issue.event()?.into()]),
            (ApiKey::Active(issued) | ApiKey::Revoked(issued), Command::Issue(issue)) => match issue.event()? == *issued {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (ApiKey::Absent, Command::Revoke { .. }) => Err(Rejection::NotFound),
            (ApiKey::Active(issued), Command::Revoke { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![ApiKeyRevoked { key_id: issued.key_id, reason }.into()])
            }
            (ApiKey::Revoked(_), Command::Revoke { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (ApiKey::Absent, Event::ApiKeyIssued(issued)) => ApiKey::Active(issued.clone()),
            (ApiKey::Active(issued), Event::ApiKeyRevoked(_)) => ApiKey::Revoked(issued),
            (state, _) => state,
        }
    }
}

impl Issue {
    fn event(self) -> Result<ApiKeyIssued, Rejection> {
        let label = filled(&self.label).ok_or(Rejection::LabelRequired)?;
        let start = if self.livemode { "hk_live_" } else { "hk_sandbox_" };
        if !self.prefix.starts_with(start) || self.prefix.len() > LONGEST_PREFIX {
            return Err(Rejection::InvalidPrefix);
        }
        if self.scopes.is_empty() {
            return Err(Rejection::PermissionsRequired);
        }
        Ok(ApiKeyIssued {
            key_id: self.key_id,
            label,
            prefix: self.prefix,
            key_hash: self.key_hash,
            scopes: Scope::ALL.iter().copied().filter(|scope| self.scopes.contains(scope)).collect(),
            sandbox_capable: self.sandbox_capable,
        })
    }
}
