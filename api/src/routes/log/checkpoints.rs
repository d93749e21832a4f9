//! Signed checkpoints: the newest, all of them, and each (C2SP `tlog-checkpoint`).

use super::TEXT;
use crate::{
    http::{
        answers,
        body::Params,
        paging,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part, http::header, response::IntoResponse};
use events::{
    proof::{Checkpointer, KeptCosignature, TreeHead},
    vocab::{bytes::Hash32, time::Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(newest)).routes(routes!(list)).routes(routes!(get))
}

/// The signed checkpoint
///
/// Covers every event that was committed when it was asked for; it is signed on demand if the newest kept one is older. Signatures of
/// witnesses follow the log's own. Origin and keys are at `/v1/log/keys`; keep your own copy of them.
#[utoipa::path(get, path = "/v1/log/checkpoint", tag = "log", operation_id = "log_checkpoint",
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain"), answers::Anyone))]
async fn newest(Part(checkpointer): Part<Checkpointer>) -> Result<impl IntoResponse, Problem> {
    let head = checkpointer.sign().await.map_err(|error| rejection::read(&error))?;
    note(&checkpointer, &head).await
}

async fn note(checkpointer: &Checkpointer, head: &TreeHead) -> Result<impl IntoResponse + use<>, Problem> {
    let note = checkpointer.cosigned(head).await.map_err(|error| rejection::read(&error))?;
    Ok(([(header::CONTENT_TYPE, TEXT)], note))
}

/// Which checkpoints.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Checkpoints of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Signed checkpoints, the newest first.
#[derive(Serialize, ToSchema)]
struct CheckpointList {
    items: Vec<SignedCheckpoint>,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A signed checkpoint.
#[derive(Serialize, ToSchema)]
struct SignedCheckpoint {
    /// Number of events it covers.
    size: u64,
    /// Their RFC 6962 root, hex.
    #[schema(value_type = String)]
    root: Hash32,
    #[schema(value_type = String, format = DateTime)]
    signed_at: Timestamp,
    /// The signed note, without what witnesses added.
    note: String,
    cosignatures: Vec<CosignatureView>,
}

/// A witness's signature.
#[derive(Serialize, ToSchema)]
pub(super) struct CosignatureView {
    /// The name that the witness signs under.
    witness: String,
    /// When the witness says that it signed.
    #[schema(value_type = String, format = DateTime)]
    signed_at: Timestamp,
    /// The signature line of the note.
    line: String,
}

impl From<&KeptCosignature> for CosignatureView {
    fn from(kept: &KeptCosignature) -> Self {
        let seconds = i64::try_from(kept.time).unwrap_or(i64::MAX);
        CosignatureView {
            witness: kept.witness.clone(),
            signed_at: Timestamp::from_micros(seconds.saturating_mul(1_000_000)),
            line: kept.line.clone(),
        }
    }
}

/// Signed checkpoints
///
/// All that this log has signed, with what witnesses signed of them.
#[utoipa::path(get, path = "/v1/log/checkpoints", tag = "log", operation_id = "list_checkpoints", params(Asked),
    responses((status = 200, description = "A page of checkpoints", body = CheckpointList), answers::List))]
async fn list(Part(checkpointer): Part<Checkpointer>, Params(asked): Params<Asked>) -> Result<Json<CheckpointList>, Problem> {
    let limit = paging::in_range("limit", asked.limit)?;
    let wrong = |_| Problem::field(Code::ValidationFailed, "cursor", "the next_cursor of an earlier page");
    let before: u64 = asked.cursor.as_deref().map(str::parse).transpose().map_err(wrong)?.unwrap_or(u64::MAX);
    let mut heads = checkpointer.before(before, limit + 1).await.map_err(|error| rejection::read(&error))?;
    let has_more = heads.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    heads.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let sizes: Vec<u64> = heads.iter().map(|head| head.size).collect();
    let cosignatures = checkpointer.cosignatures(&sizes).await.map_err(|error| rejection::read(&error))?;
    let item = |head: TreeHead| SignedCheckpoint {
        cosignatures: cosignatures.iter().filter(|kept| kept.size == head.size).map(CosignatureView::from).collect(),
        size: head.size,
        root: head.root,
        signed_at: head.signed_at,
        note: head.note,
    };
    let next_cursor = sizes.last().filter(|_| has_more).map(u64::to_string);
    Ok(Json(CheckpointList { items: heads.into_iter().map(item).collect(), has_more, next_cursor }))
}

/// A signed checkpoint of that size
///
/// As it was signed, with what witnesses have signed of it since.
#[utoipa::path(get, path = "/v1/log/checkpoints/{size}", tag = "log", operation_id = "get_checkpoint",
    params(("size" = u64, Path, description = "Number of events it covers.")),
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain"), answers::Public))]
async fn get(Part(checkpointer): Part<Checkpointer>, size: Segment) -> Result<impl IntoResponse, Problem> {
    let none = || Problem::new(Code::NotFound, "no checkpoint of that size was signed");
    let size: u64 = size.0.parse().map_err(|_| none())?;
    let head = checkpointer.of_size(size).await.map_err(|error| rejection::read(&error))?.ok_or_else(none)?;
    note(&checkpointer, &head).await
}
