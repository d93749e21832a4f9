//! `GET /v1/receipt/{receipt_id}/proof`: that a receipt is in the log, for anyone, in the forms that other people's tools read.

use crate::{
    http::{
        answers,
        body::Params,
        path::Segment,
        problem::{Code, Problem},
    },
    services::{included::Included, receipt_proof::Proven},
    state::State,
};
use axum::{
    Json,
    extract::State as Part,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::{
    log::Log,
    proof::Checkpointer,
    vault::Vault,
    vocab::{
        bytes::Hash32,
        id::{EventId, ReceiptId},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(proof))
}

/// A form of the proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// C2SP `tlog-proof`.
    Tlog,
    /// A COSE Receipt.
    Cose,
    /// Everything by name.
    Json,
}

const COSE: &str = "application/scitt-receipt+cose";

/// In which form.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// `tlog` for C2SP tlog-proof, `cose` for a COSE Receipt (RFC 9942), `json` for everything by name. Without it the `Accept` header
    /// says: `application/json`, `application/cose` or `application/scitt-receipt+cose`, and else tlog.
    format: Option<String>,
}

impl Form {
    fn of(asked: &Asked, headers: &HeaderMap) -> Result<Self, Problem> {
        match asked.format.as_deref() {
            Some("tlog") => Ok(Form::Tlog),
            Some("cose") => Ok(Form::Cose),
            Some("json") => Ok(Form::Json),
            Some(_) => Err(Problem::field(Code::ValidationFailed, "format", "tlog, cose or json")),
            None => Ok(Form::accepted(headers)),
        }
    }

    /// The first of the media types that we have; what is not asked for in words is text.
    fn accepted(headers: &HeaderMap) -> Self {
        let all = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let known = |media: &str| match media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Form::Json),
            "application/cose" | COSE => Some(Form::Cose),
            "text/plain" | "text/*" | "*/*" => Some(Form::Tlog),
            _ => None,
        };
        all.flat_map(|value| value.split(',')).find_map(known).unwrap_or(Form::Tlog)
    }
}

/// That a receipt is in the log. SHA-256 of `payload` is in `entry`, its last 64 bytes but 32; SHA-256 of a zero byte and `entry` is
/// `leaf`; `inclusion` leads from there to the root in `checkpoint`. `payload` holds the receipt, its hash and its signature.
#[derive(Serialize, ToSchema)]
struct ReceiptProof {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    /// SHA-256 of the receipt's canonical JSON, hex; it stands in the payload as `receipt_hash`.
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    /// Place of the event in the log, and index of its leaf.
    position: u64,
    /// What the event says: MessagePack, hex. Personal data is never in it.
    payload: String,
    /// SHA-256 of the payload, hex.
    #[schema(value_type = String)]
    payload_hash: Hash32,
    /// The bytes that bind the event (`events/src/leaf.rs` has the table of its fields), hex.
    entry: String,
    /// SHA-256 of a zero byte and the entry, hex.
    #[schema(value_type = String)]
    leaf: Hash32,
    /// Size of the tree.
    tree_size: u64,
    /// Its root, hex.
    #[schema(value_type = String)]
    root: Hash32,
    /// The hashes that lead from the leaf to the root, lowest first; base64.
    inclusion: Vec<String>,
    /// The signed checkpoint, with the signatures of witnesses.
    checkpoint: String,
    /// The same as C2SP tlog-proof.
    tlog_proof: String,
    /// The same as a COSE Receipt (RFC 9942), base64.
    cose_receipt: String,
}

/// Proof that a receipt is in the log
///
/// For anyone who may see the receipt. The checkpoint is the newest one that a witness signed and that covers the receipt, else the
/// newest; it is signed on demand if none covers it yet. Keys are at `/v1/log/keys`.
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}/proof", tag = "receipts", operation_id = "get_receipt_proof",
    params(("receipt_id" = String, Path), Asked),
    responses(
        (status = 200, description = "The proof",
            content((String = "text/plain"), (ReceiptProof = "application/json"), (Vec<u8> = "application/scitt-receipt+cose"))),
        answers::Public))]
async fn proof(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(checkpointer): Part<Checkpointer>,
    headers: HeaderMap,
    id: Segment,
    Params(asked): Params<Asked>,
) -> Result<Response, Problem> {
    let form = Form::of(&asked, &headers)?;
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    let proven = Proven::of(&log, &checkpointer, id).await?;
    let mut response = match form {
        Form::Tlog => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proven.included.text()).into_response(),
        Form::Cose => ([(header::CONTENT_TYPE, COSE)], proven.cose(&vault, checkpointer.origin()).await?).into_response(),
        Form::Json => {
            let cose = proven.cose(&vault, checkpointer.origin()).await?;
            Json(by_name(proven, &cose)).into_response()
        }
    };
    response.headers_mut().insert(header::VARY, axum::http::HeaderValue::from_static("accept"));
    Ok(response)
}

fn by_name(proven: Proven, cose: &[u8]) -> ReceiptProof {
    let tlog_proof = proven.included.text();
    let Proven { included: Included { event, entry, head, note, path }, created } = proven;
    ReceiptProof {
        receipt_id: created.receipt_id,
        receipt_hash: created.receipt_hash,
        event_id: event.envelope.event_id,
        position: event.position,
        payload: hex::encode(&event.payload),
        payload_hash: Hash32::of(&event.payload),
        entry: hex::encode(entry),
        leaf: event.leaf,
        tree_size: head.size,
        root: head.root,
        inclusion: path.iter().map(|hash| STANDARD.encode(hash.0)).collect(),
        checkpoint: note,
        tlog_proof,
        cose_receipt: STANDARD.encode(cose),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_first_that_is_accepted_and_known() {
        let form = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            Form::of(&Asked { format: None }, &headers).unwrap()
        };
        assert_eq!(Form::accepted(&HeaderMap::new()), Form::Tlog);
        for (accept, expected) in [
            ("*/*", Form::Tlog),
            ("text/html", Form::Tlog),
            ("application/json", Form::Json),
            ("text/html, Application/JSON;q=0.9, */*", Form::Json),
            ("application/cose", Form::Cose),
            ("application/scitt-receipt+cose, application/json", Form::Cose),
            ("text/plain, application/json", Form::Tlog),
        ] {
            assert_eq!(form(accept), expected, "{accept}");
        }
        let wrong = Form::of(&Asked { format: Some("pdf".into()) }, &HeaderMap::new()).unwrap_err();
        assert_eq!((wrong.code, wrong.errors[0].field.as_str()), ("validation_failed", "format"));
    }
}
