//! The RFC 6962 Merkle tree: interior hashes, and the frontier from which it grows one leaf at a time.

use crate::vocab::bytes::Hash32;
use sha2::{Digest as _, Sha256};

/// Hash of two children: SHA-256 of `0x01 ‖ left ‖ right`.
pub fn node_hash(left: &Hash32, right: &Hash32) -> Hash32 {
    Hash32(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// Root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Hash32 {
    Hash32::of([])
}

/// Root of the tree over `leaves`.
pub fn root(leaves: &[Hash32]) -> Hash32 {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

/// What of a tree is needed to let it grow: the roots of its perfect subtrees, largest first, one for each bit of its size.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash32>,
}

/// Bytes that are not the frontier of a tree of that size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a frontier of {size} leaves does not have {bytes} bytes")]
pub struct NotAFrontier {
    size: u64,
    bytes: usize,
}

impl Frontier {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash32) {
        let mut node = leaf;
        // Every trailing one bit of the size is a perfect subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            let left = self.roots.pop().expect("there is one root for every bit of the size");
            node = node_hash(&left, &node);
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash32 {
        let mut roots = self.roots.iter().rev();
        let Some(smallest) = roots.next() else { return empty_root() };
        roots.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// The subtree roots, 32 bytes each, largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| root.0).collect()
    }

    /// The frontier of a tree of `size` leaves that [`Frontier::to_bytes`] wrote.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, NotAFrontier> {
        let (roots, rest) = bytes.as_chunks::<32>();
        match rest.is_empty() && roots.len() == size.count_ones() as usize {
            true => Ok(Frontier { size, roots: roots.iter().map(|root| Hash32(*root)).collect() }),
            false => Err(NotAFrontier { size, bytes: bytes.len() }),
        }
    }
}
