//! Statements of a wallet or of Stripe, held against the log: brought by staff, read by staff and auditors.

mod import;
mod read;
mod view;

use crate::state::State;
use utoipa_axum::router::OpenApiRouter;

/// Routes of this folder.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().merge(import::routes()).merge(read::routes())
}
