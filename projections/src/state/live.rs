//! The live tables, read in one snapshot.

use super::{
    StateError,
    form::RowForm,
    replay::{Replay, Unfoldable, attested},
    root::{State, TableRoot},
};
use crate::{
    journal::{Journal, TrialBalance},
    runner::{Definition, Difference, Prepared, Projection as _, changed_columns, fold_into},
};
use events::{log::Log, vocab::stream::Recorded};
use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rows read at a time.
const SCAN_ROWS: i64 = 2_000;
/// How far a read model may be behind the others when their state is taken.
const MOST_BEHIND: u64 = 20_000;
/// How many differences of one read model are kept; the rest is counted.
const KEPT: usize = 10_000;

/// The live tables and the log as of one moment, in a read-only transaction.
pub struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    slots: BTreeMap<String, LiveSlot>,
}

/// A live build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveSlot {
    /// The schema that holds its table.
    pub slot: String,
    /// The version of the fold that wrote it.
    pub version: i32,
    /// Position of the last event in it; -1 before the first.
    pub checkpoint: i64,
}

/// What a live table holds, against what a replay comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The read model.
    pub name: String,
    /// The live table.
    pub live: super::Table,
    /// What the replay comes to.
    pub replayed: super::Table,
    /// How many rows are missing, extra or other.
    pub differing: u64,
    /// The first of them, in id order.
    pub differences: Vec<Difference>,
}

impl Snapshot {
    /// As of now.
    pub async fn take(pool: &PgPool) -> Result<Self, StateError> {
        let mut transaction = pool.begin().await?;
        sqlx::query(include_str!("../access_index/sql/snapshot.sql")).execute(&mut *transaction).await?;
        let slots: Vec<(String, String, i32, i64)> =
            sqlx::query_as(include_str!("sql/live_slots.sql")).fetch_all(&mut *transaction).await?;
        let slots = slots.into_iter().map(|(name, slot, version, checkpoint)| (name, LiveSlot { slot, version, checkpoint })).collect();
        Ok(Snapshot { transaction, slots })
    }

    /// The snapshot's connection, for what else is read in it.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The live build of `definition`.
    pub fn live(&self, definition: &Definition) -> Result<LiveSlot, StateError> {
        self.slots.get(definition.name).cloned().ok_or(StateError::NotBuilt(definition.name))
    }

    /// Whether this role may look into the live table of `definition`.
    pub async fn may_read(&mut self, definition: &Definition) -> Result<bool, StateError> {
        let live = self.live(definition)?;
        Ok(sqlx::query_scalar(include_str!("sql/may_read.sql")).bind(&live.slot).fetch_one(&mut *self.transaction).await?)
    }

    /// At most 5,000 events from `from` on.
    pub async fn events(&mut self, from: u64) -> Result<Vec<Recorded>, StateError> {
        Ok(Log::read_range_on(&mut *self.transaction, from..from.saturating_add(5_000)).await?)
    }

