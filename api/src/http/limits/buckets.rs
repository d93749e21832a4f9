//! Allowances by caller, never more than so many.

use super::bucket::Bucket;
use events::vocab::time::Timestamp;
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher as _, Hash},
    sync::{Arc, Mutex, PoisonError},
};

/// Maps that are locked one by one, so that callers seldom wait for each other.
const SHARDS: usize = 16;

/// The allowances of the callers that are known.
pub struct Buckets<K> {
    shards: [Mutex<HashMap<K, Arc<Bucket>>>; SHARDS],
    hasher: RandomState,
    most: usize,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// At most about `most` callers at a time.
    pub fn new(most: usize) -> Self {
        Buckets { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new(), most: (most / SHARDS).max(4) }
    }

    /// The allowance of `caller`; a full one if he is new.
    pub fn of(&self, caller: &K, now: Timestamp) -> Arc<Bucket> {
        let shard = usize::try_from(self.hasher.hash_one(caller) % SHARDS as u64).unwrap_or_default();
        let mut known = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = known.get(caller) {
            return bucket.clone();
        }
        if known.len() >= self.most {
            make_room(&mut known, self.most, now);
        }
        known.entry(caller.clone()).or_default().clone()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

/// Forgets those whose allowance is full, which changes nothing. If too few are, any quarter goes: under such a crowd memory counts
/// more, and whoever is forgotten begins anew.
fn make_room<K: Hash + Eq + Clone>(known: &mut HashMap<K, Arc<Bucket>>, most: usize, now: Timestamp) {
    known.retain(|_, bucket| !bucket.is_full(now));
    let keep = most - most / 4;
    if known.len() > keep {
        let mut left = known.len() - keep;
        known.retain(|_, _| {
            let goes = left > 0;
            left = left.saturating_sub(1);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{super::bucket::Quota, *};

    #[test]
    fn a_caller_keeps_his_allowance_and_memory_stays_bounded() {
        let (buckets, now) = (Buckets::new(1024), Timestamp::from_micros(1_800_000_000_000_000));
        let quota = Quota { requests: 2, seconds: 3600 };
        assert_eq!(buckets.of(&0_u32, now).take(quota, now).remaining, 1);
        assert_eq!(buckets.of(&0, now).take(quota, now).remaining, 0);
        for caller in 1..50_000_u32 {
            buckets.of(&caller, now).take(quota, now);
            assert!(buckets.len() <= 1024);
        }
    }

    #[test]
    fn those_who_used_nothing_go_first() {
        let (buckets, now) = (Buckets::new(SHARDS * 8), Timestamp::from_micros(1_800_000_000_000_000));
        let quota = Quota { requests: 2, seconds: 3600 };
        buckets.of(&0_u32, now).take(quota, now);
        for caller in 1..10_000_u32 {
            drop(buckets.of(&caller, now));
        }
        assert_eq!(buckets.of(&0, now).take(quota, now).remaining, 0, "his use is remembered");
    }
}
