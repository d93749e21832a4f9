//! What calling any provider has in common: time limits, bounded answers, and failures told apart. An error never holds the URL, which
//! for Telegram contains the bot's token.

use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use std::time::Duration;

/// How long a provider may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read; a page of invoices with their lines is a fifth of it.
const LARGEST: usize = 1024 * 1024;
/// What is waited for when a provider asks for patience and does not say how much, in seconds.
const UNSAID: u32 = 30;

/// Why a provider did not do it. The codes are stable and hold nothing of what the provider said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProviderError {
    /// It did not answer, or not in its own protocol: this passes by itself.
    #[error("{0}")]
    Unavailable(&'static str),
    /// It wants to be left alone.
    #[error("provider_rate_limited")]
    RateLimited {
        /// For so many seconds.
        retry_after: u32,
    },
    /// It refuses, and will until a person changes something.
    #[error("{0}")]
    Refused(&'static str),
}

impl ProviderError {
    /// An answer that cannot be read.
    pub const MALFORMED: ProviderError = ProviderError::Unavailable("provider_answer_malformed");

    /// A provider's 429.
    pub fn rate_limited(retry_after: Option<u32>) -> Self {
        ProviderError::RateLimited { retry_after: retry_after.unwrap_or(UNSAID) }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            ProviderError::Unavailable(code) | ProviderError::Refused(code) => code,
            ProviderError::RateLimited { .. } => "provider_rate_limited",
        }
    }
}

/// An answer, whole.
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// A client for providers. Fails when the system's root certificates cannot be read.
pub fn client() -> Result<Client, reqwest::Error> {
    // Another part of the process may have installed it: then this one is not needed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(TIMEOUT).connect_timeout(TIMEOUT).redirect(Policy::none()).referer(false).build()
}

/// Sends `request` and reads the answer.
pub async fn send(request: RequestBuilder) -> Result<Reply, ProviderError> {
    let mut response = request.send().await.map_err(|error| failure(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(ProviderError::MALFORMED);
        }
        body.extend_from_slice(&chunk);
    }
    match status.is_server_error() {
        true => Err(ProviderError::Unavailable("provider_unavailable")),
        false => Ok(Reply { status, headers, body }),
    }
}

fn failure(error: &reqwest::Error) -> ProviderError {
    ProviderError::Unavailable(if error.is_timeout() { "provider_timeout" } else { "provider_unreachable" })
}
