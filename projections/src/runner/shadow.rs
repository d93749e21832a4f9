//! A rebuild that an operator looks at before it goes live: built beside the live table, compared with it row by row, and then
//! swapped in, kept or dropped. How far it has come is in the database, so a killed one goes on where it was.

use super::{
    compare::{Difference, Side, differences},
    definition::Definition,
    deps::Deps,
    live,
    rebuild::{Builder, Progress},
    slot::{BuildError, Slot, SlotState},
};
use crate::state::{RowForm, Table, TableRoot};
use events::clock::new_id;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

/// What becomes of the build once it is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Afterwards {
    /// It is dropped, and the live one stays.
    Drop,
    /// It is kept for the next call, and the live one stays.
    Keep,
    /// It takes the live one's place.
    Swap,
}

/// What was found beside the live table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beside {
    /// The projection.
    pub name: String,
    /// Position of the last event in both; `None` before the first.
    pub checkpoint: Option<u64>,
    /// How many events of it were folded by an earlier call.
    pub resumed: u64,
    /// The live table as it was.
    pub before: Table,
    /// What the log makes of it.
    pub after: Table,
    /// Where the live table was wrong; names columns, never what is in them.
    pub differences: Vec<Difference>,
    /// Whether it is live now.
    pub swapped: bool,
}

/// See [`Projections::build_beside`](super::Projections::build_beside).
pub(crate) async fn build_beside(
    deps: &Deps,
    definition: &Definition,
    afterwards: Afterwards,
    progress: &Progress,
) -> Result<Beside, BuildError> {
    let lease = deps.leases.try_take(&format!("rebuild:{}", definition.name)).await?.ok_or(BuildError::Busy)?;
    let outcome = build_and_compare(deps, definition, afterwards, progress).await;
    deps.leases.release(lease).await;
    outcome
}

async fn build_and_compare(
    deps: &Deps,
    definition: &Definition,
    afterwards: Afterwards,
    progress: &Progress,
) -> Result<Beside, BuildError> {
    let first = Slot::live(&deps.pool, definition.name).await?.ok_or(BuildError::NotBuilt)?;
    if first.version > definition.version {
        return Err(BuildError::Superseded);
    }
    let (mut builder, resumed) = begin(deps, definition, &first).await?;
    builder.advance(Some(first.checkpoint), progress).await?;
    let mut transaction = deps.pool.begin().await?;
    let live = Slot::lock_live(&mut transaction, definition.name).await?.ok_or(BuildError::NotBuilt)?;
    builder.advance(Some(live.checkpoint), progress).await?;
    let mut beside = compare(&mut transaction, definition, &live, &builder.slot).await?;
    beside.resumed = resumed;
    let slot = builder.slot.name.clone();
    match afterwards {
        Afterwards::Swap => {
            swap(&mut transaction, &live, &builder.slot, &beside).await?;
            transaction.commit().await?;
            beside.swapped = true;
            live::resolve(&deps.pool, definition.name, definition.version, live.checkpoint).await?;
            // The build that it replaced, and what earlier calls had begun for other versions.
            Slot::drop_leftovers(&deps.pool, definition.name, &["retired", "candidate"]).await?;
        }
        Afterwards::Keep => transaction.rollback().await?,
        Afterwards::Drop => {
            transaction.rollback().await?;
            Slot::drop(&deps.pool, &slot).await?;
        }
    }
    Ok(beside)
}

/// A new build, or the one that an earlier call began. One that is further than the live build cannot be compared with it: it is of
/// another life of that table, and is dropped.
async fn begin<'a>(deps: &'a Deps, definition: &'a Definition, live: &Slot) -> Result<(Builder<'a>, u64), BuildError> {
    match Slot::candidate(&deps.pool, definition).await? {
        Some(candidate) if candidate.checkpoint <= live.checkpoint => {
            let resumed = u64::try_from(candidate.checkpoint + 1).unwrap_or(0);
            Ok((Builder::resume(deps, definition, candidate).await?, resumed))
        }
        _ => {
            Slot::drop_leftovers(&deps.pool, definition.name, &["candidate"]).await?;
            Ok((Builder::new(deps, definition, SlotState::Candidate).await?, 0))
        }
    }
}

async fn compare(
    transaction: &mut Transaction<'static, Postgres>,
    definition: &Definition,
    live: &Slot,
    rebuilt: &Slot,
) -> Result<Beside, BuildError> {
    let form = RowForm::of(definition);
    let (mut before, mut after) = (TableRoot::default(), TableRoot::default());
    let (_, differences) = differences(transaction, definition, live, rebuilt, &mut |side, row| match side {
        Side::Live => before.push(&form.public(row)),
        Side::Rebuilt => after.push(&form.public(row)),
    })
    .await?;
    Ok(Beside {
        name: definition.name.to_owned(),
        checkpoint: u64::try_from(live.checkpoint).ok(),
        resumed: 0,
        before: Table { version: live.version, rows: before.rows(), root: before.root() },
        after: Table { version: rebuilt.version, rows: after.rows(), root: after.root() },
        differences,
        swapped: false,
    })
}

/// Puts the build in the live one's place and notes what changed, in the transaction that compared them.
async fn swap(transaction: &mut Transaction<'static, Postgres>, live: &Slot, rebuilt: &Slot, found: &Beside) -> Result<(), BuildError> {
    sqlx::query(include_str!("sql/retire_slot.sql")).bind(&found.name).execute(&mut **transaction).await?;
    let promote = sqlx::query(include_str!("sql/promote_candidate.sql")).bind(&rebuilt.name).bind(live.checkpoint);
    if promote.execute(&mut **transaction).await?.rows_affected() != 1 {
        return Err(BuildError::Fenced);
    }
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query(include_str!("sql/record_swap.sql"))
        .bind(new_id::<Uuid>())
        .bind(&found.name)
        .bind(found.before.version)
        .bind(found.after.version)
        .bind(live.checkpoint)
        .bind(count(found.before.rows))
        .bind(count(found.after.rows))
        .bind(found.before.root.0.as_slice())
        .bind(found.after.root.0.as_slice())
        .bind(count(found.differences.len() as u64))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
