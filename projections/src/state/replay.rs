//! Read models folded in memory, from payloads alone: no table, no key, no clock. What is personal in them is missing, unless
//! whoever folds brings it.

use super::{
    StateError,
    form::RowForm,
    root::{State, TableRoot},
};
use crate::{
    journal::{Journal, TrialBalance},
    runner::{Applied, Definition, Fold, Poisoned, Projection as _},
};
use events::vocab::{
    event::{AttestedBalance, AttestedProjection, Event},
    personal::Personal,
    stream::Recorded,
};
use serde_json::Value;
use uuid::Uuid;

/// Read models as far as they are folded. All rows stay in memory.
pub struct Replay {
    models: Vec<Model>,
    next: u64,
}

/// One read model.
struct Model {
    definition: Definition,
    form: RowForm,
    fold: Box<dyn Fold>,
    /// The first position that it does not fold any more.
    end: u64,
}

/// An event that a read model cannot fold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{projection} cannot fold position {}: {}", .poisoned.position, .poisoned.poison)]
pub struct Unfoldable {
    /// The read model.
    pub projection: &'static str,
    /// The event, and the rule that it breaks.
    pub poisoned: Box<Poisoned>,
}

impl Replay {
    /// The read models before the first event.
    pub fn of(definitions: &[Definition]) -> Self {
        let model = |definition: &Definition| Model {
            definition: *definition,
            form: RowForm::of(definition),
            fold: (definition.complete)(),
            end: u64::MAX,
        };
        Replay { models: definitions.iter().map(model).collect(), next: 0 }
    }

    /// Lets the read model `name` fold nothing behind `position`.
    pub fn stop_at(&mut self, name: &str, position: u64) {
        self.end(name, position.saturating_add(1));
    }

    /// Lets the read model `name` fold nothing.
    pub fn stop_before_the_first(&mut self, name: &str) {
        self.end(name, 0);
    }

    fn end(&mut self, name: &str, end: u64) {
        self.models.iter_mut().filter(|model| model.definition.name == name).for_each(|model| model.end = end);
    }

    /// The position that it folds next.
    pub fn next_position(&self) -> u64 {
        self.next
    }

    /// Whether any of them wants what is sealed beside the event.
    pub fn wants_personal(&self, recorded: &Recorded) -> bool {
        let wants = |model: &Model| model.definition.personal && (model.definition.handles)(recorded.envelope.event_type);
        recorded.sealed.is_some() && self.models.iter().any(wants)
    }

    /// Passes an event by, as if it had not happened.
    pub fn leave_out(&mut self, recorded: &Recorded) {
        self.next = recorded.position + 1;
    }

    /// Folds the next event into each that it matters to. A read model that cannot fold it goes on without it, and is named.
    pub fn apply(&mut self, recorded: &Recorded, personal: Option<&Personal>) -> Result<Vec<Unfoldable>, StateError> {
        if recorded.position != self.next {
            return Err(StateError::Gap(self.next));
        }
        self.next += 1;
        let mut decoded: Option<Event> = None;
        let mut unfoldable = Vec::new();
        for model in &mut self.models {
            if recorded.position >= model.end || !(model.definition.handles)(recorded.envelope.event_type) {
                continue;
            }
            let event = match &decoded {
                Some(event) => event,
                None => {
                    decoded.insert(recorded.decode().map_err(|source| StateError::Undecodable { position: recorded.position, source })?)
                }
            };
            let applied = Applied { recorded, event, personal: personal.filter(|_| model.definition.personal) };
            if let Err(poison) = model.fold.apply(&applied) {
                let envelope = &recorded.envelope;
                let (event_id, event_type) = (envelope.event_id, envelope.event_type.as_str());
                let poisoned = Box::new(Poisoned { position: recorded.position, event_id, event_type, poison });
                unfoldable.push(Unfoldable { projection: model.definition.name, poisoned });
            }
        }
        Ok(unfoldable)
    }

    /// [`Replay::apply`] where every event must fold.
    pub fn fold(&mut self, recorded: &Recorded, personal: Option<&Personal>) -> Result<(), StateError> {
        match self.apply(recorded, personal)?.into_iter().next() {
            Some(unfoldable) => Err(StateError::Unfoldable(unfoldable)),
            None => Ok(()),
        }
    }

    /// The ids of the read model's rows, in order.
    pub fn ids(&self, name: &str) -> Vec<Uuid> {
        self.model(name).map_or_else(Vec::new, |model| model.fold.ids())
    }

    /// A row of the read model `name`, without what is personal in it.
    pub fn row(&self, name: &str, id: Uuid) -> Result<Option<Value>, StateError> {
        let Some(model) = self.model(name) else { return Ok(None) };
        Ok(model.fold.row(id)?.map(|row| model.form.public(row)))
    }

    /// A row of the read model `name`, with everything that was brought to it.
    pub fn whole_row(&self, name: &str, id: Uuid) -> Result<Option<Value>, StateError> {
        let Some(model) = self.model(name) else { return Ok(None) };
        Ok(model.fold.row(id)?.map(|row| model.form.whole(row)))
    }

    /// The root over the rows of the read model `name`.
    pub fn table(&self, name: &str) -> Result<TableRoot, StateError> {
        let mut table = TableRoot::default();
        for id in self.ids(name) {
            self.row(name, id)?.iter().for_each(|row| table.push(row));
        }
        Ok(table)
    }

    fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.definition.name == name)
    }

    /// The trial balance of the journal, as far as it is folded.
    pub fn trial_balance(&self) -> Result<Vec<AttestedBalance>, StateError> {
        let mut balance = TrialBalance::default();
        for id in self.ids(Journal::NAME) {
            if let Some(row) = self.whole_row(Journal::NAME, id)? {
                balance.add(&serde_json::from_value(row)?)?;
            }
        }
        Ok(balance.lines())
    }

    /// What all of them come to. The read models must all have folded to the same position.
    pub fn state(&self) -> Result<State, StateError> {
        let mut projections = Vec::with_capacity(self.models.len());
        for model in &self.models {
            projections.push(attested(&model.definition, &self.table(model.definition.name)?));
        }
        projections.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(State { at_position: self.next.saturating_sub(1), projections, trial_balance: self.trial_balance()? })
    }
}

/// A read model's line.
pub(super) fn attested(definition: &Definition, table: &TableRoot) -> AttestedProjection {
    AttestedProjection {
        name: definition.name.to_owned(),
        version: definition.version.unsigned_abs(),
        rows: table.rows(),
        root: table.root(),
    }
}
