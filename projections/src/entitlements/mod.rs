//! Entitlements (OBJ-26): RT-066.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::event::EntitlementPended;
use events::vocab::{
    event::{ActivationEvidence, EntitlementOrigin, Event, EventType},
    id::{AccessProductId, MembershipId, PaymentId, ProductId, ProofId, ReceiptId, SandboxSessionId, SessionId, TestClockId},
    rail::RailId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Entitlements;

/// A row of `entitlements`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entitlement {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What it gives access to.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// The merchant's id of the customer. Personal.
    pub external_customer_id: Option<String>,
    /// The customer's e-mail address. Personal.
    pub email: Option<String>,
    /// Kind of platform identity. Personal.
    pub identity_type: Option<String>,
    /// The platform identity. Personal.
    pub identity_value: Option<String>,
    /// Its handle. Personal.
    pub identity_display: Option<String>,
    /// The wallet that identifies the customer.
    pub wallet: Option<String>,
    /// The rail it was paid on.
    pub rail_id: RailId,
    /// Whether it comes of a sandbox session; never changes.
    pub sandbox: bool,
    /// The live session it waits or waited for.
    pub session_id: Option<SessionId>,
    /// The sandbox session it waits or waited for.
    pub sandbox_session_id: Option<SandboxSessionId>,
    /// The test clock whose time is its time; only sandbox entitlements have one.
    pub test_clock_id: Option<TestClockId>,
    /// The payment it waits or waited for.
    pub payment_id: Option<PaymentId>,
    /// How long it lasts from its activation, in days of 24 hours.
    pub duration_days: u32,
    /// pending, active, expired, revoked or failed, as recorded: the clock is the reader's.
    pub status: EntitlementStatus,
    /// Why it was revoked, failed or blocked, as a stable code.
    pub reason: Option<String>,
    /// Whether a payment came after staff had closed it: nothing was opened, and people decide.
    pub paid_when_closed: bool,
    /// What its activation cites: receipt, sandbox or membership.
    pub evidence: Option<String>,
    /// The proof that its activation cites.
    pub proof_id: Option<ProofId>,
    /// The receipt that its activation cites.
    pub receipt_id: Option<ReceiptId>,
    /// The membership that goes with it.
    pub membership_id: Option<MembershipId>,
    /// When access began.
    pub active_from: Option<Timestamp>,
    /// When access ends.
    pub expires_at: Option<Timestamp>,
}

impl Row for Entitlement {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Entitlements {
    const NAME: &'static str = "entitlements";
    const VERSION: i32 = 4;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] =
        &["external_customer_id", "email", "identity_type", "identity_value", "identity_display"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Entitlement;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::EntitlementPended(e) => Keys::row(e.entitlement_id),
            Event::EntitlementActivated(e) => Keys::row(e.entitlement_id),
            Event::EntitlementActivationBlocked(e) => Keys::row(e.entitlement_id),
            Event::EntitlementRenewed(e) => Keys::row(e.entitlement_id),
            Event::EntitlementExpired(e) => Keys::row(e.entitlement_id),
            Event::EntitlementRevoked(e) => Keys::row(e.entitlement_id),
            Event::EntitlementFailed(e) => Keys::row(e.entitlement_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Entitlement>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::EntitlementPended(e) => rows.insert(event, pended(event, e)),
            Event::EntitlementActivated(e) => rows.update(event, e.entitlement_id, |row| {
                row.status = EntitlementStatus::Active;
                row.reason = None;
                row.active_from = Some(e.active_from);
                row.expires_at = Some(e.expires_at);
                cite(row, e.evidence);
            }),
            Event::EntitlementActivationBlocked(e) => rows.update(event, e.entitlement_id, |row| match row.status {
                // Why staff closed it stays.
                EntitlementStatus::Revoked | EntitlementStatus::Failed => row.paid_when_closed = true,
                EntitlementStatus::Pending | EntitlementStatus::Active | EntitlementStatus::Expired => row.reason = Some(e.reason.clone()),
            }),
            Event::EntitlementRenewed(e) => rows.update(event, e.entitlement_id, |row| {
                row.status = EntitlementStatus::Active;
                row.expires_at = Some(e.expires_at);
            }),
            Event::EntitlementExpired(e) => rows.update(event, e.entitlement_id, |row| row.status = EntitlementStatus::Expired),
            Event::EntitlementRevoked(e) => rows.update(event, e.entitlement_id, |row| {
                row.status = EntitlementStatus::Revoked;
                row.reason = Some(e.reason.clone());
            }),
            Event::EntitlementFailed(e) => rows.update(event, e.entitlement_id, |row| {
                row.status = EntitlementStatus::Failed;
                row.reason = Some(e.reason.clone());
            }),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    row.external_customer_id = None;
                    row.email = None;
                    row.identity_type = None;
                    row.identity_value = None;
                    row.identity_display = None;
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where an entitlement stands, as recorded.
    pub enum EntitlementStatus {
        /// Waits for its payment.
        Pending = "pending",
        /// Gives access until it ends.
        Active = "active",
        /// Its window ended.
        Expired = "expired",
        /// Staff took it away.
        Revoked = "revoked",
        /// Staff closed it before it was paid.
        Failed = "failed",
    }
}

fn pended(event: &Applied<'_>, e: &EntitlementPended) -> Entitlement {
    let (session_id, payment_id, sandbox_session_id, test_clock_id) = match e.origin {
        EntitlementOrigin::Session { session_id, payment_id } => (Some(session_id), Some(payment_id), None, None),
        EntitlementOrigin::Sandbox { sandbox_session_id, test_clock_id } => (None, None, Some(sandbox_session_id), test_clock_id),
    };
    Entitlement {
        meta: event.meta(e.entitlement_id, Some(e.subject_id)),
        access_product_id: e.access_product_id,
        product_id: e.product_id,
        external_customer_id: event.personal(|p| &p.external_customer_id),
        email: event.personal(|p| &p.email),
        identity_type: event.personal(|p| &p.identity_type),
        identity_value: event.personal(|p| &p.identity_value),
        identity_display: event.personal(|p| &p.identity_display),
        wallet: e.wallet.clone(),
        rail_id: e.rail_id,
        sandbox: sandbox_session_id.is_some(),
        session_id,
        sandbox_session_id,
        test_clock_id,
        payment_id,
        duration_days: e.duration_days,
        status: EntitlementStatus::Pending,
        reason: None,
        paid_when_closed: false,
        evidence: None,
        proof_id: None,
        receipt_id: None,
        membership_id: None,
        active_from: None,
        expires_at: None,
    }
}

fn cite(row: &mut Entitlement, evidence: ActivationEvidence) {
    match evidence {
        ActivationEvidence::Receipt { proof_id, receipt_id, payment_id, membership_id, .. } => {
            row.evidence = Some("receipt".to_owned());
            row.proof_id = Some(proof_id);
            row.receipt_id = Some(receipt_id);
            row.payment_id = Some(payment_id);
            row.membership_id = membership_id;
        }
        ActivationEvidence::Sandbox { sandbox_session_id, .. } => {
            row.evidence = Some("sandbox".to_owned());
            row.sandbox_session_id = Some(sandbox_session_id);
        }
        ActivationEvidence::Membership { membership_id, .. } => {
            row.evidence = Some("membership".to_owned());
            row.membership_id = Some(membership_id);
        }
    }
}