    /// What the live tables of `definitions` come to at one position: the furthest that any of them has come to. What the others
    /// lack is folded on top of their rows in memory, so that nothing has to stand still.
    pub async fn state(&mut self, definitions: &[Definition]) -> Result<State, StateError> {
        let mut slots = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let live = self.live(definition)?;
            if live.version != definition.version {
                return Err(StateError::OtherVersion { name: definition.name, live: live.version, own: definition.version });
            }
            slots.push((definition, live));
        }
        let at = slots.iter().map(|(_, live)| live.checkpoint).max().unwrap_or(-1);
        let at_position = u64::try_from(at).map_err(|_| StateError::Empty)?;
        let recent = self.recent(&slots, at_position).await?;
        let (mut projections, mut balance) = (Vec::new(), TrialBalance::default());
        for (definition, live) in slots {
            let ahead: Vec<Recorded> =
                recent.iter().filter(|event| i64::try_from(event.position).is_ok_and(|p| p > live.checkpoint)).cloned().collect();
            let overlay = self.fold_ahead(definition, &live, ahead).await?;
            let (form, journal) = (RowForm::of(definition), definition.name == Journal::NAME);
            let mut table = TableRoot::default();
            let mut scan = Scan::new(definition, &live, overlay);
            while let Some((_, row)) = scan.next(&mut self.transaction).await? {
                if journal {
                    balance.add(&serde_json::from_value(form.whole(row.clone()))?)?;
                }
                table.push(&form.public(row));
            }
            projections.push(attested(definition, &table));
        }
        projections.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(State { at_position, projections, trial_balance: balance.lines() })
    }

    /// The events that some of the read models do not hold yet.
    async fn recent(&mut self, slots: &[(&Definition, LiveSlot)], at: u64) -> Result<Vec<Recorded>, StateError> {
        let Some((last, live)) = slots.iter().min_by_key(|(_, live)| live.checkpoint) else { return Ok(Vec::new()) };
        let from = u64::try_from(live.checkpoint + 1).unwrap_or(0);
        let by = (at + 1).saturating_sub(from);
        if by > MOST_BEHIND {
            return Err(StateError::Behind { name: last.name, by });
        }
        let events = Log::read_range_on(&mut *self.transaction, from..at + 1).await?;
        if events.len() as u64 != by {
            return Err(StateError::Gap(from + events.len() as u64));
        }
        Ok(events)
    }

    /// The rows that those events change, as they are after them.
    async fn fold_ahead(
        &mut self,
        definition: &Definition,
        live: &LiveSlot,
        ahead: Vec<Recorded>,
    ) -> Result<BTreeMap<Uuid, Value>, StateError> {
        let mut prepared = Vec::new();
        for recorded in ahead {
            if (definition.handles)(recorded.envelope.event_type) {
                let position = recorded.position;
                let event = recorded.decode().map_err(|source| StateError::Undecodable { position, source })?;
                prepared.push(Prepared { recorded, event: Some(event), personal: None });
            }
        }
        let mut overlay = BTreeMap::new();
        if prepared.is_empty() {
            return Ok(overlay);
        }
        look_into(&mut self.transaction, live).await?;
        let mut rows = (definition.partial)();
        if let Err(poisoned) = fold_into(&mut self.transaction, definition, rows.as_mut(), &prepared).await? {
            return Err(StateError::Unfoldable(Unfoldable { projection: definition.name, poisoned }));
        }
        while let Some(changed) = rows.take_changed(usize::MAX)? {
            for row in serde_json::from_str::<Vec<Value>>(&changed)? {
                let id = row.get("id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
                overlay.insert(id.unwrap_or_default(), row);
            }
        }
        Ok(overlay)
    }

    /// Holds the live table of `definition` against the rows that `replay` comes to; both at the table's own checkpoint.
    pub async fn hold(&mut self, definition: &Definition, replay: &Replay) -> Result<Held, StateError> {
        let (live, form) = (self.live(definition)?, RowForm::of(definition));
        let mut expected = replay.ids(definition.name).into_iter().peekable();
        let (mut found, mut wanted, mut differing, mut differences) = (TableRoot::default(), TableRoot::default(), 0_u64, Vec::new());
        let mut scan = Scan::new(definition, &live, BTreeMap::new());
        let mut differ = |difference: Difference| {
            differing += 1;
            if differences.len() < KEPT {
                differences.push(difference);
            }
        };
        let mut here = scan.next(&mut self.transaction).await?.map(|(id, row)| (id, form.public(row)));
        while here.is_some() || expected.peek().is_some() {
            let order = match (&here, expected.peek()) {
                (Some((here, _)), Some(there)) => here.cmp(there),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, _) => std::cmp::Ordering::Greater,
            };
            let live_row = if order.is_le() { here.take() } else { None };
            let log_id = if order.is_ge() { expected.next() } else { None };
            let log_row = match log_id {
                Some(id) => replay.row(definition.name, id)?,
                None => None,
            };
            match (&live_row, &log_row) {
                (Some((id, _)), None) => differ(Difference::Extra(*id)),
                (None, Some(_)) => differ(Difference::Missing(log_id.unwrap_or_default())),
                (Some((id, left)), Some(right)) if left != right => {
                    differ(Difference::Differs { id: *id, columns: changed_columns(left, right) });
                }
                _ => {}
            }
            live_row.iter().for_each(|(_, row)| found.push(row));
            log_row.iter().for_each(|row| wanted.push(row));
            if here.is_none() && order.is_le() {
                here = scan.next(&mut self.transaction).await?.map(|(id, row)| (id, form.public(row)));
            }
        }
        Ok(Held {
            name: definition.name.to_owned(),
            live: super::Table { version: live.version, rows: found.rows(), root: found.root() },
            replayed: super::Table { version: definition.version, rows: wanted.rows(), root: wanted.root() },
            differing,
            differences,
        })
    }

    /// Ends it.
    pub async fn close(self) -> Result<(), StateError> {
        Ok(self.transaction.rollback().await?)
    }
}

async fn look_into(connection: &mut PgConnection, live: &LiveSlot) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("sql/look_into.sql")).bind(&live.slot).execute(connection).await.map(drop)
}

/// Rows of a live table in id order, some of them replaced.
struct Scan<'a> {
    definition: &'a Definition,
    live: &'a LiveSlot,
    overlay: BTreeMap<Uuid, Value>,
    after: Uuid,
    page: std::iter::Peekable<std::vec::IntoIter<(Uuid, String)>>,
    ended: bool,
}

impl<'a> Scan<'a> {
    fn new(definition: &'a Definition, live: &'a LiveSlot, overlay: BTreeMap<Uuid, Value>) -> Self {
        Scan { definition, live, overlay, after: Uuid::nil(), page: Vec::new().into_iter().peekable(), ended: false }
    }

    async fn next(&mut self, connection: &mut PgConnection) -> Result<Option<(Uuid, Value)>, StateError> {
        if !self.ended && self.page.peek().is_none() {
            look_into(connection, self.live).await?;
            let rows: Vec<(Uuid, String)> =
                sqlx::query_as(self.definition.scan).bind(self.after).bind(SCAN_ROWS).fetch_all(&mut *connection).await?;
            self.ended = rows.is_empty();
            self.after = rows.last().map_or(self.after, |(id, _)| *id);
            self.page = rows.into_iter().peekable();
        }
        let replaced = self.overlay.first_key_value().map(|(id, _)| *id);
        let stored = self.page.peek().map(|(id, _)| *id);
        if let Some(id) = replaced.filter(|id| stored.is_none_or(|stored| *id <= stored)) {
            if stored == Some(id) {
                self.page.next();
            }
            return Ok(self.overlay.pop_first());
        }
        self.page.next().map(|(id, text)| Ok((id, serde_json::from_str(&text)?))).transpose()
    }
}
