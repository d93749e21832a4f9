//! What an owner was told or should have been, in order: the same messages as the webhooks', for who wants to catch up.

use super::{
    problem::WorkError,
    tell::{Source, Teller},
};
use crate::platform::Platform;
use events::{
    log::Log,
    vault::Vault,
    vocab::{event::Event, id::EventId, stream::Recorded},
};
use projections::{
    Reader,
    access_events::{self, Asked, Found},
};
use std::collections::HashMap;

/// Reads the feed.
#[derive(Clone)]
pub struct Feed {
    log: Log,
    reader: Reader,
    teller: Teller,
}

/// A page of it, and how far it is complete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedPage {
    /// Messages in the order of the log, each as webhooks send it.
    pub messages: Vec<String>,
    /// Every message that was asked for and lies at or before this position is here or on the pages before.
    pub read_to: Option<u64>,
    /// Position of the last event of the log that is taken into account.
    pub head: Option<u64>,
    /// Position of the owner's newest message in that mode, whatever was asked for.
    pub last: Option<u64>,
}

impl Feed {
    /// The feed of `log`, found through `reader`.
    pub fn new(log: Log, vault: Vault, platform: Platform, reader: Reader) -> Self {
        Feed { teller: Teller::new(log.clone(), vault, platform), log, reader }
    }

    /// The next messages of an owner.
    pub async fn page(&self, asked: Asked) -> Result<FeedPage, WorkError> {
        let found = access_events::page(&self.reader, asked).await.map_err(|error| WorkError::Projection(error.to_string()))?;
        let messages = self.messages(&found).await?;
        Ok(FeedPage { messages, read_to: found.read_to, head: found.head, last: found.last })
    }

    async fn messages(&self, found: &Found) -> Result<Vec<String>, WorkError> {
        if found.items.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<EventId> = found.items.iter().map(|place| place.event_id).collect();
        let recorded: HashMap<EventId, Recorded> =
            self.log.events(&ids).await?.into_iter().map(|recorded| (recorded.envelope.event_id, recorded)).collect();
        let mut events: Vec<(&Recorded, Event, Option<u64>)> = Vec::with_capacity(ids.len());
        for place in &found.items {
            let recorded = recorded.get(&place.event_id).ok_or(WorkError::EventMissing(place.event_id))?;
            events.push((recorded, recorded.decode()?, place.previous));
        }
        let sources: Vec<Source<'_>> =
            events.iter().map(|(recorded, event, previous)| Source { recorded, event, previous: *previous }).collect();
        let messages = self.teller.tell(&sources).await?;
        // A page with a hole in it would be taken for a whole one.
        let whole = messages.into_iter().zip(&found.items);
        whole.map(|(message, place)| message.map(|message| message.body).ok_or(WorkError::EventMissing(place.event_id))).collect()
    }
}
