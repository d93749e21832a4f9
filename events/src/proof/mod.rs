//! The proof tree over the log: RFC 6962 hashes, proofs and signed checkpoints in C2SP form.

mod tree;

pub use tree::*;
