//! Agents that set up an integration before an owner has approved it (OBJ-30).

use crate::vocab::{bytes::Hash32, id::*, time::Timestamp, words::Scope};
use serde::{Deserialize, Serialize};

/// An agent begins (RT-071). Sealed beside it, with the key of the workspace made for the agent: who it says it is and what for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetupBootstrapped {
    /// The intent. The sandbox workspace that is made for it has the same id.
    pub setup_intent_id: SetupIntentId,
    /// SHA-256 of the setup token.
    pub token_hash: Hash32,
    /// The sandbox key that goes with it.
    pub sandbox_key_id: ApiKeyId,
    pub requested_permissions: Vec<Scope>,
    pub expires_at: Timestamp,
    pub subject_id: SubjectId,
}

/// The agent says what it is going to build (RT-074). Sealed beside it: the manifest, as it was normalised. Nothing else follows from
/// it (INV-59).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetupManifestAttached {
    pub setup_intent_id: SetupIntentId,
    /// SHA-256 of the normalised manifest.
    pub manifest_hash: Hash32,
    pub subject_id: SubjectId,
}

/// An owner approves (RT-072). The event is of his workspace; those before it are of the agent's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetupApproved {
    pub setup_intent_id: SetupIntentId,
    pub owner_id: OwnerId,
    pub granted_permissions: Vec<Scope>,
    /// The live key that was issued with the approval, if any was.
    pub live_key_id: Option<ApiKeyId>,
    pub approved_at: Timestamp,
}

/// An owner refuses. The event is of his workspace; those before it are of the agent's. Sealed beside it: his reason.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetupRejected {
    pub setup_intent_id: SetupIntentId,
    pub owner_id: OwnerId,
    pub subject_id: SubjectId,
    pub rejected_at: Timestamp,
}

/// Nobody approved in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgentSetupExpired {
    pub setup_intent_id: SetupIntentId,
}
