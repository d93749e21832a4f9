//! `reconcile`: a statement of a chain or of Stripe held against the log, by the matcher that the service uses (`ledger::statement`); and,
//! where it is on record, the record held against file and log.

mod movements;

pub(crate) use movements::Movements;

use crate::{
    bundle::Bundle,
    class::{Break, BreakClass, Failure},
    past::Past,
    progress::Progress,
    state::{definitions, failure},
    verify::{VerifyOptions, verify_bundle},
};
use events::vocab::{
    bytes::Hash32,
    event::{Event, StatementAsset, StatementEntry, Sums},
    id::{EventId, StatementId},
    stream::{Category, Recorded},
    time::Timestamp,
    words::{StatementFormat, StatementSource},
};
use ledger::statement::{self, Mismatch, OnRecord, Scope};
use projections::{
    runner::Projection as _,
    state::{Replay, Snapshot},
};
use serde::Serialize;
use sqlx::PgPool;
use std::path::Path;

/// What is to be held against the log.
#[derive(Clone, PartialEq, Debug)]
pub enum Wanted {
    /// A file, and what it is a statement of.
    File {
        /// What it is of.
        scope: Scope,
        /// How it is written.
        format: StatementFormat,
        /// The file.
        file: Vec<u8>,
    },
    /// A statement on record, with its file where that is at hand.
    Recorded {
        /// Which.
        id: StatementId,
        /// The file.
        file: Option<Vec<u8>>,
    },
}

/// Where the log is.
pub enum Reconcile<'a> {
    /// In a database; a role that may read the log suffices.
    Live(&'a PgPool),
    /// In a bundle, which is verified first.
    Bundle {
        /// Its folder.
        folder: &'a Path,
        /// The log's verifier key.
        vkey: String,
    },
}

/// What both sides come to.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Reconciliation {
    /// Which statement: follows from the account, the asset, the mode and the file.
    pub statement_id: StatementId,
    /// Where the account is.
    pub source: StatementSource,
    /// The account.
    pub account: String,
    /// What is counted.
    pub asset: StatementAsset,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// The first moment that it covers.
    pub from: Timestamp,
    /// The first moment that it does not cover any more.
    pub to: Timestamp,
    /// SHA-256 of the file.
    pub digest: Hash32,
    /// Position of the last event of the log that is taken into account.
    pub through_position: u64,
    /// The record, if the file is on record; it holds.
    pub on_record: Option<RecordHolds>,
    /// Whether everything is on both sides with one amount.
    pub reconciled: bool,
    /// What both sides come to.
    pub sums: Sums,
    /// Every transaction, by time.
    pub entries: Vec<StatementEntry>,
}

/// A record that holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RecordHolds {
    /// Its event.
    pub event_id: EventId,
    /// That event's place in the log.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Position of the last event of the log that was taken into account then.
    pub through_position: u64,
    /// What both sides came to then.
    pub sums: Sums,
    /// Whether it was held against the file as well, or against its kept lines alone.
    pub file: bool,
}

/// What one pass over the log has gathered.
struct Gathered {
    movements: Movements,
    /// The statement's own stream.
    stream: Vec<Recorded>,
    last: u64,
}

