//! One HTTP attempt.

use super::{
    address::{self, Targets},
    sent,
    sign::Secret,
};
use events::vocab::{event::ReceiverAnswer, id::EventId, time::Timestamp};
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

/// How much of an answer is read, so that its connection can be used again.
const DRAINED: usize = 64 * 1024;
/// How much of its body is kept.
const KEPT_BODY: usize = 2 * 1024;
/// How much of its headers is kept.
const KEPT_HEADERS: usize = 2 * 1024;
/// How much of one header's value is kept, in characters.
const KEPT_VALUE: usize = 256;
/// What the names of headers contain that are not kept.
const SECRET_HEADERS: [&str; 5] = ["cookie", "authorization", "authenticate", "token", "secret"];
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
    /// Sign it, each by itself: two while one is being rotated out.
    pub secrets: &'a [&'a Secret],
    /// The body.
    pub body: String,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The receiver's answer, or a stable code of why there is none.
    pub answer: Answer,
    /// The beginning of what the receiver said.
    pub said: Option<ReceiverAnswer>,
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
            .user_agent(sent::USER_AGENT);
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
                let said = Some(said(response).await);
                Reply { answer, said, took: started.elapsed() }
            }
            Err(error) => failed(code(&error), started),
        }
    }

    async fn send(&self, url: Url, message: Message<'_>) -> Result<Response, reqwest::Error> {
        let id = message.id.to_string();
        let signatures: Vec<_> = message.secrets.iter().map(|secret| secret.sign(&id, message.at, message.body.as_bytes())).collect();
        self.client
            .post(url)
            .header(CONTENT_TYPE, sent::CONTENT_TYPE)
            .header("webhook-id", id)
            .header("webhook-timestamp", message.at.seconds())
            .header("webhook-signature", signatures.join(" "))
            .body(message.body)
            .send()
            .await
    }
}

fn failed(error: &str, started: Instant) -> Reply {
    Reply { answer: Answer::None { error: error.to_owned() }, said: None, took: started.elapsed() }
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

/// What the receiver said, for the merchant to see. The status has been received: whatever happens to the rest does not change the
/// outcome.
async fn said(mut response: Response) -> ReceiverAnswer {
    let headers = headers(response.headers());
    let (mut body, mut read) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        body.extend_from_slice(&chunk[..chunk.len().min(KEPT_BODY - body.len())]);
        if read > DRAINED {
            break;
        }
    }
    let truncated = read > body.len();
    // A character that is cut in the middle is left out.
    let text = String::from_utf8_lossy(&body);
    let text = if truncated { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &text };
    // The one character that PostgreSQL cannot keep.
    ReceiverAnswer { headers, body: text.replace('\0', "\u{fffd}"), truncated }
}

/// Headers that help to see what went wrong, without those that carry credentials.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    let mut length = 0;
    for (name, value) in headers {
        let name = name.as_str();
        if SECRET_HEADERS.iter().any(|secret| name.contains(secret)) {
            continue;
        }
        let value: String = String::from_utf8_lossy(value.as_bytes()).chars().take(KEPT_VALUE).collect();
        length += name.len() + value.len();
        if length > KEPT_HEADERS {
            break;
        }
        kept.push((name.to_owned(), value));
    }
    kept
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

    #[test]
    fn credentials_in_an_answer_are_not_kept_and_the_rest_is_bounded() {
        let long: String = "x".repeat(10_000);
        let mut answer = HeaderMap::new();
        answer.append("set-cookie", "a=b".parse().unwrap());
        answer.append("x-auth-token", "t".parse().unwrap());
        answer.append("server", "nginx".parse().unwrap());
        answer.append("x-long", long.parse().unwrap());
        for number in 0..100 {
            answer.append("x-many", format!("{number:0200}").parse().unwrap());
        }
        let kept = headers(&answer);
        assert!(kept.iter().all(|(name, _)| !name.contains("cookie") && !name.contains("token")), "{kept:?}");
        assert!(kept.contains(&("server".to_owned(), "nginx".to_owned())));
        assert!(kept.iter().all(|(_, value)| value.len() <= KEPT_VALUE));
        assert!(kept.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= KEPT_HEADERS);
    }

    /// a receiver has 15 seconds. One that takes the connection and says nothing, or begins to answer and never ends, gets no more.
    #[tokio::test]
    async fn a_receiver_that_does_not_answer_in_time_is_given_up() {
        assert_eq!(crate::webhooks::WebhookConfig::default().timeout, Duration::from_secs(15));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let poster = Poster::new(Targets { allow_private: true }, Duration::from_millis(200)).unwrap();
        let secret = Secret::generate();
        let (at, id) = (Timestamp::from_micros(0), EventId(uuid::Uuid::nil()));
        let message = Message { url: &url, livemode: false, id, at, secrets: &[&secret], body: "{}".to_owned() };
        let reply = poster.post(message).await;
        assert_eq!(reply.answer, Answer::None { error: "timeout".to_owned() });
        assert!(reply.took >= Duration::from_millis(200) && reply.took < Duration::from_secs(5));
    }

    /// The check that counts is the one on the addresses that the connection uses.
    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_the_connection_is_made() {
        let poster = Poster::new(Targets { allow_private: false }, Duration::from_secs(5)).unwrap();
        let error = poster.client.post("http://localhost:9/").send().await.unwrap_err();
        assert_eq!(code(&error), "private_address");
    }
}
