//! New events for one reader: from its durable JetStream consumer while that works, from the log whenever it does not.
//!
//! The rule is position = checkpoint + 1. What is older was applied and is acknowledged again; where something is missing the log
//! has it. So neither the order of the stream, nor its completeness, nor its existence matters to what a reader ends up with.

use super::{deps::Deps, slot::BuildError};
use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull},
};
use events::{
    relay::{self, frame},
    vocab::stream::Recorded,
};
use futures::{FutureExt as _, StreamExt as _};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Events of one batch.
const BATCH: usize = 1_000;
/// Messages kept ahead of what is applied.
const AHEAD: usize = 4_000;
/// How long a committed event may take through JetStream before it is read from the log.
const GRACE: Duration = Duration::from_millis(25);
/// How often the feed looks by itself whether the log has gone on.
const POLL: Duration = Duration::from_millis(500);
/// The same while there is no consumer.
const POLL_ALONE: Duration = Duration::from_millis(100);
/// How often a lost consumer is looked for.
const RECONNECT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A consumer nobody reads any more goes by itself.
const INACTIVE: Duration = Duration::from_secs(7 * 86_400);

/// A contiguous run of events, and what to acknowledge when it is committed.
pub(crate) struct Batch {
    pub events: Vec<Recorded>,
    pub ack: Ack,
}

impl Batch {
    /// Nothing new.
    pub(crate) fn none() -> Self {
        Batch { events: Vec::new(), ack: Ack(None) }
    }
}

/// The last message of a batch, if it came through JetStream.
pub(crate) struct Ack(Option<Message>);

impl Ack {
    /// Tells JetStream that everything up to here is done. Best effort: an unacknowledged message comes again and is dropped.
    pub(crate) async fn send(self) {
        if let Some(message) = self.0 {
            let _ = message.ack().await;
        }
    }
}

/// The feed of one reader.
pub(crate) struct Feed {
    deps: Deps,
    durable: String,
    head: watch::Receiver<u64>,
    messages: Option<pull::Stream>,
    pending: VecDeque<(Recorded, Message)>,
    stale: Option<Message>,
    reconnect_at: Instant,
    read_at: Instant,
}

impl Feed {
    /// The feed of the reader of that name and version.
    pub(crate) fn new(deps: &Deps, name: &str, version: i32) -> Self {
        let head = deps.log.watch_head();
        let durable = format!("{name}_v{version}");
        let now = Instant::now();
        let pending = VecDeque::new();
        Feed { deps: deps.clone(), durable, head, messages: None, pending, stale: None, reconnect_at: now, read_at: now }
    }

    /// Whether events come through JetStream now.
    pub(crate) fn is_streaming(&self) -> bool {
        self.messages.is_some()
    }

    /// The next events after `checkpoint`. Waits for them, but returns an empty batch now and then, so that the caller can see to
    /// other things. May be dropped at any point and called again.
    pub(crate) async fn next(&mut self, checkpoint: i64) -> Result<Batch, BuildError> {
        let expected = checkpoint + 1;
        loop {
            self.connect().await;
            self.take_ready();
            self.drop_stale(expected).await;
            if let Some(front) = self.pending.front() {
                let missing = usize::try_from(front.0.position).unwrap_or(usize::MAX) - usize::try_from(expected).unwrap_or(0);
                if missing == 0 {
                    return Ok(self.take_run(expected));
                }
                let events = self.deps.read(expected, missing.min(BATCH)).await?;
                if !events.is_empty() {
                    return Ok(Batch { events, ack: Ack(None) });
                }
                // The log does not have what the stream tells of: the stream is of another log, and the relay will see to it.
                self.disconnect();
            }
            if self.read_at <= Instant::now() {
                self.head.mark_unchanged();
                let behind = i64::try_from(self.deps.log.known_head()).unwrap_or(i64::MAX) > expected;
                let events = if behind { self.deps.read(expected, BATCH).await? } else { Vec::new() };
                let idle = if self.is_streaming() { POLL } else { POLL_ALONE };
                self.read_at = if events.is_empty() { Instant::now() + idle } else { Instant::now() };
                return Ok(Batch { events, ack: Ack(None) });
            }
            self.wait().await;
        }
    }

