//! Access apps (OBJ-13): RT-055.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{Event, EventType},
    rail::RailId,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct AccessApps;

/// A row of `access_apps`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AccessApp {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Its name.
    pub name: String,
    /// The merchant's own id of it.
    pub external_app_id: String,
    /// Rail of products that name none.
    pub default_rail: RailId,
}

impl Row for AccessApp {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for AccessApps {
    const NAME: &'static str = "access_apps";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = AccessApp;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::AccessAppCreated(e) => Keys::row(e.app_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<AccessApp>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::AccessAppCreated(e) => rows.insert(
                event,
                AccessApp {
                    meta: event.meta(e.app_id, None),
                    name: e.name.clone(),
                    external_app_id: e.external_app_id.clone(),
                    default_rail: e.default_rail,
                },
            ),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}
