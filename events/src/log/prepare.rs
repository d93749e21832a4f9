//! What can be done to an append before it queues: everything that needs neither the head nor its neighbours.

use super::{Append, AppendError, Expected, IdempotencyRow, NewEvent};
use crate::{
    claims::{self, Claim, ClaimChange},
    codec,
    leaf::NO_LEAF,
    vault::{Vault, VaultError},
    vocab::{
        bytes::Hash32,
        event::EventType,
        id::{EventId, OwnerId, SubjectId},
        stream::StreamId,
    },
};
use std::collections::HashSet;
use uuid::Uuid;

/// Most events of one append.
pub(super) const MOST_EVENTS: usize = 1_000;
/// Most bytes of one append, and of one batch.
pub(super) const MOST_BYTES: usize = 8 << 20;
/// What a row weighs beside its payload.
const ROW_BYTES: usize = 400;

/// An append, encoded and sealed.
pub(super) struct Prepared {
    pub owner_id: Option<OwnerId>,
    pub livemode: bool,
    pub actor: String,
    pub request_id: Option<String>,
    pub correlation_id: Uuid,
    pub writes: Vec<PreparedWrite>,
    pub idempotency: Option<IdempotencyRow>,
    /// Number of events.
    pub events: usize,
    /// What it weighs in memory and on its way to the database.
    pub bytes: usize,
}

pub(super) struct PreparedWrite {
    pub stream: StreamId,
    pub expected: Expected,
    pub events: Vec<PreparedEvent>,
}

pub(super) struct PreparedEvent {
    pub event_id: EventId,
    pub event_type: EventType,
    pub causation_id: Option<EventId>,
    pub subject_id: Option<SubjectId>,
    pub payload: Vec<u8>,
    pub payload_hash: Hash32,
    pub sealed: Option<Vec<u8>>,
    pub sealed_hash: Hash32,
    pub claims: Vec<ClaimChange>,
}

impl Prepared {
    /// Every event, in order.
    pub fn all_events(&self) -> impl Iterator<Item = &PreparedEvent> {
        self.writes.iter().flat_map(|write| &write.events)
    }
    /// Whether nothing but the event ids would show that it is a repeat.
    pub fn repeats_silently(&self) -> bool {
        self.writes.iter().any(|write| matches!(write.expected, Expected::Any | Expected::Exists) && !write.events.is_empty())
    }
}

/// Encodes, seals and hashes `append`, and checks what can be checked of it alone.
pub(super) async fn prepare(append: Append, vault: &Vault) -> Result<Prepared, AppendError> {
    let Append { context, writes, idempotency } = append;
    check_size(&writes)?;
    let actor = context.actor.to_string();
    check_text("actor", &actor, 512)?;
    context.request_id.as_deref().map_or(Ok(()), |id| check_text("request_id", id, 512))?;
    if let Some(row) = &idempotency {
        check_text("idempotency.operation", &row.operation, 255)?;
        check_text("idempotency.key", &row.key, 255)?;
    }
    let mut prepared = Prepared {
        owner_id: context.owner_id,
        livemode: context.livemode,
        actor,
        request_id: context.request_id,
        correlation_id: context.correlation_id,
        writes: Vec::with_capacity(writes.len()),
        bytes: idempotency.as_ref().map_or(0, |row| row.body.len()) + ROW_BYTES,
        events: 0,
        idempotency,
    };
    let mut ids = HashSet::new();
    for write in writes {
        let mut events = Vec::with_capacity(write.events.len());
        for event in write.events {
            if !ids.insert(event.event_id) {
                return Err(AppendError::Invalid { field: "event_id", rule: "is unique" });
            }
            let event = prepare_event(event, write.stream, &prepared, vault).await?;
            prepared.bytes += ROW_BYTES + event.payload.len() + event.sealed.as_ref().map_or(0, Vec::len);
            prepared.events += 1;
            events.push(event);
        }
        prepared.writes.push(PreparedWrite { stream: write.stream, expected: write.expected, events });
    }
    match prepared.bytes > MOST_BYTES {
        true => Err(AppendError::TooLarge { limit: "8 MiB" }),
        false => Ok(prepared),
    }
}

async fn prepare_event(new: NewEvent, stream: StreamId, append: &Prepared, vault: &Vault) -> Result<PreparedEvent, AppendError> {
    let event_type = new.event.event_type();
    if event_type.category() != stream.category {
        return Err(AppendError::Invalid { field: "stream", rule: "has the category of its events" });
    }
    let payload = codec::encode(&new.event)?;
    let claims = claims::changes(append.owner_id, append.livemode, &new.event);
    claims.iter().try_for_each(|change| check_text("claim", &change.claim().key, 1024))?;
    let (subject_id, sealed) = match &new.personal {
        Some((subject, personal)) => (Some(*subject), Some(vault.seal(*subject, new.event_id, personal).await.map_err(refusal)?)),
        None => (None, None),
    };
    Ok(PreparedEvent {
        event_id: new.event_id,
        event_type,
        causation_id: new.causation_id,
        subject_id,
        payload_hash: Hash32::of(&payload),
        payload,
        sealed_hash: sealed.as_ref().map_or(NO_LEAF, Hash32::of),
        sealed,
        claims,
    })
}

fn check_size(writes: &[super::StreamWrite]) -> Result<(), AppendError> {
    match writes.iter().map(|write| write.events.len()).sum::<usize>() > MOST_EVENTS {
        true => Err(AppendError::TooLarge { limit: "1000 events" }),
        false => Ok(()),
    }
}

/// The database would refuse such text, and with it the whole batch.
fn check_text(field: &'static str, text: &str, most: usize) -> Result<(), AppendError> {
    let rule = match text {
        "" => "is not empty",
        _ if text.len() > most => "is too long",
        _ if text.contains('\0') => "has no NUL",
        _ => return Ok(()),
    };
    Err(AppendError::Invalid { field, rule })
}

fn refusal(error: VaultError) -> AppendError {
    match error {
        VaultError::Erased => AppendError::SubjectErased,
        VaultError::UnknownSubject(_) => AppendError::Invalid { field: "subject_id", rule: "is known to the vault" },
        error => AppendError::Unavailable(Box::new(error)),
    }
}

impl ClaimChange {
    /// The value it is about.
    pub fn claim(&self) -> &Claim {
        match self {
            ClaimChange::Take(claim) | ClaimChange::Release(claim) => claim,
        }
    }
}
