//! Live payment sessions (OBJ-19, OBJ-20): RT-063, RT-064.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::{proofs::Attempt, words::words};
use events::vocab::{
    bytes::TxSignature,
    event::{Event, EventType, PaymentRequirementAuthored},
    id::{AccessProductId, AppId, EntitlementId, PaymentId, ProductId, ProofId, ReceiptId},
    money::Minor,
    rail::RailId,
    time::Timestamp,
    words::{Outcome, PaymentProtocol},
};
use events::vocab::{
    event::PaymentSessionCreated,
    id::{EventId, SessionId},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct PaymentSessions;

/// A row of `payment_sessions`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PaymentSession {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Its app.
    pub app_id: AppId,
    /// What is bought.
    pub access_product_id: AccessProductId,
    /// The hosted product behind it.
    pub product_id: ProductId,
    /// The payment behind it.
    pub payment_id: PaymentId,
    /// The entitlement that waits for it.
    pub entitlement_id: EntitlementId,
    /// The merchant's id of the customer. Personal.
    pub external_customer_id: Option<String>,
    /// The customer's e-mail address. Personal.
    pub email: Option<String>,
    /// The caller's metadata, JSON text. Personal.
    pub metadata: Option<String>,
    /// The wallet that identifies the customer.
    pub wallet: Option<String>,
    /// The rail it settles on.
    pub rail_id: RailId,
    /// The protocol around the rail.
    pub payment_protocol: Option<PaymentProtocol>,
    /// Gross, in minor units.
    pub amount: Minor,
    /// pending, confirmed, expired or failed.
    pub status: SessionStatus,
    /// Why it failed, as a stable code.
    pub failure_reason: Option<String>,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
    /// What must be paid.
    pub requirement: Option<PaymentRequirementAuthored>,
    /// What an x402 payment opens. Personal.
    pub resource: Option<String>,
    /// The proof that counts.
    pub proof_id: Option<ProofId>,
    /// Its transaction, base58.
    pub tx_signature: Option<TxSignature>,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
    /// The stages reached, each with the event that reached it.
    pub stages: Stages,
}

