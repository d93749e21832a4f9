//! A rebuild: the fold from the first event into a new slot, beside the live one, which then takes its place at once.
//!
//! Rows stay in memory until the end of the log is reached and are then written in bulk; a table too large for that is continued
//! from the database. Whoever follows the replaced slot finds it replaced at his next commit and goes on with the new one, so
//! nothing is lost or applied twice, whichever processes take part.

use super::{
    definition::{Definition, Fold},
    deps::Deps,
    live,
    prepare::{Page, prepare},
    projection::Keys,
    slot::{self, BuildError, Poisoned, Slot, SlotState},
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Events read with one query.
const PAGE: usize = 5_000;
/// Pages read ahead of the fold.
const AHEAD: usize = 3;
/// Rows kept in memory, beyond which the fold loads and saves as the live runner does.
const ROWS_IN_MEMORY: usize = 500_000;
/// Rows read at a time when a build goes on.
const RESUMED_ROWS: i64 = 5_000;
/// Events after which a build that can be resumed writes how far it is.
const SAVED_EVERY: i64 = 100_000;

/// How far a rebuild has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// Events folded.
    pub events: u64,
    /// Events there are, as of now.
    pub of: u64,
}

/// Whom to tell how far it has come.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Done) + Send + Sync>);

impl Progress {
    /// Calls `tell` after every page.
    pub fn new(tell: impl Fn(Done) + Send + Sync + 'static) -> Self {
        Progress(Arc::new(tell))
    }
    /// Nobody.
    pub fn silent() -> Self {
        Progress::new(|_| {})
    }
    pub(crate) fn tell(&self, done: Done) {
        (self.0)(done);
    }
}

/// What a rebuild made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebuilt {
    /// The projection.
    pub name: String,
    /// The version built.
    pub version: i32,
    /// Position of the last event in it when it went live.
    pub checkpoint: Option<u64>,
}

/// Builds this program's version of the projection and makes it the live one.
pub(crate) async fn rebuild(
    deps: &Deps,
    definition: &Definition,
    progress: &Progress,
    shutdown: &CancellationToken,
) -> Result<Rebuilt, BuildError> {
    let lease = deps.leases.try_take(&format!("rebuild:{}", definition.name)).await?.ok_or(BuildError::Busy)?;
    let outcome = tokio::select! {
        () = shutdown.cancelled() => Err(BuildError::Stopped),
        outcome = build_and_swap(deps, definition, progress) => outcome,
    };
    deps.leases.release(lease).await;
    outcome
}

async fn build_and_swap(deps: &Deps, definition: &Definition, progress: &Progress) -> Result<Rebuilt, BuildError> {
    // What a crashed rebuild left, and the build that the last one replaced.
    Slot::drop_leftovers(&deps.pool, definition.name, &["building", "retired"]).await?;
    let mut builder = Builder::new(deps, definition, SlotState::Building).await?;
    let checkpoint = match builder.until_live(progress).await {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            // Best effort: the next rebuild drops it too.
            let _ = Slot::drop(&deps.pool, &builder.slot.name).await;
            if let BuildError::Poisoned(poisoned) = &error
                && Slot::live(&deps.pool, definition.name).await?.is_none()
            {
                build_until_poison(deps, definition, poisoned, progress).await?;
            }
            return Err(error);
        }
    };
    live::resolve(&deps.pool, definition.name, definition.version, checkpoint).await?;
    tracing::info!(projection.name = definition.name, projection.version = definition.version, "a projection was rebuilt and is live");
    Ok(Rebuilt { name: definition.name.to_owned(), version: definition.version, checkpoint: u64::try_from(checkpoint).ok() })
}

/// A first build that meets a poison event goes live with what comes before it: better read a table that says where it stopped than
/// none. A later build does not, since the live one may be further.
async fn build_until_poison(deps: &Deps, definition: &Definition, poisoned: &Poisoned, progress: &Progress) -> Result<(), BuildError> {
    let mut builder = Builder::new(deps, definition, SlotState::Building).await?;
    let last = i64::try_from(poisoned.position).unwrap_or(i64::MAX) - 1;
    builder.advance(Some(last), progress).await?;
    builder.swap().await.map(drop)
}

/// A build under way.
pub(crate) struct Builder<'a> {
    deps: &'a Deps,
    definition: &'a Definition,
    pub slot: Slot,
    rows: Box<dyn Fold>,
    in_memory: bool,
    /// Position of the last event folded; the slot's checkpoint follows when the rows are written.
    folded: i64,
    /// How many events may be folded before the rows are written.
    saved_every: i64,
}

impl<'a> Builder<'a> {
    /// An empty build.
    pub(crate) async fn new(deps: &'a Deps, definition: &'a Definition, state: SlotState) -> Result<Self, BuildError> {
        let slot = Slot::open(&deps.pool, definition, state).await?;
        let saved_every = if state == SlotState::Candidate { SAVED_EVERY } else { i64::MAX };
        Ok(Builder { deps, definition, slot, rows: (definition.complete)(), in_memory: true, folded: -1, saved_every })
    }

