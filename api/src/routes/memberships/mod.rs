//! RT-025 to RT-036: who has access, found by what support is told, and what the merchant does about it.

mod read;
mod renewals;
mod shown;
mod write;

use crate::state::State;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(renewals::routes()).merge(read::routes()).merge(write::routes())
}