impl Row for PaymentSession {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for PaymentSessions {
    const NAME: &'static str = "payment_sessions";
    const VERSION: i32 = 2;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["external_customer_id", "email", "metadata", "resource"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = PaymentSession;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::PaymentSessionCreated(e) => Keys::row(e.session_id),
            Event::PaymentRequirementAuthored(e) => Keys::row(e.session_id),
            Event::PaymentSessionConfirmed(e) => Keys::row(e.session_id),
            Event::PaymentSessionExpired(e) => Keys::row(e.session_id),
            Event::PaymentSessionFailed(e) => Keys::row(e.session_id),
            Event::ProofFingerprinted(e) => Keys::maybe(e.session_id),
            Event::ProofReplayRejected(e) => Keys::maybe(e.session_id),
            Event::ProofRejected(e) => Keys::maybe(e.session_id),
            Event::VerificationAttempted(e) => Keys::maybe(e.session_id),
            Event::SettlementEvidenced(e) => Keys::maybe(e.session_id),
            Event::ReceiptMapped(e) => Keys::maybe(e.session_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<PaymentSession>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::PaymentSessionCreated(e) => rows.insert(event, created(event, e)),
            Event::PaymentRequirementAuthored(e) => rows.update(event, e.session_id, |row| {
                row.requirement = Some(e.clone());
                row.resource = event.personal(|p| &p.resource);
                row.stages.requirement = Some(Stage::of(event));
            }),
            Event::PaymentSessionConfirmed(e) => rows.update(event, e.session_id, |row| {
                row.status = SessionStatus::Confirmed;
                row.receipt_id = Some(e.receipt_id);
                row.stages.entitlement = Some(Stage { event_id: e.entitlement_event, at: event.recorded_at() });
                row.stages.confirmed = Some(Stage::of(event));
            }),
            Event::PaymentSessionExpired(e) => rows.update(event, e.session_id, |row| row.status = SessionStatus::Expired),
            Event::PaymentSessionFailed(e) => rows.update(event, e.session_id, |row| {
                row.status = SessionStatus::Failed;
                row.failure_reason = Some(e.reason.clone());
            }),
            Event::ProofFingerprinted(e) => of_session(rows, event, e.session_id, |row| {
                row.proof_id = Some(e.proof_id);
                row.tx_signature = e.tx_signature.or(row.tx_signature);
                row.stages.proof = Some(Stage::of(event));
            }),
            Event::ProofReplayRejected(e) => of_session(rows, event, e.session_id, |row| {
                row.stages.rejections.push(Rejected::of(event, "proof_replayed", None));
            }),
            Event::ProofRejected(e) => of_session(rows, event, e.session_id, |row| {
                row.stages.rejections.push(Rejected::of(event, &e.reason, e.field.clone()));
            }),
            Event::VerificationAttempted(e) => of_session(rows, event, e.session_id, |row| {
                row.stages.attempts.push(Attempt::of(event, e));
                if e.outcome == Outcome::Passed {
                    row.stages.verification = Some(Stage::of(event));
                }
            }),
            Event::SettlementEvidenced(e) => of_session(rows, event, e.session_id, |row| row.stages.settlement = Some(Stage::of(event))),
            Event::ReceiptMapped(e) => of_session(rows, event, e.session_id, |row| {
                row.receipt_id = Some(e.receipt_id);
                row.stages.receipt = Some(Stage::of(event));
            }),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    row.external_customer_id = None;
                    row.email = None;
                    row.metadata = None;
                    row.resource = None;
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where a session stands.
    pub enum SessionStatus {
        /// Waits for its payment.
        Pending = "pending",
        /// Paid, and access is granted.
        Confirmed = "confirmed",
        /// Nobody paid in time.
        Expired = "expired",
        /// The payment failed on chain.
        Failed = "failed",
    }
}

/// The stages of a payment, in order. Each names the event that reached it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Stages {
    /// `payment_session.created`.
    pub created: Option<Stage>,
    /// `payment_requirement.authored`.
    pub requirement: Option<Stage>,
    /// `proof.fingerprinted`.
    pub proof: Option<Stage>,
    /// The `verification.attempted` that passed.
    pub verification: Option<Stage>,
    /// `settlement.evidenced`.
    pub settlement: Option<Stage>,
    /// `receipt.mapped`.
    pub receipt: Option<Stage>,
    /// `entitlement.activated`.
    pub entitlement: Option<Stage>,
    /// `payment_session.confirmed`.
    pub confirmed: Option<Stage>,
    /// Every look at the chain, in order.
    pub attempts: Vec<Attempt>,
    /// Proofs that were refused, in order.
    pub rejections: Vec<Rejected>,
}

/// A stage reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stage {
    /// The event.
    pub event_id: EventId,
    /// When.
    pub at: Timestamp,
}

impl Stage {
    fn of(event: &Applied<'_>) -> Self {
        Stage { event_id: event.event_id(), at: event.recorded_at() }
    }
}

/// A proof that was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rejected {
    /// The event.
    pub event_id: EventId,
    /// Why, as a stable code.
    pub reason: String,
    /// What does not match.
    pub field: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Rejected {
    fn of(event: &Applied<'_>, reason: &str, field: Option<String>) -> Self {
        Rejected { event_id: event.event_id(), reason: reason.to_owned(), field, at: event.recorded_at() }
    }
}

/// Proofs at the hosted checkout have no session, and a refused one may name a session of somebody else.
fn of_session(
    rows: &mut Rows<PaymentSession>,
    event: &Applied<'_>,
    session_id: Option<SessionId>,
    change: impl FnOnce(&mut PaymentSession),
) -> Result<(), Poison> {
    let owner = event.recorded.envelope.owner_id;
    if let Some(id) = session_id
        && rows.get(id).is_some_and(|row| row.meta.owner_id == owner)
    {
        rows.update_if_present(event, id, change);
    }
    Ok(())
}

fn created(event: &Applied<'_>, e: &PaymentSessionCreated) -> PaymentSession {
    PaymentSession {
        meta: event.meta(e.session_id, Some(e.subject_id)),
        app_id: e.app_id,
        access_product_id: e.access_product_id,
        product_id: e.product_id,
        payment_id: e.payment_id,
        entitlement_id: e.entitlement_id,
        external_customer_id: event.personal(|p| &p.external_customer_id),
        email: event.personal(|p| &p.email),
        metadata: event.personal(|p| &p.metadata),
        wallet: e.wallet.clone(),
        rail_id: e.rail_id,
        payment_protocol: e.payment_protocol,
        amount: e.amount,
        status: SessionStatus::Pending,
        failure_reason: None,
        expires_at: e.expires_at,
        requirement: None,
        resource: None,
        proof_id: None,
        tx_signature: None,
        receipt_id: None,
        stages: Stages { created: Some(Stage::of(event)), ..Stages::default() },
    }
}
