//! The time that objects of the sandbox live in: that of their test clock, or everybody's.

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    clock::Clock,
    log::Log,
    unit::load,
    vocab::{
        id::{OwnerId, TestClockId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::test_clock::TestClock;

/// The stream of a test clock.
pub fn stream(id: TestClockId) -> StreamId {
    StreamId::new(Category::TestClock, id)
}

/// Now: what the owner's test clock shows, if one is named, or the service's time.
pub async fn now(log: &Log, clock: &Clock, owner: OwnerId, test_clock: Option<TestClockId>) -> Result<Timestamp, Problem> {
    let Some(id) = test_clock else { return Ok(clock.now()) };
    let loaded = load::<TestClock>(log, stream(id)).await.map_err(|error| rejection::read(&error))?;
    match loaded.state.now() {
        Some(now) if loaded.owner_id == Some(owner) => Ok(now),
        _ => Err(Problem::of(Code::TestClockNotFound)),
    }
}
