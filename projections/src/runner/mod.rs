//! What keeps read models current, and builds them again.
//!
//! A fold is the same code live and in a rebuild. Live, the rows of a batch are loaded with one statement, folded, and written with
//! one statement in the transaction that moves the checkpoint; in a rebuild all rows are in memory. Whoever moves a checkpoint
//! compares it first, so two runners of one projection, in whatever processes, can delay each other and never apply an event twice.

mod compare;
mod definition;
mod deps;
mod feed;
mod health;
mod live;
mod pace;
mod prepare;
mod projection;
mod rebuild;
mod registry;
mod rows;
mod shadow;
mod slot;
mod subscription;

pub use compare::{Comparison, Difference, Digest};
pub use definition::Definition;
pub use deps::Deps;
pub use health::{ReaderHealth, State};
pub use projection::{Applied, Keys, Meta, Poison, Projection, Row};
pub use rebuild::{Done, Progress, Rebuilt};
pub use registry::{Behind, Projections};
pub use rows::Rows;
pub use shadow::{Afterwards, Beside};
pub use slot::{BuildError, Poisoned};
pub use subscription::{Handler, HandlerError, Start, Subscription};

pub(crate) use compare::changed_columns;
pub(crate) use definition::Fold;
pub(crate) use prepare::Prepared;
pub(crate) use slot::fold as fold_into;
