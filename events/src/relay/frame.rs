//! The body of a message: one event of the log, whole, as compact MessagePack. Sealed bytes stay sealed.

use crate::{
    leaf,
    vocab::{
        bytes::Hash32,
        event::EventType,
        id::{EventId, OwnerId, SubjectId},
        stream::{Actor, Category, Envelope, Recorded, StreamId},
        time::Timestamp,
        words::ActorKind,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A message that does not hold an event of the log as the log would hold it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadFrame(&'static str);

#[derive(Serialize, Deserialize)]
struct Frame<'a> {
    position: u64,
    category: Category,
    stream: Uuid,
    version: u64,
    event_id: EventId,
    #[serde(borrow)]
    event_type: &'a str,
    schema_version: u16,
    owner_id: Option<OwnerId>,
    livemode: bool,
    recorded_at: Timestamp,
    correlation_id: Uuid,
    causation_id: Option<EventId>,
    actor_kind: ActorKind,
    #[serde(borrow)]
    actor_id: Option<&'a str>,
    #[serde(borrow)]
    request_id: Option<&'a str>,
    subject_id: Option<SubjectId>,
    #[serde(borrow, with = "serde_bytes")]
    payload: &'a [u8],
    #[serde(borrow, with = "serde_bytes")]
    sealed: Option<&'a [u8]>,
    prev_leaf: Hash32,
    leaf: Hash32,
}

/// The message body for `recorded`.
pub fn encode(recorded: &Recorded) -> Result<Vec<u8>, BadFrame> {
    let envelope = &recorded.envelope;
    let frame = Frame {
        position: recorded.position,
        category: envelope.stream.category,
        stream: envelope.stream.id,
        version: envelope.version,
        event_id: envelope.event_id,
        event_type: envelope.event_type.as_str(),
        schema_version: envelope.schema_version,
        owner_id: envelope.owner_id,
        livemode: envelope.livemode,
        recorded_at: envelope.recorded_at,
        correlation_id: envelope.correlation_id,
        causation_id: envelope.causation_id,
        actor_kind: envelope.actor.kind,
        actor_id: envelope.actor.id.as_deref(),
        request_id: envelope.request_id.as_deref(),
        subject_id: envelope.subject_id,
        payload: &recorded.payload,
        sealed: recorded.sealed.as_deref(),
        prev_leaf: recorded.prev_leaf,
        leaf: recorded.leaf,
    };
    rmp_serde::to_vec(&frame).map_err(|_| BadFrame("the event does not encode"))
}

/// The event in a message body. Its leaf is computed again, so a message altered on the way is refused and its reader takes the
/// event from the log instead.
pub fn decode(body: &[u8]) -> Result<Recorded, BadFrame> {
    let frame: Frame = rmp_serde::from_slice(body).map_err(|_| BadFrame("the message is not a frame"))?;
    let envelope = Envelope {
        stream: StreamId { category: frame.category, id: frame.stream },
        version: frame.version,
        event_id: frame.event_id,
        event_type: EventType::parse(frame.event_type).ok_or(BadFrame("the frame's event type is unknown"))?,
        schema_version: frame.schema_version,
        owner_id: frame.owner_id,
        livemode: frame.livemode,
        recorded_at: frame.recorded_at,
        correlation_id: frame.correlation_id,
        causation_id: frame.causation_id,
        actor: Actor { kind: frame.actor_kind, id: frame.actor_id.map(str::to_owned) },
        request_id: frame.request_id.map(str::to_owned),
        subject_id: frame.subject_id,
    };
    let entry = leaf::entry(&envelope, &frame.prev_leaf, frame.payload, frame.sealed).map_err(|_| BadFrame("a field is too long"))?;
    if leaf::leaf_hash(&entry) != frame.leaf {
        return Err(BadFrame("the frame does not match its leaf"));
    }
    Ok(Recorded {
        position: frame.position,
        envelope,
        payload: frame.payload.to_vec(),
        sealed: frame.sealed.map(<[u8]>::to_vec),
        prev_leaf: frame.prev_leaf,
        leaf: frame.leaf,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, new_id},
        codec,
        vocab::{
            event::{Event, SubjectErased},
            id::SubjectId,
        },
    };

    fn recorded() -> Recorded {
        let subject: SubjectId = new_id();
        let event = Event::from(SubjectErased { subject_id: subject, reason: "asked".into(), approval: None });
        let payload = codec::encode(&event).unwrap();
        let envelope = Envelope {
            stream: StreamId::new(Category::Subject, subject),
            version: 3,
            event_id: new_id(),
            event_type: event.event_type(),
            schema_version: 1,
            owner_id: Some(new_id()),
            livemode: true,
            recorded_at: Clock::machine().now(),
            correlation_id: new_id(),
            causation_id: Some(new_id()),
            actor: Actor::system("test"),
            request_id: Some("r".into()),
            subject_id: Some(subject),
        };
        let prev_leaf = Hash32::of(b"before");
        let sealed = Some(vec![1, 2, 3]);
        let leaf = leaf::leaf_hash(&leaf::entry(&envelope, &prev_leaf, &payload, sealed.as_deref()).unwrap());
        Recorded { position: 7, envelope, payload, sealed, prev_leaf, leaf }
    }

    #[test]
    fn a_frame_gives_back_the_event() {
        let event = recorded();
        assert_eq!(decode(&encode(&event).unwrap()).unwrap(), event);
    }

    #[test]
    fn an_altered_frame_is_refused() {
        let mut event = recorded();
        event.sealed = Some(vec![1, 2, 4]);
        assert!(decode(&encode(&event).unwrap()).is_err());
    }
}
