//! The live runner of one projection.

use super::{
    definition::Definition,
    deps::Deps,
    feed::{Batch, Feed},
    health::{Board, State},
    pace::Pace,
    prepare::{Page, prepare},
    rebuild::{self, Progress},
    slot::{self, BuildError, Poisoned, Slot},
};
use events::leader::Lease;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often a process asks whether it should run the projection.
const STANDBY: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Keeps one projection current until `shutdown`: takes the role, builds the version of this program if it is not live, follows the
/// log, and after any failure begins again from the checkpoint.
pub(crate) async fn run(deps: Deps, definition: Definition, board: Board, shutdown: CancellationToken) {
    let role = format!("projection:{}:v{}", definition.name, definition.version);
    let mut backoff = Duration::from_millis(100);
    while !shutdown.is_cancelled() {
        let lease = match deps.leases.try_take(&role).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                stand_by(&deps, &definition, &board, &shutdown).await;
                continue;
            }
            Err(error) => {
                board.note(State::Retrying { error: format!("leadership: {error}") });
                pause(STANDBY, &shutdown).await;
                continue;
            }
        };
        let outcome = lead(&deps, &definition, &board, &lease, &shutdown).await;
        deps.leases.release(lease).await;
        match outcome {
            Ok(()) | Err(BuildError::Stopped) => backoff = Duration::from_millis(100),
            // Replaced, or another runner was quicker: look again at what is live.
            Err(BuildError::Fenced | BuildError::Superseded) => pause(Duration::from_millis(20), &shutdown).await,
            Err(BuildError::Poisoned(poisoned)) => wait_for_fix(&deps, &definition, &board, &poisoned, &shutdown).await,
            Err(error) => {
                tracing::warn!(projection.name = definition.name, projection.error = %error, "a projection stopped and will try again");
                board.note(State::Retrying { error: error.to_string() });
                pause(backoff, &shutdown).await;
                backoff = (backoff * 2).min(MAX_BACKOFF);
            }
        }
    }
    board.note(State::Stopped);
}

async fn stand_by(deps: &Deps, definition: &Definition, board: &Board, shutdown: &CancellationToken) {
    look(deps, definition, board).await;
    pause(STANDBY, shutdown).await;
}

/// Notes how far another process has brought the projection.
pub(crate) async fn look(deps: &Deps, definition: &Definition, board: &Board) {
    match Slot::live(&deps.pool, definition.name).await {
        Ok(Some(live)) => {
            board.reached(live.checkpoint, false, deps.log.known_head());
            board.note(State::Standby);
        }
        Ok(None) => board.note(State::Standby),
        Err(error) => board.note(State::Retrying { error: error.to_string() }),
    }
}

/// Runs the projection while the lease stands and the build is the live one.
async fn lead(deps: &Deps, definition: &Definition, board: &Board, lease: &Lease, shutdown: &CancellationToken) -> Result<(), BuildError> {
    let live = match Slot::live(&deps.pool, definition.name).await? {
        Some(live) if live.version > definition.version => {
            board.note(State::Superseded);
            pause(MAX_BACKOFF, shutdown).await;
            return Ok(());
        }
        Some(live) if live.version == definition.version => live,
        _ => {
            board.note(State::Rebuilding);
            match rebuild::rebuild(deps, definition, &Progress::silent(), shutdown).await {
                // Another process builds it already.
                Err(BuildError::Busy) => pause(STANDBY, shutdown).await,
                other => other.map(drop)?,
            }
            return Ok(());
        }
    };
    follow(deps, definition, board, lease, live, shutdown).await
}

async fn follow(
    deps: &Deps,
    definition: &Definition,
    board: &Board,
    lease: &Lease,
    mut live: Slot,
    shutdown: &CancellationToken,
) -> Result<(), BuildError> {
    let mut feed = Feed::new(deps, definition.name, definition.version);
    let began = live.checkpoint;
    let mut pace = Pace::new(began);
    let mut checked = Instant::now();
    let mut resolved = false;
    board.reached(live.checkpoint, false, deps.log.known_head());
    board.note(State::Live);
    loop {
        let Batch { events, ack } = tokio::select! {
            () = shutdown.cancelled() => {
                pass(deps, &mut live, &mut pace).await?;
                return Err(BuildError::Stopped);
            }
            batch = feed.next(pace.reached) => batch?,
            () = pace.due() => Batch::none(),
        };
        if checked.elapsed() >= STANDBY {
            checked = Instant::now();
            let current = Slot::live(&deps.pool, definition.name).await?;
            if !deps.leases.holds(lease).await || current.is_none_or(|current| current.name != live.name) {
                return Err(BuildError::Fenced);
            }
        }
        let page = prepare(definition, &deps.vault, events).await?;
        match page.last() {
            Some(last) if page.only_passes() => pace.reached = last,
            _ => {
                live.checkpoint = step(deps, definition, &live, page).await?;
                if live.checkpoint > pace.reached {
                    pace.wrote(live.checkpoint);
                }
            }
        }
        if pace.is_due() {
            pass(deps, &mut live, &mut pace).await?;
        }
        if !resolved && pace.reached > began {
            resolve(&deps.pool, definition.name, definition.version, pace.reached).await?;
            resolved = true;
        }
        board.reached(pace.reached, feed.is_streaming(), deps.log.known_head());
        ack.send().await;
    }
}

