//! Mail to buyers: [`queue`] puts one into a unit of work, with what it is about; the mailer sends it.

mod queue;

pub use queue::queue;
