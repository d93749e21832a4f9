//! Read models: folds of the log, each in a folder with its table, its fold, its queries and its test, and what runs them.

mod reader;
pub mod runner;

pub use reader::{Page, QueryError, Reader, Window};

/// Every projection there is.
pub const ALL: &[runner::Definition] = &[];
