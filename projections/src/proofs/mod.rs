//! Payment proofs (OBJ-21..24): RT-065, and every look at the chain.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    bytes::{Hash32, TxSignature},
    event::{Event, EventType},
    id::{AccessProductId, EntitlementId, PaymentId, ProductId, ReceiptId, SessionId},
    money::Minor,
    rail::RailId,
    words::Outcome,
};
use events::vocab::{
    event::{ObservedPayment, VerificationAttempted},
    id::EventId,
    time::Timestamp,
    words::Trigger,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Proofs;

/// A row of `proofs`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// SHA-256 of the canonical proof, hex.
    pub fingerprint: Hash32,
    /// The rail.
    pub rail_id: RailId,
    /// CAIP-2.
    pub network: String,
    /// The transaction, base58, where there is one.
    pub tx_signature: Option<TxSignature>,
    /// The session it pays.
    pub session_id: Option<SessionId>,
    /// The payment it pays.
    pub payment_id: PaymentId,
    /// The entitlement that waits for it.
    pub entitlement_id: Option<EntitlementId>,
    /// The access product.
    pub access_product_id: Option<AccessProductId>,
    /// The hosted product.
    pub product_id: ProductId,
    /// Gross, in minor units.
    pub amount: Minor,
    /// Of the requirement it is for, hex.
    pub requirement_hash: Option<Hash32>,
    /// recorded, verified, verification_failed, settled or receipt_mapped.
    pub status: ProofStatus,
    /// Every look at the chain, in order.
    pub attempts: Vec<Attempt>,
    /// The settled transfer.
    pub transfer_id: Option<String>,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
}

impl Row for Proof {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Proofs {
    const NAME: &'static str = "proofs";
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Proof;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::ProofFingerprinted(e) => Keys::row(e.proof_id),
            Event::VerificationAttempted(e) => Keys::row(e.proof_id),
            Event::SettlementEvidenced(e) => Keys::row(e.proof_id),
            Event::ReceiptMapped(e) => Keys::row(e.proof_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Proof>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::ProofFingerprinted(e) => rows.insert(
                event,
                Proof {
                    meta: event.meta(e.proof_id, Some(e.subject_id)),
                    fingerprint: e.fingerprint,
                    rail_id: e.rail_id,
                    network: e.network.clone(),
                    tx_signature: e.tx_signature,
                    session_id: e.session_id,
                    payment_id: e.payment_id,
                    entitlement_id: e.entitlement_id,
                    access_product_id: e.access_product_id,
                    product_id: e.product_id,
                    amount: e.amount,
                    requirement_hash: e.requirement_hash,
                    status: ProofStatus::Recorded,
                    attempts: Vec::new(),
                    transfer_id: None,
                    receipt_id: None,
                },
            ),
            Event::VerificationAttempted(e) => rows.update(event, e.proof_id, |row| {
                row.attempts.push(Attempt::of(event, e));
                match e.outcome {
                    Outcome::Passed => row.status = ProofStatus::Verified,
                    Outcome::Failed => row.status = ProofStatus::VerificationFailed,
                    Outcome::Pending | Outcome::Error => {}
                }
            }),
            Event::SettlementEvidenced(e) => rows.update(event, e.proof_id, |row| {
                row.status = ProofStatus::Settled;
                row.transfer_id = Some(e.transfer_id.clone());
            }),
            Event::ReceiptMapped(e) => rows.update(event, e.proof_id, |row| {
                row.status = ProofStatus::ReceiptMapped;
                row.receipt_id = Some(e.receipt_id);
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// How far a proof has come.
    pub enum ProofStatus {
        /// Fingerprinted.
        Recorded = "recorded",
        /// Final and matching.
        Verified = "verified",
        /// Final and not matching.
        VerificationFailed = "verification_failed",
        /// Its transfer is recorded.
        Settled = "settled",
        /// Its receipt is.
        ReceiptMapped = "receipt_mapped",
    }
}

/// One look at the chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// Its event.
    pub event_id: EventId,
    /// 1, 2, 3 …
    pub attempt: u32,
    /// Who looked.
    pub verifier: String,
    /// What made him.
    pub trigger: Trigger,
    /// What he found.
    pub outcome: Outcome,
    /// Why, as a stable code, unless it passed.
    pub reason: Option<String>,
    /// What the chain showed.
    pub observed: Option<ObservedPayment>,
    /// When.
    pub at: Timestamp,
}

impl Attempt {
    /// The attempt that the event records.
    pub(crate) fn of(event: &Applied<'_>, e: &VerificationAttempted) -> Self {
        Attempt {
            event_id: event.event_id(),
            attempt: e.attempt,
            verifier: e.verifier.clone(),
            trigger: e.trigger,
            outcome: e.outcome,
            reason: e.reason.clone(),
            observed: e.observed.clone(),
            at: event.recorded_at(),
        }
    }
}
