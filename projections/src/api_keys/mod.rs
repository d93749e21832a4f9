//! API keys (OBJ-12), without their hashes.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType},
    id::ApiKeyId,
    time::Timestamp,
    words::Scope,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct ApiKeys;

/// A row of `api_keys`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The owner's words for it.
    pub label: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Whether a live key may also use the sandbox.
    pub sandbox_capable: bool,
    /// active or revoked. Whether an active one's time is over is for whoever reads it with a clock.
    pub status: KeyStatus,
    /// When it stops working by itself: its own end, or the end of the overlap with its successor.
    pub works_until: Option<Timestamp>,
    /// The key that it took the place of.
    pub rotated_from: Option<ApiKeyId>,
    /// The key that took its place.
    pub rotated_to: Option<ApiKeyId>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Row for ApiKey {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for ApiKeys {
    const NAME: &'static str = "api_keys";
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = ApiKey;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::ApiKeyIssued(e) => Keys::row(e.key_id),
            Event::ApiKeyRotated(e) => Keys::row(e.key_id),
            Event::ApiKeyRevoked(e) => Keys::row(e.key_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<ApiKey>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ApiKeyIssued(e) => rows.insert(
                event,
                ApiKey {
                    meta: event.meta(e.key_id, None),
                    label: e.label.clone(),
                    prefix: e.prefix.clone(),
                    scopes: e.scopes.clone(),
                    sandbox_capable: e.sandbox_capable,
                    status: KeyStatus::Active,
                    works_until: e.expires_at,
                    rotated_from: e.rotated_from,
                    rotated_to: None,
                    revoked_at: None,
                },
            ),
            Event::ApiKeyRotated(e) => rows.update(event, e.key_id, |row| {
                row.works_until = Some(e.works_until);
                row.rotated_to = Some(e.successor_id);
            }),
            Event::ApiKeyRevoked(e) => rows.update(event, e.key_id, |row| {
                row.status = KeyStatus::Revoked;
                row.revoked_at = Some(event.recorded_at());
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Whether a key works.
    pub enum KeyStatus {
        /// It does.
        Active = "active",
        /// Not any more.
        Revoked = "revoked",
    }
}
