//! RT-045 to RT-049: support tickets. What people write is sealed with a key of the ticket's own.

mod actions;
mod context;
mod message;
mod open;
mod read;
mod view;

use crate::state::State;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes for merchants.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(read::list, open::open)).routes(routes!(read::get)).routes(routes!(message::add_message))
}

/// Routes for staff.
pub fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(message::answer))
}
