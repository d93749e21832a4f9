//! A webhook receiver that does as it is told: answers well, slowly, badly or not at all, and keeps what it was sent.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use standardwebhooks::Webhook;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// How to answer one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// With that status.
    Status(u16),
    /// With that status and body, and a cookie.
    Said(u16, &'static str),
    /// With that status, after a while.
    Late(Duration, u16),
    /// With that status and `Retry-After` in seconds.
    RetryAfter(u16, u32),
    /// With a redirect to another path of the receiver.
    Redirect(&'static str),
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// When it arrived.
    pub at: Instant,
}

impl Received {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a webhook's body is JSON")
    }
    /// Whether another implementation of Standard Webhooks makes one of the same signatures with `secret`.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let theirs = Webhook::new(secret).unwrap().sign(&self.id, self.timestamp, &self.body).unwrap();
        self.headers
            .get("webhook-signature")
            .is_some_and(|ours| ours.as_bytes().split(|byte| *byte == b' ').any(|one| one == theirs.as_bytes()))
    }
    /// Whether that implementation accepts the message, its age included.
    pub fn verifies_with(&self, secret: &str) -> bool {
        Webhook::new(secret).unwrap().verify(&self.body, &self.headers).is_ok()
    }
}

#[derive(Default)]
struct Mailbox {
    script: VecDeque<Answer>,
    then: Option<Answer>,
    received: Vec<Received>,
}

type Mailboxes = Arc<Mutex<HashMap<String, Mailbox>>>;

/// A running receiver with any number of paths. It ends with the value.
pub struct Receiver {
    port: u16,
    mailboxes: Mailboxes,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts one on a port that the system chooses.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mailboxes = Mailboxes::default();
        let router = Router::new().route("/{path}", post(receive)).with_state(mailboxes.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { port, mailboxes, task }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Answers the next messages to `path` by `script`, and all later ones with `then`. Without a word from here it answers 204.
    pub fn answers(&self, path: &str, script: impl IntoIterator<Item = Answer>, then: Answer) {
        let mut mailboxes = self.mailboxes.lock().unwrap();
        let mailbox = mailboxes.entry(path.to_owned()).or_default();
        mailbox.script = script.into_iter().collect();
        mailbox.then = Some(then);
    }

    /// What has arrived at `path`, in order.
    pub fn received(&self, path: &str) -> Vec<Received> {
        self.mailboxes.lock().unwrap().get(path).map(|mailbox| mailbox.received.clone()).unwrap_or_default()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(mailboxes): State<Mailboxes>, Path(path): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = {
        let mut mailboxes = mailboxes.lock().unwrap();
        let mailbox = mailboxes.entry(path).or_default();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let (id, timestamp) = (text("webhook-id"), text("webhook-timestamp").parse().unwrap_or_default());
        mailbox.received.push(Received { id, timestamp, headers, body: body.to_vec(), at: Instant::now() });
        mailbox.script.pop_front().or_else(|| mailbox.then.clone()).unwrap_or(Answer::Status(204))
    };
    let status = |code| StatusCode::from_u16(code).unwrap();
    match answer {
        Answer::Status(code) => status(code).into_response(),
        Answer::Said(code, body) => (status(code), [(header::SET_COOKIE, "session=secret")], body).into_response(),
        Answer::Late(delay, code) => {
            tokio::time::sleep(delay).await;
            status(code).into_response()
        }
        Answer::RetryAfter(code, seconds) => (status(code), [(header::RETRY_AFTER, seconds.to_string())]).into_response(),
        Answer::Redirect(path) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("/{path}"))]).into_response(),
    }
}
