//! Decides a batch: which appends win, and the rows they come to. Pure, so that every process decides alike.

use super::{
    AppendError, Appended, Expected, Head, IdempotencyRow, StoredAnswer,
    prepare::{Prepared, PreparedWrite},
    rows::Rows,
};
use crate::{
    claims::{Claim, ClaimChange},
    leaf::{Entry, NO_LEAF, leaf_hash},
    proof::Frontier,
    vocab::{
        bytes::Hash32,
        id::{EventId, OwnerId},
        stream::StreamId,
        time::Timestamp,
    },
};
use std::collections::{HashMap, HashSet};

/// The last event of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct StreamHead {
    pub version: u64,
    pub leaf: Hash32,
}

/// Whose key, which operation, which key.
pub(super) type AnswerKey = (OwnerId, String, String);

/// What the database says about everything the batch touches, as of one head.
#[derive(Default)]
pub(super) struct Known {
    /// Every stream of the batch; absent means that it has no event.
    pub streams: HashMap<StreamId, StreamHead>,
    /// Who holds the claims of the batch; absent means nobody.
    pub claims: HashMap<Claim, StreamId>,
    /// Answers to the batch's idempotency keys.
    pub answers: HashMap<AnswerKey, StoredAnswer>,
    /// Those event ids that were looked up and are in the log.
    pub events: HashMap<EventId, Place>,
}

/// Where an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub position: u64,
    pub recorded_at: Timestamp,
}

/// What becomes of one append.
pub(super) enum Verdict {
    /// It is in the log once the batch commits, or is there already.
    Stands(Appended),
    /// It lost. If its events turn out to be in the log, it is a repeat after all.
    Lost(AppendError),
}

/// What the batch comes to. Nothing holds before it commits.
pub(super) struct Plan<'a> {
    /// One for each append, in order.
    pub verdicts: Vec<Verdict>,
    /// The rows to write.
    pub rows: Rows<'a>,
    /// The head after it.
    pub next: Head,
    /// The last event of every stream it writes to.
    pub streams: HashMap<StreamId, StreamHead>,
}

impl Plan<'_> {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.events.is_empty() && self.rows.answers.is_empty()
    }
}

/// Decides `batch` in order. An append is checked for, in this order: a repeat, an answered idempotency key, the expected
/// versions, the claims. One that fails changes nothing for those after it.
pub(super) fn decide<'a>(batch: impl IntoIterator<Item = &'a Prepared>, known: &Known, head: &Head, now: Timestamp) -> Plan<'a> {
    let mut decider = Decider {
        known,
        recorded_at: now.max(head.recorded_at),
        frontier: head.frontier.clone(),
        rows: Rows::default(),
        streams: HashMap::new(),
        claims: HashMap::new(),
        answers: HashMap::new(),
        ids: HashSet::new(),
    };
    let verdicts = batch.into_iter().map(|append| decider.append(append)).collect();
    decider.claim_rows();
    let recorded_at = if decider.rows.events.is_empty() { head.recorded_at } else { decider.recorded_at };
    let next = Head { next_position: decider.frontier.size(), epoch: head.epoch + 1, recorded_at, frontier: decider.frontier };
    Plan { verdicts, rows: decider.rows, next, streams: decider.streams }
}

struct Decider<'a, 'k> {
    known: &'k Known,
    recorded_at: Timestamp,
    frontier: Frontier,
    rows: Rows<'a>,
    streams: HashMap<StreamId, StreamHead>,
    /// Claims that the batch has changed: who holds them now, since which position.
    claims: HashMap<&'a Claim, Option<(StreamId, u64)>>,
    answers: HashMap<(OwnerId, &'a str, &'a str), StoredAnswer>,
    ids: HashSet<EventId>,
}

/// What one append does to claims, while it is not yet sure that it wins.
type Staged<'a> = Vec<(&'a Claim, Option<(StreamId, u64)>)>;

