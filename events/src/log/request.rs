//! What is asked of the log, and what it answers.

use crate::{
    claims::Claim,
    codec::CodecError,
    vocab::{
        event::Event,
        id::{EventId, OwnerId, SubjectId},
        personal::Personal,
        stream::{Actor, StreamId},
        time::Timestamp,
    },
};
use std::time::Duration;
use uuid::Uuid;

/// What the writer of a stream expects of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Anything.
    Any,
    /// No event yet.
    NoStream,
    /// At least one event.
    Exists,
    /// This is the version of its last event.
    Version(u64),
}

/// An event to append.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvent {
    /// Its identity. An append whose event ids are already in the log is a repeat.
    pub event_id: EventId,
    /// What happened.
    pub event: Event,
    /// Personal data to seal beside it.
    pub personal: Option<(SubjectId, Personal)>,
    /// The event that led to it.
    pub causation_id: Option<EventId>,
}

/// Events for one stream.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamWrite {
    /// Which stream.
    pub stream: StreamId,
    /// What is expected of it.
    pub expected: Expected,
    /// At least one event, or none to assert the expectation only.
    pub events: Vec<NewEvent>,
}

/// Who appends, for whom, and why: the same for every event of one append.
#[derive(Clone, PartialEq, Debug)]
pub struct Context {
    /// The workspace; `None` for platform events.
    pub owner_id: Option<OwnerId>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// Who.
    pub actor: Actor,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// The business transaction.
    pub correlation_id: Uuid,
}

/// A stored answer that commits with the events it answers for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyRow {
    /// Whose key.
    pub owner_id: OwnerId,
    /// `METHOD /route/template`.
    pub operation: String,
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the canonical request.
    pub request_hash: [u8; 32],
    /// HTTP status of the answer.
    pub status: u16,
    /// The answer's body, sealed by the caller where it holds personal data.
    pub body: Vec<u8>,
}

/// A stored answer found again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredAnswer {
    /// The hash of the request that it answered.
    pub request_hash: [u8; 32],
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
    /// Position of the last event that committed with it.
    pub position: u64,
}

/// One atomic append, to any number of streams.
#[derive(Clone, PartialEq, Debug)]
pub struct Append {
    /// Who and why.
    pub context: Context,
    /// The events; claims follow from them.
    pub writes: Vec<StreamWrite>,
    /// The answer to store with them.
    pub idempotency: Option<IdempotencyRow>,
}

/// Where an append ended up. One without events stands at the last position there was (0 in an empty log).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Position of its first event.
    pub first_position: u64,
    /// Position of its last event.
    pub last_position: u64,
    /// When the log accepted it.
    pub recorded_at: Timestamp,
    /// `true` when its events were already there and nothing was written.
    pub repeated: bool,
}

/// Why an append did not happen. Nothing of it was written, except under [`AppendError::Unavailable`], where a repeat with the
/// same event ids is safe.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not as expected.
    #[error("stream {stream} is at {actual:?}, expected {expected:?}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// What was expected.
        expected: Expected,
        /// Version of its last event.
        actual: Option<u64>,
    },
    /// A value that must be unique is taken.
    #[error("{} is taken", claim.scope)]
    ClaimTaken {
        /// The value.
        claim: Claim,
        /// Who holds it.
        holder: StreamId,
    },
    /// The idempotency key was used while this request was under way.
    #[error("the idempotency key has an answer already")]
    Answered(Box<StoredAnswer>),
    /// Too much is waiting: try again after this time (503).
    #[error("too many appends are waiting")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The append is larger than one batch may be.
    #[error("an append holds at most {limit}")]
    TooLarge {
        /// The limit, in words.
        limit: &'static str,
    },
    /// A part of the append breaks a rule of the log's own.
    #[error("{field}: {rule}")]
    Invalid {
        /// Which part.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// A payload has no stable form.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A person's key is destroyed: nothing more can be sealed for him.
    #[error("the data subject is erased")]
    SubjectErased,
    /// The database did not answer.
    #[error("the log is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
