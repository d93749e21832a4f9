//! What providers of chain data tell (RT-076): kept once, and nothing follows from it by itself (INV-62).

use events::{
    decider::Decider,
    vocab::{
        event::{Event, ProviderWebhookReceived},
        id::ProviderWebhookId,
        stream::{Category, Fact, StreamId},
    },
};
use std::convert::Infallible;

/// A provider's message.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum ProviderWebhook {
    /// Not received.
    #[default]
    Absent,
    /// Received.
    Received(Box<ProviderWebhookReceived>),
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Keep it. A message that came before changes nothing, whatever it says now. It never refuses.
    Receive(Box<ProviderWebhookReceived>),
}

impl Decider for ProviderWebhook {
    type State = Self;
    type Command = Command;
    type Rejection = Infallible;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Infallible> {
        match (state, command) {
            (ProviderWebhook::Absent, Command::Receive(message)) => Ok(vec![(*message).into()]),
            (ProviderWebhook::Received(_), Command::Receive(_)) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (ProviderWebhook::Absent, Event::ProviderWebhookReceived(message)) => ProviderWebhook::Received(Box::new(message.clone())),
            (state, _) => state,
        }
    }
}

/// The stream of a provider's message.
pub fn stream(provider: &str, message_ref: &str) -> StreamId {
    StreamId::new(Category::ProviderWebhook, ProviderWebhookId::of(provider, message_ref))
}
