//! Deciders: pure and synchronous. Facts they lack (time, ids, chain evidence) arrive inside the command.

use crate::vocab::{event::Event, stream::Fact};

/// One aggregate's rules.
pub trait Decider {
    /// What the events so far come to.
    type State: Default;
    /// What is asked, with every fact it needs.
    type Command;
    /// Why it is refused.
    type Rejection;

    /// The events that follow from the command, or the reason for none.
    fn decide(state: &Self::State, command: Self::Command) -> Result<Vec<Fact>, Self::Rejection>;
    /// The state after `event`. Events of other aggregates leave it as it is.
    fn evolve(state: Self::State, event: &Event) -> Self::State;

    /// The state after `events`.
    fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self::State {
        events.into_iter().fold(Self::State::default(), Self::evolve)
    }
}
