//! The journal: double entry folded from the log. What each settled payment and each fee that is owed moves between buyer,
//! merchant, fee and receivable, in minor units, with debits equal to credits in every entry (MON-1, MON-3, MON-16).
//!
//! A payment's row begins when it is asked for, since only that event names its asset; it moves nothing before it settles. Renewals
//! are payments like others. Credits for receipts are counted and never priced, and a receipt made by hand is about money that Hilt
//! did not see: neither is in it.

mod balance;
mod entry;
mod queries;
#[cfg(test)]
mod tests;

pub use balance::{SumOutOfRange, TrialBalance};
pub use entry::{Entry, Posting, Postings, Unbalanced};
pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::SolanaAddress,
    event::{Event, EventType},
    id::PaymentId,
    words::FeeSource,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Journal;

/// A row of `journal`: one payment's entries.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentJournal {
    /// Id, which is the payment's, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What is paid with.
    pub asset_symbol: String,
    /// Decimals of its minor unit.
    pub asset_decimals: u8,
    /// Its mint, base58.
    pub asset_mint: SolanaAddress,
    /// Who sends the fee.
    pub fee_source: FeeSource,
    /// One entry for each event that moved money, in order.
    pub entries: Vec<Entry>,
}

impl Row for PaymentJournal {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Journal {
    const NAME: &'static str = "journal";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = PaymentJournal;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::PaymentCreated(e) => Keys::row(e.payment_id),
            Event::SettlementEvidenced(e) => Keys::row(e.payment_id),
            Event::FeeDue(e) => Keys::row(e.payment_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<PaymentJournal>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::PaymentCreated(e) => rows.insert(
                event,
                PaymentJournal {
                    meta: event.meta(e.payment_id, None),
                    asset_symbol: e.asset.symbol.clone(),
                    asset_decimals: e.asset.decimals,
                    asset_mint: e.asset.mint,
                    fee_source: e.fee_source,
                    entries: Vec::new(),
                },
            ),
            Event::SettlementEvidenced(e) => {
                let fee_source = rows.get(e.payment_id).ok_or(Poison::Missing(event.event.event_type().as_str()))?.fee_source;
                post(rows, event, e.payment_id, Postings::of_settlement(e, fee_source)?)
            }
            Event::FeeDue(e) => {
                let of = rows.get(e.payment_id).ok_or(Poison::Missing(event.event.event_type().as_str()))?;
                if of.asset_mint != e.asset.mint {
                    return Err(Poison::Rule("a fee is owed in the payment's own asset"));
                }
                post(rows, event, e.payment_id, Postings::of_fee_due(e)?)
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

/// Enters the postings once: a payment settles once, and owes its fee once.
fn post(rows: &mut Rows<PaymentJournal>, event: &Applied<'_>, payment: PaymentId, postings: Postings) -> Result<(), Poison> {
    let name = event.event.event_type().as_str();
    if rows.get(payment).is_some_and(|row| row.entries.iter().any(|entry| entry.event == name)) {
        return Err(Poison::Rule("a payment settles once and owes its fee once"));
    }
    let entry =
        Entry { event_id: event.event_id(), event: name.to_owned(), position: event.recorded.position, at: event.recorded_at(), postings };
    rows.update(event, payment, |row| row.entries.push(entry))
}
