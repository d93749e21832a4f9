//! What a projection is: one table, one pure fold.

use super::rows::Rows;
use events::{
    codec::CodecError,
    vocab::{
        event::{Event, EventType},
        id::{EventId, OwnerId, SubjectId},
        personal::Personal,
        stream::Recorded,
        time::Timestamp,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A read model: one table keyed by `id`, folded from the log by the same code live and in a rebuild. Rows are a function of the
/// log and of nothing else: no clock, no randomness, no other table.
pub trait Projection: Send + Sync + 'static {
    /// Its name, which is its table's name.
    const NAME: &'static str;
    /// Raised whenever the fold or the table changes; a new version is built beside the old one and swapped in.
    const VERSION: i32;
    /// Whether the fold reads personal data, which costs opening it.
    const PERSONAL: bool;
    /// The parts of a row that personal data makes: a column, or `column[].field` of every element of a list. Without them a row is
    /// what the payloads alone determine, whoever is erased; a test holds the two folds together.
    const PERSONAL_FIELDS: &'static [&'static str] = &[];
    /// Whether events without keys begin rows of their own, under ids that nothing else has: there is nothing to look up for them.
    const APPENDS: bool = false;
    /// DDL of its table, names unqualified.
    const SCHEMA: &'static str;
    /// Rows as jsonb text whose id is in `$1` or one of whose subjects is in `$2`.
    const LOAD: &'static str;
    /// Writes the rows of the JSON array `$1`.
    const SAVE: &'static str;
    /// `(id, row as jsonb text)` of up to `$2` rows after id `$1`, in id order.
    const SCAN: &'static str;
    /// One row. As JSON it has exactly the table's columns.
    type Row: Row;

    /// Whether events of this type matter to it. Exhaustive, so that a new event breaks the build here; events that do not matter
    /// are not even decoded, and so cannot stop it.
    fn handles(event_type: EventType) -> bool;
    /// The rows that an event touches.
    fn keys(event: &Event) -> Keys;
    /// Changes the rows.
    fn apply(rows: &mut Rows<Self::Row>, event: &Applied<'_>) -> Result<(), Poison>;
}

/// A row of a projection.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The columns that every table has.
    fn meta(&self) -> &Meta;
    /// The same, to change.
    fn meta_mut(&mut self) -> &mut Meta;
    /// Whose personal data it may hold.
    fn subjects(&self) -> Vec<SubjectId> {
        self.meta().subject_id.into_iter().collect()
    }
}

/// The columns that every table has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The row's id.
    pub id: Uuid,
    /// The workspace; `None` for what belongs to the platform.
    pub owner_id: Option<OwnerId>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// Whose personal data it holds.
    pub subject_id: Option<SubjectId>,
    /// When its first event was recorded.
    pub created_at: Timestamp,
    /// When the last event that touched it was.
    pub updated_at: Timestamp,
    /// Position of that last event.
    pub position: u64,
}

/// Which rows an event touches.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys {
    /// By id.
    pub ids: Vec<Uuid>,
    /// All that hold data of these persons.
    pub subjects: Vec<Uuid>,
}

impl Keys {
    /// None.
    pub fn none() -> Self {
        Keys::default()
    }
    /// The row of that id.
    pub fn row(id: impl Into<Uuid>) -> Self {
        Keys { ids: vec![id.into()], subjects: Vec::new() }
    }
    /// The row of that id, if there is one.
    pub fn maybe(id: Option<impl Into<Uuid>>) -> Self {
        Keys { ids: id.into_iter().map(Into::into).collect(), subjects: Vec::new() }
    }
    /// The rows of that person.
    pub fn subject(id: SubjectId) -> Self {
        Keys { ids: Vec::new(), subjects: vec![id.0] }
    }
}

/// An event as a fold sees it.
#[derive(Clone, Copy)]
pub struct Applied<'a> {
    /// Envelope and position.
    pub recorded: &'a Recorded,
    /// The payload.
    pub event: &'a Event,
    /// The personal data sealed beside it; `None` if there is none or the person is erased.
    pub personal: Option<&'a Personal>,
}

impl Applied<'_> {
    /// The common columns of a row that begins with this event.
    pub fn meta(&self, id: impl Into<Uuid>, subject_id: Option<SubjectId>) -> Meta {
        let envelope = &self.recorded.envelope;
        Meta {
            id: id.into(),
            owner_id: envelope.owner_id,
            livemode: envelope.livemode,
            subject_id,
            created_at: envelope.recorded_at,
            updated_at: envelope.recorded_at,
            position: self.recorded.position,
        }
    }
    /// The event's id.
    pub fn event_id(&self) -> EventId {
        self.recorded.envelope.event_id
    }
    /// When the log accepted it.
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded.envelope.recorded_at
    }
    /// One field of the personal data.
    pub fn personal<T: Clone>(&self, field: impl FnOnce(&Personal) -> &Option<T>) -> Option<T> {
        self.personal.and_then(|personal| field(personal).clone())
    }
}

/// Why an event cannot be folded. It stops its projection and no other; the text shows no content.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Poison {
    /// The payload does not decode.
    #[error(transparent)]
    Undecodable(#[from] CodecError),
    /// The event changes a row that no event has made.
    #[error("{0} changes a row that does not exist")]
    Missing(&'static str),
    /// The event makes a row that exists.
    #[error("{0} makes a row that exists")]
    Exists(&'static str),
    /// The projection asked for the event and does not fold it.
    #[error("{0} is asked for and not folded")]
    Unhandled(&'static str),
    /// A value that the table cannot hold.
    #[error("{0}")]
    Rule(&'static str),
}
