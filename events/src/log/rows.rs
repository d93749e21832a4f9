//! A batch as columns: the arrays that its one statement unnests.

use super::{
    IdempotencyRow,
    prepare::{Prepared, PreparedEvent},
};
use crate::{
    claims::Claim,
    leaf::Entry,
    vocab::{bytes::Hash32, stream::StreamId, time::Timestamp},
};
use uuid::Uuid;

/// Everything one batch writes.
#[derive(Default)]
pub(super) struct Rows<'a> {
    pub events: EventColumns<'a>,
    /// Claims that were free.
    pub taken: ClaimColumns,
    /// Claims that go from one stream to another.
    pub moved: ClaimColumns,
    /// Claims that become free.
    pub released: ClaimColumns,
    pub answers: AnswerColumns<'a>,
}

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? { $( $column:ident: $type:ty ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name $(<$life>)? { $( pub $column: Vec<$type> ),* }
    };
}

columns! {
    /// Columns of `log.events`, in the order of the statement.
    EventColumns<'a> {
        position: i64, version: i64, recorded_at: i64, stream_id: Uuid, event_id: Uuid, owner_id: Option<Uuid>, correlation_id: Uuid,
        causation_id: Option<Uuid>, subject_id: Option<Uuid>, schema_version: i16, livemode: bool, category: &'static str,
        event_type: &'static str, actor: &'a str, request_id: Option<&'a str>, prev_leaf: Vec<u8>, leaf: Vec<u8>, payload: &'a [u8],
        sealed: Option<&'a [u8]>,
    }
}
columns! {
    /// Columns of `log.claims`.
    ClaimColumns { scope: &'static str, key: String, category: &'static str, stream_id: Uuid, position: i64 }
}
columns! {
    /// Columns of `log.idempotency`.
    AnswerColumns<'a> {
        owner_id: Uuid, operation: &'a str, key: &'a str, request_hash: &'a [u8], status: i16, body: &'a [u8], position: i64, created_at: i64,
    }
}

impl EventColumns<'_> {
    pub fn is_empty(&self) -> bool {
        self.position.is_empty()
    }
}
impl AnswerColumns<'_> {
    pub fn is_empty(&self) -> bool {
        self.key.is_empty()
    }
}

impl ClaimColumns {
    pub fn push_key(&mut self, claim: &Claim) {
        self.scope.push(claim.scope.as_str());
        self.key.push(claim.key.clone());
    }
    pub fn push(&mut self, claim: &Claim, stream: StreamId, position: u64) {
        self.push_key(claim);
        self.category.push(stream.category.as_str());
        self.stream_id.push(stream.id);
        self.position.push(integer(position));
    }
}

impl<'a> Rows<'a> {
    pub fn push_event(&mut self, position: u64, append: &'a Prepared, event: &'a PreparedEvent, entry: &Entry<'_>, leaf: Hash32) {
        let columns = &mut self.events;
        columns.position.push(integer(position));
        columns.version.push(integer(entry.version));
        columns.recorded_at.push(entry.recorded_at.micros());
        columns.stream_id.push(entry.stream.id);
        columns.event_id.push(event.event_id.0);
        columns.owner_id.push(append.owner_id.map(|owner| owner.0));
        columns.correlation_id.push(append.correlation_id);
        columns.causation_id.push(event.causation_id.map(|cause| cause.0));
        columns.subject_id.push(event.subject_id.map(|subject| subject.0));
        columns.schema_version.push(i16::try_from(entry.schema_version).unwrap_or(i16::MAX));
        columns.livemode.push(append.livemode);
        columns.category.push(entry.stream.category.as_str());
        columns.event_type.push(event.event_type.as_str());
        columns.actor.push(&append.actor);
        columns.request_id.push(append.request_id.as_deref());
        columns.prev_leaf.push(entry.prev_leaf.0.to_vec());
        columns.leaf.push(leaf.0.to_vec());
        columns.payload.push(&event.payload);
        columns.sealed.push(event.sealed.as_deref());
    }

    pub fn push_answer(&mut self, row: &'a IdempotencyRow, position: u64, created_at: Timestamp) {
        let columns = &mut self.answers;
        columns.owner_id.push(row.owner_id.0);
        columns.operation.push(&row.operation);
        columns.key.push(&row.key);
        columns.request_hash.push(&row.request_hash);
        columns.status.push(i16::try_from(row.status).unwrap_or(i16::MAX));
        columns.body.push(&row.body);
        columns.position.push(integer(position));
        columns.created_at.push(created_at.micros());
    }
}

/// Positions and versions stay far below 2⁶³.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
