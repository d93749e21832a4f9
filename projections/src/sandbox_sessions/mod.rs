//! Sandbox sessions (OBJ-27): the owner's list of them, and the sweep for those that nobody confirmed.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType, SandboxSessionCreated},
    id::{AccessProductId, EntitlementId, ProductId, TestClockId},
    rail::RailId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct SandboxSessions;

/// A row of `sandbox_sessions`. It holds neither the proof nor its hash.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxSession {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What is tried out.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// What it activates.
    pub entitlement_id: EntitlementId,
    /// The merchant's id of the customer. Personal.
    pub external_customer_id: Option<String>,
    /// The customer's e-mail address. Personal.
    pub email: Option<String>,
    /// The wallet that identifies the customer.
    pub wallet: Option<String>,
    /// The rail that is tried out.
    pub rail_id: RailId,
    /// The test clock whose time is its time.
    pub test_clock_id: Option<TestClockId>,
    /// pending, confirmed or expired, as recorded: the clock is the reader's.
    pub status: SandboxStatus,
    /// When its proof is too late.
    pub expires_at: Timestamp,
    /// When the proof came.
    pub confirmed_at: Option<Timestamp>,
    /// Wrong and late proofs so far.
    pub rejected_proofs: u32,
}

impl Row for SandboxSession {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for SandboxSessions {
    const NAME: &'static str = "sandbox_sessions";
    const VERSION: i32 = 1;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["external_customer_id", "email"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = SandboxSession;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::SandboxSessionCreated(e) => Keys::row(e.sandbox_session_id),
            Event::SandboxSessionConfirmed(e) => Keys::row(e.sandbox_session_id),
            Event::SandboxProofRejected(e) => Keys::row(e.sandbox_session_id),
            Event::SandboxSessionExpired(e) => Keys::row(e.sandbox_session_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<SandboxSession>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::SandboxSessionCreated(e) => rows.insert(event, created(event, e)),
            Event::SandboxSessionConfirmed(e) => rows.update(event, e.sandbox_session_id, |row| {
                row.status = SandboxStatus::Confirmed;
                row.confirmed_at = Some(e.confirmed_at);
            }),
            Event::SandboxProofRejected(e) => {
                rows.update(event, e.sandbox_session_id, |row| row.rejected_proofs = row.rejected_proofs.saturating_add(1))
            }
            Event::SandboxSessionExpired(e) => rows.update(event, e.sandbox_session_id, |row| row.status = SandboxStatus::Expired),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    row.external_customer_id = None;
                    row.email = None;
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where a sandbox session stands, as recorded.
    pub enum SandboxStatus {
        /// Waits for its proof.
        Pending = "pending",
        /// The proof came.
        Confirmed = "confirmed",
        /// No proof came in time.
        Expired = "expired",
    }
}

fn created(event: &Applied<'_>, e: &SandboxSessionCreated) -> SandboxSession {
    SandboxSession {
        meta: event.meta(e.sandbox_session_id, Some(e.subject_id)),
        access_product_id: e.access_product_id,
        product_id: e.product_id,
        entitlement_id: e.entitlement_id,
        external_customer_id: event.personal(|p| &p.external_customer_id),
        email: event.personal(|p| &p.email),
        wallet: e.wallet.clone(),
        rail_id: e.rail_id,
        test_clock_id: e.test_clock_id,
        status: SandboxStatus::Pending,
        expires_at: e.expires_at,
        confirmed_at: None,
        rejected_proofs: 0,
    }
}
