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

/// Root of a tree of the roots of its perfect subtrees, largest first.
pub(super) fn join(roots: &[Hash32]) -> Hash32 {
    let mut roots = roots.iter().rev();
    let Some(smallest) = roots.next() else { return empty_root() };
    roots.fold(*smallest, |right, left| node_hash(left, &right))
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
    /// The tree of perfect subtrees of two to the power of `height` leaves each, with these roots.
    pub fn of_subtrees(height: u32, roots: &[Hash32]) -> Self {
        let mut tree = Frontier::default();
        roots.iter().for_each(|root| tree.push(*root));
        // A tree of subtrees has the shape of a tree of leaves.
        tree.size <<= height;
        tree
    }

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
        join(&self.roots)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition in RFC 6962 §2.1, word for word.
    fn naive(leaves: &[Hash32]) -> Hash32 {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
                node_hash(&naive(left), &naive(right))
            }
        }
    }

    #[test]
    fn the_frontier_grows_to_the_root_of_the_definition() {
        let leaves: Vec<Hash32> = (0..300u32).map(|n| Hash32::of(n.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(frontier.root(), naive(&leaves[..size]), "{size} leaves");
            frontier = Frontier::from_bytes(frontier.size(), &frontier.to_bytes()).unwrap();
            frontier.push(*leaf);
        }
    }

    #[test]
    fn a_tree_goes_on_from_the_roots_of_its_subtrees() {
        let leaves: Vec<Hash32> = (0..300u32).map(|n| Hash32::of(n.to_be_bytes())).collect();
        for height in 0..5 {
            let subtrees: Vec<Hash32> = leaves.chunks_exact(1 << height).map(root).collect();
            let mut tree = Frontier::of_subtrees(height, &subtrees);
            leaves[tree.size() as usize..].iter().for_each(|leaf| tree.push(*leaf));
            assert_eq!((tree.size(), tree.root()), (300, root(&leaves)), "{height}");
        }
    }

    #[test]
    fn the_published_vectors_of_certificate_transparency_hold() {
        // Leaf inputs and roots of the reference implementation's tests.
        let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (input, expected) in inputs.iter().zip(roots) {
            frontier.push(crate::leaf::leaf_hash(&hex::decode(input).unwrap()));
            assert_eq!(frontier.root().to_string(), expected);
        }
    }

    #[test]
    fn bytes_of_another_size_are_refused() {
        assert!(Frontier::from_bytes(3, &[0; 32]).is_err());
        assert!(Frontier::from_bytes(1, &[0; 33]).is_err());
    }
}
