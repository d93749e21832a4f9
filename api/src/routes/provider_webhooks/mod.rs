//! Providers that wake the service up (RT-019, RT-076). What they say is never evidence.

mod alchemy;
mod helius;

use crate::state::State;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().merge(helius::routes()).merge(alchemy::routes())
}
