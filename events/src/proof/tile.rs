//! The tree in pieces of 256 hashes, as C2SP `tlog-tiles` names and publishes them.
//!
//! A hash of level 0 is a leaf; a hash of the level above is the root of 256 of those below. Every proof is made of few of them, so
//! whoever has tiles can prove anything about the log, and whoever keeps the roots of full tiles never hashes a full tile again.

use super::tree::root;
use crate::vocab::bytes::Hash32;
use std::{fmt, ops::Range, str::FromStr};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;

/// What a tile is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum TileKind {
    /// Hashes of that level.
    Hashes(u8),
    /// The entries that the leaves are hashes of.
    Entries,
}

/// A tile by its address: `<level>/<index>` or `entries/<index>`, with `.p/<width>` when it is not full.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Tile {
    /// What is in it.
    pub kind: TileKind,
    /// Its place in its level.
    pub index: u64,
    /// How many hashes it has: 1 to 256.
    pub width: u64,
}

/// Text that is no tile's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no address of a tile: a level or `entries`, and an index such as 067 or x001/x234/067, or 067.p/17 for a partial tile")]
pub struct NotATile;

/// Hashes of one level that lie side by side in one tile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Run {
    /// The level: 0 for leaves.
    pub level: u8,
    /// Place of the first in its level.
    pub start: u64,
    /// The place after the last; there are 1 to 256.
    pub end: u64,
}

impl Tile {
    /// The tile that holds `run`, as wide as it is in a tree of `size` leaves.
    pub fn holding(run: Run, size: u64) -> Self {
        let index = run.start / TILE_WIDTH;
        let there = hashes_of_level(run.level, size).saturating_sub(index.saturating_mul(TILE_WIDTH));
        Tile { kind: TileKind::Hashes(run.level), index, width: there.min(TILE_WIDTH) }
    }

    /// The level of its hashes; that of an entry is its leaf's.
    pub fn level(self) -> u8 {
        match self.kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        }
    }

    /// Its hashes.
    pub fn run(self) -> Run {
        let start = self.index.saturating_mul(TILE_WIDTH);
        Run { level: self.level(), start, end: start.saturating_add(self.width) }
    }

    /// Whether all of it is in a tree of `size` leaves.
    pub fn is_in(self, size: u64) -> bool {
        self.run().end <= hashes_of_level(self.level(), size)
    }
}

/// How many hashes a level has in a tree of `size` leaves.
fn hashes_of_level(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "{level}/")?,
            TileKind::Entries => f.write_str("entries/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        while groups.is_empty() || rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = NotATile;
    fn from_str(text: &str) -> Result<Self, NotATile> {
        let (kind, place) = text.split_once('/').ok_or(NotATile)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level < 64).ok_or(NotATile)?),
        };
        let (groups, width) = match place.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width)).ok_or(NotATile)?),
            None => (place, TILE_WIDTH),
        };
        let mut index = 0_u64;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            let number: u64 = digits.parse().map_err(|_| NotATile)?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(number)).ok_or(NotATile)?;
        }
        let tile = Tile { kind, index, width };
        // A tile has one address: no sign, no missing or superfluous zeros, an x where one belongs.
        if tile.to_string() == text { Ok(tile) } else { Err(NotATile) }
    }
}

/// The runs that the root of a run of leaves is made of. `range` is one that a proof is made of, or begins at 0: it starts where a
/// subtree of its size may start.
pub fn runs(range: Range<u64>) -> Vec<Run> {
    let mut start = range.start;
    let mut runs = Vec::new();
    while start < range.end {
        // The largest perfect subtree that is left.
        let height = (range.end - start).ilog2();
        let level = u8::try_from(height / 8).unwrap_or(7);
        let first = start >> (8 * u32::from(level));
        runs.push(Run { level, start: first, end: first + (1 << (height % 8)) });
        start += 1 << height;
    }
    runs
}

/// Root of a run of leaves, of the hashes of its [`runs`].
pub fn root_of_runs(hashes: &[Vec<Hash32>]) -> Hash32 {
    let roots: Vec<Hash32> = hashes.iter().map(|run| root(run)).collect();
    super::tree::join(&roots)
}

#[cfg(test)]
mod tests {
    use super::{super::paths, *};

    #[test]
    fn a_tile_has_one_address() {
        let hashes = |level, index, width| Tile { kind: TileKind::Hashes(level), index, width };
        for (tile, address) in [
            (hashes(0, 0, 256), "0/000"),
            (hashes(0, 0, 1), "0/000.p/1"),
            (hashes(3, 999, 255), "3/999.p/255"),
            (hashes(0, 1_000, 256), "0/x001/000"),
            (hashes(0, 1_234_067, 256), "0/x001/x234/067"),
            (Tile { kind: TileKind::Entries, index: 1_234_067, width: 8 }, "entries/x001/x234/067.p/8"),
        ] {
            assert_eq!((tile.to_string().as_str(), address.parse()), (address, Ok(tile)));
        }
        for bad in [
            "",
            "0",
            "0/",
            "0/0",
            "0/00",
            "0/0000",
            "00/000",
            "+0/000",
            "64/000",
            "-1/000",
            "0/x000/000",
            "0/x00/067",
            "0/001/067",
            "0/x067",
            "0/001/x067",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000.p/",
            "0/000.p",
            "0/+01",
            "entries",
            "entries/",
            "data/000",
            "0/000/",
            "0/x001/x234/x067",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
            "0/ 00",
        ] {
            assert_eq!(bad.parse::<Tile>(), Err(NotATile), "{bad}");
        }
    }

    #[test]
    fn a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() {
        let there = |address: &str| address.parse::<Tile>().unwrap().is_in(70_000);
        for address in ["0/000", "0/272", "0/273.p/112", "1/000", "1/001.p/17", "2/000.p/1", "entries/273.p/112"] {
            assert!(there(address), "{address}");
        }
        for address in ["0/273", "0/273.p/113", "0/274.p/1", "1/001", "1/001.p/18", "2/000.p/2", "3/000.p/1", "9/000.p/1", "entries/273"] {
            assert!(!there(address), "{address}");
        }
    }

    #[test]
    fn every_proof_is_made_of_tiles() {
        let leaves: Vec<Hash32> = (0..1_500_u64).map(|n| Hash32::of(n.to_be_bytes())).collect();
        let levels: Vec<Vec<Hash32>> = vec![leaves.clone(), leaves.chunks_exact(256).map(root).collect(), Vec::new()];
        let of = |runs: &[Run]| -> Vec<Vec<Hash32>> {
            runs.iter().map(|run| levels[usize::from(run.level)][run.start as usize..run.end as usize].to_vec()).collect()
        };
        for size in [1_u64, 2, 255, 256, 257, 511, 512, 700, 1_023, 1_024, 1_500] {
            let mut ranges: Vec<Range<u64>> = std::iter::once(0..size).collect();
            for other in [0, size / 3, size / 2, size - 1] {
                ranges.extend(paths::inclusion_ranges(other, size).unwrap());
                ranges.extend(paths::consistency_ranges(other, size).unwrap());
            }
            for range in ranges {
                let runs = runs(range.clone());
                let expected = root(&leaves[range.start as usize..range.end as usize]);
                assert_eq!(root_of_runs(&of(&runs)), expected, "{range:?} of {size}");
                for run in runs {
                    let tile = Tile::holding(run, size);
                    assert!(tile.is_in(size) && tile.run().start <= run.start && run.end <= tile.run().end, "{run:?} in {tile} of {size}");
                }
            }
        }
    }
}
