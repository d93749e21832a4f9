//! Finding a hosted product for a command: by the claim on its slug or by its stream, never through a read model.

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    claims::Claim,
    log::{Log, ReadError},
    unit::{Loaded, load},
    vault::Vault,
    vocab::{
        event::{Event, ProductChange, ProductCreated},
        id::{EventId, OwnerId, ProductId},
        stream::{Category, Recorded, StreamId},
    },
};
use ledger::product::Product;
use std::collections::HashMap;

/// A hosted product, ready for a command that rests on it.
pub struct Hosted {
    /// Its stream.
    pub loaded: Loaded<Product>,
    /// Whose it is.
    pub owner: OwnerId,
    /// What it is now.
    pub product: ProductCreated,
}

impl Hosted {
    /// Itself, unless it sells no more.
    pub fn selling(self) -> Result<Self, Problem> {
        match self.loaded.state {
            Product::Archived(_) => Err(Problem::of(Code::ProductArchived)),
            _ => Ok(self),
        }
    }
}

/// The product with that public name. Those behind access products are sold by sessions, not by their slug.
pub async fn by_slug(log: &Log, slug: &str) -> Result<Hosted, Problem> {
    let found = any_by_slug(log, slug).await?;
    match found.product.access_product_id {
        None => Ok(found),
        Some(_) => Err(Problem::of(Code::ProductNotFound)),
    }
}

/// The product with that public name, one behind an access product too.
pub async fn any_by_slug(log: &Log, slug: &str) -> Result<Hosted, Problem> {
    let stream = log.find_claim(&Claim::slug(slug)).await.map_err(|error| rejection::read(&error))?;
    hosted(log, stream.ok_or_else(|| Problem::of(Code::ProductNotFound))?).await
}

/// A product of `owner`; another owner's is one that does not exist (CV-9).
pub async fn of_owner(log: &Log, owner: OwnerId, id: ProductId) -> Result<Hosted, Problem> {
    let found = hosted(log, StreamId::new(Category::Product, id)).await?;
    if found.owner == owner { Ok(found) } else { Err(Problem::of(Code::ProductNotFound)) }
}

/// Hosted products are live; what backs a sandbox product is not one.
async fn hosted(log: &Log, stream: StreamId) -> Result<Hosted, Problem> {
    let loaded = load::<Product>(log, stream).await.map_err(|error| rejection::read(&error))?;
    match (loaded.state.facts().cloned(), loaded.owner_id, loaded.livemode) {
        (Some(product), Some(owner), Some(true)) => Ok(Hosted { loaded, owner, product }),
        _ => Err(Problem::of(Code::ProductNotFound)),
    }
}

/// The delivery value that is sealed in the product's stream; `None` if it has none, or its merchant is erased.
pub async fn delivery_value(log: &Log, vault: &Vault, product: ProductId) -> Result<Option<String>, Problem> {
    let stream = StreamId::new(Category::Product, product);
    let events = log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
    for recorded in events.iter().rev() {
        let event = recorded.decode().map_err(|source| ReadError::Codec { position: recorded.position, source });
        match event.map_err(|error| rejection::read(&error))? {
            Event::ProductUpdated(updated) => {
                let said = updated.changes.iter().find_map(|change| match change {
                    ProductChange::DeliveryValue(there) => Some(*there),
                    _ => None,
                });
                match said {
                    Some(true) => return open(vault, recorded).await,
                    Some(false) => return Ok(None),
                    None => {}
                }
            }
            Event::ProductCreated(_) => return open(vault, recorded).await,
            _ => {}
        }
    }
    Ok(None)
}

/// The delivery values that these events seal.
pub async fn delivery_values(log: &Log, vault: &Vault, events: &[EventId]) -> Result<HashMap<EventId, String>, Problem> {
    if events.is_empty() {
        return Ok(HashMap::new());
    }
    let recorded = log.events(events).await.map_err(|error| rejection::read(&error))?;
    let opened = vault.open_all(&recorded).await.map_err(|error| rejection::read(&error))?;
    let text =
        |(recorded, personal): (Recorded, Option<events::vocab::personal::Personal>)| Some((recorded.envelope.event_id, personal?.text?));
    Ok(recorded.into_iter().zip(opened).filter_map(text).collect())
}

async fn open(vault: &Vault, recorded: &Recorded) -> Result<Option<String>, Problem> {
    let personal = vault.open(recorded).await.map_err(|error| rejection::read(&error))?;
    Ok(personal.and_then(|personal| personal.text))
}
