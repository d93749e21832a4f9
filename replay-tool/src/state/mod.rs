//! The read models, held against the log: `verify --state`.
//!
//! Everything is read in one snapshot and folded in memory from payloads alone: no key is needed, nothing is written. Four things
//! are held: the live tables against the fold, row by row; the newest signed number (`state.attested`) against the root that the
//! fold comes to; every statement on record against its lines and the fold; and every table beside them against what the log says of
//! it.

mod as_of;
mod bundled;
mod levels;
mod statements;
mod what_if;

pub use as_of::{AsOf, AsOfRow, AtPosition, Attested, Consistency, When, as_of};
pub use bundled::as_of_bundle;
pub use what_if::{Changed, Missed, RowChange, WhatIf, what_if};

use crate::{
    class::{Break, BreakClass, Doing, Failure},
    models::{ROWS_NAMED, describe_all},
    progress::Progress,
    tables,
};
use events::vocab::{
    bytes::Hash32,
    event::{AttestedBalance, AttestedProjection, StateAttested},
    id::EventId,
    stream::Recorded,
};
use projections::{
    journal::TrialBalance,
    runner::Definition,
    state::{self, FORM, Held, Replay, Snapshot, StateError, state_root},
};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use std::time::Instant;

/// Whether the newest signed number is held against the fold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// It is.
    Hold,
    /// It is passed by.
    PassBy,
}

/// What the read models were found to be.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct StateReport {
    /// The newest signed number; `None` where none was attested yet.
    pub attested: Option<AttestedState>,
    /// Each read model.
    pub models: Vec<ModelState>,
    /// The trial balance of all owners, at the attested position; without one, at the furthest read model.
    pub trial_balance: Vec<AttestedBalance>,
    /// Statements on record whose lines and the log come to what was recorded.
    pub statements: u64,
    /// Other tables of the database, and what was asked of each.
    pub tables: Vec<tables::Checked>,
    /// How long it took.
    pub milliseconds: u64,
}

/// A signed number that the replay has come to as well.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AttestedState {
    /// The event that holds it.
    pub event_id: EventId,
    /// Where it is in the log.
    pub position: u64,
    /// The position whose state it is.
    pub at_position: u64,
    /// The number.
    pub root: Hash32,
    /// Size of the smallest signed checkpoint that covers the event; `None` where none was signed since.
    pub checkpoint: Option<u64>,
    /// Read models that another version of the fold had made, so that this program cannot come to their roots.
    pub of_other_versions: Vec<String>,
}

/// A read model that is what the log folds to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ModelState {
    /// The projection.
    pub projection: String,
    /// The version of the fold.
    pub version: i32,
    /// Position of the last event in the live table.
    pub checkpoint: Option<u64>,
    /// How many rows it has.
    pub rows: u64,
    /// The root over them, without what is personal.
    pub root: Hash32,
    /// Whether the live table was compared row by row; an auditor may not see it, and then rows and root are the fold's.
    pub compared: bool,
}

/// The projections of those names; all of them when none is named.
pub fn definitions(names: &[String]) -> Result<Vec<Definition>, Failure> {
    if names.is_empty() {
        return Ok(projections::ALL.to_vec());
    }
    let find = |name: &String| {
        let found = projections::ALL.iter().find(|definition| definition.name == *name).copied();
        found.ok_or_else(|| Failure::Input(format!("there is no projection {name}")))
    };
    names.iter().map(find).collect()
}

