//! A whole tree's leaves, and the roots over any run of them.

use super::AsOfRow;
use crate::class::Failure;
use events::{proof, vocab::bytes::Hash32};
use serde_json::Value;
use std::ops::Range;

/// Roots of all perfect subtrees, so that a path costs a logarithm of the table and not the table.
pub(super) struct Levels(Vec<Vec<Hash32>>);

impl Levels {
    pub fn over(leaves: Vec<Hash32>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let above = below.as_chunks::<2>().0.iter().map(|[left, right]| proof::node_hash(left, right)).collect();
            levels.push(above);
        }
        Levels(levels)
    }

    pub fn leaf(&self, index: usize) -> Option<Hash32> {
        self.0.first()?.get(index).copied()
    }

    /// The root over a run of leaves, which is cut where RFC 6962 cuts it.
    pub fn root(&self, run: Range<u64>) -> Hash32 {
        let count = run.end.saturating_sub(run.start);
        if count == 0 {
            return proof::empty_root();
        }
        if count.is_power_of_two() && run.start.is_multiple_of(count) {
            let place = usize::try_from(run.start / count).ok();
            let level = self.0.get(count.ilog2() as usize);
            return level.zip(place).and_then(|(level, place)| level.get(place).copied()).unwrap_or_else(proof::empty_root);
        }
        let middle = run.start + (1 << (count - 1).ilog2());
        proof::node_hash(&self.root(run.start..middle), &self.root(middle..run.end))
    }
}

/// A row with its place under the table's root.
pub(super) fn included(row: Value, index: usize, size: u64, levels: &Levels) -> Result<AsOfRow, Failure> {
    let outside = || Failure::Unreadable("a row is outside its table");
    let path = proof::inclusion_proof(index as u64, size, |run| levels.root(run)).map_err(|_| outside())?;
    Ok(AsOfRow { row, leaf: levels.leaf(index).ok_or_else(outside)?, index: index as u64, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_the_root_that_the_leaves_have() {
        for size in 0..40_u64 {
            let leaves: Vec<Hash32> = (0..size).map(|n| Hash32::of(n.to_be_bytes())).collect();
            let levels = Levels::over(leaves.clone());
            assert_eq!(levels.root(0..size), proof::root(&leaves));
            for index in 0..size {
                let row = included(Value::Null, index as usize, size, &levels).unwrap();
                proof::verify_inclusion(&row.leaf, index, size, &row.path, &proof::root(&leaves)).unwrap();
            }
        }
    }
}
