//! The unit of work: load streams, decide, and append everything that was decided at once.

use crate::{
    clock,
    decider::Decider,
    log::{Append, AppendError, Appended, Context, Expected, IdempotencyRow, Log, NewEvent, ReadError, StreamWrite},
    vocab::{event::Event, id::EventId, stream::StreamId},
};
use uuid::Uuid;

/// What a request or a worker is about to append. Nothing happens before [`Unit::commit`].
pub struct Unit<'a> {
    log: &'a Log,
    context: Context,
    writes: Vec<StreamWrite>,
    answer: Option<IdempotencyRow>,
}

/// A stream as it was read, and what was decided on top of it.
pub struct Loaded<D: Decider> {
    /// Which stream.
    pub stream: StreamId,
    /// What its events come to, those decided here included.
    pub state: D::State,
    /// Its last event, those decided here included.
    pub last_event: Option<EventId>,
    /// The business transaction that its first event belongs to; `None` for a new stream.
    pub correlation_id: Option<Uuid>,
    expected: Expected,
}

impl<D: Decider> Loaded<D> {
    /// Version of the last event that was read; `None` for a new stream.
    pub fn version(&self) -> Option<u64> {
        match self.expected {
            Expected::Version(version) => Some(version),
            Expected::Any | Expected::NoStream | Expected::Exists => None,
        }
    }
    /// Whether the log has no event of it.
    pub fn is_new(&self) -> bool {
        self.version().is_none()
    }
}

impl<'a> Unit<'a> {
    /// An empty unit of work; every event it appends gets `context`.
    pub fn new(log: &'a Log, context: Context) -> Self {
        Unit { log, context, writes: Vec::new(), answer: None }
    }

    /// Who and why.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Makes every event of this unit belong to that business transaction, for callers that learn of it by loading a stream.
    pub fn correlate(&mut self, correlation_id: Uuid) {
        self.context.correlation_id = correlation_id;
    }

    /// Reads and folds a stream. What is decided on it commits only if nobody appends to it meanwhile.
    pub async fn load<D: Decider>(&self, stream: StreamId) -> Result<Loaded<D>, ReadError> {
        load(self.log, stream).await
    }

    /// A stream that must not exist yet, without reading it.
    pub fn start<D: Decider>(&self, stream: StreamId) -> Loaded<D> {
        Loaded { stream, state: D::State::default(), last_event: None, correlation_id: None, expected: Expected::NoStream }
    }

    /// Decides `command` on `loaded` and keeps the events for [`Unit::commit`]; returns their ids, in order. The first is caused
    /// by `cause`, each later one by the one before it. A rejection leaves everything as it was.
    pub fn decide<D: Decider>(
        &mut self,
        loaded: &mut Loaded<D>,
        command: D::Command,
        cause: Option<EventId>,
    ) -> Result<Vec<EventId>, D::Rejection> {
        self.decide_as(loaded, command, cause, |_| clock::new_id())
    }

    /// [`Unit::decide`] with chosen event ids, so that a worker's repeated outcome is the same event.
    pub fn decide_as<D: Decider>(
        &mut self,
        loaded: &mut Loaded<D>,
        command: D::Command,
        cause: Option<EventId>,
        mut ids: impl FnMut(&Event) -> EventId,
    ) -> Result<Vec<EventId>, D::Rejection> {
        let facts = D::decide(&loaded.state, command)?;
        let mut causation_id = cause;
        let mut events = Vec::with_capacity(facts.len());
        for fact in facts {
            let event_id = ids(&fact.event);
            loaded.state = D::evolve(std::mem::take(&mut loaded.state), &fact.event);
            events.push(NewEvent { event_id, event: fact.event, personal: fact.personal, causation_id });
            causation_id = Some(event_id);
        }
        let decided: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
        loaded.last_event = decided.last().copied().or(loaded.last_event);
        self.buffer(loaded.stream, loaded.expected, events);
        Ok(decided)
    }

    fn buffer(&mut self, stream: StreamId, expected: Expected, events: Vec<NewEvent>) {
        if events.is_empty() {
            return;
        }
        match self.writes.iter_mut().find(|write| write.stream == stream) {
            Some(write) => write.events.extend(events),
            None => self.writes.push(StreamWrite { stream, expected, events }),
        }
    }

    /// Stores an answer together with the events.
    pub fn answer(&mut self, row: IdempotencyRow) {
        self.answer = Some(row);
    }

    /// What would be appended, stream by stream in the order in which they were first decided.
    pub fn events(&self) -> impl Iterator<Item = (EventId, StreamId, &Event)> {
        self.writes.iter().flat_map(|write| write.events.iter().map(|new| (new.event_id, write.stream, &new.event)))
    }

    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Appends everything or nothing.
    pub async fn commit(self) -> Result<Appended, AppendError> {
        self.log.append(Append { context: self.context, writes: self.writes, idempotency: self.answer }).await
    }
}

/// Reads and folds a stream.
pub async fn load<D: Decider>(log: &Log, stream: StreamId) -> Result<Loaded<D>, ReadError> {
    let recorded = log.read_stream(stream, 0).await?;
    let mut state = D::State::default();
    for event in &recorded {
        let decoded = event.decode().map_err(|source| ReadError::Codec { position: event.position, source })?;
        state = D::evolve(state, &decoded);
    }
    Ok(Loaded {
        stream,
        state,
        last_event: recorded.last().map(|event| event.envelope.event_id),
        correlation_id: recorded.first().map(|event| event.envelope.correlation_id),
        expected: recorded.last().map_or(Expected::NoStream, |event| Expected::Version(event.envelope.version)),
    })
}

/// Runs `work` again, at most `attempts` times in all, while its append meets a stream that another has changed meanwhile.
/// `conflict` tells whether an error is such a meeting.
pub async fn retry_conflicts<T, E, F>(attempts: u32, conflict: impl Fn(&E) -> bool, mut work: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if attempt < attempts && conflict(&error) => attempt += 1,
            outcome => return outcome,
        }
    }
}

/// Whether an append failed only because another was first.
pub fn is_conflict(error: &AppendError) -> bool {
    matches!(error, AppendError::Conflict { .. })
}
