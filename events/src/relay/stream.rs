//! The JetStream stream that the relay fills.

use crate::vocab::{id::EventId, stream::Recorded};
use async_nats::jetstream::{
    self,
    context::GetStreamErrorKind,
    stream::{Config, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType},
};
use std::time::Duration;

/// Header that carries the event's position.
pub const POSITION_HEADER: &str = "Hilt-Position";

/// How the stream is made. It is a copy for those who listen now; the log is the record.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// First token of every subject; also names the stream, so that several ledgers share one server.
    pub prefix: String,
    /// Messages older than this go.
    pub max_age: Duration,
    /// Above this size the oldest messages go, in bytes.
    pub max_bytes: i64,
    /// Copies in a cluster.
    pub replicas: usize,
    /// How long a message id is remembered.
    pub duplicate_window: Duration,
}

impl Default for StreamConfig {
    fn default() -> Self {
        StreamConfig {
            prefix: "hilt".to_owned(),
            max_age: Duration::from_secs(7 * 86_400),
            max_bytes: 1 << 30,
            replicas: 1,
            duplicate_window: Duration::from_secs(120),
        }
    }
}

impl StreamConfig {
    /// The stream's name: the prefix without what a name may not hold, and `_events`.
    pub fn name(&self) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        format!("{}_events", self.prefix.chars().map(safe).collect::<String>())
    }
    /// Every subject of the stream.
    pub fn subjects(&self) -> String {
        format!("{}.events.>", self.prefix)
    }
    /// The subject of one event: category and type, nothing about whom it concerns.
    pub fn subject(&self, recorded: &Recorded) -> String {
        let envelope = &recorded.envelope;
        format!("{}.events.{}.{}", self.prefix, envelope.stream.category, envelope.event_type.as_str())
    }
    fn jetstream(&self) -> Config {
        Config {
            name: self.name(),
            description: Some("Events in commit order; refilled from the log when lost.".to_owned()),
            subjects: vec![self.subjects()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_age: self.max_age,
            max_bytes: self.max_bytes,
            num_replicas: self.replicas,
            duplicate_window: self.duplicate_window,
            ..Config::default()
        }
    }
}

/// Where the stream ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tail {
    /// Sequence of its last message.
    pub sequence: u64,
    /// The event in it, unless it holds none.
    pub last: Option<(u64, EventId)>,
}

/// JetStream did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("JetStream: {0}")]
pub struct StreamError(pub(super) String);

impl StreamError {
    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        StreamError(error.to_string())
    }
}

/// The stream's tail, or `None` if there is no such stream.
pub(super) async fn tail(context: &jetstream::Context, config: &StreamConfig) -> Result<Option<Tail>, StreamError> {
    let stream = match context.get_stream(config.name()).await {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                GetStreamErrorKind::JetStream(inner) if inner.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND => Ok(None),
                _ => Err(StreamError::of(error)),
            };
        }
    };
    let state = &stream.cached_info().state;
    let mut tail = Tail { sequence: state.last_sequence, last: None };
    if state.messages > 0 {
        tail.last = match stream.get_raw_message(state.last_sequence).await {
            Ok(message) => {
                let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
                let position = header(POSITION_HEADER).and_then(|text| text.parse().ok());
                let event_id = header(async_nats::header::NATS_MESSAGE_ID.as_ref()).and_then(|text| text.parse().ok());
                position.zip(event_id)
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => None,
            Err(error) => return Err(StreamError::of(error)),
        };
    }
    Ok(Some(tail))
}

/// Makes the stream, or brings its limits up to date.
pub(super) async fn ensure(context: &jetstream::Context, config: &StreamConfig) -> Result<(), StreamError> {
    context.create_or_update_stream(config.jetstream()).await.map(drop).map_err(StreamError::of)
}

/// Deletes the stream, if there is one.
pub(super) async fn delete(context: &jetstream::Context, config: &StreamConfig) -> Result<(), StreamError> {
    match tail(context, config).await? {
        Some(_) => context.delete_stream(config.name()).await.map(drop).map_err(StreamError::of),
        None => Ok(()),
    }
}
