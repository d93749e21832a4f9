//! The vocabulary of the ledger, its append-only log, the proof tree over it and the relay to NATS.

pub mod claims;
pub mod clock;
pub mod codec;
pub mod decider;
pub mod leader;
pub mod leaf;
pub mod log;
pub mod nats;
pub mod proof;
pub mod relay;
pub mod unit;
mod upcasters;
pub mod vault;
pub mod vocab;
