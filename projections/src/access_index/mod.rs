//! The access index: who holds what, in memory, for the question that every request of every customer asks (RT-066).
//!
//! It is a fold of the log like the read models, by the same folds, but kept in the process that answers. It knows up to where it
//! has read and when it last made certain that there was nothing more; [`AccessIndex::wait`] says whether it may be asked. Whoever
//! is told no asks PostgreSQL instead.
//!
//! It holds no personal data: a customer is found by the vault's keyed hash of his identity.

mod ask;
mod catalog;
mod clocks;
mod entry;
mod feed;
mod index;
mod links;
mod load;
mod table;

pub use ask::{Asked, Held, HeldEntitlement, HeldMembership};
pub use links::{Identity, Kind};

use crate::access_products::AccessProduct;
use events::{log::Log, vocab::id::OwnerId};
use index::Index;
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How old the proof may be that nothing was missed. What is committed anywhere shows in every answer within this time: by the index,
/// or, when the index cannot prove it, by PostgreSQL.
pub const BOUND: Duration = Duration::from_secs(1);

/// Why the index may not be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// It is being filled.
    #[error("loading")]
    Loading,
    /// It cannot prove that nothing was missed: the log cannot be read, or comes faster than it is folded.
    #[error("stale")]
    Stale,
    /// It has not reached the position asked for in time.
    #[error("behind")]
    Behind,
}

impl Unfit {
    /// One word, for a metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unfit::Loading => "loading",
            Unfit::Stale => "stale",
            Unfit::Behind => "behind",
        }
    }
}

/// What the feed is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not run in this process.
    Off,
    /// Being filled from the read models.
    Loading,
    /// Filled, and reading what came since.
    CatchingUp,
    /// Up to date.
    Live,
    /// The log cannot be read or folded; tried again.
    Broken,
}

impl State {
    /// Its word in `/readyz`.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Off => "off",
            State::Loading => "loading",
            State::CatchingUp => "catching_up",
            State::Live => "live",
            State::Broken => "broken",
        }
    }
}

/// How the index is.
#[derive(Clone, PartialEq, Debug)]
pub struct Health {
    /// What its feed is doing.
    pub state: State,
    /// Number of events folded in.
    pub position: u64,
    /// Since when it has not made certain that nothing was missed; `None` if it never has.
    pub age: Option<Duration>,
    /// Products in it.
    pub products: usize,
    /// Entitlements in it.
    pub entitlements: usize,
    /// Memberships in it.
    pub memberships: usize,
    /// Bytes that they occupy.
    pub bytes: usize,
    /// How long the last fill took.
    pub loaded_in: Option<Duration>,
    /// How many questions it could not take.
    pub refused: u64,
    /// What went wrong last, if it is not right again.
    pub error: Option<String>,
}

/// The index of this process. Clones share it.
#[derive(Clone)]
pub struct AccessIndex(Arc<Shared>);

struct Shared {
    index: RwLock<Index>,
    /// Number of events folded in.
    next: watch::Sender<u64>,
    /// The same, for a look without a lock.
    fast_next: AtomicU64,
    /// Microseconds from `epoch` to the last moment at which nothing was missing, plus one; 0 while there was none.
    confirmed: AtomicU64,
    epoch: Instant,
    /// Questions that it could not take.
    refused: AtomicU64,
    status: Mutex<Status>,
}

struct Status {
    state: State,
    loaded_in: Option<Duration>,
    error: Option<String>,
}

impl Default for AccessIndex {
    fn default() -> Self {
        AccessIndex(Arc::new(Shared {
            index: RwLock::new(Index::new(index::Loaded::default())),
            next: watch::Sender::new(0),
            fast_next: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
            epoch: Instant::now(),
            refused: AtomicU64::new(0),
            status: Mutex::new(Status { state: State::Off, loaded_in: None, error: None }),
        }))
    }
}

