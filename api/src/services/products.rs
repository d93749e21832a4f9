//! Finding an access product for a command: by the claim on its external id or by its stream, never through a read model, so that
//! a product just created can be sold.

use super::isolation;
use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    claims::Claim,
    log::Log,
    unit::load,
    vocab::{
        event::AccessProductCreated,
        id::OwnerId,
        stream::{Category, StreamId},
    },
};
use ledger::{access_product::AccessProduct, product::Product};
use uuid::Uuid;

/// How a request names a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProductRef {
    /// The merchant's own id.
    External(String),
    /// The id of the access product or of the hosted product behind it.
    Id(String),
}

impl ProductRef {
    /// The product that the fields name; an external id wins over an id, and nothing is refused.
    pub fn parse(external: &Option<String>, ids: &[&Option<String>]) -> Result<Self, Problem> {
        let named = external.clone().map(ProductRef::External);
        named.or_else(|| ids.iter().find_map(|id| (*id).clone()).map(ProductRef::Id)).ok_or_else(product_required)
    }
}

/// Nothing names a product.
pub fn product_required() -> Problem {
    Problem::field(Code::ProductRequired, "external_product_id", "one of external_product_id and product_id is required")
}

/// An access product, ready for a command that rests on it.
pub struct Found {
    /// The product.
    pub product: AccessProductCreated,
    /// The public name of the hosted product behind it.
    pub slug: String,
}

/// The access product of `owner` in that mode; another owner's is one that does not exist (INV-19).
pub async fn find(log: &Log, owner: OwnerId, livemode: bool, named: &ProductRef) -> Result<Found, Problem> {
    let missing = || Problem::of(Code::ProductNotFound);
    let stream = match named {
        ProductRef::External(id) => {
            let claim = Claim::external_product_id(owner, livemode, id);
            log.find_claim(&claim).await.map_err(|error| rejection::read(&error))?.ok_or_else(missing)?
        }
        ProductRef::Id(id) => StreamId::new(Category::AccessProduct, id.parse::<Uuid>().map_err(|_| missing())?),
    };
    let mut loaded = load::<AccessProduct>(log, stream).await.map_err(|error| rejection::read(&error))?;
    if matches!(loaded.state, AccessProduct::Absent) {
        // It may be the id of the hosted product behind one.
        let backing = load::<Product>(log, StreamId::new(Category::Product, stream.id)).await;
        let backing = backing.map_err(|error| rejection::read(&error))?;
        let Some(product) = backing.state.facts() else { return Err(missing()) };
        let access = product.access_product_id.ok_or_else(missing)?;
        loaded =
            load::<AccessProduct>(log, StreamId::new(Category::AccessProduct, access)).await.map_err(|error| rejection::read(&error))?;
    }
    match loaded.state {
        AccessProduct::Existing(product) if loaded.owner_id == Some(owner) && loaded.livemode == Some(livemode) => {
            let backing = load::<Product>(log, StreamId::new(Category::Product, product.product_id)).await;
            let backing = backing.map_err(|error| rejection::read(&error))?;
            let slug = backing.state.facts().map(|hosted| hosted.slug.clone()).ok_or_else(missing)?;
            Ok(Found { product: *product, slug })
        }
        AccessProduct::Existing(_) if loaded.owner_id != Some(owner) => Err(isolation::foreign("access_product", Code::ProductNotFound)),
        _ => Err(missing()),
    }
}
