//! Finding a hosted product for a command: by the claim on its slug, never through a read model.

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    claims::Claim,
    log::Log,
    unit::{Loaded, load},
    vocab::{
        event::ProductCreated,
        id::{OwnerId, ProductId},
        stream::{Category, StreamId},
    },
};
use ledger::product::Product;

/// A hosted product, ready for a command that rests on it.
pub struct Hosted {
    /// Its stream.
    pub loaded: Loaded<Product>,
    /// Whose it is.
    pub owner: OwnerId,
    /// What it is now.
    pub product: ProductCreated,
}

/// The product that sells under that public name. Those behind access products are sold by sessions, not by their slug.
pub async fn by_slug(log: &Log, slug: &str) -> Result<Hosted, Problem> {
    let stream = log.find_claim(&Claim::slug(slug)).await.map_err(|error| rejection::read(&error))?;
    hosted(log, stream.ok_or_else(|| Problem::of(Code::ProductNotFound))?).await
}

/// A product of `owner`; another owner's is one that does not exist.
pub async fn of_owner(log: &Log, owner: OwnerId, id: ProductId) -> Result<Hosted, Problem> {
    let found = hosted(log, StreamId::new(Category::Product, id)).await?;
    if found.owner == owner { Ok(found) } else { Err(Problem::of(Code::ProductNotFound)) }
}

async fn hosted(log: &Log, stream: StreamId) -> Result<Hosted, Problem> {
    let loaded = load::<Product>(log, stream).await.map_err(|error| rejection::read(&error))?;
    match (&loaded.state, loaded.owner_id) {
        (Product::Active(product), Some(owner)) if product.access_product_id.is_none() => {
            let product = (**product).clone();
            Ok(Hosted { loaded, owner, product })
        }
        _ => Err(Problem::of(Code::ProductNotFound)),
    }
}

impl Hosted {
    /// The product, if it still sells.
    pub fn selling(self) -> Result<Self, Problem> {
        match &self.loaded.state {
            Product::Active(_) => Ok(self),
            _ => Err(Problem::of(Code::ProductArchived)),
        }
    }
}
