//! `what-if`: the log folded with some events left out, or by another version of a fold, held against the live tables. Nothing is
//! written.

use super::{definitions, failure};
use crate::{
    class::{Doing, Failure},
    models::describe,
    progress::Progress,
};
use events::vocab::{event::AttestedBalance, id::EventId};
use projections::state::{Replay, Snapshot, StateError, Unfoldable};
use serde::Serialize;
use sqlx::PgPool;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many events that could not be folded are named.
const MISSED_NAMED: usize = 1_000;

/// What would be different.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct WhatIf {
    /// The events that were left out, by position.
    pub without: Vec<(u64, EventId)>,
    /// The read models that would differ.
    pub changed: Vec<Changed>,
    /// The read models that would not.
    pub unchanged: Vec<String>,
    /// Events that could not be folded without those that were left out; each was passed by, in that read model.
    pub missed: Vec<Missed>,
    /// How many there were in all.
    pub missed_in_all: u64,
    /// The trial balance as it would be, where the journal is among the read models.
    pub trial_balance: Vec<AttestedBalance>,
}

/// A read model that would be another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Changed {
    /// The projection.
    pub projection: String,
    /// The live version.
    pub live_version: i32,
    /// The version that was folded.
    pub version: i32,
    /// How many rows differ in all.
    pub rows: u64,
    /// The first 10,000 of them, as `(row, what would become of it, columns)`.
    pub differences: Vec<RowChange>,
}

/// One row that would be another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RowChange {
    /// Which.
    pub row: Uuid,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The columns that would differ; never what is in them.
    pub columns: Vec<String>,
}

/// An event that could not be folded any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missed {
    /// The projection.
    pub projection: &'static str,
    /// Where.
    pub position: u64,
    /// Its type.
    pub event_type: &'static str,
    /// Why.
    pub reason: String,
}

/// Folds the read models of those names without these events, each as far as its live table is, and compares.
pub async fn what_if(
    pool: &PgPool,
    names: &[String],
    without: &[EventId],
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<WhatIf, Failure> {
    let definitions = definitions(names)?;
    let mut snapshot = Snapshot::take(pool).await.map_err(failure)?;
    let left_out = find(&mut snapshot, without).await?;
    let positions: BTreeSet<u64> = left_out.iter().map(|(position, _)| *position).collect();
    let (mut replay, mut last) = (Replay::of(&definitions), None);
    for definition in &definitions {
        match u64::try_from(snapshot.live(definition).map_err(failure)?.checkpoint) {
            Ok(checkpoint) => {
                replay.stop_at(definition.name, checkpoint);
                last = last.max(Some(checkpoint));
            }
            Err(_) => replay.stop_before_the_first(definition.name),
        }
    }
    let (mut missed, mut missed_in_all) = (Vec::new(), 0_u64);
    while last.is_some_and(|last| replay.next_position() <= last) {
        let page = snapshot.events(replay.next_position()).await.map_err(failure)?;
        if page.is_empty() {
            return Err(failure(StateError::Gap(replay.next_position())));
        }
        for recorded in &page {
            if positions.contains(&recorded.position) {
                replay.leave_out(recorded);
                continue;
            }
            for Unfoldable { projection, poisoned } in replay.apply(recorded, None).map_err(failure)? {
                missed_in_all += 1;
                if missed.len() < MISSED_NAMED {
                    let (position, event_type) = (poisoned.position, poisoned.event_type);
                    missed.push(Missed { projection, position, event_type, reason: poisoned.poison.to_string() });
                }
            }
        }
        progress(Progress { done: replay.next_position(), total: last.map_or(0, |last| last + 1) });
    }
    let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
    for definition in &definitions {
        let held = snapshot.hold(definition, &replay).await.map_err(failure)?;
        match held.differing {
            0 => unchanged.push(held.name),
            rows => changed.push(Changed {
                projection: held.name,
                live_version: held.live.version,
                version: held.replayed.version,
                rows,
                differences: held.differences.iter().map(RowChange::of).collect(),
            }),
        }
    }
    snapshot.close().await.map_err(failure)?;
    let trial_balance = replay.trial_balance().map_err(failure)?;
    Ok(WhatIf { without: left_out, changed, unchanged, missed, missed_in_all, trial_balance })
}

impl RowChange {
    /// What the replay would make of a live row.
    pub(crate) fn of(difference: &projections::runner::Difference) -> Self {
        use projections::runner::Difference;
        let (row, _) = describe(difference);
        match difference {
            Difference::Missing(_) => RowChange { row, change: "added", columns: Vec::new() },
            Difference::Extra(_) => RowChange { row, change: "removed", columns: Vec::new() },
            Difference::Differs { columns, .. } => RowChange { row, change: "changed", columns: columns.clone() },
        }
    }
}

/// Where the events are that are to be left out.
async fn find(snapshot: &mut Snapshot, without: &[EventId]) -> Result<Vec<(u64, EventId)>, Failure> {
    let ids: Vec<Uuid> = without.iter().map(|id| id.0).collect();
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(include_str!("sql/positions_of.sql"))
        .bind(&ids)
        .fetch_all(snapshot.connection())
        .await
        .doing("looking for the events")?;
    if let Some(unknown) = without.iter().find(|id| rows.iter().all(|(_, found)| *found != id.0)) {
        return Err(Failure::NotFound(format!("event {unknown}")));
    }
    Ok(rows.into_iter().filter_map(|(position, id)| Some((u64::try_from(position).ok()?, EventId(id)))).collect())
}
