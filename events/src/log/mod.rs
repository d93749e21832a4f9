//! The append-only log on PostgreSQL.
//!
//! Appends queue to one writer in the process, which takes what is waiting, decides all of it against the head, and writes it
//! with one statement that swaps the head. Writers in other processes find the head moved and decide again, so positions have no
//! gaps with any number of processes.

mod batch;
mod commit;
mod fail;
mod head;
mod listen;
mod lookup;
mod news;
mod prepare;
mod queue;
mod read;
mod request;
mod row;
mod rows;
mod writer;

pub use fail::Step;
pub use head::Head;
pub use read::{Page, PageFilter, ReadError};
pub use request::*;

use crate::{clock::Clock, vault::Vault};
use queue::Queue;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Bounds of a log's writer.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Most appends that wait; above it an append is refused at once.
    pub queue_requests: usize,
    /// Most bytes that wait.
    pub queue_bytes: usize,
    /// Most appends of one batch.
    pub batch_requests: usize,
    /// How many streams' last events are remembered.
    pub cached_streams: usize,
    /// How long a batch is tried before those who wait are told that the log is unavailable.
    pub deadline: Duration,
    /// When an append that was refused for lack of room may be tried again.
    pub retry_after: Duration,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            queue_requests: 8_192,
            queue_bytes: 64 << 20,
            batch_requests: 1_000,
            cached_streams: 200_000,
            deadline: Duration::from_secs(10),
            retry_after: Duration::from_secs(1),
        }
    }
}

/// Cheaply cloned handle.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

struct Inner {
    pool: PgPool,
    vault: Vault,
    clock: Clock,
    queue: Queue,
    head: watch::Receiver<u64>,
    news: news::News,
    _follower: DropGuard,
}

impl Log {
    /// Opens the log in the database of `pool`, which is migrated. Must be called inside a tokio runtime; the writer has a
    /// connection of its own beside the pool's and ends when the last handle is dropped and everything that waits is written. One
    /// connection of the pool is taken for good, to hear of other processes' commits; the vault takes another.
    pub async fn open(pool: PgPool, vault: Vault, clock: Clock, options: LogOptions) -> Result<Self, ReadError> {
        let position = head::read(&pool).await?.next_position;
        let (sender, receiver) = watch::channel(position);
        let sender = Arc::new(sender);
        let stop = CancellationToken::new();
        tokio::spawn(listen::follow(pool.clone(), sender.clone(), stop.clone()));
        let queue = Queue::start(&pool, clock.clone(), sender, options);
        Ok(Log(Arc::new(Inner { pool, vault, clock, queue, head: receiver, news: news::News::default(), _follower: stop.drop_guard() })))
    }

    /// Appends all of `append` or nothing. When this returns `Ok`, the events are on disk. An append whose event ids are in the
    /// log already is answered with where they are, so that after [`AppendError::Unavailable`] the same append can be repeated.
    /// An append without events, expectations and answer writes nothing.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let prepared = prepare::prepare(append, &self.0.vault).await?;
        self.0.queue.append(prepared).await
    }

    /// Follows the head: the number of events there are, whichever process commits them.
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.0.head.clone()
    }

    /// The number of events there are, as far as this process knows without asking.
    pub fn known_head(&self) -> u64 {
        *self.0.head.borrow()
    }

    /// The vault that seals for it.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The clock that stamps its events.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The connections that it reads with.
    pub fn pool(&self) -> &PgPool {
        &self.0.pool
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Log(..)")
    }
}
