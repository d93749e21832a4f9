//! What witnesses sign of the checkpoints (C2SP `tlog-cosignature`).

use crate::{
    http::{
        answers,
        body::Body,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    proof::{Checkpointer, CosignError},
    vocab::time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(add))
}

/// A checkpoint with a witness's signature.
#[derive(Deserialize, ToSchema)]
struct CosignedCheckpoint {
    /// The signed note of this log, word for word, with the lines of witnesses after the log's own.
    note: String,
}

/// What was kept.
#[derive(Serialize, ToSchema)]
struct KeptSignatures {
    kept: Vec<KeptSignature>,
}

/// A signature that is on record now.
#[derive(Serialize, ToSchema)]
struct KeptSignature {
    witness: String,
    /// When the witness says that it signed.
    #[schema(value_type = String, format = DateTime)]
    signed_at: Timestamp,
    /// Whether this request brought it. One signature of each key is kept for a checkpoint; a later one changes nothing.
    new: bool,
}

/// Add a witness's signature
///
/// For anyone: the signature says who it is from. Kept are signatures of the witnesses that this deployment knows (`/v1/log/keys`) on a
/// checkpoint that it has signed. Sending one again changes nothing.
#[utoipa::path(post, path = "/v1/log/cosignatures", tag = "log", operation_id = "add_cosignatures", request_body = CosignedCheckpoint,
    responses((status = 200, description = "What is on record now", body = KeptSignatures), answers::Cosign))]
async fn add(Part(checkpointer): Part<Checkpointer>, body: Body<CosignedCheckpoint>) -> Result<Json<KeptSignatures>, Problem> {
    let kept = checkpointer.keep_cosignatures(&body.value.note).await.map_err(refused)?;
    let shown = |(cosignature, new): (events::proof::Cosignature, bool)| KeptSignature {
        witness: cosignature.witness.name().to_owned(),
        signed_at: Timestamp::from_micros(i64::try_from(cosignature.time).unwrap_or(i64::MAX).saturating_mul(1_000_000)),
        new,
    };
    Ok(Json(KeptSignatures { kept: kept.into_iter().map(shown).collect() }))
}

fn refused(error: CosignError) -> Problem {
    match error {
        CosignError::Note(error) => Problem::field(Code::ValidationFailed, "note", error.to_string()),
        CosignError::NotOurs => Problem::of(Code::CheckpointNotFound),
        CosignError::Unknown => Problem::of(Code::WitnessUnknown),
        CosignError::Future(_) => Problem::field(Code::ValidationFailed, "note", error.to_string()),
        CosignError::Database(error) => rejection::read(&error),
    }
}
