//! What the read models come to at one position, in one number that anyone can compute again from the log's payloads.
//!
//! Each table has a root: RFC 6962's, over its rows in id order, without what is personal in them, so that erasing a person changes no
//! root of the past. The service takes the roots of its live tables in one snapshot and puts them on record as `state.attested`,
//! together with the trial balance; every later checkpoint covers that event. A replay that comes to another number has found
//! either a table that is not what the log says, or a fold that is not what it was.

mod form;
mod live;
mod replay;
mod root;
#[cfg(test)]
mod tests;

pub use form::{FORM, RowForm, canonical, row_leaf};
pub use live::{Held, LiveSlot, Snapshot};
pub use replay::{Replay, Unfoldable};
pub use root::{State, TableRoot, state_root};

use crate::{journal::SumOutOfRange, runner::BuildError};
use events::{
    codec::CodecError,
    log::ReadError,
    vocab::{
        bytes::Hash32,
        event::{Event, StateAttested},
        stream::Recorded,
    },
};
use sqlx::PgConnection;

/// A table in one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// The version of the fold that made it.
    pub version: i32,
    /// How many rows it has.
    pub rows: u64,
    /// The root over them.
    pub root: Hash32,
}

/// Why the state is not known.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database refused or did not answer.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The log did not answer.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A position is missing.
    #[error("the log has no position {0}")]
    Gap(u64),
    /// An event does not decode.
    #[error("the event at position {position}: {source}")]
    Undecodable {
        /// Where.
        position: u64,
        /// Why.
        source: CodecError,
    },
    /// An event that a read model cannot fold.
    #[error(transparent)]
    Unfoldable(#[from] Unfoldable),
    /// There is nothing in the log.
    #[error("the read models hold no event yet")]
    Empty,
    /// There is no live build.
    #[error("the read model {0} has not been built yet")]
    NotBuilt(&'static str),
    /// The live build is another program's.
    #[error("the live read model {name} is of version {live}, and this program folds version {own}")]
    OtherVersion {
        /// Which.
        name: &'static str,
        /// The live one's.
        live: i32,
        /// This program's.
        own: i32,
    },
    /// One is too far behind to be folded up to the others.
    #[error("the read model {name} is {by} events behind")]
    Behind {
        /// Which.
        name: &'static str,
        /// By how many events.
        by: u64,
    },
    /// A row is not of the form that this program knows.
    #[error("a row of a read model is of another form")]
    Row(#[from] serde_json::Error),
    /// Rows could not be loaded or folded.
    #[error(transparent)]
    Fold(#[from] BuildError),
    /// The trial balance cannot be summed.
    #[error(transparent)]
    Sum(#[from] SumOutOfRange),
}

/// The newest attestation before position `before`, and its event.
pub async fn newest_attestation(connection: &mut PgConnection, before: i64) -> Result<Option<(Recorded, StateAttested)>, StateError> {
    let found: Option<Recorded> = sqlx::query_as(include_str!("sql/newest.sql")).bind(before).fetch_optional(connection).await?;
    let Some(recorded) = found else { return Ok(None) };
    let position = recorded.position;
    match recorded.decode().map_err(|source| StateError::Undecodable { position, source })? {
        Event::StateAttested(attested) => Ok(Some((recorded, attested))),
        _ => Ok(None),
    }
}

/// Whether anything but attestations is in the log behind `position`.
pub async fn has_grown(connection: &mut PgConnection, position: u64) -> Result<bool, StateError> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar(include_str!("sql/grown.sql")).bind(position).fetch_one(connection).await?)
}
