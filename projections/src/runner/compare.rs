//! Is the live table what the log says it is?

use super::{
    definition::Definition,
    deps::Deps,
    rebuild::{Builder, Progress},
    slot::{BuildError, Slot, SlotState},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

/// Rows compared at a time.
const SCAN_ROWS: i64 = 2_000;

/// One row that is not as it should be. Names columns, never what is in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Difference {
    /// The log makes the row, the live table does not have it.
    Missing(Uuid),
    /// The live table has the row, the log does not make it.
    Extra(Uuid),
    /// Both have it.
    Differs {
        /// Which row.
        id: Uuid,
        /// In which columns.
        columns: Vec<String>,
    },
}

/// What a comparison found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// The projection.
    pub name: String,
    /// Position of the last event both hold.
    pub checkpoint: Option<u64>,
    /// Rows that the log makes.
    pub rows: u64,
    /// Where the live table is wrong; empty when all is well.
    pub differences: Vec<Difference>,
}

/// A table's content in 32 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest {
    /// The projection.
    pub name: String,
    /// Position of the last event in it.
    pub checkpoint: Option<u64>,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 over the rows in id order, each its length in 8 bytes (big-endian) and its jsonb text.
    pub sha256: [u8; 32],
}

type Rows = Vec<(Uuid, String)>;

/// Folds the log anew up to where the live table is, and compares row by row. The live table is held still only while the last
/// events are folded and the rows are read.
pub(crate) async fn compare(deps: &Deps, definition: &Definition, progress: &Progress) -> Result<Comparison, BuildError> {
    let lease = deps.leases.try_take(&format!("compare:{}", definition.name)).await?.ok_or(BuildError::Busy)?;
    let outcome = compare_in_shadow(deps, definition, progress).await;
    deps.leases.release(lease).await;
    outcome
}

async fn compare_in_shadow(deps: &Deps, definition: &Definition, progress: &Progress) -> Result<Comparison, BuildError> {
    Slot::drop_leftovers(&deps.pool, definition.name, &["shadow"]).await?;
    let first = Slot::live(&deps.pool, definition.name).await?.ok_or(BuildError::NotBuilt)?;
    let mut builder = Builder::new(deps, definition, SlotState::Shadow).await?;
    let shadow = builder.slot.name.clone();
    let outcome = async {
        builder.advance(Some(first.checkpoint), progress).await?;
        let mut transaction = deps.pool.begin().await?;
        let live = Slot::lock_live(&mut transaction, definition.name).await?.ok_or(BuildError::NotBuilt)?;
        builder.advance(Some(live.checkpoint), progress).await?;
        let (rows, differences) = differences(&mut transaction, definition, &live, &builder.slot, &mut |_, _| {}).await?;
        transaction.rollback().await?;
        Ok(Comparison { name: definition.name.to_owned(), checkpoint: u64::try_from(live.checkpoint).ok(), rows, differences })
    }
    .await;
    Slot::drop(&deps.pool, &shadow).await?;
    outcome
}

/// Which of two builds a row is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The live one.
    Live,
    /// The one that was folded beside it.
    Rebuilt,
}

/// The rows that the rebuilt table has, and those in which the two differ. Every row of either goes by `seen`, in id order.
pub(crate) async fn differences(
    connection: &mut PgConnection,
    definition: &Definition,
    live: &Slot,
    rebuilt: &Slot,
    seen: &mut (dyn FnMut(Side, Value) + Send),
) -> Result<(u64, Vec<Difference>), BuildError> {
    let mut found = Vec::new();
    let (mut left, mut right) = (Scan::new(live), Scan::new(rebuilt));
    let mut count = 0;
    loop {
        left.fill(connection, definition).await?;
        right.fill(connection, definition).await?;
        match (left.front(), right.front()) {
            (None, None) => return Ok((count, found)),
            (Some(live), other) if other.is_none_or(|other| live < other) => {
                found.push(Difference::Extra(live));
                left.pop().iter().try_for_each(|(_, row)| parsed(row).map(|row| seen(Side::Live, row)))?;
            }
            (other, Some(rebuilt)) if other.is_none_or(|other| rebuilt < other) => {
                count += 1;
                found.push(Difference::Missing(rebuilt));
                right.pop().iter().try_for_each(|(_, row)| parsed(row).map(|row| seen(Side::Rebuilt, row)))?;
            }
            _ => {
                count += 1;
                if let (Some((id, live)), Some((_, rebuilt))) = (left.pop(), right.pop()) {
                    let (live_row, rebuilt_row) = (parsed(&live)?, parsed(&rebuilt)?);
                    if live != rebuilt {
                        found.push(Difference::Differs { id, columns: changed_columns(&live_row, &rebuilt_row) });
                    }
                    seen(Side::Live, live_row);
                    seen(Side::Rebuilt, rebuilt_row);
                }
            }
        }
    }
}

/// Columns in which two rows differ.
pub(crate) fn changed_columns(left: &Value, right: &Value) -> Vec<String> {
    let names = [left, right].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let mut names: Vec<String> = names.filter(|&name| left.get(name) != right.get(name)).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn parsed(row: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(row)
}

/// The rows of one build, in id order.
struct Scan<'a> {
    slot: &'a Slot,
    after: Uuid,
    page: std::vec::IntoIter<(Uuid, String)>,
    ended: bool,
}

impl<'a> Scan<'a> {
    fn new(slot: &'a Slot) -> Self {
        Scan { slot, after: Uuid::nil(), page: Vec::new().into_iter(), ended: false }
    }
    fn front(&self) -> Option<Uuid> {
        self.page.as_slice().first().map(|(id, _)| *id)
    }
    fn pop(&mut self) -> Option<(Uuid, String)> {
        self.page.next()
    }
    async fn fill(&mut self, connection: &mut PgConnection, definition: &Definition) -> Result<(), BuildError> {
        if self.ended || self.front().is_some() {
            return Ok(());
        }
        self.slot.enter_in(connection).await?;
        let rows: Rows = sqlx::query_as(definition.scan).bind(self.after).bind(SCAN_ROWS).fetch_all(connection).await?;
        self.ended = rows.is_empty();
        self.after = rows.last().map_or(self.after, |(id, _)| *id);
        self.page = rows.into_iter();
        Ok(())
    }
}

/// Hashes the live table as it is at one position.
pub(crate) async fn digest(deps: &Deps, definition: &Definition) -> Result<Digest, BuildError> {
    let mut transaction = deps.pool.begin().await?;
    let live = Slot::lock_live(&mut transaction, definition.name).await?.ok_or(BuildError::NotBuilt)?;
    let mut scan = Scan::new(&live);
    let mut hash = Sha256::new();
    let mut rows = 0;
    loop {
        scan.fill(&mut transaction, definition).await?;
        let Some((_, row)) = scan.pop() else { break };
        hash.update((row.len() as u64).to_be_bytes());
        hash.update(&row);
        rows += 1;
    }
    transaction.rollback().await?;
    Ok(Digest { name: definition.name.to_owned(), checkpoint: u64::try_from(live.checkpoint).ok(), rows, sha256: hash.finalize().into() })
}
