//! Pages for buyers: the checkout at `/p/{slug}` and the receipt at `/r/{receipt_id}`. Rendered here, with nothing from elsewhere
//! but a merchant's own pictures, and no credential in them: a page can do what anyone can.

mod accent;
mod assets;
mod checkout;
mod checkout_view;
mod layout;
mod notice;
mod offer;
mod qr;
mod receipt;
mod receipt_view;
mod text;

use crate::state::State;
use axum::{Router, routing::get};

/// The pages and what they load. They are no part of the API's document.
pub fn routes() -> Router<State> {
    Router::new()
        .route("/p/{slug}", get(checkout::serve))
        .route("/r/{receipt_id}", get(receipt::serve))
        .route("/pages/assets/{version}/{*name}", get(assets::serve))
        .route("/pages/accent/{name}", get(accent::serve))
        .route("/pages/qr/payment/{name}", get(qr::payment))
        .route("/pages/qr/receipt/{name}", get(qr::receipt))
        .route("/pages/qr/checkout/{name}", get(qr::checkout))
}
