//! Hosted products (TR-1 to TR-3).

mod command;
mod membership;
mod place;
mod rules;

pub use command::*;
pub use membership::plain_membership;
pub use place::free_place;

use events::{
    decider::Decider,
    vocab::{
        event::{Event, ProductArchived, ProductChange, ProductCreated},
        stream::Fact,
    },
};

/// A hosted product.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Product {
    /// Not created.
    #[default]
    Absent,
    /// Sells. Its facts are those of today; `subject_id` is there exactly if a delivery value is sealed.
    Active(Box<ProductCreated>),
    /// Sells no more.
    Archived(Box<ProductCreated>),
}

impl Decider for Product {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        match (state, command) {
            (Product::Absent, Command::Create(create)) => create.fact().map(|fact| vec![fact]),
            (Product::Active(existing) | Product::Archived(existing), Command::Create(create)) => match create.fact()?.event {
                Event::ProductCreated(created) if created == **existing => Ok(vec![]),
                _ => Err(Rejection::AlreadyExists),
            },
            (Product::Absent, _) => Err(Rejection::NotFound),
            (Product::Active(facts), Command::Follow(fields)) if facts.access_product_id.is_some() => fields.followed(facts),
            (_, Command::Follow(_)) => Err(Rejection::NotBacking),
            (Product::Active(facts) | Product::Archived(facts), _) if facts.access_product_id.is_some() => Err(Rejection::BackingProduct),
            (Product::Active(facts), Command::Update(update)) => update.facts(facts),
            (Product::Archived(_), Command::Update(_)) => Err(Rejection::Archived),
            (Product::Active(facts), Command::Archive) => Ok(vec![ProductArchived { product_id: facts.product_id }.into()]),
            (Product::Archived(_), Command::Archive) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Product::Absent, Event::ProductCreated(created)) => Product::Active(Box::new(created.clone())),
            (Product::Active(mut facts), Event::ProductUpdated(updated)) => {
                for change in &updated.changes {
                    if let ProductChange::DeliveryValue(there) = change {
                        facts.subject_id = updated.subject_id.filter(|_| *there);
                    }
                    rules::apply(&mut facts, change);
                }
                if updated.quote.is_some() {
                    facts.quote.clone_from(&updated.quote);
                }
                Product::Active(facts)
            }
            (Product::Active(facts), Event::ProductArchived(_)) => Product::Archived(facts),
            (state, _) => state,
        }
    }
}

impl Product {
    /// What it is today, sold or not, once it exists.
    pub fn facts(&self) -> Option<&ProductCreated> {
        match self {
            Product::Absent => None,
            Product::Active(facts) | Product::Archived(facts) => Some(facts),
        }
    }

    /// The contract's word (OBJ-01).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Product::Absent => None,
            Product::Active(_) => Some("ACTIVE"),
            Product::Archived(_) => Some("ARCHIVED"),
        }
    }
}