/// Holds the read models of those names against the log, and with all of them the other tables too.
pub async fn verify_state(
    pool: &PgPool,
    names: &[String],
    numbers: Numbers,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<StateReport, Failure> {
    let started = Instant::now();
    let definitions = definitions(names)?;
    let mut snapshot = Snapshot::take(pool).await.map_err(failure)?;
    let attested = match numbers {
        Numbers::Hold => state::newest_attestation(snapshot.connection(), i64::MAX).await.map_err(failure)?,
        Numbers::PassBy => None,
    };
    let checkpoints = checkpoints(&snapshot, &definitions)?;
    let last = checkpoints.iter().filter_map(|(_, checkpoint)| *checkpoint).max();
    let at = attested.as_ref().map(|(_, attested)| attested.at_position);
    let total = last.max(at).map_or(0, |last| last + 1);
    let tell = |done| progress(Progress { done, total });

    // The signed number first, since the fold passes by its position; what it says is reported after rows, which say more.
    let mut replay = Replay::of(&definitions);
    let found = match &attested {
        Some((recorded, attested)) => {
            fold(&mut snapshot, &mut replay, attested.at_position, &tell).await?;
            Some(hold_attested(recorded, attested, &replay, names.is_empty()))
        }
        None => None,
    };
    // A build that was swapped in may be behind the attested position: then the fold begins anew.
    if checkpoints.iter().any(|(_, checkpoint)| checkpoint.map_or(0, |checkpoint| checkpoint + 1) < replay.next_position()) {
        replay = Replay::of(&definitions);
    }
    for (name, checkpoint) in &checkpoints {
        match checkpoint {
            Some(checkpoint) => replay.stop_at(name, *checkpoint),
            None => replay.stop_before_the_first(name),
        }
    }
    if let Some(last) = last {
        fold(&mut snapshot, &mut replay, last, &tell).await?;
    }
    let mut models = Vec::with_capacity(definitions.len());
    for (definition, (_, checkpoint)) in definitions.iter().zip(&checkpoints) {
        if !snapshot.may_read(definition).await.map_err(failure)? {
            let table = replay.table(definition.name).map_err(failure)?;
            let (projection, version) = (definition.name.to_owned(), definition.version);
            models.push(ModelState {
                projection,
                version,
                checkpoint: *checkpoint,
                rows: table.rows(),
                root: table.root(),
                compared: false,
            });
            continue;
        }
        let held = snapshot.hold(definition, &replay).await.map_err(failure)?;
        if held.differing > 0 {
            return Err(mismatch(&held, checkpoint.unwrap_or(0)).into());
        }
        let Held { name, live, .. } = held;
        let (version, rows, root) = (live.version, live.rows, live.root);
        models.push(ModelState { projection: name, version, checkpoint: *checkpoint, rows, root, compared: true });
    }
    let (attested, trial_balance) = match found {
        Some(found) => {
            let (mut attested, balance) = found?;
            attested.checkpoint = covering(snapshot.connection(), attested.position).await?;
            (Some(attested), balance)
        }
        None => (None, replay.trial_balance().map_err(failure)?),
    };
    if let Some(asset) = TrialBalance::unbalanced(&trial_balance) {
        let detail = format!("the debits of {} are not its credits", asset.symbol);
        return Err(Break::at(BreakClass::TrialBalanceMismatch, last.unwrap_or(0), detail).into());
    }
    let statements = if names.is_empty() { statements::hold(snapshot.connection(), &replay).await? } else { 0 };
    let tables = if names.is_empty() { tables::hold(snapshot.connection()).await? } else { Vec::new() };
    snapshot.close().await.map_err(failure)?;
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(StateReport { attested, models, trial_balance, statements, tables, milliseconds })
}

/// Size of the smallest signed checkpoint that covers `position`.
async fn covering(connection: &mut PgConnection, position: u64) -> Result<Option<u64>, Failure> {
    let position = i64::try_from(position).map_err(|_| Failure::Unreadable("a position is beyond its type"))?;
    let size: Option<i64> = sqlx::query_scalar(include_str!("../sql/covering_tree_head.sql"))
        .bind(position)
        .fetch_optional(connection)
        .await
        .doing("looking for a signed checkpoint")?;
    Ok(size.and_then(|size| u64::try_from(size).ok()))
}

/// How far each live table is.
fn checkpoints(snapshot: &Snapshot, definitions: &[Definition]) -> Result<Vec<(&'static str, Option<u64>)>, Failure> {
    let checkpoint = |definition: &Definition| {
        let live = snapshot.live(definition).map_err(failure)?;
        match live.version == definition.version {
            true => Ok((definition.name, u64::try_from(live.checkpoint).ok())),
            false => Err(failure(StateError::OtherVersion { name: definition.name, live: live.version, own: definition.version })),
        }
    };
    definitions.iter().map(checkpoint).collect()
}

/// Folds up to and including `until`.
pub(crate) async fn fold(
    snapshot: &mut Snapshot,
    replay: &mut Replay,
    until: u64,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Failure> {
    while replay.next_position() <= until {
        let page = snapshot.events(replay.next_position()).await.map_err(failure)?;
        if page.is_empty() {
            return Err(failure(StateError::Gap(replay.next_position())));
        }
        for recorded in page.iter().take_while(|recorded| recorded.position <= until) {
            replay.fold(recorded, None).map_err(failure)?;
        }
        tell(replay.next_position());
    }
    Ok(())
}

/// The signed number against what the fold came to at its position.
fn hold_attested(
    recorded: &Recorded,
    attested: &StateAttested,
    replay: &Replay,
    all: bool,
) -> Result<(AttestedState, Vec<AttestedBalance>), Failure> {
    let position = recorded.position;
    let broken = |class, detail: String| Err(Failure::from(Break::at(class, position, detail)));
    if attested.form != FORM {
        return Err(Failure::Input(format!(
            "the attestation at position {position} is of the form {}, this program's is {FORM}",
            attested.form
        )));
    }
    if attested.root != state_root(&attested.projections, &attested.trial_balance) {
        return broken(BreakClass::StateRootMismatch, "the attested number is not that of the attested lines".to_owned());
    }
    let state = replay.state().map_err(failure)?;
    let mut of_other_versions = Vec::new();
    for own in &state.projections {
        let Some(theirs) = attested.projections.iter().find(|theirs| theirs.name == own.name) else {
            of_other_versions.push(own.name.clone());
            continue;
        };
        if theirs.version != own.version {
            of_other_versions.push(own.name.clone());
        } else if theirs != own {
            return broken(BreakClass::StateRootMismatch, differs(theirs, own, attested.at_position));
        }
    }
    // Rows in the journal are what the trial balance sums, so it can only differ alone where somebody attested nonsense.
    if all && state.trial_balance != attested.trial_balance {
        return broken(BreakClass::TrialBalanceMismatch, format!("the trial balance at position {} is another", attested.at_position));
    }
    let unknown = attested.projections.iter().filter(|theirs| all && state.projections.iter().all(|own| own.name != theirs.name));
    of_other_versions.extend(unknown.map(|theirs| theirs.name.clone()));
    let held = AttestedState {
        event_id: recorded.envelope.event_id,
        position,
        at_position: attested.at_position,
        root: attested.root,
        checkpoint: None,
        of_other_versions,
    };
    Ok((held, attested.trial_balance.clone()))
}

fn differs(attested: &AttestedProjection, own: &AttestedProjection, at: u64) -> String {
    format!(
        "{} at position {at} comes to {} over {} rows, and {} over {} rows was attested",
        own.name, own.root, own.rows, attested.root, attested.rows
    )
}

/// Names rows and columns; what is in them may be personal.
fn mismatch(held: &Held, checkpoint: u64) -> Break {
    let detail = describe_all(&held.name, &held.differences, held.differing, ROWS_NAMED);
    Break::at(BreakClass::ProjectionMismatch, checkpoint, detail)
}

/// A state that is not known, or that shows a break.
pub(crate) fn failure(source: StateError) -> Failure {
    match source {
        StateError::Unfoldable(unfoldable) => {
            let poisoned = &unfoldable.poisoned;
            let mut found = Break::at(BreakClass::EventUnfoldable, poisoned.position, unfoldable.to_string());
            found.event_id = Some(poisoned.event_id);
            found.into()
        }
        StateError::Gap(position) => Break::at(BreakClass::PositionGap, position, "the log has no such position").into(),
        StateError::Undecodable { position, source } => Break::at(BreakClass::PayloadUndecodable, position, source.to_string()).into(),
        source => Failure::State(source),
    }
}
