//! Where the log ends.

use crate::{proof::Frontier, vocab::time::Timestamp};
use sqlx::{FromRow, PgConnection, PgExecutor};

/// Where the log ends, and what it needs to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The position the next event gets: the number of events there are.
    pub next_position: u64,
    /// Counts batches and fences.
    pub epoch: u64,
    /// Time of the last event.
    pub recorded_at: Timestamp,
    /// The proof tree over all leaves.
    pub frontier: Frontier,
}

#[derive(FromRow)]
struct HeadRow {
    next_position: i64,
    epoch: i64,
    recorded_at: i64,
    frontier: Vec<u8>,
}

impl TryFrom<HeadRow> for Head {
    type Error = sqlx::Error;
    fn try_from(row: HeadRow) -> Result<Self, sqlx::Error> {
        let count = |number: i64| u64::try_from(number).map_err(|error| sqlx::Error::Decode(error.into()));
        let next_position = count(row.next_position)?;
        Ok(Head {
            next_position,
            epoch: count(row.epoch)?,
            recorded_at: Timestamp::from_micros(row.recorded_at),
            frontier: Frontier::from_bytes(next_position, &row.frontier).map_err(|error| sqlx::Error::Decode(error.into()))?,
        })
    }
}

/// The head as it is committed now.
pub(crate) async fn read(executor: impl PgExecutor<'_>) -> Result<Head, sqlx::Error> {
    let row: HeadRow = sqlx::query_as(include_str!("sql/read_head.sql")).fetch_one(executor).await?;
    row.try_into()
}

/// The head, locked until the transaction of `connection` ends: no other writer comes between.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<Head, sqlx::Error> {
    let row: HeadRow = sqlx::query_as(include_str!("sql/lock_head.sql")).fetch_one(connection).await?;
    row.try_into()
}

/// Moves the epoch, after waiting for whoever holds the head: from here on no statement sent before can write any more.
pub(super) async fn fence(connection: &mut PgConnection) -> Result<Head, sqlx::Error> {
    let row: HeadRow = sqlx::query_as(include_str!("sql/fence_head.sql")).fetch_one(connection).await?;
    row.try_into()
}
