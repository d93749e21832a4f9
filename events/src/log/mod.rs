//! The append-only log on PostgreSQL.

mod request;

pub use request::*;
