//! What every page has in common: its frame and its headers.

use super::{accent::Colour, assets};
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};

/// Nothing but this service's own files runs or styles; pictures may come from the merchant; nothing is sent or framed elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A page.
pub struct Page {
    /// Its status.
    pub status: StatusCode,
    /// What the tab says.
    pub title: String,
    /// The merchant's colour.
    pub accent: Colour,
    /// Scripts: the entry, then what it imports.
    pub scripts: Vec<String>,
    /// A picture of what it is about, for links to it.
    pub picture: Option<String>,
    /// What it is about, for links to it.
    pub summary: Option<String>,
    /// Whether a search engine may keep it.
    pub indexed: bool,
    /// Its content.
    pub body: Markup,
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, self.render()).into_response();
        let headers = response.headers_mut();
        let fixed = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
            (header::VARY, "Accept"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            // A wallet may open a window of its own and answer from there.
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin-allow-popups"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Page {
    fn render(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    @if let Some(summary) = &self.summary {
                        meta name="description" content=(summary);
                        meta property="og:description" content=(summary);
                    }
                    meta property="og:title" content=(self.title);
                    @if let Some(picture) = &self.picture {
                        meta property="og:image" content=(picture);
                    }
                    @if !self.indexed {
                        meta name="robots" content="noindex";
                    }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href=(assets::href("pages.css"));
                    link rel="stylesheet" href=(self.accent.href());
                    @for (at, script) in self.scripts.iter().enumerate() {
                        @if at == 0 {
                            script type="module" src=(script) {}
                        } @else {
                            link rel="modulepreload" href=(script);
                        }
                    }
                }
                body {
                    (self.body)
                    footer .foot {
                        p { "Payments go from wallet to wallet on Solana. Hilt records them and never holds them." }
                    }
                }
            }
        }
    }
}
