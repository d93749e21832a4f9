//! The only place that reads the clock and draws random numbers.

use crate::vocab::time::Timestamp;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use uuid::Uuid;

/// The time, injected: the machine's, or one that a test moves.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine,
    Offset(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn machine() -> Self {
        Clock(Source::Machine)
    }
    /// A clock that runs with the machine's, ahead by what [`Clock::advance_seconds`] has added.
    pub fn adjustable() -> Self {
        Clock(Source::Offset(Arc::new(AtomicI64::new(0))))
    }
    /// Now.
    #[allow(clippy::disallowed_methods, reason = "this is where the clock is read")]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::from(time::OffsetDateTime::now_utc());
        match &self.0 {
            Source::Machine => now,
            Source::Offset(micros) => Timestamp::from_micros(now.micros() + micros.load(Ordering::SeqCst)),
        }
    }
    /// Moves an adjustable clock forward; the machine's clock stays.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Source::Offset(micros) = &self.0 {
            micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A fresh time-ordered id: time order keeps the log's indexes hot.
#[allow(clippy::disallowed_methods, reason = "this is where ids are drawn")]
pub fn new_id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// `N` bytes from the operating system's generator.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system always has random bytes once it has booted");
    bytes
}
