//! Test clocks of the sandbox: what each shows, and which entitlements hang on one. There are few of either.

use events::vocab::{event::Event, id::TestClockId, time::Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Clocks {
    shown: HashMap<TestClockId, Timestamp>,
    hanging: HashMap<Uuid, TestClockId>,
}

impl Clocks {
    /// Folds one event in. A clock goes forward only, so an event that is in already changes nothing.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::TestClockCreated(e) => self.show(e.test_clock_id, e.frozen_time),
            Event::TestClockAdvanced(e) => self.show(e.test_clock_id, e.frozen_time),
            _ => {}
        }
    }

    /// The clock shows that time, or is further.
    pub fn show(&mut self, clock: TestClockId, time: Timestamp) {
        let shown = self.shown.entry(clock).or_insert(time);
        *shown = time.max(*shown);
    }

    /// The entitlement hangs on that clock.
    pub fn hang(&mut self, entitlement: Uuid, clock: TestClockId) {
        self.hanging.insert(entitlement, clock);
    }

    /// What the entitlement's clock shows, if it hangs on one.
    pub fn of(&self, entitlement: Uuid) -> Option<Timestamp> {
        if self.hanging.is_empty() {
            return None;
        }
        self.shown.get(self.hanging.get(&entitlement)?).copied()
    }
}
