//! All projections of a process: started together, asked for together.

use super::{
    compare::{self, Comparison, Digest},
    definition::Definition,
    deps::Deps,
    health::{Board, ReaderHealth},
    live,
    rebuild::{self, Progress, Rebuilt},
    shadow::{self, Afterwards, Beside},
    slot::{BuildError, Slot},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often a process that does not run a projection looks how far it is.
const LOOK: Duration = Duration::from_millis(20);

/// The projections of this process: to run, to wait for, to rebuild, to compare. Clones share all.
#[derive(Clone)]
pub struct Projections {
    inner: Arc<Inner>,
}

struct Inner {
    deps: Deps,
    all: Vec<(Definition, Board)>,
    tasks: TaskTracker,
}

/// A projection did not reach a position in time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the projection {name} has not reached position {position} yet")]
pub struct Behind {
    /// The projection.
    pub name: String,
    /// Where it should be.
    pub position: u64,
    /// Where it is.
    pub checkpoint: Option<u64>,
}

impl Projections {
    /// Every projection there is, none of them running in this process: enough to wait, rebuild and compare.
    pub fn new(deps: Deps) -> Self {
        Projections::of(deps, crate::ALL)
    }

    /// The given projections, none of them running.
    pub fn of(deps: Deps, definitions: &[Definition]) -> Self {
        let all = definitions.iter().map(|definition| (*definition, Board::new(definition.name, definition.version))).collect();
        let inner = Inner { deps, all, tasks: TaskTracker::new() };
        Projections { inner: Arc::new(inner) }
    }

    /// Every projection there is, running until `shutdown`.
    pub fn start(deps: Deps, shutdown: CancellationToken) -> Self {
        let projections = Projections::new(deps);
        projections.run(shutdown);
        projections
    }

    /// Runs them until `shutdown`. Each is alone: one that stops or panics stops no other.
    pub fn run(&self, shutdown: CancellationToken) {
        for (definition, board) in &self.inner.all {
            let run = supervise(self.inner.deps.clone(), *definition, board.clone(), shutdown.clone());
            self.inner.tasks.spawn(run);
        }
        self.inner.tasks.close();
    }

    /// Only watches how far the processes that run them have come, so that health is known here too.
    pub fn observe(&self, shutdown: CancellationToken) {
        let inner = self.inner.clone();
        self.inner.tasks.spawn(async move {
            while !shutdown.is_cancelled() {
                for (definition, board) in &inner.all {
                    live::look(&inner.deps, definition, board).await;
                }
                live::pause(Duration::from_secs(1), &shutdown).await;
            }
        });
        self.inner.tasks.close();
    }

    /// Returns when all have stopped after `shutdown`.
    pub async fn stopped(&self) {
        self.inner.tasks.wait().await;
    }

    /// How each is.
    pub fn health(&self) -> Vec<ReaderHealth> {
        let head = self.inner.deps.log.known_head();
        self.inner.all.iter().map(|(_, board)| board.health(head)).collect()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.inner.all.iter().map(|(definition, _)| definition.name).collect()
    }

    /// What each of them is.
    pub fn definitions(&self) -> Vec<Definition> {
        self.inner.all.iter().map(|(definition, _)| *definition).collect()
    }

    /// What they work with.
    pub fn deps(&self) -> &Deps {
        &self.inner.deps
    }

    /// Returns once the live table of `name` holds the event at `position`, whichever process runs it.
    pub async fn wait_for(&self, name: &str, position: u64, timeout: Duration) -> Result<(), Behind> {
        let target = i64::try_from(position).unwrap_or(i64::MAX);
        let deadline = Instant::now() + timeout;
        let mut status = self.find(name).ok().map(|(_, board)| board.watch());
        let mut checkpoint = -1;
        loop {
            if let Some(status) = status.as_mut() {
                checkpoint = checkpoint.max(status.borrow_and_update().checkpoint);
            }
            if checkpoint < target {
                // Not on the readers' own connections: who waits here is answered although they are busy.
                let live = Slot::live(self.inner.deps.log.pool(), name).await.ok().flatten();
                checkpoint = live.map_or(checkpoint, |live| live.checkpoint.max(checkpoint));
            }
            if checkpoint >= target {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Behind { name: name.to_owned(), position, checkpoint: u64::try_from(checkpoint).ok() });
            }
            let changed = async {
                match status.as_mut() {
                    Some(status) => drop(status.changed().await),
                    None => std::future::pending().await,
                }
            };
            let look = (Instant::now() + LOOK).min(deadline);
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(look.into()) => {}
            }
        }
    }

    /// [`Projections::wait_for`] for several projections at once.
    pub async fn wait_for_all(&self, names: &[&str], position: u64, timeout: Duration) -> Result<(), Behind> {
        let waits = names.iter().map(|name| self.wait_for(name, position, timeout));
        futures::future::try_join_all(waits).await.map(drop)
    }

    /// Builds the projection anew beside the live one and swaps it in. Any process may ask, while others run it. Dropping the
    /// future gives it up; what it left is removed by the next.
    pub async fn rebuild(&self, name: &str, progress: Progress) -> Result<Rebuilt, BuildError> {
        let (definition, _) = self.find(name)?;
        rebuild::rebuild(&self.inner.deps, definition, &progress, &CancellationToken::new()).await
    }

    /// Folds the log anew and compares the result with the live table.
    pub async fn compare(&self, name: &str, progress: Progress) -> Result<Comparison, BuildError> {
        let (definition, _) = self.find(name)?;
        compare::compare(&self.inner.deps, definition, &progress).await
    }

    /// Builds the projection beside the live one, or goes on where an earlier call was killed, compares the two row by row, and does
    /// with it what `afterwards` says. What was compared is what goes live: the live build is held still in between.
    pub async fn build_beside(&self, name: &str, afterwards: Afterwards, progress: Progress) -> Result<Beside, BuildError> {
        let (definition, _) = self.find(name)?;
        shadow::build_beside(&self.inner.deps, definition, afterwards, &progress).await
    }

    /// The live table's content in 32 bytes, and the position it is at.
    pub async fn digest(&self, name: &str) -> Result<Digest, BuildError> {
        let (definition, _) = self.find(name)?;
        compare::digest(&self.inner.deps, definition).await
    }

    fn find(&self, name: &str) -> Result<&(Definition, Board), BuildError> {
        self.inner.all.iter().find(|(definition, _)| definition.name == name).ok_or(BuildError::UnknownProjection)
    }
}

/// Starts a runner again if it panics, which only a fold can make it do.
async fn supervise(deps: Deps, definition: Definition, board: Board, shutdown: CancellationToken) {
    loop {
        let run = live::run(deps.clone(), definition, board.clone(), shutdown.clone());
        match tokio::spawn(run).await {
            Ok(()) => return,
            Err(_) if shutdown.is_cancelled() => return,
            Err(_) => {
                tracing::error!(projection.name = definition.name, "a projection's runner panicked and is started again");
                board.note(super::health::State::Retrying { error: "its runner panicked".to_owned() });
                live::pause(Duration::from_secs(1), &shutdown).await;
            }
        }
    }
}
