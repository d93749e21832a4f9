//! Statements of what stands outside (a wallet on a chain, Hilt's account at Stripe), held against the log: what both sides have, what
//! one of them lacks, and what that comes to.
//!
//! Three steps, all of them pure. [`Scope::read`] reads a file whole or refuses it with the line and the column; [`reconcile`] groups both
//! sides by transaction and sums them; the decider puts the outcome on record, once for a file. Whoever holds the file and a copy of the
//! log can take the first two again and must come to the third.

mod csv;
mod matching;
mod own;
mod record;
mod scope;
mod solana;
mod stripe;
mod value;

pub use matching::{Leg, OutOfRange, Reconciled, reconcile};
pub use record::{Mismatch, OnRecord};
pub use scope::{Item, Scope, ScopeInvalid, Unreadable, asset};

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{Event, StatementEntriesRecorded, StatementEntry, StatementImported},
        id::StatementId,
        stream::{Category, Fact, StreamId},
        words::StatementFormat,
    },
};

/// Most lines of a statement, and most entries that come of them: one append holds them all.
pub const MOST_ENTRIES: usize = 10_000;
/// Lines and legs that one `statement.entries_recorded` holds, if there is more than one entry in it: far below what a message of
/// JetStream may weigh.
const CHUNK: usize = 500;
/// Lines and legs of one entry at most.
const MOST_OF_ONE: usize = 1_000;

/// A statement.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Statement {
    /// Not on record.
    #[default]
    Absent,
    /// On record, for good.
    Imported(Box<StatementImported>),
}

/// What is asked of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Hold it against the log, and put on record what comes of it.
    Import(Box<Import>),
}

/// See [`Command::Import`].
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    /// What it is of.
    pub scope: Scope,
    /// How the file is written.
    pub format: StatementFormat,
    /// SHA-256 of the file as it was received.
    pub digest: Hash32,
    /// Its length.
    pub bytes: u64,
    /// What it says: [`Scope::read`].
    pub items: Vec<Item>,
    /// What the log says of the account, in the statement's asset and mode, at `through_position`: all of it in the period, and all that
    /// the items name.
    pub legs: Vec<Leg>,
    /// Position of the last event that is in `legs`.
    pub through_position: u64,
    /// Who brought it.
    pub by: String,
}

rejections! {
    /// Why it is refused.
    pub enum Rejection {
        /// The file is on record with another period or format.
        ImportedOtherwise = "statement_imported_otherwise",
            "the same file is on record for this account and asset, with another period or format";
        /// There is too much in it.
        TooLarge = "statement_too_large",
            "a statement has at most 10000 lines and transactions, and 1000 lines of one transaction: bring a shorter period";
        /// A sum is beyond 64 bits.
        OutOfRange = "sum_out_of_range", "a sum of the statement is beyond 64 bits";
    }
}

impl Import {
    /// Which statement the file is.
    pub fn id(&self) -> StatementId {
        self.scope.statement(&self.digest)
    }

    fn is(&self, known: &StatementImported) -> bool {
        let Scope { source, account, asset, period_start, period_end, .. } = &self.scope;
        (source, account, asset) == (&known.source, &known.account, &known.asset)
            && (*period_start, *period_end, self.format, self.digest) == (known.period_start, known.period_end, known.format, known.digest)
    }
}

impl Decider for Statement {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Import(import) = command;
        match state {
            Statement::Absent => facts(*import),
            Statement::Imported(known) if import.is(known) => Ok(vec![]),
            Statement::Imported(_) => Err(Rejection::ImportedOtherwise),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Statement::Absent, Event::StatementImported(imported)) => Statement::Imported(Box::new(imported.clone())),
            (state, _) => state,
        }
    }
}

/// The stream of a statement.
pub fn stream(id: StatementId) -> StreamId {
    StreamId::new(Category::Statement, id)
}

fn facts(import: Import) -> Result<Vec<Fact>, Rejection> {
    let statement_id = import.id();
    let Import { scope, format, digest, bytes, items, legs, through_position, by } = import;
    if items.len() > MOST_ENTRIES {
        return Err(Rejection::TooLarge);
    }
    let lines = u32::try_from(items.len()).map_err(|_| Rejection::TooLarge)?;
    let Reconciled { entries, sums } = reconcile(&scope, items, legs).map_err(|OutOfRange| Rejection::OutOfRange)?;
    let too_large = |entry: &StatementEntry| entry.items.len() + entry.legs.len() > MOST_OF_ONE;
    if entries.len() > MOST_ENTRIES || entries.iter().any(too_large) {
        return Err(Rejection::TooLarge);
    }
    let chunks = chunks(entries);
    let count = u32::try_from(chunks.len()).map_err(|_| Rejection::TooLarge)?;
    let Scope { source, account, asset, period_start, period_end, .. } = scope;
    let imported = StatementImported {
        statement_id,
        source,
        account,
        asset,
        period_start,
        period_end,
        format,
        digest,
        bytes,
        items: lines,
        through_position,
        sums,
        chunks: count,
        by,
    };
    let mut first = 1;
    let recorded = (1..).zip(chunks).map(|(chunk, entries)| {
        let part = StatementEntriesRecorded { statement_id, chunk, first, entries };
        // At most `MOST_ENTRIES` in all.
        first += u32::try_from(part.entries.len()).unwrap_or(0);
        part.into()
    });
    Ok(std::iter::once(imported.into()).chain(recorded).collect())
}

fn chunks(entries: Vec<StatementEntry>) -> Vec<Vec<StatementEntry>> {
    let mut chunks: Vec<Vec<StatementEntry>> = Vec::new();
    let mut room = 0;
    for entry in entries {
        let weight = entry.items.len() + entry.legs.len();
        match chunks.last_mut().filter(|_| weight <= room) {
            Some(chunk) => {
                room -= weight;
                chunk.push(entry);
            }
            None => {
                room = CHUNK.saturating_sub(weight);
                chunks.push(vec![entry]);
            }
        }
    }
    chunks
}