/// Holds the statement against the log.
pub async fn reconcile(
    log: Reconcile<'_>,
    wanted: &Wanted,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Reconciliation, Failure> {
    // Before the log is read, so that a file that cannot be read costs nothing.
    let read = match wanted {
        Wanted::File { scope, format, file } => Some(scope.read(*format, file).map_err(|error| Failure::Input(error.to_string()))?),
        Wanted::Recorded { .. } => None,
    };
    let id = match wanted {
        Wanted::File { scope, file, .. } => scope.statement(&Hash32::of(file)),
        Wanted::Recorded { id, .. } => *id,
    };
    let past = match log {
        Reconcile::Live(pool) => Past::Live(Snapshot::take(pool).await.map_err(failure)?),
        Reconcile::Bundle { folder, vkey } => {
            verify_bundle(folder, &VerifyOptions { vkey: Some(vkey.clone()), ..VerifyOptions::default() }, progress).await?;
            Past::of_bundle(Bundle::open(folder)?, &vkey)?
        }
    };
    let Gathered { movements, stream, last } = gather(past, id, progress).await?;
    let file = match wanted {
        Wanted::File { file, .. } => Some(file),
        Wanted::Recorded { file, .. } => file.as_ref(),
    };
    let record = match stream.is_empty() {
        true => None,
        false => Some(hold(&stream, &movements, file.map(Vec::as_slice))?),
    };
    let (scope, digest, items) = match (wanted, read, &record) {
        (Wanted::File { scope, file, .. }, Some(items), _) => (scope.clone(), Hash32::of(file), items),
        (_, _, Some((record, _))) => (record.scope.clone(), record.imported.digest, record.items()),
        _ => return Err(Failure::NotFound(format!("statement {id}"))),
    };
    let legs = movements.legs(&scope, last);
    let found = statement::reconcile(&scope, items, legs).map_err(|error| Failure::Input(error.to_string()))?;
    let sums = *found.sums.get();
    Ok(Reconciliation {
        statement_id: id,
        source: scope.source,
        account: scope.account,
        asset: scope.asset,
        livemode: scope.livemode,
        from: scope.period_start,
        to: scope.period_end,
        digest,
        through_position: last,
        on_record: record.map(|(_, holds)| holds),
        reconciled: [sums.different, sums.statement_only, sums.ledger_only].iter().all(|sums| sums.entries == 0),
        sums,
        entries: found.entries,
    })
}

async fn gather(mut past: Past, id: StatementId, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Gathered, Failure> {
    let total = past.size().await?;
    let last = total.checked_sub(1).ok_or_else(|| Failure::Input("the log is empty".to_owned()))?;
    let mut replay = Replay::of(&definitions(&[projections::movements::Movements::NAME.to_owned()])?);
    let mut stream = Vec::new();
    while replay.next_position() < total {
        for recorded in past.next(replay.next_position()).await? {
            replay.fold(&recorded, None).map_err(failure)?;
            if recorded.envelope.stream.category == Category::Statement && recorded.envelope.stream.id == id.0 {
                stream.push(recorded);
            }
        }
        progress(Progress { done: replay.next_position(), total });
    }
    Ok(Gathered { movements: Movements::of(&replay)?, stream, last })
}

fn hold(stream: &[Recorded], movements: &Movements, file: Option<&[u8]>) -> Result<(OnRecord, RecordHolds), Failure> {
    let record = on_record(stream)?;
    let through_position = record.imported.through_position;
    let held = record.hold(movements.legs(&record.scope, through_position));
    held.and_then(|()| file.map_or(Ok(()), |file| record.hold_file(file))).map_err(|wrong| mismatch(stream, wrong))?;
    let first = stream.first().ok_or(Failure::Unreadable("a statement without events"))?;
    let holds = RecordHolds {
        event_id: first.envelope.event_id,
        position: first.position,
        recorded_at: first.envelope.recorded_at,
        through_position,
        sums: *record.imported.sums.get(),
        file: file.is_some(),
    };
    Ok((record, holds))
}

/// The statement that a stream's events tell of.
pub(crate) fn on_record(stream: &[Recorded]) -> Result<OnRecord, Failure> {
    let decode = |recorded: &Recorded| {
        recorded.decode().map_err(|error| Break::at(BreakClass::PayloadUndecodable, recorded.position, error.to_string()))
    };
    let events: Vec<Event> = stream.iter().map(decode).collect::<Result<_, Break>>()?;
    let livemode = stream.first().is_some_and(|first| first.envelope.livemode);
    OnRecord::of(&events, livemode).map_err(|wrong| mismatch(stream, wrong))
}

/// A record that does not hold, at its first event.
pub(crate) fn mismatch(stream: &[Recorded], wrong: Mismatch) -> Failure {
    let class = BreakClass::ReconciliationMismatch;
    match stream.first() {
        Some(Recorded { position, envelope, .. }) => Break::of(class, *position, envelope.event_id, envelope.stream, wrong.0).into(),
        None => Break::at(class, 0, wrong.0).into(),
    }
}
