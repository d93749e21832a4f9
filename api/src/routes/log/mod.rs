//! `/v1/log`: what the log has promised, and what proves it (C2SP `tlog-checkpoint`, `tlog-tiles`, `tlog-cosignature`).

mod checkpoints;
mod consistency;
mod cosignatures;
mod keys;
mod tiles;

use crate::state::State;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(checkpoints::routes())
        .merge(consistency::routes())
        .merge(cosignatures::routes())
        .merge(keys::routes())
        .merge(tiles::routes())
}

/// Notes are text.
const TEXT: &str = "text/plain; charset=utf-8";