    /// A build that was begun before and goes on from its checkpoint.
    pub(crate) async fn resume(deps: &'a Deps, definition: &'a Definition, slot: Slot) -> Result<Self, BuildError> {
        let folded = slot.checkpoint;
        let mut builder =
            Builder { deps, definition, slot, rows: (definition.complete)(), in_memory: true, folded, saved_every: SAVED_EVERY };
        let mut transaction = builder.slot.enter(&deps.pool).await?;
        let mut after = Uuid::nil();
        loop {
            let query = sqlx::query_as(definition.scan).bind(after).bind(RESUMED_ROWS);
            let rows: Vec<(Uuid, String)> = query.fetch_all(&mut *transaction).await?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            let rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
            builder.rows.load(Keys::none(), &rows)?;
            if builder.rows.len() > ROWS_IN_MEMORY {
                builder.rows.forget();
                builder.in_memory = false;
                break;
            }
        }
        transaction.rollback().await?;
        Ok(builder)
    }

    /// Folds to the end of the log and past the live build, then swaps.
    async fn until_live(&mut self, progress: &Progress) -> Result<i64, BuildError> {
        loop {
            self.advance(None, progress).await?;
            if self.swap().await? {
                return Ok(self.slot.checkpoint);
            }
        }
    }

    /// Folds up to and including position `until`, or to the end of the log, and writes the rows.
    pub(crate) async fn advance(&mut self, until: Option<i64>, progress: &Progress) -> Result<(), BuildError> {
        let (pages, prepared) = mpsc::channel(AHEAD);
        let reading = read_ahead(self.deps, self.definition, self.folded + 1, until, pages);
        let folding = async {
            // Moved in, so that reading ends when folding fails.
            let mut prepared = prepared;
            while let Some(page) = prepared.recv().await {
                self.fold(page?).await?;
                let events = u64::try_from(self.folded + 1).unwrap_or(0);
                progress.tell(Done { events, of: self.deps.log.known_head().max(events) });
            }
            self.flush().await
        };
        tokio::join!(reading, folding).1
    }

    async fn fold(&mut self, page: Page) -> Result<(), BuildError> {
        if !self.in_memory {
            self.slot.checkpoint = live::step(self.deps, self.definition, &self.slot, page).await?;
            self.folded = self.slot.checkpoint;
            return Ok(());
        }
        slot::apply(self.rows.as_mut(), &page.events).map_err(BuildError::Poisoned)?;
        self.folded = page.last().unwrap_or(self.folded);
        if let Some(poisoned) = page.poisoned {
            return Err(BuildError::Poisoned(poisoned));
        }
        if self.rows.len() > ROWS_IN_MEMORY {
            self.flush().await?;
            self.rows.forget();
            self.in_memory = false;
        } else if self.folded - self.slot.checkpoint >= self.saved_every {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BuildError> {
        if self.folded == self.slot.checkpoint {
            return Ok(());
        }
        let mut transaction = self.slot.enter(&self.deps.pool).await?;
        slot::save(&mut transaction, self.definition, self.rows.as_mut()).await?;
        self.slot.move_to(&mut transaction, self.folded).await?;
        transaction.commit().await?;
        self.slot.checkpoint = self.folded;
        Ok(())
    }

    /// Makes the build the live one, unless the live one is ahead: readers never see time run backwards.
    async fn swap(&mut self) -> Result<bool, BuildError> {
        let mut transaction = self.deps.pool.begin().await?;
        let live = Slot::lock_live(&mut transaction, self.definition.name).await?;
        match live {
            Some(live) if live.version > self.definition.version => return Err(BuildError::Superseded),
            Some(live) if live.checkpoint > self.slot.checkpoint => return Ok(false),
            _ => {}
        }
        sqlx::query(include_str!("sql/retire_slot.sql")).bind(self.definition.name).execute(&mut *transaction).await?;
        let promoted = sqlx::query(include_str!("sql/promote_slot.sql"))
            .bind(&self.slot.name)
            .bind(self.slot.checkpoint)
            .execute(&mut *transaction)
            .await?;
        if promoted.rows_affected() != 1 {
            return Err(BuildError::Fenced);
        }
        transaction.commit().await?;
        Ok(true)
    }
}

/// Reads and decodes pages while those before them are folded. Ends at `until`, at the end of the log or when nobody listens.
async fn read_ahead(
    deps: &Deps,
    definition: &Definition,
    mut from: i64,
    until: Option<i64>,
    pages: mpsc::Sender<Result<Page, BuildError>>,
) {
    let (reads, mut recorded) = mpsc::channel(AHEAD);
    let reading = async move {
        loop {
            let left = until.map_or(i64::MAX, |until| until - from + 1);
            let limit = usize::try_from(left).unwrap_or(0).min(PAGE);
            if limit == 0 {
                return;
            }
            let read = deps.read(from, limit).await;
            let count = read.as_ref().map_or(0, Vec::len);
            from += count as i64;
            let ended = match &read {
                Ok(events) if events.is_empty() => return,
                Ok(_) => false,
                Err(_) => true,
            };
            if reads.send(read).await.is_err() || ended {
                return;
            }
        }
    };
    let definition = *definition;
    let decoding = async move {
        while let Some(read) = recorded.recv().await {
            let page = match read {
                Ok(events) => {
                    // On a task of its own, so that reading, decoding and folding use as many processors as there are.
                    let vault = deps.vault.clone();
                    let task = tokio::spawn(async move { prepare(&definition, &vault, events).await });
                    task.await.unwrap_or_else(|_| Err(BuildError::Log("a page could not be decoded".to_owned())))
                }
                Err(error) => Err(error),
            };
            let ended = !matches!(&page, Ok(page) if page.poisoned.is_none());
            if pages.send(page).await.is_err() || ended {
                return;
            }
        }
    };
    tokio::join!(reading, decoding);
}
