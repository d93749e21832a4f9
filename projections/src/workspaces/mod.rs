//! How workspaces show themselves to buyers: on checkout pages, receipts and invoices.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::event::{Event, EventType};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Workspaces;

/// A row of `workspaces`; its id is the merchant's, as a data subject.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Workspace {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The profile, as saved; `None` after the merchant is erased. Personal.
    pub profile: Option<serde_json::Value>,
}

impl Row for Workspace {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Workspaces {
    const NAME: &'static str = "workspaces";
    const VERSION: i32 = 1;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["profile"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Workspace;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::WorkspaceProfileSaved(e) => Keys::row(e.subject_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Workspace>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::WorkspaceProfileSaved(e) => {
                let profile = event.personal(|personal| &personal.metadata).and_then(|json| serde_json::from_str(&json).ok());
                let row = Workspace { meta: event.meta(e.subject_id, Some(e.subject_id)), profile };
                let again = row.profile.clone();
                match rows.update_if_present(event, e.subject_id, |row| row.profile = again) {
                    true => Ok(()),
                    false => rows.insert(event, row),
                }
            }
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| row.profile = None);
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
