//! Tests of deciders in one sentence: given these events, when this is asked, then this follows.

use events::{
    decider::Decider,
    vocab::{event::Event, stream::Fact},
};
use std::fmt::Debug;

/// An aggregate after `events`.
pub fn given<D: Decider>(events: impl AsRef<[Event]>) -> Given<D> {
    Given(D::fold(events.as_ref()))
}

pub struct Given<D: Decider>(D::State);

impl<D: Decider> Given<D> {
    pub fn when(&self, command: D::Command) -> Then<D> {
        Then(D::decide(&self.0, command))
    }
}

impl<D: Decider<Rejection: Debug>> Given<D> {
    /// The refusal of `command`, for a closer look.
    #[track_caller]
    pub fn rejection(&self, command: D::Command) -> D::Rejection {
        D::decide(&self.0, command).expect_err("the command is allowed")
    }
}

pub struct Then<D: Decider>(Result<Vec<Fact>, D::Rejection>);

impl<D: Decider<Rejection: Debug + PartialEq>> Then<D> {
    /// These events, and no others.
    #[track_caller]
    pub fn then(self, events: &[Event]) {
        assert_eq!(self.events(), events);
    }
    /// No event: it was done before.
    #[track_caller]
    pub fn nothing(self) {
        self.then(&[]);
    }
    /// A refusal.
    #[track_caller]
    pub fn refused(self, why: D::Rejection) {
        assert_eq!(self.0, Err(why));
    }
    /// The events, for a closer look.
    #[track_caller]
    pub fn events(self) -> Vec<Event> {
        self.facts().into_iter().map(|fact| fact.event).collect()
    }
    /// The events with what is sealed beside them.
    #[track_caller]
    pub fn facts(self) -> Vec<Fact> {
        self.0.expect("the command is refused")
    }
}
