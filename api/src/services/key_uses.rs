//! When keys were last used: a note for their owners, to the minute. It is no event and no read model, so a request costs neither an
//! append nor a write; a table of its own is written at most once a minute and key, by whoever uses the key first in that minute.

use events::vocab::{id::ApiKeyId, time::Timestamp};
use sqlx::PgPool;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A use that comes so soon after one that is noted is not noted.
pub const COARSE_MICROS: i64 = 60_000_000;

/// Notes uses and tells of them.
#[derive(Clone)]
pub struct KeyUses {
    pool: PgPool,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    uses: Mutex<HashMap<ApiKeyId, Timestamp>>,
    some: Notify,
}

impl KeyUses {
    /// Uses, kept in that database.
    pub fn new(pool: PgPool) -> Self {
        KeyUses { pool, waiting: Arc::default() }
    }

    /// `key` is used. Returns at once: [`KeyUses::run`] writes it. Call it at most once in [`COARSE_MICROS`] for each key.
    pub fn note(&self, key: ApiKeyId, at: Timestamp) {
        self.waiting.uses.lock().unwrap_or_else(PoisonError::into_inner).insert(key, at);
        self.waiting.some.notify_one();
    }

    /// Writes what is noted, together what came meanwhile, until `stop`. A use that cannot be written is lost: the next one tells
    /// nearly the same.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.waiting.some.notified() => {}
            }
            let noted = std::mem::take(&mut *self.waiting.uses.lock().unwrap_or_else(PoisonError::into_inner));
            let (keys, times): (Vec<Uuid>, Vec<i64>) = noted.into_iter().map(|(key, at)| (key.0, at.micros())).unzip();
            let written = sqlx::query(include_str!("sql/note_key_uses.sql")).bind(&keys).bind(&times).execute(&self.pool).await;
            if let Err(error) = written {
                tracing::warn!(%error, keys = keys.len(), "the last uses of keys cannot be noted");
            }
        }
    }

    /// When each of `keys` was last used, if it was.
    pub async fn last(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Timestamp>, sqlx::Error> {
        let found: Vec<(Uuid, i64)> = sqlx::query_as(include_str!("sql/key_uses.sql")).bind(keys).fetch_all(&self.pool).await?;
        Ok(found.into_iter().map(|(key, at)| (key, Timestamp::from_micros(at))).collect())
    }
}
