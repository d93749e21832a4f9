//! One caller's allowance: a token bucket in a single atomic (the generic cell rate algorithm).
//!
//! Own code rather than `governor`: there, keyed limiters grow with the keys until somebody sweeps them, the clock is not the
//! service's, and a dozen crates come along; what is needed here is one compare-and-swap.

use events::vocab::time::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// How many requests in how much time. All of them may come at once; then they come back evenly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// Requests, at least 1.
    pub requests: u32,
    /// Seconds, at least 1.
    pub seconds: u32,
}

impl Quota {
    /// Reads `<requests>/<seconds>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (requests, seconds) = text.split_once('/')?;
        let quota = Quota { requests: requests.trim().parse().ok()?, seconds: seconds.trim().parse().ok()? };
        ((1..=1_000_000_000).contains(&quota.requests) && (1..=86_400).contains(&quota.seconds)).then_some(quota)
    }
    fn window(self) -> i64 {
        i64::from(self.seconds) * 1_000_000_000
    }
    /// Nanoseconds that one request costs.
    fn cost(self) -> i64 {
        (self.window() / i64::from(self.requests)).max(1)
    }
}

/// What one request finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Requests that are left now.
    pub remaining: u32,
    /// Seconds until all are there again.
    pub full_in: u32,
    /// Seconds until the next one is there, when this one was too many.
    pub refused_for: Option<u32>,
}

/// An allowance in use: the time, in nanoseconds since 1970, at which it is full again.
#[derive(Default, Debug)]
pub struct Bucket(AtomicI64);

impl Bucket {
    /// Takes one request, if one is left.
    pub fn take(&self, quota: Quota, now: Timestamp) -> Taken {
        let (now, window, cost) = (now.micros().saturating_mul(1000), quota.window(), quota.cost());
        let mut full_at = self.0.load(Ordering::Relaxed);
        loop {
            // No debt is larger than the window: a clock that was set back does not lock anybody out for longer.
            let debt = full_at.saturating_sub(now).clamp(0, window);
            let after = debt + cost;
            if after > window {
                let wait = seconds_up(after - window);
                return Taken { remaining: 0, full_in: seconds_up(debt), refused_for: Some(wait.max(1)) };
            }
            match self.0.compare_exchange_weak(full_at, now.saturating_add(after), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let remaining = u32::try_from((window - after) / cost).unwrap_or(u32::MAX);
                    return Taken { remaining, full_in: seconds_up(after), refused_for: None };
                }
                Err(other) => full_at = other,
            }
        }
    }

    /// Whether forgetting it changes nothing: all requests are there again.
    pub fn is_full(&self, now: Timestamp) -> bool {
        self.0.load(Ordering::Relaxed) <= now.micros().saturating_mul(1000)
    }
}

fn seconds_up(nanos: i64) -> u32 {
    u32::try_from((nanos.max(0) + 999_999_999) / 1_000_000_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + millis * 1000)
    }

    #[test]
    fn a_quota_is_requests_in_seconds() {
        assert_eq!(Quota::parse("600/60"), Some(Quota { requests: 600, seconds: 60 }));
        for bad in ["", "600", "0/60", "600/0", "x/60", "600/60/1", "-1/60", "1/86401"] {
            assert_eq!(Quota::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn all_may_come_at_once_and_then_they_come_back_evenly() {
        let (quota, bucket) = (Quota { requests: 3, seconds: 6 }, Bucket::default());
        let left: Vec<u32> = (0..3).map(|_| bucket.take(quota, at(0)).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        assert_eq!(bucket.take(quota, at(0)), Taken { remaining: 0, full_in: 6, refused_for: Some(2) });
        assert_eq!(bucket.take(quota, at(1999)).refused_for, Some(1));
        assert_eq!(bucket.take(quota, at(2000)), Taken { remaining: 0, full_in: 6, refused_for: None });
        assert!(!bucket.is_full(at(7999)) && bucket.is_full(at(8000)));
        assert_eq!(bucket.take(quota, at(60_000)).remaining, 2);
    }

    #[test]
    fn a_clock_set_back_costs_one_window_at_most() {
        let (quota, bucket) = (Quota { requests: 1, seconds: 10 }, Bucket::default());
        assert_eq!(bucket.take(quota, at(1_000_000)).refused_for, None);
        assert_eq!(bucket.take(quota, at(0)).refused_for, Some(10));
    }

    #[test]
    fn many_at_once_get_no_more_than_there_is() {
        let (quota, bucket) = (Quota { requests: 1000, seconds: 3600 }, Bucket::default());
        let taken: usize = std::thread::scope(|scope| {
            let each = || (0..400).filter(|_| bucket.take(quota, at(0)).refused_for.is_none()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(each)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1000);
    }
}
