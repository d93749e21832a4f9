//! Setup intents of agents (OBJ-30): those whose time is over, and what an owner has decided.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType},
    id::{ApiKeyId, OwnerId},
    time::Timestamp,
    words::Scope,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct AgentSetups;

/// A row of `agent_setups`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetup {
    /// Id, the agent's own workspace, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What the agent asked for.
    pub requested_permissions: Vec<Scope>,
    /// When nobody may approve any more, and the token and the sandbox key end.
    pub expires_at: Timestamp,
    /// pending_approval, approved, rejected or expired.
    pub status: SetupStatus,
    /// Whether a manifest is attached.
    pub has_manifest: bool,
    /// The workspace that decided it.
    pub decided_by: Option<OwnerId>,
    /// When it did.
    pub decided_at: Option<Timestamp>,
    /// What it granted.
    pub granted_permissions: Vec<Scope>,
    /// The live key that was issued with the approval.
    pub live_key_id: Option<ApiKeyId>,
}

impl Row for AgentSetup {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for AgentSetups {
    const NAME: &'static str = "agent_setups";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = AgentSetup;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::AgentSetupBootstrapped(e) => Keys::row(e.setup_intent_id),
            Event::AgentSetupManifestAttached(e) => Keys::row(e.setup_intent_id),
            Event::AgentSetupApproved(e) => Keys::row(e.setup_intent_id),
            Event::AgentSetupRejected(e) => Keys::row(e.setup_intent_id),
            Event::AgentSetupExpired(e) => Keys::row(e.setup_intent_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<AgentSetup>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::AgentSetupBootstrapped(e) => rows.insert(
                event,
                AgentSetup {
                    meta: event.meta(e.setup_intent_id, None),
                    requested_permissions: e.requested_permissions.clone(),
                    expires_at: e.expires_at,
                    status: SetupStatus::PendingApproval,
                    has_manifest: false,
                    decided_by: None,
                    decided_at: None,
                    granted_permissions: Vec::new(),
                    live_key_id: None,
                },
            ),
            Event::AgentSetupManifestAttached(e) => rows.update(event, e.setup_intent_id, |row| row.has_manifest = true),
            Event::AgentSetupApproved(e) => rows.update(event, e.setup_intent_id, |row| {
                row.status = SetupStatus::Approved;
                row.decided_by = Some(e.owner_id);
                row.decided_at = Some(e.approved_at);
                row.granted_permissions.clone_from(&e.granted_permissions);
                row.live_key_id = e.live_key_id;
            }),
            Event::AgentSetupRejected(e) => rows.update(event, e.setup_intent_id, |row| {
                row.status = SetupStatus::Rejected;
                row.decided_by = Some(e.owner_id);
                row.decided_at = Some(e.rejected_at);
            }),
            Event::AgentSetupExpired(e) => rows.update(event, e.setup_intent_id, |row| row.status = SetupStatus::Expired),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// What has become of an intent.
    pub enum SetupStatus {
        /// Waits for an owner.
        PendingApproval = "pending_approval",
        /// An owner approved.
        Approved = "approved",
        /// An owner refused.
        Rejected = "rejected",
        /// Nobody approved in time.
        Expired = "expired",
    }
}
