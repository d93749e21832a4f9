//! What one SOL is worth in US dollars, from a public source over HTTP. A price that is not fresh is no price (MON-9).

mod answer;

use events::vocab::{event::PriceQuote, time::Timestamp};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Mutex;
use url::Url;

/// No answer that is read here is larger.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// An answer, a refusal too, serves whoever asks within this time, so that a burst of requests is one question to the source.
const CACHE_MICROS: i64 = 1_000_000;

/// Where prices come from.
#[derive(Clone)]
pub struct PriceConfig {
    /// Coinbase's ticker or spot price of SOL in US dollars, or whatever speaks like it; `None` when SOL is not sold for.
    /// It may carry a provider's key, so it is never shown.
    pub url: Option<Url>,
    /// The longest wait for an answer.
    pub timeout: Duration,
    /// A price older than this, in seconds, is refused; so is one that is further in the future.
    pub max_age_seconds: u32,
}

/// Why there is no price: never a statement about a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PricingUnavailable {
    /// No source is configured.
    #[error("no price source is configured")]
    NotConfigured,
    /// No complete HTTP answer.
    #[error("the price source did not answer: {0}")]
    Transport(&'static str),
    /// An HTTP status other than success.
    #[error("the price source answered with HTTP status {0}")]
    Status(u16),
    /// The answer does not have a documented form, or is about something else.
    #[error("the price source's answer cannot be used: {0}")]
    Malformed(&'static str),
    /// The price is too old, or of the future.
    #[error("the price source's newest price is not fresh")]
    Stale,
}

impl PricingUnavailable {
    /// A stable word for logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            PricingUnavailable::NotConfigured => "price_not_configured",
            PricingUnavailable::Transport(_) => "price_transport",
            PricingUnavailable::Status(_) => "price_http_status",
            PricingUnavailable::Malformed(_) => "price_malformed",
            PricingUnavailable::Stale => "price_stale",
        }
    }
}

/// The source of SOL's price.
#[derive(Clone)]
pub struct PriceSource(Arc<Parts>);

struct Parts {
    http: reqwest::Client,
    config: PriceConfig,
    // Held while the source is asked: whoever comes meanwhile waits for the same answer.
    last: Mutex<Option<(Timestamp, Result<PriceQuote, PricingUnavailable>)>>,
}

impl fmt::Debug for PriceSource {
    // The URL may hold a provider's key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceSource").field("host", &self.0.config.url.as_ref().and_then(Url::host_str)).finish_non_exhaustive()
    }
}

impl PriceSource {
    /// A source over a shared connection pool.
    pub fn new(http: reqwest::Client, config: PriceConfig) -> Self {
        PriceSource(Arc::new(Parts { http, config, last: Mutex::new(None) }))
    }

    /// The price of one SOL, fresh at `now`.
    pub async fn quote(&self, now: Timestamp) -> Result<PriceQuote, PricingUnavailable> {
        let mut last = self.0.last.lock().await;
        let recent = last.as_ref().filter(|(asked_at, _)| (0..CACHE_MICROS).contains(&(now.micros() - asked_at.micros())));
        let answer = match recent {
            Some((_, answer)) => answer.clone(),
            None => {
                let answer = self.ask(now).await;
                if let Err(unavailable) = &answer {
                    tracing::warn!(reason = unavailable.code(), %unavailable, "no price of SOL");
                }
                *last = Some((now, answer.clone()));
                answer
            }
        };
        answer.and_then(|quote| if self.fresh(&quote, now) { Ok(quote) } else { Err(PricingUnavailable::Stale) })
    }

    fn fresh(&self, quote: &PriceQuote, now: Timestamp) -> bool {
        let age = now.micros().abs_diff(quote.observed_at.micros());
        age <= u64::from(self.0.config.max_age_seconds) * 1_000_000
    }

    async fn ask(&self, now: Timestamp) -> Result<PriceQuote, PricingUnavailable> {
        let url = self.0.config.url.clone().ok_or(PricingUnavailable::NotConfigured)?;
        let source = url.host_str().unwrap_or("unknown").to_owned();
        // Coinbase refuses callers without a name.
        let request = self.0.http.get(url).timeout(self.0.config.timeout).header("accept", "application/json").header("user-agent", "hilt");
        let mut response = request.send().await.map_err(|error| transport(&error))?;
        if !response.status().is_success() {
            return Err(PricingUnavailable::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(PricingUnavailable::Malformed("larger than 64 KiB"));
            }
            body.extend_from_slice(&chunk);
        }
        let price = answer::parse(&body)?;
        let quote = PriceQuote { usd_micros_per_unit: price.usd_micros, source, observed_at: price.observed_at.unwrap_or(now) };
        if self.fresh(&quote, now) { Ok(quote) } else { Err(PricingUnavailable::Stale) }
    }
}

fn transport(error: &reqwest::Error) -> PricingUnavailable {
    PricingUnavailable::Transport(if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    })
}