impl AccessIndex {
    /// Fills it and keeps it current until `stop`. Without this it may never be asked.
    pub async fn run(self, log: Log, stop: CancellationToken) {
        self.0.note(State::Loading, None);
        while !stop.is_cancelled() {
            let feed = tokio::spawn(feed::run(self.0.clone(), log.clone(), stop.clone()));
            if feed.await.is_err() && !stop.is_cancelled() {
                // Only a fold can panic. What it left half-changed is not asked, and filled anew.
                self.0.note(State::Broken, Some(&"its feed panicked and is started again"));
                self.0.confirmed.store(0, Ordering::Release);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Returns once the index has the event at `position` (if one is asked for) and is no older than [`BOUND`].
    pub async fn wait(&self, position: Option<u64>, patience: Duration) -> Result<(), Unfit> {
        let mut fit = self.0.fitness(position);
        if fit == Err(Unfit::Behind) {
            let mut next = self.0.next.subscribe();
            let reached = next.wait_for(|next| position.is_none_or(|position| *next > position));
            if tokio::time::timeout(patience, reached).await.is_ok() {
                fit = self.0.fitness(position);
            }
        }
        if fit.is_err() {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        fit
    }

    /// The index as of one position, held still. To be let go of before anything is awaited.
    pub fn view(&self) -> View<'_> {
        View(self.0.read())
    }

    /// How it is.
    pub fn health(&self) -> Health {
        let (products, entitlements, memberships, bytes) = {
            let index = self.0.read();
            let (products, entitlements, memberships) = index.counts();
            (products, entitlements, memberships, index.bytes())
        };
        let status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        Health {
            state: status.state,
            position: self.0.next(),
            age: self.0.age(),
            products,
            entitlements,
            memberships,
            bytes,
            loaded_in: status.loaded_in,
            refused: self.0.refused.load(Ordering::Relaxed),
            error: status.error.clone(),
        }
    }
}

/// The index, held still.
pub struct View<'a>(RwLockReadGuard<'a, Index>);

impl View<'_> {
    /// The product with the merchant's own id.
    pub fn product_by_external_id(&self, owner: OwnerId, live: bool, external_id: &str) -> Option<Arc<AccessProduct>> {
        self.0.catalog().by_external_id(owner, live, external_id).cloned()
    }
    /// The access product of that id, or the one that the hosted product of that id backs.
    pub fn product(&self, owner: OwnerId, id: Uuid) -> Option<Arc<AccessProduct>> {
        self.0.catalog().by_id(owner, id).cloned()
    }
    /// What is on record.
    pub fn held(&self, asked: &Asked<'_>) -> Held {
        self.0.held(asked)
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Index> {
        // A fold that panicked has left the index where it was or half-changed; the feed is over then, and its age tells.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> u64 {
        self.fast_next.load(Ordering::Acquire)
    }

    fn fitness(&self, position: Option<u64>) -> Result<(), Unfit> {
        match self.age() {
            None => Err(Unfit::Loading),
            Some(age) if age > BOUND => Err(Unfit::Stale),
            Some(_) if position.is_some_and(|position| self.next() <= position) => Err(Unfit::Behind),
            Some(_) => Ok(()),
        }
    }

    fn age(&self) -> Option<Duration> {
        let confirmed = self.confirmed.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.epoch.elapsed().saturating_sub(Duration::from_micros(confirmed)))
    }

    /// Nothing was missing at `moment`.
    fn confirm(&self, moment: Instant) {
        let micros = u64::try_from(moment.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX - 1);
        self.confirmed.store(micros + 1, Ordering::Release);
    }

    fn reached(&self, next: u64) {
        self.fast_next.store(next, Ordering::Release);
        self.next.send_replace(next);
    }

    /// Begins anew with `index`, from position `next` on. It may be asked when it has caught up.
    fn replace(&self, index: Index, next: u64) {
        self.confirmed.store(0, Ordering::Release);
        let before = std::mem::replace(&mut *self.write(), index);
        self.reached(next);
        // Giving a large one back takes time; nobody waits for it here.
        drop(before);
    }

    fn loaded_in(&self, taken: Duration) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).loaded_in = Some(taken);
    }

    fn note(&self, state: State, error: Option<&dyn std::fmt::Display>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let error = error.map(ToString::to_string);
        if error.is_some() && status.error != error {
            tracing::warn!(
                index.state = state.as_str(),
                index.error = error,
                "the access index cannot be kept current; PostgreSQL answers"
            );
        }
        (status.state, status.error) = (state, error);
    }
}
