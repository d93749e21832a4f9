//! Credits of owners: what a plan granted for a month, and what receipts made by hand burned.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::event::{Event, EventType};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Credits;

/// A row of `credits`: an owner's newest month with any record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OwnerCredits {
    /// Id, which is the owner's, and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The calendar month in UTC, `YYYY-MM`.
    pub period: String,
    /// The plan that granted them.
    pub plan: String,
    /// Granted for that month.
    pub granted: u32,
    /// Burned in it.
    pub burned: u32,
    /// Burned since the beginning.
    pub burned_in_all: u64,
}

impl Row for OwnerCredits {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Credits {
    const NAME: &'static str = "credits";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = OwnerCredits;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::CreditsGranted(e) => Keys::row(e.owner_id),
            Event::CreditsBurned(e) => Keys::row(e.owner_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<OwnerCredits>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::CreditsGranted(e) => {
                let known = rows.update_if_present(event, e.owner_id, |row| {
                    row.burned = if row.period == e.period { row.burned } else { 0 };
                    (row.period, row.plan, row.granted) = (e.period.clone(), e.plan.clone(), e.credits);
                });
                if known {
                    return Ok(());
                }
                let first = OwnerCredits {
                    meta: event.meta(e.owner_id, None),
                    period: e.period.clone(),
                    plan: e.plan.clone(),
                    granted: e.credits,
                    burned: 0,
                    burned_in_all: 0,
                };
                rows.insert(event, first)
            }
            Event::CreditsBurned(e) => rows.update(event, e.owner_id, |row| {
                row.burned = row.burned.saturating_add(e.credits);
                row.burned_in_all = row.burned_in_all.saturating_add(u64::from(e.credits));
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
