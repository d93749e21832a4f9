//! API keys, reads of the log, erasure.

use crate::vocab::{bytes::Hash32, id::*, time::Timestamp, words::*};
use serde::{Deserialize, Serialize};

/// A key is issued; only its hash is kept (OBJ-12).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    pub key_id: ApiKeyId,
    pub label: String,
    /// The first characters of the key, to recognise it by.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub key_hash: Hash32,
    pub scopes: Vec<Scope>,
    /// A live key may be marked to also use the sandbox (INV-40).
    pub sandbox_capable: bool,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// The key that it takes the place of.
    pub rotated_from: Option<ApiKeyId>,
}

/// A key has a successor and works for some time beside it, so that callers can be changed over one by one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApiKeyRotated {
    pub key_id: ApiKeyId,
    /// The new key.
    pub successor_id: ApiKeyId,
    /// When this one stops working.
    pub works_until: Timestamp,
}

/// A key works no more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    pub key_id: ApiKeyId,
    pub reason: String,
}

/// Someone read pages of the log: one event an hour and reader (RT-116).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LogRead {
    pub reader: String,
    pub hour: Timestamp,
}

/// A person's key is destroyed; what was sealed with it cannot be read again, and every proof still verifies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SubjectErased {
    pub subject_id: SubjectId,
    /// A stable code, never words about the person.
    pub reason: String,
    /// The approval that permits it; absent on what was erased before approvals were asked for.
    pub approval: Option<ErasureApproval>,
}

/// That two people agreed on an erasure.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ErasureApproval {
    pub approval_id: ApprovalId,
    /// `approval.approved`.
    pub approval_event: EventId,
    /// The member of staff who approved.
    pub approved_by: String,
    /// The member of staff who had it take effect.
    pub by: String,
}
