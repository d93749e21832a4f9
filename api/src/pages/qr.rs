//! QR codes: of a payment's Solana Pay link, and of a receipt's or a checkout's page. Each is made of an id or a slug alone, so that no
//! code of anything else can be had from here.

use super::notice;
use crate::{
    http::problem::{Code, Problem},
    state::Settings,
};
use axum::{
    extract::{Path, State as Part},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use events::vocab::id::{PaymentId, ReceiptId};
use fast_qr::{ECL, QRBuilder};
use std::{fmt::Write as _, sync::Arc};

/// Empty modules around a code, without which scanners do not find it.
const QUIET: usize = 4;

/// `GET /pages/qr/payment/{payment_id}.svg`.
pub async fn payment(Part(settings): Part<Arc<Settings>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let id = name.strip_suffix(".svg").and_then(|id| id.parse::<PaymentId>().ok());
    answer(&headers, id.map(|id| settings.solana_pay_url(id)))
}

/// `GET /pages/qr/receipt/{receipt_id}.svg`.
pub async fn receipt(Part(settings): Part<Arc<Settings>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let id = name.strip_suffix(".svg").and_then(|id| id.parse::<ReceiptId>().ok());
    answer(&headers, id.map(|id| format!("{}/r/{id}", settings.public_web_url)))
}

/// `GET /pages/qr/checkout/{slug}.svg`.
pub async fn checkout(Part(settings): Part<Arc<Settings>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let is_slug = |slug: &&str| (1..=64).contains(&slug.len()) && slug.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let slug = name.strip_suffix(".svg").filter(is_slug);
    answer(&headers, slug.map(|slug| settings.checkout_url(slug)))
}

fn answer(headers: &HeaderMap, text: Option<String>) -> Response {
    match text.and_then(|text| svg(&text)) {
        Some(svg) => ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "private, max-age=3600")], svg).into_response(),
        None => notice::problem(headers, Problem::of(Code::NotFound)),
    }
}

/// One path of unit squares, dark on white whatever the page's scheme: scanners want it so.
fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
    let side = code.size + 2 * QUIET;
    let mut path = String::new();
    for y in 0..code.size {
        let row = &code[y];
        let mut x = 0;
        while x < code.size {
            let run = row[x..code.size].iter().take_while(|module| module.value()).count();
            if run > 0 {
                write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET).ok()?;
            }
            x += run.max(1);
        }
    }
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>"##
    ))
}
