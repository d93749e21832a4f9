//! A projection without its row type: what the runner, the rebuild and the comparison work with.

use super::{
    projection::{Applied, Keys, Poison, Projection, Row as _},
    rows::Rows,
};
use events::vocab::event::{Event, EventType};
use serde_json::Value;
use uuid::Uuid;

/// A projection, as a value.
#[derive(Clone, Copy)]
pub struct Definition {
    /// [`Projection::NAME`].
    pub name: &'static str,
    /// [`Projection::VERSION`].
    pub version: i32,
    /// [`Projection::PERSONAL`].
    pub personal: bool,
    /// [`Projection::PERSONAL_FIELDS`].
    pub personal_fields: &'static [&'static str],
    pub(crate) schema: &'static str,
    pub(crate) load: &'static str,
    pub(crate) save: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) handles: fn(EventType) -> bool,
    pub(crate) partial: fn() -> Box<dyn Fold>,
    pub(crate) complete: fn() -> Box<dyn Fold>,
}

impl Definition {
    /// The projection `P`.
    pub const fn of<P: Projection>() -> Self {
        Definition {
            name: P::NAME,
            version: P::VERSION,
            personal: P::PERSONAL,
            personal_fields: P::PERSONAL_FIELDS,
            schema: P::SCHEMA,
            load: P::LOAD,
            save: P::SAVE,
            scan: P::SCAN,
            handles: P::handles,
            partial: || Box::new(Folding::<P>(Rows::partial())),
            complete: || Box::new(Folding::<P>(Rows::complete())),
        }
    }
}

/// Rows of one projection and the fold over them.
pub(crate) trait Fold: Send {
    fn keys(&self, event: &Event) -> Keys;
    fn apply(&mut self, event: &Applied<'_>) -> Result<(), Poison>;
    /// What of `keys` has to be loaded first.
    fn unknown(&self, keys: &Keys) -> Keys;
    /// Takes the loaded rows, as JSON, for the keys that were looked up.
    fn load(&mut self, keys: Keys, rows: &[String]) -> Result<(), serde_json::Error>;
    /// A JSON array of up to `limit` changed rows; `None` when no more changed.
    fn take_changed(&mut self, limit: usize) -> Result<Option<String>, serde_json::Error>;
    /// The ids of the rows in memory, in order.
    fn ids(&self) -> Vec<Uuid>;
    /// The row of that id, as JSON.
    fn row(&self, id: Uuid) -> Result<Option<Value>, serde_json::Error>;
    fn len(&self) -> usize;
    fn forget(&mut self);
}

struct Folding<P: Projection>(Rows<P::Row>);

impl<P: Projection> Fold for Folding<P> {
    fn keys(&self, event: &Event) -> Keys {
        P::keys(event)
    }
    fn apply(&mut self, event: &Applied<'_>) -> Result<(), Poison> {
        P::apply(&mut self.0, event)
    }
    fn unknown(&self, keys: &Keys) -> Keys {
        Keys { ids: self.0.unknown(&keys.ids), subjects: self.0.unknown(&keys.subjects) }
    }
    fn load(&mut self, keys: Keys, rows: &[String]) -> Result<(), serde_json::Error> {
        self.0.note_known(keys.ids.into_iter().chain(keys.subjects));
        for row in rows {
            self.0.loaded(serde_json::from_str(row)?);
        }
        Ok(())
    }
    fn take_changed(&mut self, limit: usize) -> Result<Option<String>, serde_json::Error> {
        let rows = self.0.take_changed(limit);
        if rows.is_empty() { Ok(None) } else { serde_json::to_string(&rows).map(Some) }
    }
    fn ids(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self.0.iter().map(|row| row.meta().id).collect();
        ids.sort_unstable();
        ids
    }
    fn row(&self, id: Uuid) -> Result<Option<Value>, serde_json::Error> {
        self.0.get(id).map(serde_json::to_value).transpose()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn forget(&mut self) {
        self.0.forget();
    }
}
