//! What the service never writes.

use super::context;
use events::{
    clock::new_id,
    log::{Append, Expected, Log, NewEvent, StreamWrite},
    vocab::{
        event::{Event, EventType},
        id::{EventId, OwnerId},
        stream::StreamId,
    },
};

/// Appends `event` to a stream as it is, past every rule but the log's own; the position it got.
pub async fn force(log: &Log, owner: OwnerId, livemode: bool, stream: StreamId, event: impl Into<Event>) -> u64 {
    let events = vec![NewEvent { event_id: new_id(), event: event.into(), personal: None, causation_id: None }];
    let writes = vec![StreamWrite { stream, expected: Expected::Any, events }];
    let append = Append { context: context(owner, livemode, new_id()), writes, idempotency: None };
    log.append(append).await.unwrap().first_position
}

/// The first event of a type in a stream, with its id.
pub async fn first(log: &Log, stream: StreamId, event_type: EventType) -> (EventId, Event) {
    let events = log.read_stream(stream, 0).await.unwrap();
    let found = events.iter().find(|event| event.envelope.event_type == event_type).unwrap();
    (found.envelope.event_id, found.decode().unwrap())
}
