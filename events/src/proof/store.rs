//! The tree as the database holds it: leaves beside their events, and the roots of full tiles. Any tile and any proof takes a few
//! hundred hashes of it, however long the log is.

use super::{
    paths::{ProofError, consistency_ranges, inclusion_ranges},
    tile::{Run, TILE_WIDTH, Tile, runs},
    tree::{join, root},
};
use crate::vocab::bytes::Hash32;
use sqlx::PgPool;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Levels that roots of tiles are kept for; above them a tree of 2^64 leaves has nothing.
const LEVELS: u8 = 7;
/// Roots that are added at a time: the hashes of so many tiles are in memory.
const AT_A_TIME: u64 = 256;

/// Why the tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The database did not answer.
    #[error("the proof tree cannot be reached")]
    Database(#[from] sqlx::Error),
    /// Hashes are not there.
    #[error("hashes {start} to {end} of level {level} of the proof tree are missing")]
    Missing {
        /// The level.
        level: u8,
        /// The first that was asked for.
        start: u64,
        /// The one after the last.
        end: u64,
    },
    /// The tree has no such place.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// Reads the tree of one log.
#[derive(Clone, Debug)]
pub struct Tree {
    pool: PgPool,
}

impl Tree {
    /// The tree in the database of `pool`.
    pub fn new(pool: PgPool) -> Self {
        Tree { pool }
    }

    /// Keeps the root of every full tile of the tree of `size` leaves. What is kept already is not computed again, so that this costs
    /// what the log has grown by; several processes may do it at once, since all of them compute the same.
    pub async fn fill(&self, size: u64) -> Result<(), TreeError> {
        let mut below = size;
        for level in 1..=LEVELS {
            let full = below / TILE_WIDTH;
            let mut next = if full == 0 { return Ok(()) } else { self.kept(level).await? };
            while next < full {
                let end = full.min(next + AT_A_TIME);
                let run = Run { level: level - 1, start: next * TILE_WIDTH, end: end * TILE_WIDTH };
                let hashes = self.hashes(&[run]).await?.remove(0);
                let roots: Vec<Vec<u8>> =
                    hashes.chunks(usize::try_from(TILE_WIDTH).unwrap_or(usize::MAX)).map(|tile| root(tile).0.to_vec()).collect();
                sqlx::query(include_str!("sql/keep_nodes.sql"))
                    .bind(i16::from(level))
                    .bind(integer(next))
                    .bind(roots)
                    .execute(&self.pool)
                    .await?;
                next = end;
            }
            below = full;
        }
        Ok(())
    }

    /// How many roots of a level are kept, from its beginning.
    async fn kept(&self, level: u8) -> Result<u64, sqlx::Error> {
        let kept: i64 = sqlx::query_scalar(include_str!("sql/kept_nodes.sql")).bind(i16::from(level)).fetch_one(&self.pool).await?;
        u64::try_from(kept).map_err(|error| sqlx::Error::Decode(error.into()))
    }

    /// The hashes of each run.
    pub async fn hashes(&self, runs: &[Run]) -> Result<Vec<Vec<Hash32>>, TreeError> {
        let mut found: Vec<Vec<Hash32>> = vec![Vec::new(); runs.len()];
        self.read(include_str!("sql/leaves_of_runs.sql"), runs, |run| run.level == 0, &mut found).await?;
        self.read(include_str!("sql/nodes_of_runs.sql"), runs, |run| run.level > 0, &mut found).await?;
        for (run, hashes) in runs.iter().zip(&found) {
            if hashes.len() as u64 != run.end - run.start {
                return Err(TreeError::Missing { level: run.level, start: run.start, end: run.end });
            }
        }
        Ok(found)
    }

    /// Reads those of `runs` that `wanted` chooses into their places in `found`.
    async fn read(
        &self,
        statement: &'static str,
        runs: &[Run],
        wanted: impl Fn(&Run) -> bool,
        found: &mut [Vec<Hash32>],
    ) -> Result<(), sqlx::Error> {
        let chosen: Vec<(usize, &Run)> = runs.iter().enumerate().filter(|(_, run)| wanted(run)).collect();
        if chosen.is_empty() {
            return Ok(());
        }
        let (mut places, mut levels, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, run) in chosen {
            places.push(integer(place as u64));
            levels.push(i16::from(run.level));
            starts.push(integer(run.start));
            ends.push(integer(run.end));
        }
        let query = sqlx::query_as(statement).bind(places).bind(levels).bind(starts).bind(ends);
        let rows: Vec<(i64, Vec<u8>)> = query.fetch_all(&self.pool).await?;
        for (place, hash) in rows {
            let hash = Hash32::try_from(hash.as_slice()).map_err(|error| sqlx::Error::Decode(error.into()))?;
            if let Some(hashes) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) {
                hashes.push(hash);
            }
        }
        Ok(())
    }

    /// The roots of runs of leaves that a proof is made of. A run that several of them need is read once.
    pub async fn roots(&self, ranges: &[Range<u64>]) -> Result<Vec<Hash32>, TreeError> {
        let wanted: Vec<Vec<Run>> = ranges.iter().map(|range| runs(range.clone())).collect();
        let once: Vec<Run> = wanted.iter().flatten().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let roots: BTreeMap<Run, Hash32> = once.iter().copied().zip(self.hashes(&once).await?.iter().map(|hashes| root(hashes))).collect();
        Ok(wanted.iter().map(|runs| join(&runs.iter().map(|run| roots[run]).collect::<Vec<_>>())).collect())
    }

    /// Root of the tree of `size` leaves.
    pub async fn root(&self, size: u64) -> Result<Hash32, TreeError> {
        Ok(self.roots(std::slice::from_ref(&(0..size))).await?.remove(0))
    }

    /// Proves that leaf `index` is in the tree of `size` leaves.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash32>, TreeError> {
        self.roots(&inclusion_ranges(index, size)?).await
    }

    /// Proves that each of these leaves is in the tree of `size` leaves.
    pub async fn inclusions(&self, indexes: &[u64], size: u64) -> Result<Vec<Vec<Hash32>>, TreeError> {
        let ranges: Vec<Vec<Range<u64>>> = indexes.iter().map(|index| inclusion_ranges(*index, size)).collect::<Result<_, _>>()?;
        let mut roots = self.roots(&ranges.concat()).await?.into_iter();
        Ok(ranges.iter().map(|path| roots.by_ref().take(path.len()).collect()).collect())
    }

    /// Proves that the tree of `new` leaves begins with that of `old`.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash32>, TreeError> {
        self.roots(&consistency_ranges(old, new)?).await
    }

    /// The hashes of a tile, one after the other.
    pub async fn tile(&self, tile: Tile) -> Result<Vec<u8>, TreeError> {
        let hashes = self.hashes(&[tile.run()]).await?.remove(0);
        Ok(hashes.iter().flat_map(|hash| hash.0).collect())
    }
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
