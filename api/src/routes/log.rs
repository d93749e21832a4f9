//! `GET /v1/log/checkpoint`: what the log has promised, signed (C2SP `tlog-checkpoint`).

use crate::{
    http::{answers, problem::Problem, rejection},
    state::State,
};
use axum::{extract::State as Part, http::header, response::IntoResponse};
use events::proof::Checkpointer;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(checkpoint))
}

/// The signed checkpoint
///
/// Covers every event that was committed when it was asked for; it is signed on demand if the newest kept one is older.
#[utoipa::path(get, path = "/v1/log/checkpoint", tag = "log", operation_id = "log_checkpoint",
    responses((status = 200, description = "A signed note", body = String, content_type = "text/plain"), answers::Anyone))]
async fn checkpoint(Part(checkpointer): Part<Checkpointer>) -> Result<impl IntoResponse, Problem> {
    let head = checkpointer.sign().await.map_err(|error| rejection::read(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], head.note))
}
