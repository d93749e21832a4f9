//! Statements that were held against the log: one row a file.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::{Hash32, SolanaAddress},
    event::{Event, EventType, ReconciledSums},
    time::Timestamp,
    words::{StatementFormat, StatementSource},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Statements;

/// A row of `statements`; its id is the statement's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// Id, mode, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Where the account is.
    pub source: StatementSource,
    /// The account.
    pub account: String,
    /// What its amounts are of.
    pub asset_code: String,
    /// Decimals of the minor unit.
    pub asset_decimals: u8,
    /// The mint.
    pub asset_mint: Option<SolanaAddress>,
    /// The first moment it covers.
    pub period_start: Timestamp,
    /// The first moment it does not cover any more.
    pub period_end: Timestamp,
    /// How the file is written.
    pub format: StatementFormat,
    /// SHA-256 of the file.
    pub digest: Hash32,
    /// Its length.
    pub bytes: u64,
    /// Lines of it.
    pub items: u32,
    /// Position of the last event of the log that was taken into account.
    pub through_position: u64,
    /// What both sides come to.
    pub sums: ReconciledSums,
    /// Events that hold its entries.
    pub chunks: u32,
    /// Who brought it.
    pub imported_by: String,
}

impl Row for Statement {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Statements {
    const NAME: &'static str = "statements";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Statement;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::StatementImported(e) => Keys::row(e.statement_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Statement>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::StatementImported(e) => rows.insert(
                event,
                Statement {
                    meta: event.meta(e.statement_id, None),
                    source: e.source,
                    account: e.account.clone(),
                    asset_code: e.asset.code.clone(),
                    asset_decimals: e.asset.decimals,
                    asset_mint: e.asset.mint,
                    period_start: e.period_start,
                    period_end: e.period_end,
                    format: e.format,
                    digest: e.digest,
                    bytes: e.bytes,
                    items: e.items,
                    through_position: e.through_position,
                    sums: e.sums,
                    chunks: e.chunks,
                    imported_by: e.by.clone(),
                },
            ),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
