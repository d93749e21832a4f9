//! Test clocks: a time of its own for what is tried out in the sandbox. It stands still until it is advanced, and never goes back.

use crate::check::{filled, rejections};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, TestClockAdvanced, TestClockCreated, TestClockDeleted},
        id::TestClockId,
        stream::Fact,
        time::Timestamp,
    },
};

/// A test clock.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum TestClock {
    /// Not created.
    #[default]
    Absent,
    /// Shows a time.
    Frozen {
        /// The clock.
        created: TestClockCreated,
        /// The time it shows.
        frozen_time: Timestamp,
    },
    /// Is no more; what hangs on it stays in its last time for good.
    Deleted {
        /// The clock.
        created: TestClockCreated,
    },
}

impl TestClock {
    /// The time it shows, if it is there.
    pub fn now(&self) -> Option<Timestamp> {
        match self {
            TestClock::Frozen { frozen_time, .. } => Some(*frozen_time),
            TestClock::Absent | TestClock::Deleted { .. } => None,
        }
    }
}

/// What is asked of a test clock.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Make it.
    Create(Create),
    /// Let it show a later time.
    Advance {
        /// That time.
        frozen_time: Timestamp,
    },
    /// Do away with it.
    Delete,
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub test_clock_id: TestClockId,
    /// The owner's words for it.
    pub name: Option<String>,
    /// The time it shows first.
    pub frozen_time: Timestamp,
    /// The mode of its stream: never live.
    pub livemode: bool,
}

/// The first instant that a clock may show: 2000-01-01T00:00:00Z.
pub const EARLIEST: Timestamp = Timestamp::from_micros(946_684_800_000_000);
/// The last one: 2999-12-31T00:00:00Z, so that no window of a hundred years leaves the calendar.
pub const LATEST: Timestamp = Timestamp::from_micros(32_503_593_600_000_000);
/// The most characters of a name.
pub const LONGEST_NAME: usize = 200;

rejections! {
    /// Why a test clock command is refused.
    pub enum Rejection {
        /// There is no such clock, or no more.
        NotFound = "test_clock_not_found", "there is no such test clock";
        /// Live objects keep real time.
        LiveNotAllowed = "sandbox_key_required", "a test clock belongs to the sandbox";
        /// The name is too long.
        NameTooLong = "text_too_long", "name: at most 200 characters";
        /// No calendar time.
        OutOfRange = "test_clock_out_of_range", "frozen_time: a time from 2000-01-01 to 2999-12-31";
        /// Time does not go back.
        NotForward {
            /// What the clock shows.
            frozen_time: Timestamp,
        } = "test_clock_not_forward", "frozen_time: must be later than what the clock shows, {frozen_time}";
        /// The id is in use for another clock.
        AlreadyExists = "already_exists", "the test clock exists with other content";
    }
}

impl Decider for TestClock {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use TestClock::{Absent, Deleted, Frozen};
        match (state, command) {
            (Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (Frozen { created, .. } | Deleted { created }, Command::Create(create)) => match create.event()? == *created {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (Absent | Deleted { .. }, Command::Advance { .. }) | (Absent, Command::Delete) => Err(Rejection::NotFound),
            (Frozen { created, frozen_time: from }, Command::Advance { frozen_time }) => {
                in_range(frozen_time)?;
                if frozen_time <= *from {
                    return Err(Rejection::NotForward { frozen_time: *from });
                }
                Ok(vec![TestClockAdvanced { test_clock_id: created.test_clock_id, from: *from, frozen_time }.into()])
            }
            (Frozen { created, .. }, Command::Delete) => Ok(vec![TestClockDeleted { test_clock_id: created.test_clock_id }.into()]),
            (Deleted { .. }, Command::Delete) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use TestClock::{Absent, Deleted, Frozen};
        match (state, event) {
            (Absent, Event::TestClockCreated(created)) => Frozen { frozen_time: created.frozen_time, created: created.clone() },
            (Frozen { created, .. }, Event::TestClockAdvanced(advanced)) => Frozen { created, frozen_time: advanced.frozen_time },
            (Frozen { created, .. }, Event::TestClockDeleted(_)) => Deleted { created },
            (state, _) => state,
        }
    }
}

fn in_range(time: Timestamp) -> Result<Timestamp, Rejection> {
    (EARLIEST..=LATEST).contains(&time).then_some(time).ok_or(Rejection::OutOfRange)
}

impl Create {
    fn event(self) -> Result<TestClockCreated, Rejection> {
        if self.livemode {
            return Err(Rejection::LiveNotAllowed);
        }
        let name = self.name.as_deref().and_then(filled);
        if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(Rejection::NameTooLong);
        }
        Ok(TestClockCreated { test_clock_id: self.test_clock_id, name, frozen_time: in_range(self.frozen_time)? })
    }
}
