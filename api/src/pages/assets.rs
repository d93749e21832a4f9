//! Styles and scripts of the pages. All are part of the program; the folder in their addresses is a hash of them all, so that a
//! browser may keep them for ever and modules can name each other as they lie.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../assets/", $name)))),*] };
}

const FILES: &[(&str, &str)] = files![
    "pages.css",
    "checkout.js",
    "checkout/api.js",
    "checkout/chooser.js",
    "checkout/delivery.js",
    "checkout/follow.js",
    "checkout/identity.js",
    "checkout/money.js",
    "checkout/order.js",
    "checkout/pay.js",
    "checkout/phone.js",
    "checkout/store.js",
    "checkout/view.js",
    "checkout/wallets.js",
    "checkout/words.js",
    "bytes.js",
    "receipt.js",
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, text) in FILES {
        hash.update(name);
        hash.update([0]);
        hash.update(text);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..8])
});

/// Where the file of that name is.
pub fn href(name: &str) -> String {
    format!("/pages/assets/{}/{name}", VERSION.as_str())
}

/// The scripts that the checkout page's script imports, so that a browser asks for all at once.
pub fn checkout_modules() -> impl Iterator<Item = String> {
    FILES.iter().map(|(name, _)| *name).filter(|name| name.starts_with("checkout/") || *name == "bytes.js").map(href)
}

/// `GET /pages/assets/{version}/{*name}`. A page of another release asks for its own files, which are no longer here; what it is
/// given instead may not be kept.
pub async fn serve(Path((version, name)): Path<(String, String)>) -> Response {
    let Some((name, text)) = FILES.iter().find(|(known, _)| *known == name) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = if name.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], *text).into_response()
}
