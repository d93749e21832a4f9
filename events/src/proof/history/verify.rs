//! Checking a history with the log's key and nothing else.

use super::{FORMAT, History, ProvenEvent, Statement, StreamEnd, StreamHistory};
use crate::{
    codec,
    leaf::{Entry, NO_LEAF, leaf_hash},
    proof::{Checkpoint, NoteError, NoteKey, verify_inclusion},
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{EventId, OwnerId, PaymentId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What does not hold of a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HistoryRule {
    /// It is not in the form of one.
    Form,
    /// The checkpoint is not signed by the log.
    Checkpoint,
    /// An entry cannot be read, or is of another stream.
    Entry,
    /// The payload is not the one that the entry binds, or does not decode.
    Payload,
    /// A stream skips or repeats a version.
    Version,
    /// An event does not bind the leaf of the one before it.
    PreviousLeaf,
    /// The leaf is not in the checkpoint's tree.
    Inclusion,
    /// The statement is not signed by the log, or says something else than the events.
    Statement,
}

/// Where and why a history does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct HistoryBreak {
    /// What kind.
    pub rule: HistoryRule,
    /// The event at fault, by position.
    pub position: Option<u64>,
    /// What was found.
    pub detail: String,
}

/// An event that was found to be what and where the history says.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedEvent {
    /// Its place in the log.
    pub position: u64,
    /// Its stream.
    pub stream: StreamId,
    /// Its place there.
    pub version: u64,
    /// Its id.
    pub event_id: EventId,
    /// When the log accepted it.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: String,
    /// What happened, without personal data.
    pub event: Event,
    /// Its workspace.
    pub owner_id: Option<OwnerId>,
    /// The business transaction it belongs to.
    pub correlation_id: Uuid,
    /// Its leaf.
    pub leaf: Hash32,
}

/// A history that holds.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedHistory {
    /// Whose it is.
    pub payment_id: PaymentId,
    /// Its workspace.
    pub owner_id: OwnerId,
    /// Its business transactions.
    pub correlation_ids: Vec<Uuid>,
    /// The checkpoint that it goes up to.
    pub checkpoint: Checkpoint,
    /// Where each stream ends.
    pub streams: Vec<StreamEnd>,
    /// Every event, in the order of positions.
    pub events: Vec<VerifiedEvent>,
    /// Whether the log has signed that nothing is left out at the end.
    pub stated: bool,
}

fn broken(rule: HistoryRule, position: Option<u64>, detail: impl Into<String>) -> HistoryBreak {
    HistoryBreak { rule, position, detail: detail.into() }
}

/// Checks everything that `history` says, with the log's key.
pub fn verify(history: &History, key: &NoteKey) -> Result<VerifiedHistory, HistoryBreak> {
    if history.format != FORMAT {
        return Err(broken(HistoryRule::Form, None, format!("the format is not {FORMAT}")));
    }
    let checkpoint =
        Checkpoint::open(&history.checkpoint, key).map_err(|error| broken(HistoryRule::Checkpoint, None, error.to_string()))?;
    let (mut events, mut streams) = (Vec::new(), Vec::new());
    for stream in &history.streams {
        let (end, proven) = of_stream(stream, &checkpoint)?;
        streams.push(end);
        events.extend(proven);
    }
    if !streams.windows(2).all(|pair| pair[0].stream < pair[1].stream) {
        return Err(broken(HistoryRule::Form, None, "streams are not in order, or one is there twice"));
    }
    let own = StreamId::new(Category::Payment, history.payment_id);
    let correlations: BTreeSet<Uuid> = events.iter().filter(|event| event.stream == own).map(|event| event.correlation_id).collect();
    let owner = events.iter().find(|event| event.stream == own).and_then(|first| first.owner_id);
    let owner_id = owner.ok_or_else(|| broken(HistoryRule::Form, None, format!("the payment's own stream {own} is not in it")))?;
    events.sort_by_key(|event| event.position);
    let mut verified = VerifiedHistory {
        payment_id: history.payment_id,
        owner_id,
        correlation_ids: correlations.into_iter().collect(),
        checkpoint,
        streams,
        events,
        stated: false,
    };
    if let Some(note) = &history.statement {
        stated(&verified, note, key)?;
        verified.stated = true;
    }
    Ok(verified)
}

