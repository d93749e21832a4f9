//! The vault: what must be encrypted, and the keys for it.
//!
//! Personal data is sealed under a key of its data subject, and subject keys are wrapped by the master key, so that erasing a
//! person destroys one small key. Secrets and signing keys are wrapped the same way.

mod check;
mod crypto;
mod identities;
mod secrets;
mod signing;
mod subjects;
mod watch;

pub use check::Opened;
pub use crypto::{DoesNotOpen, MasterKey, NotAMasterKey};
pub use identities::Blind;
pub use signing::{KeyPurpose, PublicKey, Signer};
pub use subjects::Standing;

use crate::{
    clock::Clock,
    vocab::id::{EventId, SubjectId},
};
use crypto::Key;
use hashlink::LruCache;
use sqlx::PgPool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How many unwrapped subject keys a process keeps.
const CACHED_SUBJECTS: usize = 100_000;

/// Why the vault could not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The person's key is destroyed.
    #[error("the data subject is erased")]
    Erased,
    /// No key was ever made for this person.
    #[error("the data subject {0} is unknown")]
    UnknownSubject(SubjectId),
    /// The master key is another one than the data was wrapped with, or the data was altered.
    #[error("{what}: {source}")]
    DoesNotOpen {
        /// What was to be opened.
        what: &'static str,
        /// The cause.
        source: DoesNotOpen,
    },
    /// Sealed bytes opened, but do not hold what they should.
    #[error("the personal part of event {0} is malformed")]
    Malformed(EventId),
    /// The database did not answer.
    #[error("the vault's tables cannot be reached")]
    Database(#[from] sqlx::Error),
}

/// Cheaply cloned handle.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    pool: PgPool,
    clock: Clock,
    /// Wraps subject keys.
    subjects: Key,
    /// Hashes identities.
    identities: Key,
    /// Wraps secrets.
    secrets: Key,
    /// Wraps private signing keys.
    signing: Key,
    master: MasterKey,
    cache: Mutex<Cache>,
    _watch: DropGuard,
}

/// Unwrapped subject keys, held only while this process hears of erasures.
struct Cache {
    keys: LruCache<SubjectId, Key>,
    listening: bool,
    /// Counts erasures heard of, so that a key read before one is not cached after it.
    erasures: u64,
}

impl Vault {
    /// A vault on the database of `pool`. Must be called inside a tokio runtime: a task hears of erasures in other processes.
    pub fn new(pool: PgPool, master: MasterKey, clock: Clock) -> Self {
        let stop = CancellationToken::new();
        let vault = Vault(Arc::new(Inner {
            subjects: master.derive("subject keys"),
            identities: master.derive("identities"),
            secrets: master.derive("secrets"),
            signing: master.derive("signing keys"),
            master,
            clock,
            cache: Mutex::new(Cache { keys: LruCache::new(CACHED_SUBJECTS), listening: false, erasures: 0 }),
            _watch: stop.clone().drop_guard(),
            pool: pool.clone(),
        }));
        tokio::spawn(watch::hear_erasures(pool, Arc::downgrade(&vault.0), stop));
        vault
    }

    /// Encrypts `plain` for `purpose`, bound to `aad`: it opens only with the same two.
    pub fn seal_bytes(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.0.master.derive(&format!("bytes/{purpose}")).seal(aad, plain)
    }

    /// What [`Vault::seal_bytes`] encrypted.
    pub fn open_bytes(&self, purpose: &str, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        self.0.master.derive(&format!("bytes/{purpose}")).open(aad, sealed).map(|plain| plain.to_vec())
    }
}

impl Inner {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        // A panic while it was held cannot leave it half-changed.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}
