//! QR codes: of a payment's Solana Pay link, and of a receipt's or a checkout's page. Each is made of an id or a slug, and of a handoff token
//! that was signed here for that very product, so that no code of anything else can be had from here.

use super::notice;
use crate::{
    http::problem::{Code, Problem},
    services::{handoffs, hosted},
    state::{Settings, State},
};
use axum::{
    extract::{Path, Query, State as Part},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use events::vocab::id::{PaymentId, ReceiptId};
use fast_qr::{ECL, QRBuilder};
use serde::Deserialize;
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

/// What the code of a checkout page may carry along.
#[derive(Deserialize)]
pub struct Carried {
    handoff: Option<String>,
}

/// `GET /pages/qr/checkout/{slug}.svg`. With `?handoff=`, whoever scans it goes on as the buyer whom the handoff names.
pub async fn checkout(Part(state): Part<State>, headers: HeaderMap, Query(carried): Query<Carried>, Path(name): Path<String>) -> Response {
    let is_slug = |slug: &&str| (1..=64).contains(&slug.len()) && slug.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let Some(slug) = name.strip_suffix(".svg").filter(is_slug) else { return answer(&headers, None) };
    let page = state.settings.checkout_url(slug);
    let Some(token) = carried.handoff else { return answer(&headers, Some(page)) };
    match carries(&state, slug, &token).await {
        Ok(()) => {
            let mut response = answer(&headers, Some(format!("{page}?handoff={token}")));
            // It is as good as the link that the merchant sent.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => notice::problem(&headers, problem),
    }
}

/// Whether that handoff is one for that product.
async fn carries(state: &State, slug: &str, token: &str) -> Result<(), Problem> {
    let hosted = hosted::by_slug(&state.log, slug).await?;
    handoffs::find(&state.log, &state.vault, &hosted, token).await.map(drop)
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
