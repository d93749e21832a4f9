//! That two people agreed: what each of them signed, and the one leaf of the log that covers both.

use super::Edit;
use crate::{
    http::{
        answers,
        auth::LogReader,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::included::Included,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::vocab::{
    bytes::{Hash32, Signature64},
    event::{Event, EventType, OperatorSignature, SignedDecision},
    id::{ApprovalId, EventId},
    stream::{Category, StreamId},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The form of the proof.
const FORM: &str = "hilt-approval-proof/1";

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(proof))
}

/// Proof that two operators agreed. `payload` holds both statements and both signatures; its SHA-256 stands in `entry`, the hash of a
/// zero byte and `entry` is `leaf`, and `tlog_proof` leads from there to a root that the log signed.
#[derive(Serialize, ToSchema)]
struct ApprovalProof {
    /// `hilt-approval-proof/1`.
    form: &'static str,
    #[schema(value_type = String, format = Uuid)]
    approval_id: ApprovalId,
    /// What the first asked for.
    request: Signed,
    /// That the second agreed; it names the SHA-256 of the first statement.
    decision: Signed,
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    /// Place of the event in the log, and index of its leaf.
    position: u64,
    /// What the event says: MessagePack, hex.
    payload: String,
    /// The bytes that bind the event (`events/src/leaf.rs` has the table of its fields), hex.
    entry: String,
    /// SHA-256 of a zero byte and the entry, hex.
    #[schema(value_type = String)]
    leaf: Hash32,
    /// C2SP tlog-proof: index, hashes, signed checkpoint.
    tlog_proof: String,
}

/// A statement and its signature.
#[derive(Serialize, ToSchema)]
struct Signed {
    operator: String,
    /// First 16 hexadecimal digits of the key's SHA-256.
    kid: String,
    /// The operator's Ed25519 public key, hex. Take it from the operator, not from here.
    #[schema(value_type = String)]
    public_key: Hash32,
    /// Canonical JSON (RFC 8785): the very bytes that are signed.
    statement: String,
    /// Ed25519, base64.
    #[schema(value_type = String)]
    signature: Signature64,
}

impl Signed {
    fn new(statement: String, by: OperatorSignature) -> Self {
        Signed { operator: by.operator, kid: by.kid, public_key: by.public_key, statement, signature: by.ed25519_sig }
    }
}

/// Proof that two operators agreed
///
/// For staff and auditors. One inclusion proof covers both signatures. `hilt-replay verify-approval` checks it with the log's key and the
/// operators' keys alone.
#[utoipa::path(get, path = "/v1/admin/access/approvals/{id}/proof", tag = "admin", operation_id = "get_approval_proof",
    params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The proof", body = ApprovalProof), answers::ReadOne))]
async fn proof(Part(edit): Part<Edit>, _reader: LogReader, path: Segment) -> Result<Json<ApprovalProof>, Problem> {
    let approval_id: ApprovalId = path.id(Code::ApprovalNotFound)?;
    let stream = StreamId::new(Category::Approval, approval_id);
    let events = edit.log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))?;
    if events.is_empty() {
        return Err(Problem::of(Code::ApprovalNotFound));
    }
    let unsigned = || Problem::of(Code::ApprovalNotSigned);
    let event = events.into_iter().find(|event| event.envelope.event_type == EventType::ApprovalApproved).ok_or_else(unsigned)?;
    let decoded = event.decode().map_err(|error| Problem::internal(&error, "read an approval's event"))?;
    let Event::ApprovalApproved(approved) = decoded else { return Err(unsigned()) };
    let SignedDecision { request_json, request, decision_json, decision, .. } = approved.signed.ok_or_else(unsigned)?;
    let request = request.ok_or_else(unsigned)?;
    let included = Included::of(&edit.checkpointer, event).await?;
    let tlog_proof = included.text();
    let Included { event, entry, .. } = included;
    Ok(Json(ApprovalProof {
        form: FORM,
        approval_id,
        request: Signed::new(request_json, request),
        decision: Signed::new(decision_json, decision),
        event_id: event.envelope.event_id,
        position: event.position,
        payload: hex::encode(&event.payload),
        entry: hex::encode(entry),
        leaf: event.leaf,
        tlog_proof,
    }))
}