impl<'a> Decider<'a, '_> {
    fn append(&mut self, append: &'a Prepared) -> Verdict {
        if let Some(verdict) = self.repeat(append) {
            return verdict;
        }
        let staged = match self.check(append) {
            Ok(staged) => staged,
            Err(error) => return Verdict::Lost(error),
        };
        let first = self.frontier.size();
        append.writes.iter().for_each(|write| self.write(append, write));
        self.claims.extend(staged);
        let last_position = self.frontier.size().saturating_sub(1);
        let first_position = if append.events == 0 { last_position } else { first };
        if let Some(row) = &append.idempotency {
            self.answer(row, last_position);
        }
        Verdict::Stands(Appended { first_position, last_position, recorded_at: self.recorded_at, repeated: false })
    }

    /// Whether the events are there already, in the log or earlier in this batch.
    fn repeat(&self, append: &Prepared) -> Option<Verdict> {
        let places: Vec<Place> = append.all_events().filter_map(|event| self.known.events.get(&event.event_id)).copied().collect();
        if append.events > 0 && places.len() == append.events {
            return repeated(&places).map(Verdict::Stands);
        }
        let twin = append.all_events().any(|event| self.ids.contains(&event.event_id));
        match (twin || !places.is_empty(), append.writes.first()) {
            (true, Some(write)) => Some(Verdict::Lost(self.conflict(write))),
            _ => None,
        }
    }

    fn check(&self, append: &'a Prepared) -> Result<Staged<'a>, AppendError> {
        if let Some(row) = &append.idempotency
            && let Some(answer) = self.stored_answer(row)
        {
            return Err(AppendError::Answered(Box::new(answer)));
        }
        let mut written: HashMap<StreamId, u64> = HashMap::new();
        for write in &append.writes {
            let length = written.entry(write.stream).or_insert_with(|| self.length(write.stream));
            let actual = length.checked_sub(1);
            if !holds(write.expected, actual) {
                return Err(AppendError::Conflict { stream: write.stream, expected: write.expected, actual });
            }
            *length += write.events.len() as u64;
        }
        self.check_claims(append)
    }

    fn check_claims(&self, append: &'a Prepared) -> Result<Staged<'a>, AppendError> {
        let mut staged: Staged<'a> = Vec::new();
        let mut position = self.frontier.size();
        for write in &append.writes {
            for event in &write.events {
                for change in &event.claims {
                    let claim = change.claim();
                    let own = staged.iter().rev().find(|(other, _)| *other == claim).map(|(_, holder)| holder.map(|(stream, _)| stream));
                    let holder = own.unwrap_or_else(|| self.holder(claim));
                    match (change, holder) {
                        (ClaimChange::Take(_), None) => staged.push((claim, Some((write.stream, position)))),
                        (ClaimChange::Take(_), Some(holder)) if holder == write.stream => {}
                        (ClaimChange::Take(_), Some(holder)) => {
                            return Err(AppendError::ClaimTaken { claim: claim.clone(), holder });
                        }
                        // Only the holder can give it back.
                        (ClaimChange::Release(_), Some(holder)) if holder == write.stream => staged.push((claim, None)),
                        (ClaimChange::Release(_), _) => {}
                    }
                }
                position += 1;
            }
        }
        Ok(staged)
    }

    fn write(&mut self, append: &'a Prepared, write: &'a PreparedWrite) {
        let mut head = self.stream_head(write.stream);
        for event in &write.events {
            let version = head.map_or(0, |head| head.version + 1);
            let prev_leaf = head.map_or(NO_LEAF, |head| head.leaf);
            let entry = Entry {
                stream: write.stream,
                version,
                prev_leaf,
                event_id: event.event_id,
                event_type: event.event_type,
                schema_version: event.event_type.schema_version(),
                recorded_at: self.recorded_at,
                owner_id: append.owner_id,
                livemode: append.livemode,
                correlation_id: append.correlation_id,
                causation_id: event.causation_id,
                subject_id: event.subject_id,
                actor: &append.actor,
                request_id: append.request_id.as_deref().unwrap_or_default(),
                payload_hash: event.payload_hash,
                sealed_hash: event.sealed_hash,
            };
            let leaf = leaf_hash(&entry.encode().expect("preparing an append bounds every text of it"));
            self.rows.push_event(self.frontier.size(), append, event, &entry, leaf);
            self.frontier.push(leaf);
            self.ids.insert(event.event_id);
            head = Some(StreamHead { version, leaf });
        }
        if let (Some(head), false) = (head, write.events.is_empty()) {
            self.streams.insert(write.stream, head);
        }
    }

    fn answer(&mut self, row: &'a IdempotencyRow, position: u64) {
        let answer = StoredAnswer { request_hash: row.request_hash, status: row.status, body: row.body.clone(), position };
        self.answers.insert((row.owner_id, &row.operation, &row.key), answer);
        self.rows.push_answer(row, position, self.recorded_at);
    }

    /// Claims that end up with another holder than they had.
    fn claim_rows(&mut self) {
        for (claim, holder) in &self.claims {
            match (self.known.claims.get(*claim), holder) {
                (None, Some((stream, position))) => self.rows.taken.push(claim, *stream, *position),
                (Some(before), Some((stream, position))) if before != stream => self.rows.moved.push(claim, *stream, *position),
                (Some(_), None) => self.rows.released.push_key(claim),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }

    fn stream_head(&self, stream: StreamId) -> Option<StreamHead> {
        self.streams.get(&stream).or_else(|| self.known.streams.get(&stream)).copied()
    }
    fn length(&self, stream: StreamId) -> u64 {
        self.stream_head(stream).map_or(0, |head| head.version + 1)
    }
    fn holder(&self, claim: &Claim) -> Option<StreamId> {
        match self.claims.get(claim) {
            Some(holder) => holder.map(|(stream, _)| stream),
            None => self.known.claims.get(claim).copied(),
        }
    }
    fn stored_answer(&self, row: &IdempotencyRow) -> Option<StoredAnswer> {
        let earlier = self.answers.get(&(row.owner_id, row.operation.as_str(), row.key.as_str()));
        earlier.or_else(|| self.known.answers.get(&(row.owner_id, row.operation.clone(), row.key.clone()))).cloned()
    }
    fn conflict(&self, write: &PreparedWrite) -> AppendError {
        let actual = self.length(write.stream).checked_sub(1);
        AppendError::Conflict { stream: write.stream, expected: write.expected, actual }
    }
}

/// The answer to an append whose events are all at `places`.
pub(super) fn repeated(places: &[Place]) -> Option<Appended> {
    let first = places.iter().map(|place| place.position).min()?;
    let last = places.iter().max_by_key(|place| place.position)?;
    Some(Appended { first_position: first, last_position: last.position, recorded_at: last.recorded_at, repeated: true })
}

fn holds(expected: Expected, actual: Option<u64>) -> bool {
    match expected {
        Expected::Any => true,
        Expected::NoStream => actual.is_none(),
        Expected::Exists => actual.is_some(),
        Expected::Version(version) => actual == Some(version),
    }
}
