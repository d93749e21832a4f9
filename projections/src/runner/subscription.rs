//! A durable reader of the log with effects outside: at least once, in order, from a checkpoint of its own.

use super::{
    deps::Deps,
    feed::{Batch, Feed},
    health::{Board, ReaderHealth, State},
    live::{pause, record, resolve},
    pace::Pace,
    prepare::prepare_with,
    projection::Applied,
    slot::{BuildError, Poisoned},
};
use events::{leader::Lease, vocab::event::EventType};
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const STANDBY: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// Where a subscription begins when it has no checkpoint yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the first event of the log.
    Beginning,
    /// With the next event after now.
    Now,
}

/// What a subscription does with events.
pub trait Handler: Send + Sync + 'static {
    /// Which events it wants. Others only move the checkpoint.
    fn handles(&self, event_type: EventType) -> bool;
    /// Whether it needs personal data opened.
    fn personal(&self) -> bool {
        false
    }
    /// Handles the events, in order, and returns when all are done. After an error, or a crash before the checkpoint moved, the
    /// same events come again, so what it does must bear repetition.
    fn handle(&mut self, batch: &[Applied<'_>]) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Why a batch was not handled; it comes again after a while. The text goes to health and logs: no personal data.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct HandlerError(pub String);

/// A durable reader of the log. One process at a time runs it.
#[derive(Clone)]
pub struct Subscription {
    deps: Deps,
    start: Start,
    board: Board,
}

impl Subscription {
    /// The subscription of that name (lower-case letters and underscores, unique among subscriptions).
    pub fn new(deps: Deps, name: &str, start: Start) -> Self {
        Subscription { deps, start, board: Board::new(name, 0) }
    }

    /// What it is doing.
    pub fn health(&self) -> ReaderHealth {
        self.board.health(self.deps.log.known_head())
    }

    /// Runs until `shutdown`.
    pub async fn run(self, mut handler: impl Handler, shutdown: CancellationToken) {
        let name = self.board.name.clone();
        let mut backoff = Duration::from_millis(100);
        while !shutdown.is_cancelled() {
            let lease = match self.deps.leases.try_take(&format!("subscription:{name}")).await {
                Ok(Some(lease)) => lease,
                taken => {
                    self.board.note(match taken {
                        Err(error) => State::Retrying { error: format!("leadership: {error}") },
                        Ok(_) => State::Standby,
                    });
                    pause(STANDBY, &shutdown).await;
                    continue;
                }
            };
            let started = Instant::now();
            let outcome = self.lead(&lease, &mut handler, &shutdown).await;
            self.deps.leases.release(lease).await;
            match outcome {
                Ok(()) | Err(BuildError::Stopped) => continue,
                Err(BuildError::Poisoned(poisoned)) => self.stay_poisoned(&poisoned, &shutdown).await,
                Err(error) => {
                    if started.elapsed() > MAX_BACKOFF {
                        backoff = Duration::from_millis(100);
                    }
                    tracing::warn!(subscription.name = name, subscription.error = %error, "a subscription stopped and will try again");
                    self.board.note(State::Retrying { error: error.to_string() });
                    pause(backoff, &shutdown).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        }
        self.board.note(State::Stopped);
    }

    async fn lead(&self, lease: &Lease, handler: &mut impl Handler, shutdown: &CancellationToken) -> Result<(), BuildError> {
        let began = self.load().await?;
        let mut pace = Pace::new(began);
        let mut resolved = false;
        let mut feed = Feed::new(&self.deps, &self.board.name, 0);
        self.board.reached(began, false, self.deps.log.known_head());
        self.board.note(State::Live);
        while self.deps.leases.holds(lease).await {
            let Batch { events, ack } = tokio::select! {
                () = shutdown.cancelled() => {
                    self.write_down(&mut pace).await?;
                    return Err(BuildError::Stopped);
                }
                batch = feed.next(pace.reached) => batch?,
                () = pace.due() => Batch::none(),
            };
            let handles = |event_type| handler.handles(event_type);
            let personal = handler.personal();
            let page = prepare_page(&handles, personal, &self.deps, events).await?;
            let wanted: Vec<Applied<'_>> = page.events.iter().filter_map(|prepared| prepared.applied()).collect();
            if !wanted.is_empty() {
                handler.handle(&wanted).await.map_err(|error| BuildError::Log(error.to_string()))?;
            }
            pace.reached = page.last().unwrap_or(pace.reached);
            if !wanted.is_empty() || page.poisoned.is_some() || pace.is_due() {
                self.write_down(&mut pace).await?;
            }
            if !resolved && pace.reached > began {
                resolve(&self.deps.pool, &self.board.name, 0, pace.reached).await?;
                resolved = true;
            }
            self.board.reached(pace.reached, feed.is_streaming(), self.deps.log.known_head());
            if let Some(poisoned) = page.poisoned {
                return Err(BuildError::Poisoned(poisoned));
            }
            ack.send().await;
        }
        Ok(())
    }

    async fn load(&self) -> Result<i64, sqlx::Error> {
        let first = match self.start {
            Start::Beginning => -1,
            Start::Now => i64::try_from(self.deps.log.known_head()).unwrap_or(i64::MAX) - 1,
        };
        sqlx::query_scalar(include_str!("sql/load_subscription.sql")).bind(&self.board.name).bind(first).fetch_one(&self.deps.pool).await
    }

    async fn write_down(&self, pace: &mut Pace) -> Result<(), BuildError> {
        if !pace.is_ahead() {
            return Ok(());
        }
        let query = sqlx::query(include_str!("sql/move_subscription.sql")).bind(&self.board.name).bind(pace.written()).bind(pace.reached);
        match query.execute(&self.deps.pool).await?.rows_affected() {
            1 => pace.wrote(pace.reached),
            _ => return Err(BuildError::Fenced),
        }
        Ok(())
    }

    async fn stay_poisoned(&self, poisoned: &Poisoned, shutdown: &CancellationToken) {
        tracing::error!(
            subscription.name = self.board.name,
            event.position = poisoned.position,
            event.id = %poisoned.event_id,
            "a subscription cannot read an event and has stopped there"
        );
        metrics::counter!("hilt_reader_dead_letters_total", "reader" => self.board.name.clone()).increment(1);
        self.board.note(State::poisoned(poisoned));
        while record(&self.deps.pool, &self.board.name, 0, poisoned).await.is_err() && !shutdown.is_cancelled() {
            pause(STANDBY, shutdown).await;
        }
        shutdown.cancelled().await;
    }
}

async fn prepare_page(
    handles: &(dyn Fn(EventType) -> bool + Sync),
    personal: bool,
    deps: &Deps,
    events: Vec<events::vocab::stream::Recorded>,
) -> Result<super::prepare::Page, BuildError> {
    prepare_with(handles, personal, &deps.vault, events).await
}
