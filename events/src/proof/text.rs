//! Inclusion proofs as text (C2SP `tlog-proof`): what proves an entry, in one file, without a server.

use crate::vocab::bytes::Hash32;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

/// The proof that leaf `index` is in the tree of the checkpoint in `note`, with all its signatures; `path` leads there, lowest first.
pub fn tlog_proof(index: u64, path: &[Hash32], note: &str) -> String {
    let mut text = format!("c2sp.org/tlog-proof@v1\nindex {index}\n");
    for hash in path {
        // Writing to a String does not fail.
        _ = writeln!(text, "{}", STANDARD.encode(hash.0));
    }
    text.push('\n');
    text.push_str(note);
    text
}
