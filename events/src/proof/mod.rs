//! The proof tree over the log: RFC 6962 hashes, tiles and proofs, signed checkpoints and what witnesses sign of them, in C2SP form.

mod checkpointer;
mod cose;
pub mod history;
mod note;
mod paths;
mod store;
mod text;
mod tile;
mod tree;
mod witness;

pub use checkpointer::*;
pub use cose::CoseReceipt;
pub use note::{Checkpoint, NoteError, NoteKey};
pub use paths::*;
pub use store::{Tree, TreeError};
pub use text::tlog_proof;
pub use tile::*;
pub use tree::{Frontier, NotAFrontier, empty_root, node_hash, root};
pub use witness::*;
