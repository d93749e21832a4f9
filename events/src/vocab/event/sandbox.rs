//! The sandbox: sessions that move no money, and clocks that are moved by hand.

use crate::vocab::{bytes::Hash32, id::*, rail::RailId, time::Timestamp, words::PaymentProtocol};
use serde::{Deserialize, Serialize};

/// A session that moves no money (RT-067). Sealed beside it: the customer's id and e-mail.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxSessionCreated {
    pub sandbox_session_id: SandboxSessionId,
    pub access_product_id: AccessProductId,
    pub product_id: ProductId,
    pub entitlement_id: EntitlementId,
    pub subject_id: SubjectId,
    pub wallet: Option<String>,
    pub rail_id: RailId,
    /// SHA-256 of the proof; the proof itself is returned once (INV-41).
    pub proof_hash: Hash32,
    pub expires_at: Timestamp,
    /// The clock whose time is its time.
    pub test_clock_id: Option<TestClockId>,
}

/// The right proof came in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxSessionConfirmed {
    pub sandbox_session_id: SandboxSessionId,
    pub confirmed_at: Timestamp,
}

/// A wrong or late proof.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxProofRejected {
    pub sandbox_session_id: SandboxSessionId,
    pub reason: String,
}

/// Nobody brought the proof in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxSessionExpired {
    pub sandbox_session_id: SandboxSessionId,
    pub expired_at: Timestamp,
}

/// A clock for objects of the sandbox.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TestClockCreated {
    pub test_clock_id: TestClockId,
    /// The owner's words for it.
    pub name: Option<String>,
    /// The time it shows first.
    pub frozen_time: Timestamp,
}

/// A clock shows a later time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TestClockAdvanced {
    pub test_clock_id: TestClockId,
    /// What it showed.
    pub from: Timestamp,
    /// What it shows now.
    pub frozen_time: Timestamp,
}

/// A clock is no more: what hangs on it stays in its last time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TestClockDeleted {
    pub test_clock_id: TestClockId,
}

/// A candidate proof was brought for a sandbox session (RT-065 with `livemode: false`). It is nobody's payment and grants nothing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SandboxProofRecorded {
    pub sandbox_session_id: SandboxSessionId,
    pub proof_id: ProofId,
    pub rail_id: RailId,
    /// The protocol around it.
    pub payment_protocol: Option<PaymentProtocol>,
    /// SHA-256 of what was brought; unique for the owner, the sandbox and the rail (DIS-35).
    pub fingerprint: Hash32,
}
