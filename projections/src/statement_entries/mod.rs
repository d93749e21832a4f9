//! What became of each transaction of a statement.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{Event, EventType, StatementEntry, StatementItem, StatementLeg},
    id::StatementId,
    money::SignedTotal,
    time::Timestamp,
    words::EntryStatus,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct StatementEntries;

/// A row of `statement_entries`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Id, mode, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The statement.
    pub statement_id: StatementId,
    /// Its number in it, from 1.
    pub number: u32,
    /// What both sides call it.
    pub reference: String,
    /// What became of it.
    pub status: EntryStatus,
    /// When it happened.
    pub at: Timestamp,
    /// What the statement says, in the minor unit; `None` where it says nothing.
    pub statement_amount: Option<SignedTotal>,
    /// What the log says; `None` where it says nothing.
    pub ledger_amount: Option<SignedTotal>,
    /// Lines of the statement.
    pub items: Vec<StatementItem>,
    /// What the log has.
    pub legs: Vec<StatementLeg>,
}

impl Row for Entry {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for StatementEntries {
    const NAME: &'static str = "statement_entries";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Entry;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::StatementEntriesRecorded(e) => {
                let ids = e.entries.iter().map(|entry| e.statement_id.entry(&entry.reference).0);
                Keys { ids: ids.collect(), subjects: Vec::new() }
            }
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Entry>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::StatementEntriesRecorded(e) => {
                let numbered = (e.first..).zip(&e.entries);
                numbered.into_iter().try_for_each(|(number, entry)| rows.insert(event, row(event, e.statement_id, number, entry)?))
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

fn row(event: &Applied<'_>, statement_id: StatementId, number: u32, entry: &StatementEntry) -> Result<Entry, Poison> {
    let statement = entry.items.iter().try_fold(SignedTotal(0), |sum, item| sum.checked_add(item.amount.units()));
    let ledger = entry.legs.iter().try_fold(SignedTotal(0), |sum, leg| sum.checked_add(i64::try_from(leg.amount.units()).ok()?));
    let (statement, ledger) = statement.zip(ledger).ok_or(Poison::Rule("a sum of a statement's entry is beyond 64 bits"))?;
    Ok(Entry {
        meta: event.meta(statement_id.entry(&entry.reference), None),
        statement_id,
        number,
        reference: entry.reference.clone(),
        status: entry.status,
        at: entry.at,
        statement_amount: (!entry.items.is_empty()).then_some(statement),
        ledger_amount: (!entry.legs.is_empty()).then_some(ledger),
        items: entry.items.clone(),
        legs: entry.legs.clone(),
    })
}
