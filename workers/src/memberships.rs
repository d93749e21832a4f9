//! Puts on record what the clock does to memberships (TR-16, OPS-62): reminders, the days of grace, the end. Whoever asks where a
//! membership stands is answered by the clock all the same; this is for history, webhooks and reports.

use crate::settle::rejected;
use events::{
    clock::Clock,
    log::{AppendError, Context, Log},
    unit::{Loaded, Unit, is_conflict, load},
    vocab::{
        id::EventId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
    },
};
use futures::{TryStreamExt as _, stream};
use ledger::membership::{Command, Membership};
use projections::{Reader, memberships};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use crate::settle::{SettleError as SweepError, WatchError};

/// How often it looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Memberships read at once.
const PAGE: u32 = 500;
/// Memberships decided at the same time: their appends share group commits.
const AT_ONCE: usize = 16;

/// Sweeps until it is told to stop.
pub async fn run(log: Log, reader: Reader, clock: Clock, stop: CancellationToken) -> Result<(), WatchError> {
    while stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
        sweep(&log, &reader, &clock).await?;
    }
    Ok(())
}

/// Puts on record what is due by now. Doing so again, or in several processes at once, records it once: an event's id follows from the
/// event before it, and its append expects the stream as it was read.
pub async fn sweep(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WatchError> {
    let now = clock.now();
    let mut after: Option<(Timestamp, Uuid)> = None;
    loop {
        let due = memberships::due(reader, now, after, PAGE).await?;
        after = due.last().and_then(|row| row.next_due_at.map(|at| (at, row.meta.id)));
        let rows = due.iter().map(|row| Ok::<_, SweepError>(row.meta.id));
        stream::iter(rows).try_for_each_concurrent(AT_ONCE, |id| pass(log, id, now)).await?;
        if due.len() < PAGE as usize {
            return Ok(());
        }
    }
}

/// Decides on the stream, not on the row that led to it: somebody may have paid meanwhile.
async fn pass(log: &Log, id: Uuid, now: Timestamp) -> Result<(), SweepError> {
    let mut membership = load::<Membership>(log, StreamId::new(Category::Membership, id)).await?;
    let context = Context {
        owner_id: membership.owner_id,
        livemode: membership.livemode.unwrap_or(true),
        actor: Actor::system("memberships"),
        request_id: None,
        correlation_id: membership.correlation_id.unwrap_or(id),
    };
    let mut unit = Unit::new(log, context);
    for command in due(&membership, now) {
        let Some(cause) = membership.last_event else { return Ok(()) };
        let named = |event: &events::vocab::event::Event| EventId::derived(cause, event.event_type().as_str());
        unit.decide_as(&mut membership, command, Some(cause), named).map_err(rejected!())?;
    }
    if unit.is_empty() {
        return Ok(());
    }
    match unit.commit().await {
        Ok(_) => Ok(()),
        // Somebody else moved it; the next round sees where to.
        Err(error) if is_conflict(&error) => Ok(()),
        Err(AppendError::SubjectErased) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What to ask of the membership. One that nobody looked at for long was in grace all the same.
fn due(membership: &Loaded<Membership>, now: Timestamp) -> Vec<Command> {
    let Some(member) = membership.state.member() else { return Vec::new() };
    match now {
        now if now >= member.grace_end() => vec![Command::EnterGrace { now }, Command::Expire { now }],
        now if now >= member.period_end => vec![Command::EnterGrace { now }],
        now => vec![Command::Remind { mail_id: None, now }],
    }
}
