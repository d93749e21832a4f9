//! Test clocks: the owner's list of them, and the time that each shows.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{Event, EventType},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct TestClocks;

/// A row of `test_clocks`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TestClock {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The owner's words for it.
    pub name: Option<String>,
    /// The time it shows.
    pub frozen_time: Timestamp,
    /// Whether it is no more.
    pub deleted: bool,
}

impl Row for TestClock {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for TestClocks {
    const NAME: &'static str = "test_clocks";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = TestClock;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::TestClockCreated(e) => Keys::row(e.test_clock_id),
            Event::TestClockAdvanced(e) => Keys::row(e.test_clock_id),
            Event::TestClockDeleted(e) => Keys::row(e.test_clock_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<TestClock>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::TestClockCreated(e) => rows.insert(
                event,
                TestClock { meta: event.meta(e.test_clock_id, None), name: e.name.clone(), frozen_time: e.frozen_time, deleted: false },
            ),
            Event::TestClockAdvanced(e) => rows.update(event, e.test_clock_id, |row| row.frozen_time = e.frozen_time),
            Event::TestClockDeleted(e) => rows.update(event, e.test_clock_id, |row| row.deleted = true),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
