//! Reads of the log (RT-116): that someone read is itself in the log, once an hour and reader.

use events::{
    decider::Decider,
    vocab::{
        event::{Event, LogRead},
        stream::{Category, Fact, StreamId},
        time::Timestamp,
    },
};
use std::convert::Infallible;
use uuid::Uuid;

/// A reader's hour.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Audit {
    /// Nothing was read.
    #[default]
    Absent,
    /// Something was.
    Read(LogRead),
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Keep that `reader` read. It never refuses.
    RecordRead {
        /// Who, by an opaque id.
        reader: String,
        /// When.
        now: Timestamp,
    },
}

impl Decider for Audit {
    type State = Self;
    type Command = Command;
    type Rejection = Infallible;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Infallible> {
        match (state, command) {
            (Audit::Absent, Command::RecordRead { reader, now }) => Ok(vec![LogRead { reader, hour: hour(now) }.into()]),
            (Audit::Read(_), Command::RecordRead { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Audit::Absent, Event::LogRead(read)) => Audit::Read(read.clone()),
            (state, _) => state,
        }
    }
}

/// The stream of a reader's hour: derived, so that every read of the hour finds the same one.
pub fn stream(reader: &str, now: Timestamp) -> StreamId {
    let name = format!("{}/{reader}", hour(now).seconds());
    StreamId::new(Category::Audit, Uuid::new_v5(&Uuid::nil(), name.as_bytes()))
}

/// The start of the hour that `at` is in.
fn hour(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.seconds().div_euclid(3_600) * 3_600_000_000)
}
