//! `history` and `verify-history`: everything that the log has of one payment, in a file that proves itself.

use crate::{
    class::{Break, BreakClass, Doing as _, Failure},
    progress::Progress,
    remote::Published,
};
use events::{
    clock::Clock,
    proof::{
        NoteKey, TILE_WIDTH, Tile, TileKind, TreeHead,
        history::{self, History, HistoryBreak, HistoryError, HistoryRule, Scan, ScanBreak, VerifiedHistory},
    },
    vault::{KeyPurpose, MasterKey, Vault},
    vocab::{id::PaymentId, stream::StreamId, time::Timestamp},
};
use serde::Serialize;
use sqlx::PgPool;

/// The history of `payment` up to the newest signed checkpoint. With the master key the log's own key states where streams end; the
/// role must then be the service's. Without it, whoever checks the history has to go through all entries.
pub async fn history(pool: &PgPool, payment: PaymentId, master: Option<MasterKey>) -> Result<History, Failure> {
    let head = TreeHead::newest(pool).await.doing("reading the newest signed checkpoint")?;
    let head = head.ok_or_else(|| Failure::NotFound(format!("{payment}, since nothing of the log is signed yet")))?;
    let note = head.cosigned(pool).await.doing("reading cosignatures")?;
    let signer = match master {
        Some(master) => {
            let vault = Vault::new(pool.clone(), master, Clock::machine());
            Some(vault.signer(KeyPurpose::Log).await.map_err(|error| Failure::Input(format!("the log's key: {error}")))?)
        }
        None => None,
    };
    match history::build(pool, payment, &head, note, signer.as_ref(), u64::MAX >> 2).await {
        Ok(found) => found.ok_or_else(|| Failure::NotFound(format!("{payment} below the newest signed checkpoint"))),
        Err(HistoryError::Database(source)) => Err(Failure::Database { doing: "reading the payment's events", source }),
        Err(error) => Err(Failure::Remote(error.to_string())),
    }
}

/// A history that holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct HistoryReport {
    /// Whose it is.
    pub payment_id: PaymentId,
    /// The log.
    pub origin: String,
    /// Size of the checkpoint that it goes up to.
    pub size: u64,
    /// Its root, in hex.
    pub root: String,
    /// How it is known that nothing is left out at the end.
    pub complete: Completeness,
    /// Every stream, with the number of its events.
    pub streams: Vec<(StreamId, u64)>,
    /// Every event, in the order of positions.
    pub events: Vec<HistoryStep>,
}

/// How it is known that a history leaves nothing out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// The log has signed it: a later event below the checkpoint would convict its operator.
    Stated,
    /// All entries of the log were gone through.
    Scanned,
}

/// An event of the history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HistoryStep {
    /// Its place in the log.
    pub position: u64,
    /// When the log accepted it.
    pub at: Timestamp,
    /// Its type.
    pub event_type: &'static str,
    /// Its stream.
    pub stream: StreamId,
    /// Its place there.
    pub version: u64,
    /// Who caused it.
    pub actor: String,
}

/// Checks a history with the log's key; with `entries`, where the log's entries are published, also that nothing is left out of it.
pub async fn verify_history(
    text: &str,
    key: &NoteKey,
    entries: Option<(&str, Option<String>)>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<HistoryReport, Failure> {
    let malformed = |error: serde_json::Error| Break::at(BreakClass::HistoryMalformed, 0, format!("not a history: {error}"));
    let history: History = serde_json::from_str(text).map_err(malformed)?;
    let verified = history::verify(&history, key).map_err(broken)?;
    let complete = match entries {
        Some((place, token)) => {
            scan(&verified, &Published::at(place, token)?, progress).await?;
            Completeness::Scanned
        }
        None if verified.stated => Completeness::Stated,
        None => {
            let detail = "the log has not stated where streams end, so events may be missing at the end: give --entries";
            return Err(Break::at(BreakClass::HistoryIncomplete, verified.checkpoint.size, detail).into());
        }
    };
    Ok(report(verified, complete))
}

async fn scan(verified: &VerifiedHistory, log: &Published, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<(), Failure> {
    let size = verified.checkpoint.size;
    let mut scan = Scan::new(verified);
    while scan.position() < size {
        let index = scan.position() / TILE_WIDTH;
        let bundle = Tile { kind: TileKind::Entries, index, width: (size - index * TILE_WIDTH).min(TILE_WIDTH) };
        let entries = log.entries(bundle).await?;
        let wanted = usize::try_from(bundle.width).unwrap_or(usize::MAX);
        for entry in entries.iter().take(wanted) {
            scan.entry(entry).map_err(left_out)?;
        }
        progress(Progress { done: scan.position(), total: size });
    }
    scan.end().map_err(left_out)
}

fn report(verified: VerifiedHistory, complete: Completeness) -> HistoryReport {
    HistoryReport {
        payment_id: verified.payment_id,
        origin: verified.checkpoint.origin,
        size: verified.checkpoint.size,
        root: verified.checkpoint.root.to_string(),
        complete,
        streams: verified.streams.iter().map(|end| (end.stream, end.events)).collect(),
        events: verified
            .events
            .into_iter()
            .map(|event| HistoryStep {
                position: event.position,
                at: event.recorded_at,
                event_type: event.event.event_type().as_str(),
                stream: event.stream,
                version: event.version,
                actor: event.actor,
            })
            .collect(),
    }
}

fn broken(found: HistoryBreak) -> Failure {
    let class = match found.rule {
        HistoryRule::Form | HistoryRule::Entry => BreakClass::HistoryMalformed,
        HistoryRule::Checkpoint => BreakClass::CheckpointSignatureInvalid,
        HistoryRule::Payload => BreakClass::LeafMismatch,
        HistoryRule::Version => BreakClass::StreamVersionGap,
        HistoryRule::PreviousLeaf => BreakClass::StreamLeafMismatch,
        HistoryRule::Inclusion => BreakClass::InclusionInvalid,
        HistoryRule::Statement => BreakClass::StatementInvalid,
    };
    Break::at(class, found.position.unwrap_or(0), found.detail).into()
}

fn left_out(found: ScanBreak) -> Failure {
    let (class, position) = match found {
        ScanBreak::LeftOut { position, .. } => (BreakClass::HistoryIncomplete, position),
        ScanBreak::Unreadable(position) => (BreakClass::FieldInvalid, position),
        ScanBreak::Root => (BreakClass::RootMismatch, 0),
        ScanBreak::Short(position) => (BreakClass::LogTruncated, position),
    };
    Break::at(class, position, found.to_string()).into()
}
