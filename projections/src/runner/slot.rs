//! Slots: the builds of a projection, each a schema of its own.

use super::{
    definition::{Definition, Fold},
    prepare::Prepared,
    projection::{Keys, Poison},
};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

/// Rows written with one statement.
const SAVE_ROWS: usize = 5_000;

/// Why a build did not go on.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database refused or did not answer.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The log or the vault did not answer.
    #[error("the log: {0}")]
    Log(String),
    /// The build is not where it was: another runner moved it, or it was replaced.
    #[error("another runner moved the projection, or it was replaced")]
    Fenced,
    /// A newer program's version is live, and an older one may not replace it.
    #[error("a newer version of the projection is live")]
    Superseded,
    /// Another process rebuilds or compares it.
    #[error("another process is at work on this projection")]
    Busy,
    /// There is no live build yet.
    #[error("the projection has not been built yet")]
    NotBuilt,
    /// No projection of that name.
    #[error("unknown projection")]
    UnknownProjection,
    /// A row that is not what its version says.
    #[error("a row of the projection does not decode or encode")]
    Row(#[from] serde_json::Error),
    /// An event cannot be folded.
    #[error("position {}: {}", .0.position, .0.poison)]
    Poisoned(Box<Poisoned>),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// The event that stopped a projection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poisoned {
    /// Its position.
    pub position: u64,
    /// Its id.
    pub event_id: events::vocab::id::EventId,
    /// Its type.
    pub event_type: &'static str,
    /// The rule that it breaks.
    pub poison: Poison,
}

/// What a build is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SlotState {
    Building,
    Live,
    Shadow,
    Candidate,
}

impl SlotState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SlotState::Building => "building",
            SlotState::Live => "live",
            SlotState::Shadow => "shadow",
            SlotState::Candidate => "candidate",
        }
    }
}

/// A build and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub name: String,
    pub version: i32,
    pub state: SlotState,
    /// Position of the last event applied, -1 before the first.
    pub checkpoint: i64,
}

impl Slot {
    /// The live build of a projection.
    pub(crate) async fn live(pool: &PgPool, name: &str) -> Result<Option<Slot>, sqlx::Error> {
        let found: Option<(String, i32, i64)> = sqlx::query_as(include_str!("sql/live_slot.sql")).bind(name).fetch_optional(pool).await?;
        Ok(found.map(|(name, version, checkpoint)| Slot { name, version, state: SlotState::Live, checkpoint }))
    }

    /// The live build, held still until the transaction ends.
    pub(crate) async fn lock_live(connection: &mut PgConnection, name: &str) -> Result<Option<Slot>, sqlx::Error> {
        let found: Option<(String, i32, i64)> =
            sqlx::query_as(include_str!("sql/lock_live_slot.sql")).bind(name).fetch_optional(connection).await?;
        Ok(found.map(|(name, version, checkpoint)| Slot { name, version, state: SlotState::Live, checkpoint }))
    }

    /// The newest build of that version which an operator had begun beside the live one.
    pub(crate) async fn candidate(pool: &PgPool, definition: &Definition) -> Result<Option<Slot>, sqlx::Error> {
        let query = sqlx::query_as(include_str!("sql/candidate_slot.sql")).bind(definition.name).bind(definition.version);
        let found: Option<(String, i64)> = query.fetch_optional(pool).await?;
        Ok(found.map(|(name, checkpoint)| Slot { name, version: definition.version, state: SlotState::Candidate, checkpoint }))
    }

    /// A new, empty build with its table.
    pub(crate) async fn open(pool: &PgPool, definition: &Definition, state: SlotState) -> Result<Slot, sqlx::Error> {
        let mut transaction = pool.begin().await?;
        let name: String = sqlx::query_scalar(include_str!("sql/open_slot.sql"))
            .bind(definition.name)
            .bind(definition.version)
            .bind(state.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(include_str!("sql/enter_new_slot.sql")).bind(&name).execute(&mut *transaction).await?;
        sqlx::raw_sql(definition.schema).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Slot { name, version: definition.version, state, checkpoint: -1 })
    }

    /// Drops the build with its table.
    pub(crate) async fn drop(pool: &PgPool, name: &str) -> Result<(), sqlx::Error> {
        sqlx::query(include_str!("sql/drop_slot.sql")).bind(name).execute(pool).await.map(drop)
    }

    /// Drops builds that nothing uses any more.
    pub(crate) async fn drop_leftovers(pool: &PgPool, projection: &str, states: &[&str]) -> Result<(), sqlx::Error> {
        let states: Vec<String> = states.iter().map(|&state| state.to_owned()).collect();
        let slots: Vec<String> =
            sqlx::query_scalar(include_str!("sql/leftover_slots.sql")).bind(projection).bind(states).fetch_all(pool).await?;
        for slot in slots {
            Slot::drop(pool, &slot).await?;
        }
        Ok(())
    }

