//! Memory that grows in small steps, so that no single change takes long: readers wait while one is made.

use hashbrown::HashTable;

/// Entries of one chunk.
const CHUNK: usize = 4_096;
/// Tables of one set: each grows by itself, and doubling one moves only its share.
const SEGMENTS: usize = 256;

/// Entries by number, never removed.
pub(super) struct Slab<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Slab<T> {
    pub fn new() -> Self {
        Slab { chunks: Vec::new() }
    }
    /// Keeps `entry` and returns its number.
    pub fn push(&mut self, entry: T) -> u32 {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = self.chunks.len().saturating_sub(1) * CHUNK;
        let chunk = self.chunks.last_mut().expect("one was pushed");
        chunk.push(entry);
        u32::try_from(before + chunk.len() - 1).expect("fewer entries than memory has room for")
    }
    pub fn get(&self, number: u32) -> &T {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
    pub fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }
    /// Bytes that it occupies.
    pub fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<T>()
    }
}

/// Small values by hash, several under one hash if need be. The caller tells equal ones apart.
pub(super) struct Table<T> {
    segments: Vec<HashTable<T>>,
}

impl<T> Table<T> {
    pub fn new() -> Self {
        Table { segments: (0..SEGMENTS).map(|_| HashTable::new()).collect() }
    }
    /// The values that may have been put under `hash`.
    pub fn at(&self, hash: u64) -> impl Iterator<Item = &T> {
        self.segments[segment(hash)].iter_hash(hash)
    }
    /// Puts `value` under `hash`; `rehash` gives the hash of any value when a segment grows.
    pub fn insert(&mut self, hash: u64, value: T, rehash: impl Fn(&T) -> u64) {
        self.segments[segment(hash)].insert_unique(hash, value, rehash);
    }
    /// Drops the values of one segment that `keep` refuses. There are [`Table::segments`] of them.
    pub fn retain(&mut self, segment: usize, keep: impl FnMut(&mut T) -> bool) {
        if let Some(table) = self.segments.get_mut(segment) {
            table.retain(keep);
        }
    }
    pub fn segments(&self) -> usize {
        self.segments.len()
    }
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(HashTable::allocation_size).sum()
    }
}

/// From the middle of the hash: a table takes its place from the lowest bits and its tags from the highest.
fn segment(hash: u64) -> usize {
    usize::try_from((hash >> 40) & 0xff).unwrap_or(0)
}

/// The hash of an id, which nobody outside chooses.
pub(super) fn hash(id: uuid::Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    let mixed = (high ^ low.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn entries_keep_their_numbers_across_chunks() {
        let mut slab = Slab::new();
        for number in 0..10_000_u32 {
            assert_eq!(slab.push(number), number);
        }
        *slab.get_mut(5_000) = 7;
        assert_eq!((slab.len(), *slab.get(4_095), *slab.get(4_096), *slab.get(5_000), *slab.get(9_999)), (10_000, 4_095, 4_096, 7, 9_999));
    }

    #[test]
    fn ids_of_one_moment_spread_and_are_found_again() {
        let ids: Vec<Uuid> = (0..20_000_u128).map(|n| Uuid::from_u128((1_u128 << 80) + n * 3)).collect();
        let mut table = Table::new();
        for (number, id) in ids.iter().enumerate() {
            table.insert(hash(*id), number, |number| hash(ids[*number]));
        }
        for (number, id) in ids.iter().enumerate() {
            assert!(table.at(hash(*id)).any(|found| *found == number), "{id}");
        }
        let fullest = (0..table.segments()).map(|at| table.segments[at].len()).max().unwrap_or(0);
        assert!(fullest < 400, "one segment holds {fullest} of 20000");
        (0..table.segments()).for_each(|at| table.retain(at, |number| *number >= 10_000));
        assert!(!table.at(hash(ids[5])).any(|found| *found == 5) && table.at(hash(ids[10_000])).any(|found| *found == 10_000));
    }
}