fn stated(verified: &VerifiedHistory, note: &str, key: &NoteKey) -> Result<(), HistoryBreak> {
    let statement = Statement {
        checkpoint: verified.checkpoint.clone(),
        payment_id: verified.payment_id,
        owner_id: verified.owner_id,
        correlation_ids: verified.correlation_ids.clone(),
        streams: verified.streams.clone(),
    };
    let unsigned = |error: NoteError| broken(HistoryRule::Statement, None, format!("the statement of completeness: {error}"));
    match statement.is_in(note, key).map_err(unsigned)? {
        true => Ok(()),
        false => Err(broken(HistoryRule::Statement, None, "the log has stated other streams, or another end of one, than are here")),
    }
}

fn of_stream(stream: &StreamHistory, checkpoint: &Checkpoint) -> Result<(StreamEnd, Vec<VerifiedEvent>), HistoryBreak> {
    let name: StreamId = stream.stream.parse().map_err(|_| broken(HistoryRule::Form, None, format!("{} is no stream", stream.stream)))?;
    let (mut previous, mut proven): (Hash32, Vec<VerifiedEvent>) = (NO_LEAF, Vec::new());
    for (version, event) in stream.events.iter().enumerate() {
        let at = |rule, detail: &str| broken(rule, Some(event.position), format!("{name}, version {version}: {detail}"));
        let verified = of_event(event, checkpoint).map_err(|(rule, detail)| at(rule, &detail))?;
        let (found, prev_leaf) = verified;
        if found.stream != name {
            return Err(at(HistoryRule::Entry, "the entry is of another stream"));
        }
        if found.version != version as u64 {
            return Err(at(HistoryRule::Version, &format!("the entry says version {}", found.version)));
        }
        if prev_leaf != previous {
            return Err(at(HistoryRule::PreviousLeaf, "it binds another leaf than that of the event before it"));
        }
        if proven.last().is_some_and(|before| before.position >= found.position) {
            return Err(at(HistoryRule::Version, "it is not recorded after the event before it"));
        }
        previous = found.leaf;
        proven.push(found);
    }
    match proven.is_empty() {
        true => Err(broken(HistoryRule::Form, None, format!("{name} has no events"))),
        false => Ok((StreamEnd { stream: name, events: proven.len() as u64, last_leaf: previous }, proven)),
    }
}

/// The event, and the leaf that it says came before it.
fn of_event(event: &ProvenEvent, checkpoint: &Checkpoint) -> Result<(VerifiedEvent, Hash32), (HistoryRule, String)> {
    let fault = |rule, detail: &str| (rule, detail.to_owned());
    let bytes = hex::decode(&event.entry).map_err(|_| fault(HistoryRule::Form, "the entry is not hexadecimal"))?;
    let payload = hex::decode(&event.payload).map_err(|_| fault(HistoryRule::Form, "the payload is not hexadecimal"))?;
    let hash = |text: &String| STANDARD.decode(text).ok().and_then(|bytes| Hash32::try_from(bytes.as_slice()).ok());
    let path: Option<Vec<Hash32>> = event.inclusion.iter().map(hash).collect();
    let path = path.ok_or_else(|| fault(HistoryRule::Form, "a hash of the inclusion proof is not 32 bytes in base64"))?;
    let leaf = leaf_hash(&bytes);
    verify_inclusion(&leaf, event.position, checkpoint.size, &path, &checkpoint.root)
        .map_err(|error| fault(HistoryRule::Inclusion, &error.to_string()))?;
    let entry = Entry::decode(&bytes).map_err(|error| fault(HistoryRule::Entry, &error.to_string()))?;
    if entry.payload_hash != Hash32::of(&payload) {
        return Err(fault(HistoryRule::Payload, "the payload is not the one that the entry binds"));
    }
    let decoded =
        codec::decode(entry.event_type, entry.schema_version, &payload).map_err(|error| fault(HistoryRule::Payload, &error.to_string()))?;
    let verified = VerifiedEvent {
        position: event.position,
        stream: entry.stream,
        version: entry.version,
        event_id: entry.event_id,
        recorded_at: entry.recorded_at,
        actor: entry.actor.to_owned(),
        event: decoded,
        owner_id: entry.owner_id,
        correlation_id: entry.correlation_id,
        leaf,
    };
    Ok((verified, entry.prev_leaf))
}
