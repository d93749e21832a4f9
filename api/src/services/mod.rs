//! Commands that span streams: each is one append.

pub mod gates;
pub mod keys;
pub mod open_session;
pub mod products;