/// Writes down what the build has passed.
async fn pass(deps: &Deps, live: &mut Slot, pace: &mut Pace) -> Result<(), BuildError> {
    if pace.is_ahead() {
        live.pass_to(&deps.pool, pace.reached).await?;
        pace.wrote(pace.reached);
    }
    Ok(())
}

/// Applies a page in one transaction with the checkpoint. An event that cannot be applied is left out with all that follow it, and
/// reported once what comes before it is committed.
pub(crate) async fn step(deps: &Deps, definition: &Definition, at: &Slot, mut page: Page) -> Result<i64, BuildError> {
    let mut poisoned = page.poisoned.take();
    loop {
        let Some(reached) = page.last() else { return finish(at.checkpoint, poisoned) };
        // What lies between was passed: it changes no row.
        debug_assert!(
            page.events.first().is_none_or(|first| i64::try_from(first.recorded.position).is_ok_and(|first| first > at.checkpoint))
        );
        let mut rows = (definition.partial)();
        let mut transaction = at.enter(&deps.pool).await?;
        match slot::fold(&mut transaction, definition, rows.as_mut(), &page.events).await? {
            Ok(()) => {
                slot::save(&mut transaction, definition, rows.as_mut()).await?;
                at.move_to(&mut transaction, reached).await?;
                transaction.commit().await?;
                return finish(reached, poisoned);
            }
            Err(found) => {
                transaction.rollback().await?;
                page.events.retain(|prepared| prepared.recorded.position < found.position);
                poisoned = Some(found);
            }
        }
    }
}

fn finish(reached: i64, poisoned: Option<Box<Poisoned>>) -> Result<i64, BuildError> {
    match poisoned {
        // What was committed before the event is found again by its checkpoint.
        Some(poisoned) => Err(BuildError::Poisoned(poisoned)),
        None => Ok(reached),
    }
}

/// A poisoned projection stays where it is, visibly, until this program is replaced or another build goes live.
async fn wait_for_fix(deps: &Deps, definition: &Definition, board: &Board, poisoned: &Poisoned, shutdown: &CancellationToken) {
    tracing::error!(
        projection.name = definition.name,
        event.position = poisoned.position,
        event.id = %poisoned.event_id,
        "a projection cannot apply an event and has stopped there"
    );
    metrics::counter!("hilt_reader_dead_letters_total", "reader" => definition.name).increment(1);
    let stopped_at = Slot::live(&deps.pool, definition.name).await.ok().flatten();
    if let Some(slot) = &stopped_at {
        // What it had passed may not be written down.
        let reached = board.watch().borrow().checkpoint.max(slot.checkpoint);
        board.reached(reached, false, deps.log.known_head());
    }
    board.note(State::poisoned(poisoned));
    while let Err(error) = record(&deps.pool, definition.name, definition.version, poisoned).await {
        tracing::warn!(projection.name = definition.name, projection.error = %error, "a dead letter could not be written");
        pause(STANDBY, shutdown).await;
        if shutdown.is_cancelled() {
            return;
        }
    }
    let stopped_at = stopped_at.map(|slot| slot.name);
    while !shutdown.is_cancelled() {
        pause(STANDBY, shutdown).await;
        if let Ok(Some(current)) = Slot::live(&deps.pool, definition.name).await
            && Some(&current.name) != stopped_at.as_ref()
        {
            return;
        }
    }
}

/// Writes the dead letter.
pub(crate) async fn record(pool: &sqlx::PgPool, name: &str, version: i32, poisoned: &Poisoned) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("sql/dead_letter.sql"))
        .bind(name)
        .bind(version)
        .bind(i64::try_from(poisoned.position).unwrap_or(i64::MAX))
        .bind(poisoned.event_id.0)
        .bind(poisoned.event_type)
        .bind(poisoned.poison.to_string())
        .execute(pool)
        .await
        .map(drop)
}

/// Notes that events that stopped a reader before are behind it.
pub(crate) async fn resolve(pool: &sqlx::PgPool, name: &str, version: i32, checkpoint: i64) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("sql/resolve_dead_letters.sql")).bind(name).bind(version).bind(checkpoint).execute(pool).await.map(drop)
}

pub(crate) async fn pause(time: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
