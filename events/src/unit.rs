//! The unit of work: load streams, decide, and append everything that was decided at once.

use crate::{
    clock,
    decider::Decider,
    log::{Append, AppendError, Appended, Context, Expected, IdempotencyRow, Log, NewEvent, ReadError, StreamWrite},
    vocab::{
        event::{Event, EventType},
        id::{EventId, OwnerId},
        stream::StreamId,
        time::Timestamp,
    },
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
    /// The workspace of its first event.
    pub owner_id: Option<OwnerId>,
    /// The mode of its first event; `None` for a new stream.
    pub livemode: Option<bool>,
    /// When its first event was recorded; `None` for a new stream.
    pub created_at: Option<Timestamp>,
    /// When its last event was recorded; `None` for a new stream.
    pub updated_at: Option<Timestamp>,
    /// Position of the last event that was read; `None` for a new stream.
    pub last_position: Option<u64>,
    history: Vec<(EventId, EventType)>,
    expected: Expected,
    next: Expected,
}

impl<D: Decider> Loaded<D> {
    /// Version of the last event that was read; `None` for a new stream.
    pub fn version(&self) -> Option<u64> {
        match self.expected {
            Expected::Version(version) => Some(version),
            Expected::Any | Expected::NoStream | Expected::Exists => None,
        }
    }
    /// Its first event of that type, those decided here included: what a later stage cites.
    pub fn first(&self, event_type: EventType) -> Option<EventId> {
        self.history.iter().find(|(_, found)| *found == event_type).map(|(id, _)| *id)
    }
    /// Whether it has that event, those decided here included.
    pub fn holds(&self, id: EventId) -> bool {
        self.history.iter().any(|(found, _)| *found == id)
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
        new_stream(stream)
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
            loaded.history.push((event_id, fact.event.event_type()));
            events.push(NewEvent { event_id, event: fact.event, personal: fact.personal, causation_id });
            causation_id = Some(event_id);
        }
        let decided: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
        loaded.last_event = decided.last().copied().or(loaded.last_event);
        self.buffer(loaded, events);
        Ok(decided)
    }

    /// Keeps the order of the decisions across streams: a stage must not stand in the log before the one it cites.
    fn buffer<D: Decider>(&mut self, loaded: &mut Loaded<D>, events: Vec<NewEvent>) {
        let Some(added) = (events.len() as u64).checked_sub(1) else { return };
        let expected = loaded.next;
        loaded.next = match expected {
            Expected::Version(version) => Expected::Version(version + added + 1),
            Expected::Any | Expected::NoStream | Expected::Exists => Expected::Version(added),
        };
        match self.writes.last_mut() {
            Some(write) if write.stream == loaded.stream => write.events.extend(events),
            _ => self.writes.push(StreamWrite { stream: loaded.stream, expected, events }),
        }
    }

    /// Makes the commit fail, as a conflict, if anybody has appended to a stream since it was read, though nothing is decided on it.
    pub fn rely_on<D: Decider>(&mut self, loaded: &Loaded<D>) {
        self.writes.push(StreamWrite { stream: loaded.stream, expected: loaded.expected, events: Vec::new() });
    }

    /// Stores an answer together with the events.
    pub fn answer(&mut self, row: IdempotencyRow) {
        self.answer = Some(row);
    }

    /// What would be appended, in the order of the decisions.
    pub fn events(&self) -> impl Iterator<Item = (EventId, StreamId, &Event)> {
        self.writes.iter().flat_map(|write| write.events.iter().map(|new| (new.event_id, write.stream, &new.event)))
    }

    /// The same, with what is sealed beside each.
    pub fn new_events(&self) -> impl Iterator<Item = &NewEvent> {
        self.writes.iter().flat_map(|write| &write.events)
    }

    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        self.events().next().is_none()
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
    let Some((first, last)) = recorded.first().zip(recorded.last()) else { return Ok(new_stream(stream)) };
    let expected = Expected::Version(last.envelope.version);
    Ok(Loaded {
        stream,
        state,
        last_event: Some(last.envelope.event_id),
        correlation_id: Some(first.envelope.correlation_id),
        owner_id: first.envelope.owner_id,
        livemode: Some(first.envelope.livemode),
        created_at: Some(first.envelope.recorded_at),
        updated_at: Some(last.envelope.recorded_at),
        last_position: Some(last.position),
        history: recorded.iter().map(|event| (event.envelope.event_id, event.envelope.event_type)).collect(),
        expected,
        next: expected,
    })
}

fn new_stream<D: Decider>(stream: StreamId) -> Loaded<D> {
    Loaded {
        stream,
        state: D::State::default(),
        last_event: None,
        correlation_id: None,
        owner_id: None,
        livemode: None,
        created_at: None,
        updated_at: None,
        last_position: None,
        history: Vec::new(),
        expected: Expected::NoStream,
        next: Expected::NoStream,
    }
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
