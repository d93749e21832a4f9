//! `verify-approval`: that two operators agreed, shown with the log's key and the operators' own keys, without a server.

use crate::class::{Break, BreakClass, Failure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{
    codec,
    leaf::{Entry, leaf_hash},
    proof::{Checkpoint, NoteKey, tlog_proof, verify_inclusion},
    vocab::{
        bytes::{Hash32, Signature64},
        event::{ApprovalApproved, Event, OperatorSignature, SignedDecision},
        id::{ApprovalId, EventId},
        stream::StreamId,
        time::Timestamp,
    },
};
use ledger::approval::statement;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The form of the file.
pub const APPROVAL_PROOF_FORM: &str = "hilt-approval-proof/1";

/// The file, as `GET /v1/admin/access/approvals/{id}/proof` gives it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    form: String,
    approval_id: ApprovalId,
    request: Signed,
    decision: Signed,
    event_id: EventId,
    position: u64,
    payload: String,
    entry: String,
    leaf: Hash32,
    tlog_proof: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    operator: String,
    kid: String,
    public_key: Hash32,
    statement: String,
    signature: Signature64,
}

/// An approval that two operators signed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ApprovalReport {
    /// The approval.
    pub approval_id: ApprovalId,
    /// The log.
    pub origin: String,
    /// Size of the checkpoint that covers it.
    pub size: u64,
    /// Its place in the log.
    pub position: u64,
    /// When the log accepted it.
    pub recorded_at: Timestamp,
    /// What was asked for, and by whom.
    pub request: Value,
    /// Who agreed, and why.
    pub decision: Value,
    /// Operators whose keys the caller brought.
    pub operators: Vec<String>,
}

/// Checks the proof in `text` with the log's key and the operators' public keys, both of which must be among `operators`.
pub fn verify_approval(text: &str, log: &NoteKey, operators: &BTreeMap<String, Hash32>) -> Result<ApprovalReport, Failure> {
    let proof: Proof = serde_json::from_str(text).map_err(|error| malformed(0, format!("not an approval's proof: {error}")))?;
    let position = proof.position;
    if proof.form != APPROVAL_PROOF_FORM {
        return Err(malformed(position, format!("the form is not {APPROVAL_PROOF_FORM}")));
    }
    let (payload, bytes) = (unhex(&proof, &proof.payload)?, unhex(&proof, &proof.entry)?);
    let checkpoint = included(&proof, &leaf_hash(&bytes), log)?;
    let entry = Entry::decode(&bytes).map_err(|error| malformed(position, error.to_string()))?;
    if entry.payload_hash != Hash32::of(&payload) {
        return Err(Break::at(BreakClass::LeafMismatch, position, "the payload is not the one that the entry binds").into());
    }
    let decoded = codec::decode(entry.event_type, entry.schema_version, &payload);
    let Event::ApprovalApproved(approved) = decoded.map_err(|error| malformed(position, error.to_string()))? else {
        return Err(malformed(position, "the event is not that of an approval".to_owned()));
    };
    let (event_id, stream) = (entry.event_id, entry.stream);
    signatures(&approved, &checkpoint, operators).map_err(|detail| broken(position, event_id, stream, detail))?;
    let told = told(&proof, &approved, event_id, leaf_hash(&bytes));
    if told.as_ref() != Some(&proof) {
        return Err(malformed(position, "the file says something else beside the event than the event itself".to_owned()));
    }
    let (request, decision) =
        match approved.signed.as_ref().map(|it| (serde_json::from_str(&it.request_json), serde_json::from_str(&it.decision_json))) {
            Some((Ok(request), Ok(decision))) => (request, decision),
            _ => return Err(malformed(position, "the statements are not JSON".to_owned())),
        };
    Ok(ApprovalReport {
        approval_id: approved.approval_id,
        origin: checkpoint.origin,
        size: checkpoint.size,
        position,
        recorded_at: entry.recorded_at,
        request,
        decision,
        operators: vec![proof.request.operator, proof.decision.operator],
    })
}

/// The checkpoint that covers the leaf, if the log signed it and the path leads there.
fn included(proof: &Proof, leaf: &Hash32, log: &NoteKey) -> Result<Checkpoint, Failure> {
    let position = proof.position;
    let (head, note) = proof.tlog_proof.split_once("\n\n").ok_or_else(|| malformed(position, "there is no tlog-proof".to_owned()))?;
    let hash = |line: &str| STANDARD.decode(line).ok().and_then(|bytes| Hash32::try_from(bytes.as_slice()).ok());
    let path: Option<Vec<Hash32>> = head.lines().skip(2).map(hash).collect();
    let path = path.ok_or_else(|| malformed(position, "a hash of the inclusion proof is not 32 bytes in base64".to_owned()))?;
    if tlog_proof(position, &path, note) != proof.tlog_proof {
        return Err(malformed(position, "the tlog-proof is of another position, or in another form".to_owned()));
    }
    let checkpoint =
        Checkpoint::open(note, log).map_err(|error| Break::at(BreakClass::CheckpointSignatureInvalid, position, error.to_string()))?;
    verify_inclusion(leaf, position, checkpoint.size, &path, &checkpoint.root)
        .map_err(|error| Break::at(BreakClass::InclusionInvalid, position, error.to_string()))?;
    Ok(checkpoint)
}

fn signatures(approved: &ApprovalApproved, checkpoint: &Checkpoint, operators: &BTreeMap<String, Hash32>) -> Result<(), String> {
    let signed = approved.signed.as_ref().ok_or("nobody signed the approval")?;
    let request = signed.request.as_ref().ok_or("who asked did not sign")?;
    statement::check_approved(approved)?;
    let asked: statement::RequestStatement = serde_json::from_str(&signed.request_json).map_err(|error| error.to_string())?;
    if asked.log != checkpoint.origin {
        return Err("the statements are about another log".to_owned());
    }
    [request, &signed.decision].into_iter().try_for_each(|by| match operators.get(&by.operator) {
        None => Err(format!("{} signed, and no key of his was given", by.operator)),
        Some(key) if *key != by.public_key => Err(format!("{} signed with another key than was given", by.operator)),
        Some(_) => Ok(()),
    })
}

/// The file, made of the event again: nothing beside it may say something else.
fn told(proof: &Proof, approved: &ApprovalApproved, event_id: EventId, leaf: Hash32) -> Option<Proof> {
    let SignedDecision { request_json, request, decision_json, decision, .. } = approved.signed.clone()?;
    let signed = |statement, by: OperatorSignature| Signed {
        operator: by.operator,
        kid: by.kid,
        public_key: by.public_key,
        statement,
        signature: by.ed25519_sig,
    };
    Some(Proof {
        form: APPROVAL_PROOF_FORM.to_owned(),
        approval_id: approved.approval_id,
        request: signed(request_json, request?),
        decision: signed(decision_json, decision),
        event_id,
        leaf,
        ..proof.clone()
    })
}

fn unhex(proof: &Proof, text: &str) -> Result<Vec<u8>, Failure> {
    let bytes = hex::decode(text).ok().filter(|bytes| hex::encode(bytes) == text);
    bytes.ok_or_else(|| malformed(proof.position, "payload or entry is not lower-case hexadecimal".to_owned()))
}

fn malformed(position: u64, detail: String) -> Failure {
    Break::at(BreakClass::ApprovalProofMalformed, position, detail).into()
}

fn broken(position: u64, event_id: EventId, stream: StreamId, detail: String) -> Failure {
    Break::of(BreakClass::ApprovalSignatureInvalid, position, event_id, stream, detail).into()
}
