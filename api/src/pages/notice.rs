//! Pages that say why there is no other page.

use super::{accent::Colour, layout::Page};
use crate::http::problem::{Code, Problem};
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::html;

/// A problem, told the way the client reads: a page to people, `application/problem+json` to programs that ask for JSON.
pub fn problem(headers: &HeaderMap, problem: Problem) -> Response {
    if !wants_page(headers) {
        return problem.into_response();
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (title, text) = words(problem.code, status);
    let page = Page {
        status,
        title: title.to_owned(),
        accent: Colour::default(),
        scripts: Vec::new(),
        picture: None,
        summary: None,
        indexed: false,
        body: html! {
            main .notice {
                p .notice-status aria-hidden="true" { (status.as_u16()) }
                h1 { (title) }
                p { (text) }
                @if let Some(id) = &problem.request_id {
                    p .fine { "Reference " code { (id) } }
                }
            }
        },
    };
    let mut response = page.into_response();
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A client that names JSON and not HTML is a program.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    accept.contains("text/html") || !accept.contains("json")
}

fn words(code: &str, status: StatusCode) -> (&'static str, &'static str) {
    match Code::parse(code) {
        Some(Code::ProductArchived) => (
            "This is no longer for sale",
            "The seller has closed this checkout. Nothing can be paid here any more. What was bought before stays as it is.",
        ),
        Some(Code::ProductNotFound) => {
            ("There is no such checkout", "The link may be mistyped or incomplete. Ask the seller for a fresh one. Nothing was charged.")
        }
        Some(Code::ReceiptNotFound) => {
            ("There is no such receipt", "The link may be mistyped or incomplete. Open the receipt from where you first saw it.")
        }
        Some(Code::PaymentSessionNotFound) => (
            "There is no such payment",
            "The link may be mistyped or incomplete. Go back to the seller and start again. Nothing was charged.",
        ),
        Some(Code::PricingUnavailable) => {
            ("No fresh price is available", "This is priced in SOL and its current price cannot be read. Try again in a minute.")
        }
        _ if status.is_client_error() => ("This page cannot be shown", "Something about the link is not right. Ask for a fresh one."),
        _ => (
            "This page is not available right now",
            "The fault is on our side. Try again in a minute. A payment that was sent is not lost.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_asks_for_json_gets_json() {
        let accepting = |value: &'static str| [(header::ACCEPT, value.parse().unwrap())].into_iter().collect::<HeaderMap>();
        for (accept, page) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("*/*", true),
            ("application/json", false),
            ("application/problem+json", false),
            ("application/json, text/html;q=0.9", true),
        ] {
            assert_eq!(wants_page(&accepting(accept)), page, "{accept}");
        }
        assert!(wants_page(&HeaderMap::new()));
    }
}
