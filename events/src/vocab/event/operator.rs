//! Keys that operators hold themselves, and what they sign with them.

use crate::vocab::{
    bytes::{Hash32, Signature64},
    id::{EventId, OperatorId},
};
use serde::{Deserialize, Serialize};

/// A member of staff has a key of his own from now on, and signs with it what he asks for and what he approves. The service never holds
/// the private part.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OperatorKeyRegistered {
    pub operator_id: OperatorId,
    /// The member of staff, by an opaque id.
    pub operator: String,
    /// First 16 hexadecimal digits of the public key's SHA-256.
    pub kid: String,
    /// The Ed25519 public key.
    pub public_key: Hash32,
    /// RFC 8785 canonical JSON: the very bytes that the key signed, which shows that the operator has it.
    pub statement_json: String,
    pub ed25519_sig: Signature64,
}

/// The key counts no more, for good. What it signed before stays signed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OperatorKeyRetired {
    pub operator_id: OperatorId,
    /// The member of staff, by an opaque id.
    pub operator: String,
    pub kid: String,
    pub public_key: Hash32,
    /// A stable code.
    pub reason: String,
}

/// An operator's signature over a statement that stands beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OperatorSignature {
    /// The member of staff, by an opaque id.
    pub operator: String,
    pub kid: String,
    /// The Ed25519 public key.
    pub public_key: Hash32,
    /// The event that registered the key.
    pub key_event: EventId,
    pub ed25519_sig: Signature64,
}
