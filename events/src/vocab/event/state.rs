//! What the read models come to, put on record; and what a recovery did.

use super::Asset;
use crate::vocab::{
    bytes::{Hash32, Signature64},
    id::{AttestationId, RecoveryId},
    money::Total,
    words::Account,
};
use serde::{Deserialize, Serialize};

/// What every read model and the trial balance come to at one position (design §6). Every checkpoint signed after it covers it, and
/// whoever folds the log to that position must come to the same root. Personal data is in none of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StateAttested {
    pub attestation_id: AttestationId,
    /// Position of the last event that is folded into all of it.
    pub at_position: u64,
    /// How the roots are made: `projections::state::FORM`.
    pub form: String,
    /// One number for all of it: the root over the projections' lines and the trial balance's, in the order below.
    pub root: Hash32,
    /// By name.
    pub projections: Vec<AttestedProjection>,
    /// By asset, mode and account.
    pub trial_balance: Vec<AttestedBalance>,
}

/// One read model at that position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestedProjection {
    pub name: String,
    /// The version of the fold: another version may come to another root.
    pub version: u32,
    pub rows: u64,
    /// RFC 6962 root over the rows in id order.
    pub root: Hash32,
}

/// One line of the trial balance, over all owners.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttestedBalance {
    pub asset: Asset,
    pub livemode: bool,
    pub account: Account,
    /// In the asset's minor unit.
    pub debit: Total,
    /// In the asset's minor unit.
    pub credit: Total,
}

/// Read models were built again, compared with the log and found right, and an operator has signed what he did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecoveryCertified {
    pub recovery_id: RecoveryId,
    /// An opaque id, never a name or an address.
    pub operator: String,
    /// The operator's Ed25519 public key.
    pub operator_key: Hash32,
    /// RFC 8785 canonical JSON: the very bytes that are hashed and signed.
    pub certificate_json: String,
    pub certificate_hash: Hash32,
    pub ed25519_sig: Signature64,
}
