//! Inclusion and consistency proofs (RFC 9162 §2.1.3 and §2.1.4, which RFC 6962 defines first).
//!
//! Each element of a proof is the root of a run of leaves. Which runs these are depends on sizes alone, so a path is computed as
//! ranges first, and hashed from wherever leaves or interior nodes are kept.

use super::tree::node_hash;
use crate::vocab::bytes::Hash32;
use std::ops::Range;

/// Why a proof proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
    /// The index is not in a tree of that size, or the old tree is larger than the new one.
    #[error("the proof is about positions that the tree does not have")]
    OutOfRange,
    /// The proof has too many or too few hashes.
    #[error("the proof has the wrong number of hashes")]
    WrongLength,
    /// It leads to another root.
    #[error("the proof leads to another root")]
    WrongRoot,
}

/// The runs of leaves whose roots prove that leaf `index` is in the tree of `size` leaves, from the leaf upwards.
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let mut ranges = Vec::new();
    let mut tree = 0..size;
    while tree.end - tree.start > 1 {
        let split = tree.start + split(tree.end - tree.start);
        if index < split {
            ranges.push(split..tree.end);
            tree.end = split;
        } else {
            ranges.push(tree.start..split);
            tree.start = split;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The runs of leaves whose roots prove that the tree of `new` leaves begins with the tree of `old`.
pub fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    let mut ranges = Vec::new();
    if old == 0 || old == new {
        return Ok(ranges);
    }
    let mut tree = 0..new;
    while tree.end != old {
        let split = tree.start + split(tree.end - tree.start);
        if old <= split {
            ranges.push(split..tree.end);
            tree.end = split;
        } else {
            ranges.push(tree.start..split);
            tree.start = split;
        }
    }
    // The verifier knows the old root; where that is a subtree of the new tree, it need not be told.
    if tree.start != 0 {
        ranges.push(tree);
    }
    ranges.reverse();
    Ok(ranges)
}

/// Inclusion proof of leaf `index` in the tree of `size` leaves; `root_of` yields the root of a run of leaves.
pub fn inclusion_proof(index: u64, size: u64, root_of: impl FnMut(Range<u64>) -> Hash32) -> Result<Vec<Hash32>, ProofError> {
    Ok(inclusion_ranges(index, size)?.into_iter().map(root_of).collect())
}

/// Consistency proof between the trees of `old` and `new` leaves; `root_of` yields the root of a run of leaves.
pub fn consistency_proof(old: u64, new: u64, root_of: impl FnMut(Range<u64>) -> Hash32) -> Result<Vec<Hash32>, ProofError> {
    Ok(consistency_ranges(old, new)?.into_iter().map(root_of).collect())
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with that `root`.
pub fn verify_inclusion(leaf: &Hash32, index: u64, size: u64, proof: &[Hash32], root: &Hash32) -> Result<(), ProofError> {
    let ranges = inclusion_ranges(index, size)?;
    if ranges.len() != proof.len() {
        return Err(ProofError::WrongLength);
    }
    let computed = ranges.iter().zip(proof).fold(*leaf, |node, (range, sibling)| match range.start > index {
        true => node_hash(&node, sibling),
        false => node_hash(sibling, &node),
    });
    if computed == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// Checks that the tree of `new` leaves with `new_root` begins with the tree of `old` leaves with `old_root`.
pub fn verify_consistency(old: u64, old_root: &Hash32, new: u64, new_root: &Hash32, proof: &[Hash32]) -> Result<(), ProofError> {
    let ranges = consistency_ranges(old, new)?;
    if ranges.len() != proof.len() {
        return Err(ProofError::WrongLength);
    }
    if old == 0 || old == new {
        // Every tree begins with the empty one; equal sizes need equal roots.
        return if old == 0 || old_root == new_root { Ok(()) } else { Err(ProofError::WrongRoot) };
    }
    let mut elements = ranges.iter().zip(proof);
    // Both roots are computed upwards from the last subtree of the old tree.
    let is_subtree = ranges.iter().all(|range| range.start >= old);
    let seed = if is_subtree { *old_root } else { *elements.next().ok_or(ProofError::WrongLength)?.1 };
    let (old_computed, new_computed) = elements.fold((seed, seed), |(old_node, new_node), (range, sibling)| match range.start >= old {
        true => (old_node, node_hash(&new_node, sibling)),
        false => (node_hash(sibling, &old_node), node_hash(sibling, &new_node)),
    });
    if old_computed == *old_root && new_computed == *new_root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// The largest power of two below `leaves`, where a tree of more than one leaf divides.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::{super::tree::root, *};

    fn leaves(count: u64) -> Vec<Hash32> {
        (0..count).map(|n| Hash32::of(n.to_be_bytes())).collect()
    }
    fn of(leaves: &[Hash32]) -> impl FnMut(Range<u64>) -> Hash32 {
        |range| root(&leaves[range.start as usize..range.end as usize])
    }

    #[test]
    fn every_inclusion_and_consistency_of_small_trees_verifies_and_nothing_else() {
        let all = leaves(70);
        for size in 1..=70 {
            let tree = &all[..size as usize];
            let whole = root(tree);
            for index in 0..size {
                let proof = inclusion_proof(index, size, of(tree)).unwrap();
                let leaf = &all[index as usize];
                verify_inclusion(leaf, index, size, &proof, &whole).unwrap();
                assert!(verify_inclusion(&Hash32([9; 32]), index, size, &proof, &whole).is_err());
                if index + 1 < size {
                    assert!(verify_inclusion(leaf, index + 1, size, &proof, &whole).is_err());
                }
            }
            for old in 0..=size {
                let before = root(&all[..old as usize]);
                let proof = consistency_proof(old, size, of(tree)).unwrap();
                verify_consistency(old, &before, size, &whole, &proof).unwrap();
                if old > 0 {
                    assert!(verify_consistency(old, &Hash32([9; 32]), size, &whole, &proof).is_err());
                    assert!(verify_consistency(old, &before, size, &Hash32([9; 32]), &proof).is_err());
                }
            }
        }
    }

    #[test]
    fn positions_outside_the_tree_are_refused() {
        assert_eq!(inclusion_ranges(5, 5), Err(ProofError::OutOfRange));
        assert_eq!(consistency_ranges(6, 5), Err(ProofError::OutOfRange));
    }
}
