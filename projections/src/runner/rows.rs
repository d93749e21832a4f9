//! The rows that a fold works on: those of a batch, or all of them in a rebuild.

use super::projection::{Applied, Poison, Row};
use events::vocab::id::SubjectId;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Rows in memory, by id and by person, and which of them changed.
pub struct Rows<R> {
    rows: HashMap<Uuid, R>,
    by_subject: HashMap<Uuid, BTreeSet<Uuid>>,
    changed: BTreeSet<Uuid>,
    /// Ids and persons that were looked up in the table, found or not.
    known: HashSet<Uuid>,
    /// Whether what is not here does not exist.
    complete: bool,
}

impl<R: Row> Rows<R> {
    /// No rows; what is needed is loaded.
    pub fn partial() -> Self {
        Rows { rows: HashMap::new(), by_subject: HashMap::new(), changed: BTreeSet::new(), known: HashSet::new(), complete: false }
    }
    /// An empty table: what is not here does not exist.
    pub fn complete() -> Self {
        Rows { complete: true, ..Rows::partial() }
    }

    /// The row of that id.
    pub fn get(&self, id: impl Into<Uuid>) -> Option<&R> {
        self.rows.get(&id.into())
    }
    /// Every row, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.values()
    }
    /// How many rows are in memory.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A row that begins with `event`.
    pub fn insert(&mut self, event: &Applied<'_>, row: R) -> Result<(), Poison> {
        let id = row.meta().id;
        if self.rows.contains_key(&id) {
            return Err(Poison::Exists(event.event.event_type().as_str()));
        }
        self.changed.insert(id);
        self.put(row);
        Ok(())
    }

    /// Changes the row of `id`, which must exist.
    pub fn update(&mut self, event: &Applied<'_>, id: impl Into<Uuid>, change: impl FnOnce(&mut R)) -> Result<(), Poison> {
        match self.update_if_present(event, id, change) {
            true => Ok(()),
            false => Err(Poison::Missing(event.event.event_type().as_str())),
        }
    }

    /// Changes the row of `id`, if there is one.
    pub fn update_if_present(&mut self, event: &Applied<'_>, id: impl Into<Uuid>, change: impl FnOnce(&mut R)) -> bool {
        let id = id.into();
        let Some(mut row) = self.rows.remove(&id) else { return false };
        for subject in row.subjects() {
            if let Some(ids) = self.by_subject.get_mut(&subject.0) {
                ids.remove(&id);
            }
        }
        change(&mut row);
        let meta = row.meta_mut();
        meta.updated_at = event.recorded_at();
        meta.position = event.recorded.position;
        self.changed.insert(id);
        self.put(row);
        true
    }

    /// Changes every row that holds data of `subject`.
    pub fn update_subject(&mut self, event: &Applied<'_>, subject: SubjectId, mut change: impl FnMut(&mut R)) {
        let ids: Vec<Uuid> = self.by_subject.get(&subject.0).into_iter().flatten().copied().collect();
        for id in ids {
            self.update_if_present(event, id, &mut change);
        }
    }

    fn put(&mut self, row: R) {
        let id = row.meta().id;
        for subject in row.subjects() {
            self.by_subject.entry(subject.0).or_default().insert(id);
        }
        self.rows.insert(id, row);
    }

    /// Which of these ids or persons must be looked up in the table before the fold goes on.
    pub(crate) fn unknown(&self, ids: &[Uuid]) -> Vec<Uuid> {
        match self.complete {
            true => Vec::new(),
            false => ids.iter().filter(|id| !self.known.contains(id)).copied().collect(),
        }
    }
    /// Marks ids or persons as looked up.
    pub(crate) fn note_known(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        self.known.extend(ids);
    }
    /// Takes a row from the table, unless it is here already and perhaps changed.
    pub(crate) fn loaded(&mut self, row: R) {
        if !self.rows.contains_key(&row.meta().id) {
            self.put(row);
        }
    }
    /// Up to `limit` changed rows in id order, which then count as saved.
    pub(crate) fn take_changed(&mut self, limit: usize) -> Vec<&R> {
        let ids: Vec<Uuid> = self.changed.iter().take(limit).copied().collect();
        for id in &ids {
            self.changed.remove(id);
        }
        ids.iter().filter_map(|id| self.rows.get(id)).collect()
    }
    /// Forgets all rows, saved or not: from here on what is needed is loaded.
    pub(crate) fn forget(&mut self) {
        *self = Rows::partial();
    }
}
