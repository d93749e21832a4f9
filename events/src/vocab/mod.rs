//! The vocabulary: what the domain's words mean, and nothing that reads a clock, a database or a network.

pub mod bytes;
pub mod event;
pub mod id;
pub mod membership;
pub mod money;
pub mod personal;
pub mod rail;
pub mod stream;
pub mod time;
pub mod words;
