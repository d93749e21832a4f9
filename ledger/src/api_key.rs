//! API keys (OBJ-12, RT-077).

use crate::check::{filled, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{ApiKeyIssued, ApiKeyRevoked, ApiKeyRotated, Event},
        id::ApiKeyId,
        stream::Fact,
        time::Timestamp,
        words::Scope,
    },
};

/// An API key.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum ApiKey {
    /// Not issued.
    #[default]
    Absent,
    /// Works, until it expires if it does.
    Active(Box<ApiKeyIssued>),
    /// Has a successor and works until the overlap ends.
    Rotated {
        /// The key.
        issued: Box<ApiKeyIssued>,
        /// Its successor, and until when it works.
        rotated: ApiKeyRotated,
    },
    /// Works no more.
    Revoked(Box<ApiKeyIssued>),
}

impl ApiKey {
    /// The key, if it works at `now`, and the time at which it stops by itself.
    pub fn working(&self, now: Timestamp) -> Option<(&ApiKeyIssued, Option<Timestamp>)> {
        let (issued, until) = match self {
            ApiKey::Active(issued) => (issued, issued.expires_at),
            ApiKey::Rotated { issued, rotated } => (issued, Some(rotated.works_until)),
            ApiKey::Absent | ApiKey::Revoked(_) => return None,
        };
        until.is_none_or(|until| now < until).then_some((issued, until))
    }
}

/// What is asked of a key.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Issue it.
    Issue(Issue),
    /// Let another key take its place.
    Rotate {
        /// The new key.
        successor_id: ApiKeyId,
        /// How long the old one goes on working, at most [`LONGEST_OVERLAP_SECONDS`]; never beyond its own end.
        overlap_seconds: u32,
        /// Now.
        now: Timestamp,
    },
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
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// The key that it takes the place of.
    pub rotated_from: Option<ApiKeyId>,
    /// Now.
    pub now: Timestamp,
}

/// The most characters of a key that are kept.
pub const LONGEST_PREFIX: usize = 20;
/// The most characters of a label.
pub const LONGEST_LABEL: usize = 200;
/// The longest time that a key works beside its successor: 30 days.
pub const LONGEST_OVERLAP_SECONDS: u32 = 30 * 86_400;

rejections! {
    /// Why a key command is refused.
    pub enum Rejection {
        /// There is no such key.
        NotFound = "api_key_not_found", "there is no such API key";
        /// No label.
        LabelRequired = "label_required", "label: is required";
        /// The label is too long.
        LabelTooLong = "text_too_long", "label: at most 200 characters";
        /// The prefix is of the other mode, or is so long that it gives the key away.
        InvalidPrefix = "invalid_key_prefix",
            "a key's kept prefix starts with hk_live_ or hk_sandbox_ as its mode says and has at most 20 characters";
        /// It may do nothing.
        PermissionsRequired = "permissions_required", "permissions: names at least one permission";
        /// It would end before it begins.
        InvalidExpiry = "invalid_expiry", "expires_at: must lie in the future";
        /// The id is in use for another key.
        AlreadyExists = "already_exists", "the API key exists with other content";
        /// It works no more: it was revoked.
        Revoked = "api_key_revoked", "the API key is revoked";
        /// It works no more: its time is over.
        Expired = "api_key_expired", "the API key is expired";
        /// It has a successor already, which is the one to rotate.
        AlreadyRotated {
            /// The successor.
            successor_id: ApiKeyId,
        } = "api_key_rotated", "the API key has a successor, {successor_id}: rotate that one, or revoke this one";
        /// The overlap is too long.
        OverlapOutOfRange = "overlap_out_of_range", "overlap_seconds: a number from 0 to 2592000";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
    }
}

impl Decider for ApiKey {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use ApiKey::{Absent, Active, Revoked, Rotated};
        match (state, command) {
            (Absent, Command::Issue(issue)) => Ok(vec![issue.event()?.into()]),
            (Active(issued) | Rotated { issued, .. } | Revoked(issued), Command::Issue(issue)) => match issue.event()? == **issued {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (Absent, Command::Rotate { .. } | Command::Revoke { .. }) => Err(Rejection::NotFound),

            (Active(issued), Command::Rotate { successor_id, overlap_seconds, now }) => {
                rotation(issued, successor_id, overlap_seconds, now).map(|rotated| vec![rotated.into()])
            }
            (Rotated { rotated, .. }, Command::Rotate { successor_id, .. }) if rotated.successor_id == successor_id => Ok(vec![]),
            (Rotated { rotated, .. }, Command::Rotate { .. }) => Err(Rejection::AlreadyRotated { successor_id: rotated.successor_id }),
            (Revoked(_), Command::Rotate { .. }) => Err(Rejection::Revoked),

            (Active(issued) | Rotated { issued, .. }, Command::Revoke { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![ApiKeyRevoked { key_id: issued.key_id, reason }.into()])
            }
            (Revoked(_), Command::Revoke { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use ApiKey::{Absent, Active, Revoked, Rotated};
        match (state, event) {
            (Absent, Event::ApiKeyIssued(issued)) => Active(Box::new(issued.clone())),
            (Active(issued), Event::ApiKeyRotated(rotated)) => Rotated { issued, rotated: rotated.clone() },
            (Active(issued) | Rotated { issued, .. }, Event::ApiKeyRevoked(_)) => Revoked(issued),
            (state, _) => state,
        }
    }
}

fn rotation(issued: &ApiKeyIssued, successor_id: ApiKeyId, overlap_seconds: u32, now: Timestamp) -> Result<ApiKeyRotated, Rejection> {
    if overlap_seconds > LONGEST_OVERLAP_SECONDS {
        return Err(Rejection::OverlapOutOfRange);
    }
    let ends = now.plus_seconds(i64::from(overlap_seconds));
    match issued.expires_at {
        Some(expires_at) if expires_at <= now => Err(Rejection::Expired),
        expires_at => Ok(ApiKeyRotated {
            key_id: issued.key_id,
            successor_id,
            works_until: expires_at.map_or(ends, |expires_at| expires_at.min(ends)),
        }),
    }
}

impl Issue {
    fn event(self) -> Result<ApiKeyIssued, Rejection> {
        let label = filled(&self.label).ok_or(Rejection::LabelRequired)?;
        if label.chars().count() > LONGEST_LABEL {
            return Err(Rejection::LabelTooLong);
        }
        let start = if self.livemode { "hk_live_" } else { "hk_sandbox_" };
        if !self.prefix.starts_with(start) || self.prefix.len() > LONGEST_PREFIX {
            return Err(Rejection::InvalidPrefix);
        }
        if self.scopes.is_empty() {
            return Err(Rejection::PermissionsRequired);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= self.now) {
            return Err(Rejection::InvalidExpiry);
        }
        Ok(ApiKeyIssued {
            key_id: self.key_id,
            label,
            prefix: self.prefix,
            key_hash: self.key_hash,
            scopes: Scope::ALL.iter().copied().filter(|scope| self.scopes.contains(scope)).collect(),
            sandbox_capable: self.sandbox_capable,
            expires_at: self.expires_at,
            rotated_from: self.rotated_from,
        })
    }
}
