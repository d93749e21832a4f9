//! Leadership: which process does what only one may do at a time.
//!
//! A role is a PostgreSQL advisory lock, held on one connection per process. When the process dies the connection closes, the
//! server frees the lock and another process takes it within seconds. Leadership only saves work: whoever believes to lead while
//! another does is stopped by the checkpoint that he compares and swaps, so nothing here has to be exact.

use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How often the connection that holds the locks is tried.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long the server may take to answer before the connection counts as lost.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The roles of this process. Clones share one connection.
#[derive(Clone)]
pub struct Leases {
    pool: PgPool,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    connection: Option<PgConnection>,
    /// A lease that was dropped without being released (its task died) leaves a dead token: the lock is still ours to give.
    held: HashMap<String, Weak<()>>,
    /// Grows each time the connection is lost, and every lease with it.
    generation: u64,
    probed: Option<Instant>,
}

/// A role that this process has.
#[derive(Debug)]
pub struct Lease {
    role: String,
    generation: u64,
    token: Arc<()>,
}

impl Leases {
    /// No roles yet. The connection is opened, beside the pool, with the first of them.
    pub fn new(pool: PgPool) -> Self {
        Leases { pool, inner: Arc::default() }
    }

    /// Takes the role if it is free. A role that this process has already is not given twice.
    pub async fn try_take(&self, role: &str) -> Result<Option<Lease>, sqlx::Error> {
        let mut inner = self.inner.lock().await;
        let alive = self.probe(&mut inner).await;
        let taken = match inner.held.get(role).map(Weak::strong_count) {
            Some(1..) if alive => return Ok(None),
            Some(0) if alive => Ok(true),
            _ => self.lock(&mut inner, role).await,
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                inner.lose();
                return Err(error);
            }
        };
        if !taken {
            return Ok(None);
        }
        let token = Arc::new(());
        inner.held.insert(role.to_owned(), Arc::downgrade(&token));
        Ok(Some(Lease { role: role.to_owned(), generation: inner.generation, token }))
    }

    /// Whether the lease still stands; asks the server at most once a second.
    pub async fn holds(&self, lease: &Lease) -> bool {
        let mut inner = self.inner.lock().await;
        inner.generation == lease.generation && self.probe(&mut inner).await
    }

    /// Gives the role up.
    pub async fn release(&self, lease: Lease) {
        let mut inner = self.inner.lock().await;
        if inner.generation != lease.generation
            || inner.held.remove(&lease.role).is_none_or(|held| !Weak::ptr_eq(&held, &Arc::downgrade(&lease.token)))
        {
            return;
        }
        let Some(connection) = inner.connection.as_mut() else { return };
        let unlocked = sqlx::query(include_str!("sql/unlock.sql")).bind(&lease.role).execute(connection).await;
        if unlocked.is_err() {
            inner.lose();
        }
    }

    async fn lock(&self, inner: &mut Inner, role: &str) -> Result<bool, sqlx::Error> {
        if inner.connection.is_none() {
            let mut connection = self.pool.connect_options().as_ref().connect().await?;
            sqlx::query(include_str!("sql/connect.sql")).execute(&mut connection).await?;
            inner.connection = Some(connection);
            inner.probed = Some(Instant::now());
        }
        let connection = inner.connection.as_mut().ok_or(sqlx::Error::PoolClosed)?;
        tokio::time::timeout(PROBE_TIMEOUT, sqlx::query_scalar(include_str!("sql/try_lock.sql")).bind(role).fetch_one(connection))
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn probe(&self, inner: &mut Inner) -> bool {
        if inner.probed.is_some_and(|at| at.elapsed() < PROBE_EVERY) {
            return inner.connection.is_some();
        }
        let Some(connection) = inner.connection.as_mut() else { return false };
        let alive = matches!(tokio::time::timeout(PROBE_TIMEOUT, connection.ping()).await, Ok(Ok(())));
        if alive {
            inner.probed = Some(Instant::now());
        } else {
            inner.lose();
        }
        alive
    }
}

impl Inner {
    fn lose(&mut self) {
        self.connection = None;
        self.held.clear();
        self.generation += 1;
        self.probed = None;
    }
}
