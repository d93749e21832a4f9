//! Events made ready for a fold: decoded and opened where they matter to it, in order, up to the first that cannot be read.

use super::{
    definition::Definition,
    projection::{Applied, Poison},
    slot::{BuildError, Poisoned},
};
use events::{
    vault::Vault,
    vocab::{event::Event, personal::Personal, stream::Recorded},
};

/// One event, ready.
pub(crate) struct Prepared {
    pub recorded: Recorded,
    /// `None` when it does not matter to the fold.
    pub event: Option<Event>,
    pub personal: Option<Personal>,
}

impl Prepared {
    pub(crate) fn applied(&self) -> Option<Applied<'_>> {
        let event = self.event.as_ref()?;
        Some(Applied { recorded: &self.recorded, event, personal: self.personal.as_ref() })
    }
    pub(crate) fn poisoned(&self, poison: Poison) -> Box<Poisoned> {
        poisoned(&self.recorded, poison)
    }
}

fn poisoned(recorded: &Recorded, poison: Poison) -> Box<Poisoned> {
    let envelope = &recorded.envelope;
    Box::new(Poisoned { position: recorded.position, event_id: envelope.event_id, event_type: envelope.event_type.as_str(), poison })
}

/// A contiguous run of events.
pub(crate) struct Page {
    pub events: Vec<Prepared>,
    /// The event after them, if it does not decode.
    pub poisoned: Option<Box<Poisoned>>,
}

impl Page {
    /// Position of the last readable event.
    pub(crate) fn last(&self) -> Option<i64> {
        self.events.last().map(|prepared| i64::try_from(prepared.recorded.position).unwrap_or(i64::MAX))
    }
    /// Whether nothing in it matters to the reader.
    pub(crate) fn only_passes(&self) -> bool {
        self.poisoned.is_none() && self.events.iter().all(|prepared| prepared.event.is_none())
    }
}

/// Decodes and opens what matters to `definition`.
pub(crate) async fn prepare(definition: &Definition, vault: &Vault, recorded: Vec<Recorded>) -> Result<Page, BuildError> {
    prepare_with(&|event_type| (definition.handles)(event_type), definition.personal, vault, recorded).await
}

/// [`prepare`] for any reader of the log.
pub(crate) async fn prepare_with(
    handles: &(dyn Fn(events::vocab::event::EventType) -> bool + Sync),
    personal: bool,
    vault: &Vault,
    mut recorded: Vec<Recorded>,
) -> Result<Page, BuildError> {
    let mut events = Vec::with_capacity(recorded.len());
    let mut stopped = None;
    for (index, one) in recorded.iter().enumerate() {
        match handles(one.envelope.event_type).then(|| one.decode()).transpose() {
            Ok(event) => events.push(event),
            Err(error) => {
                stopped = Some((index, poisoned(one, error.into())));
                break;
            }
        }
    }
    if let Some((index, _)) = &stopped {
        recorded.truncate(*index);
    }
    let sealed: Vec<Recorded> = recorded
        .iter()
        .zip(&events)
        .filter(|(one, event)| personal && event.is_some() && one.sealed.is_some())
        .map(|(one, _)| one.clone())
        .collect();
    let mut opened = match sealed.is_empty() {
        true => Vec::new(),
        false => vault.open_all(&sealed).await.map_err(|error| BuildError::Log(error.to_string()))?,
    }
    .into_iter();
    let prepared = recorded
        .into_iter()
        .zip(events)
        .map(|(recorded, event)| {
            let has_personal = personal && event.is_some() && recorded.sealed.is_some();
            let personal = if has_personal { opened.next().flatten() } else { None };
            Prepared { recorded, event, personal }
        })
        .collect();
    Ok(Page { events: prepared, poisoned: stopped.map(|(_, poisoned)| poisoned) })
}
