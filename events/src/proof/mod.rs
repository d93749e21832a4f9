//! The proof tree over the log: RFC 6962 hashes, proofs and signed checkpoints in C2SP form.

mod checkpointer;
mod note;
mod paths;
mod tree;

pub use checkpointer::*;
pub use note::*;
pub use paths::*;
pub use tree::*;
