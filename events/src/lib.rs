//! The vocabulary of the ledger, its append-only log, the proof tree over it and the relay to NATS.

pub mod vocab;
