//! One HTTP attempt.

use super::{
    address::{self, Targets},
    sign::Secret,
};
use events::vocab::{id::EventId, time::Timestamp};
use ledger::webhook_delivery::Answer;
use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::Instant;
use url::Url;

/// How much of an answer is read, so that its connection can be used again. It is not kept.
const DRAINED: usize = 64 * 1024;
/// Connections kept open to one receiver while nothing is sent.
const IDLE: usize = 16;

/// Sends messages.
#[derive(Clone)]
pub struct Poster {
    client: Client,
    targets: Targets,
}

/// What is sent.
pub struct Message<'a> {
    /// To whom.
    pub url: &'a str,
    /// Whether it tells of real money.
    pub livemode: bool,
    /// `webhook-id`: the same for every attempt, so that the receiver can tell repeats.
    pub id: EventId,
    /// `webhook-timestamp`: the time of this attempt.
    pub at: Timestamp,
    /// Signs it.
    pub secret: &'a Secret,
    /// The body.
    pub body: String,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The receiver's answer, or a stable code of why there is none.
    pub answer: Answer,
    /// How long it took.
    pub took: Duration,
}

impl Poster {
    /// A sender that gives a receiver `timeout` to answer. Fails when the system's root certificates cannot be read.
    pub fn new(targets: Targets, timeout: Duration) -> Result<Self, reqwest::Error> {
        // Another part of the process may have installed it: then this one is not needed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .user_agent("Hilt-Webhooks/1");
        if let Some(resolver) = address::resolver(targets) {
            builder = builder.dns_resolver(resolver);
        }
        Ok(Poster { client: builder.build()?, targets })
    }

    /// Sends `message` once.
    pub async fn post(&self, message: Message<'_>) -> Reply {
        let started = Instant::now();
        let url = match self.targets.parse(message.url, message.livemode) {
            Ok(url) => url,
            Err(address::BadTarget::Private) => return failed("private_address", started),
            Err(_) => return failed("invalid_url", started),
        };
        let at = message.at;
        match self.send(url, message).await {
            Ok(response) => {
                let answer = Answer::Status { code: response.status().as_u16(), retry_after: retry_after(response.headers(), at) };
                drain(response).await;
                Reply { answer, took: started.elapsed() }
            }
            Err(error) => failed(code(&error), started),
        }
    }

    async fn send(&self, url: Url, message: Message<'_>) -> Result<Response, reqwest::Error> {
        let id = message.id.to_string();
        let signature = message.secret.sign(&id, message.at, message.body.as_bytes());
        self.client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", message.at.seconds())
            .header("webhook-signature", signature)
            .body(message.body)
            .send()
            .await
    }
}

fn failed(error: &str, started: Instant) -> Reply {
    Reply { answer: Answer::None { error: error.to_owned() }, took: started.elapsed() }
}

fn code(error: &reqwest::Error) -> &'static str {
    if address::is_private_address(error) {
        "private_address"
    } else if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect_failed"
    } else {
        "request_failed"
    }
}

/// The status has been received: whatever happens to the rest does not change the outcome.
async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > DRAINED {
            return;
        }
    }
}

/// Seconds to wait, from `Retry-After` as seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| {
        let date = Timestamp::from(OffsetDateTime::parse(text, &Rfc2822).ok()?);
        u32::try_from(date.seconds() - now.seconds()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        let at = |value: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]), now);
        assert_eq!(at("120"), Some(120));
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(at("Sun, 06 Nov 1994 08:48:37 GMT"), None);
        assert_eq!(at("soon"), None);
    }

    /// The check that counts is the one on the addresses that the connection uses.
    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_the_connection_is_made() {
        let poster = Poster::new(Targets { allow_private: false }, Duration::from_secs(5)).unwrap();
        let error = poster.client.post("http://localhost:9/").send().await.unwrap_err();
        assert_eq!(code(&error), "private_address");
    }
}