    /// A transaction on the build's table, with the build held still where this process believes it is.
    pub(crate) async fn enter(&self, pool: &PgPool) -> Result<Transaction<'static, Postgres>, BuildError> {
        let mut transaction = pool.begin().await?;
        self.enter_in(&mut transaction).await?;
        Ok(transaction)
    }

    /// [`Slot::enter`] in a transaction that has begun.
    pub(crate) async fn enter_in(&self, connection: &mut PgConnection) -> Result<(), BuildError> {
        let entered = sqlx::query(include_str!("sql/enter_slot.sql"))
            .bind(&self.name)
            .bind(self.checkpoint)
            .bind(self.state.as_str())
            .fetch_optional(connection)
            .await?;
        entered.map(drop).ok_or(BuildError::Fenced)
    }

    /// Moves the checkpoint past events that change no row.
    pub(crate) async fn pass_to(&mut self, pool: &PgPool, checkpoint: i64) -> Result<(), BuildError> {
        let moved = sqlx::query(include_str!("sql/pass_slot.sql"))
            .bind(&self.name)
            .bind(self.checkpoint)
            .bind(checkpoint)
            .bind(self.state.as_str())
            .execute(pool)
            .await?;
        if moved.rows_affected() != 1 {
            return Err(BuildError::Fenced);
        }
        self.checkpoint = checkpoint;
        Ok(())
    }

    /// Moves the checkpoint, in the transaction that writes the rows.
    pub(crate) async fn move_to(&self, connection: &mut PgConnection, checkpoint: i64) -> Result<(), BuildError> {
        sqlx::query(include_str!("sql/move_slot.sql")).bind(&self.name).bind(checkpoint).execute(connection).await?;
        Ok(())
    }
}

/// Loads what the events touch, applies them, and says which one cannot be applied.
pub(crate) async fn fold(
    connection: &mut PgConnection,
    definition: &Definition,
    rows: &mut dyn Fold,
    events: &[Prepared],
) -> Result<Result<(), Box<Poisoned>>, BuildError> {
    load(connection, definition, rows, events).await?;
    Ok(apply(rows, events))
}

/// Looks up the rows that the events touch and that are not in memory yet.
async fn load(connection: &mut PgConnection, definition: &Definition, rows: &mut dyn Fold, events: &[Prepared]) -> Result<(), BuildError> {
    let mut keys = Keys::none();
    for event in events.iter().filter_map(|prepared| prepared.event.as_ref()) {
        let Keys { ids, subjects } = rows.keys(event);
        keys.ids.extend(ids);
        keys.subjects.extend(subjects);
    }
    let mut unknown = rows.unknown(&keys);
    if unknown.ids.is_empty() && unknown.subjects.is_empty() {
        return Ok(());
    }
    for ids in [&mut unknown.ids, &mut unknown.subjects] {
        ids.sort_unstable();
        ids.dedup();
    }
    let found: Vec<String> = sqlx::query_scalar(definition.load).bind(&unknown.ids).bind(&unknown.subjects).fetch_all(connection).await?;
    rows.load(unknown, &found)?;
    Ok(())
}

/// Applies the events to rows that are in memory.
pub(crate) fn apply(rows: &mut dyn Fold, events: &[Prepared]) -> Result<(), Box<Poisoned>> {
    for prepared in events {
        if let Some(applied) = prepared.applied() {
            rows.apply(&applied).map_err(|poison| prepared.poisoned(poison))?;
        }
    }
    Ok(())
}

/// Writes the rows that changed.
pub(crate) async fn save(connection: &mut PgConnection, definition: &Definition, rows: &mut dyn Fold) -> Result<(), BuildError> {
    while let Some(changed) = rows.take_changed(SAVE_ROWS)? {
        sqlx::query(definition.save).bind(storable(changed)?).execute(&mut *connection).await?;
    }
    Ok(())
}

/// PostgreSQL's text holds every character but NUL, which becomes U+FFFD.
fn storable(rows: String) -> Result<String, serde_json::Error> {
    fn clean(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) => *text = text.replace('\0', "\u{FFFD}"),
            serde_json::Value::Array(values) => values.iter_mut().for_each(clean),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(clean),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }
    if !rows.contains("\\u0000") {
        return Ok(rows);
    }
    let mut rows: serde_json::Value = serde_json::from_str(&rows)?;
    clean(&mut rows);
    serde_json::to_string(&rows)
}