    /// Waits for a message, a commit, or the time to look for oneself.
    async fn wait(&mut self) {
        let streaming = self.messages.is_some();
        let until = if streaming { self.read_at } else { self.read_at.min(self.reconnect_at) };
        let message = async {
            match self.messages.as_mut() {
                Some(messages) => messages.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => match message {
                Some(Ok(message)) => self.take(message),
                Some(Err(_)) | None => self.disconnect(),
            },
            changed = self.head.changed() => match changed {
                Ok(()) if streaming => self.read_at = self.read_at.min(Instant::now() + GRACE),
                Ok(()) => self.read_at = Instant::now(),
                Err(_) => tokio::time::sleep(POLL_ALONE).await,
            },
            () = tokio::time::sleep_until(until.into()) => {}
        }
    }

    /// Takes what has already arrived.
    fn take_ready(&mut self) {
        while self.pending.len() < AHEAD {
            let Some(messages) = self.messages.as_mut() else { return };
            match messages.next().now_or_never() {
                Some(Some(Ok(message))) => self.take(message),
                Some(Some(Err(_)) | None) => self.disconnect(),
                None => return,
            }
        }
    }

    fn take(&mut self, message: Message) {
        match frame::decode(&message.payload) {
            Ok(recorded) => self.pending.push_back((recorded, message)),
            // Altered, too large to travel, or of a newer program: the log has it.
            Err(_) => self.read_at = Instant::now(),
        }
    }

    async fn drop_stale(&mut self, expected: i64) {
        let expected = u64::try_from(expected).unwrap_or(0);
        while self.pending.front().is_some_and(|(recorded, _)| recorded.position < expected) {
            self.stale = self.pending.pop_front().map(|(_, message)| message);
        }
        if let Some(message) = self.stale.take() {
            let _ = message.ack().await;
        }
    }

    fn take_run(&mut self, expected: i64) -> Batch {
        let mut batch = Batch::none();
        let first = u64::try_from(expected).unwrap_or(0);
        while batch.events.len() < BATCH && self.pending.front().is_some_and(|(one, _)| one.position == first + batch.events.len() as u64) {
            if let Some((recorded, message)) = self.pending.pop_front() {
                batch.events.push(recorded);
                batch.ack = Ack(Some(message));
            }
        }
        // What came is ahead of the clock: no need to look for oneself soon.
        self.read_at = Instant::now() + POLL;
        batch
    }

    fn disconnect(&mut self) {
        self.messages = None;
        self.pending.clear();
        self.read_at = Instant::now();
        self.reconnect_at = Instant::now() + RECONNECT;
    }

    /// Looks for the consumer, and makes it if it is missing, unless that was tried just now. A new consumer starts with new
    /// messages, because the log has the old ones.
    async fn connect(&mut self) {
        if self.messages.is_some() || self.reconnect_at > Instant::now() {
            return;
        }
        self.reconnect_at = Instant::now() + RECONNECT;
        let Some(client) = self.deps.nats.clone() else { return };
        if client.connection_state() != async_nats::connection::State::Connected {
            return;
        }
        if let Ok(Some(messages)) = tokio::time::timeout(CONNECT_TIMEOUT, self.consumer(client)).await {
            self.messages = Some(messages);
            // Whatever was committed before the consumer was there.
            self.read_at = Instant::now();
        }
    }

    async fn consumer(&self, client: async_nats::Client) -> Option<pull::Stream> {
        let context = async_nats::jetstream::new(client);
        if !relay::is_of_log(&context, &self.deps.stream, &self.deps.log).await.unwrap_or(false) {
            return None;
        }
        let stream = context.get_stream_no_info(self.deps.stream.name()).await.ok()?;
        let config = pull::Config {
            durable_name: Some(self.durable.clone()),
            description: Some("Feeds a reader of the log; its own checkpoint is what counts.".to_owned()),
            deliver_policy: DeliverPolicy::New,
            ack_policy: AckPolicy::All,
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 2 * AHEAD as i64,
            inactive_threshold: INACTIVE,
            ..pull::Config::default()
        };
        let consumer: PullConsumer = stream.get_or_create_consumer(&self.durable, config).await.ok()?;
        let messages = consumer.stream().max_messages_per_batch(BATCH).expires(Duration::from_secs(5)).heartbeat(Duration::from_secs(1));
        messages.messages().await.ok()
    }
}
