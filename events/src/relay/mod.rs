//! The relay: committed events, in order, to JetStream.
//!
//! It goes on from a durable position, is woken by every commit of this process and polls for those of others. Delivery is at
//! least once: a message carries its event's id and position, and readers drop what they have. JetStream holds a copy and nothing
//! else, so losing it, wholly or its last minutes, is noticed and mended from the log. While NATS is away the relay waits, says so
//! in its health, and goes on where it stopped.

pub mod frame;
mod health;
mod stream;

pub use health::{RelayHealth, RelayState};
pub use stream::{POSITION_HEADER, StreamConfig, StreamError};

use crate::{
    leader::{Lease, Leases},
    log::Log,
    vocab::{id::EventId, stream::Recorded},
};
use async_nats::jetstream::{self, context::PublishErrorKind, message::PublishMessage};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The relay's row among the subscriptions, and its role.
const NAME: &str = "relay";
/// Events read and in flight at a time.
const PAGE: usize = 1_000;
/// How often the relay looks by itself whether the log has gone on.
const POLL: Duration = Duration::from_millis(100);
/// How often an idle relay looks whether its stream is still there.
const CHECK: Duration = Duration::from_secs(1);
/// How often a process asks for the role.
const STANDBY: Duration = Duration::from_secs(1);
const ACK_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BACKOFF: Duration = Duration::from_secs(3);

/// Why the relay stopped to try again.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the log: {0}")]
    Log(String),
    #[error("the relay's position: {0}")]
    Checkpoint(#[from] sqlx::Error),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("NATS is not connected")]
    Disconnected,
    #[error("the stream is gone or is a younger one")]
    Lost,
    #[error("another process moved the relay's position")]
    Fenced,
}

/// Publishes the log. One per process; one in all leads.
#[derive(Clone)]
pub struct Relay {
    pool: PgPool,
    log: Log,
    context: jetstream::Context,
    leases: Leases,
    config: StreamConfig,
    health: watch::Sender<RelayHealth>,
}

/// How far the leader has come.
struct Progress {
    /// Position of the last event acknowledged, -1 before the first.
    checkpoint: i64,
    /// The stream's sequence at that point. A smaller one later means another stream of the same name.
    sequence: u64,
    checked: Instant,
}

impl Relay {
    /// A relay of `log` to the server behind `client`.
    pub fn new(pool: PgPool, log: Log, client: async_nats::Client, leases: Leases, config: StreamConfig) -> Self {
        let context = jetstream::context::ContextBuilder::new()
            .timeout(ACK_TIMEOUT)
            .ack_timeout(ACK_TIMEOUT)
            .max_ack_inflight(4 * PAGE)
            .backpressure_on_inflight(true)
            .build(client);
        let health = RelayHealth { state: RelayState::Standby, position: None, head: log.known_head(), refills: 0, last_error: None };
        Relay { pool, log, context, leases, config, health: watch::Sender::new(health) }
    }

    /// What it is doing now.
    pub fn health(&self) -> RelayHealth {
        let mut health = self.health.borrow().clone();
        health.head = health.head.max(self.log.known_head());
        health
    }

    /// The stream that it fills.
    pub fn config(&self) -> &StreamConfig {
        &self.config
    }

    async fn lead(&self, lease: &Lease, shutdown: &CancellationToken) -> Result<(), RelayError> {
        let mut head = self.log.watch_head();
        let stored = self.load_checkpoint().await?;
        let mut progress = self.reconcile(stored).await?;
        self.note(RelayState::Leading, None, progress.checkpoint);
        while !shutdown.is_cancelled() && self.leases.holds(lease).await {
            head.mark_unchanged();
            let page = self.page(next(progress.checkpoint)).await?;
            if let Some(last) = page.last() {
                let reached = i64::try_from(last.position).unwrap_or(i64::MAX);
                match self.publish(&page, progress.sequence).await {
                    Ok(sequence) => progress.sequence = sequence,
                    Err(RelayError::Lost) => {
                        progress = self.reconcile(progress.checkpoint).await?;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                self.move_checkpoint(progress.checkpoint, reached).await?;
                progress.checkpoint = reached;
                self.note(RelayState::Leading, None, reached);
                continue;
            }
            if progress.checked.elapsed() >= CHECK {
                progress = self.recheck(progress).await?;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
                changed = head.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
            }
        }
        Ok(())
    }

    /// What is to be published; asks the database only when the log has gone on.
    async fn page(&self, from: u64) -> Result<Vec<Recorded>, RelayError> {
        if self.log.known_head() <= from {
            return Ok(Vec::new());
        }
        self.log.read(from, PAGE as u64).await.map_err(|error| RelayError::Log(error.to_string()))
    }

    /// Publishes a page with all of it in flight, then awaits every acknowledgement. Returns the stream's sequence after it. If
    /// one is missing the page is published again, and JetStream drops what it has by message id.
    async fn publish(&self, page: &[Recorded], known_sequence: u64) -> Result<u64, RelayError> {
        if self.context.client().connection_state() != async_nats::connection::State::Connected {
            return Err(RelayError::Disconnected);
        }
        let mut acks = Vec::with_capacity(page.len());
        for recorded in page {
            acks.push(self.send(recorded).await?);
        }
        let mut sequence = known_sequence;
        for ack in acks {
            let ack = ack.await.map_err(publish_error)?;
            if !ack.duplicate && ack.sequence <= sequence {
                return Err(RelayError::Lost);
            }
            sequence = sequence.max(ack.sequence);
        }
        metrics::counter!("hilt_relay_published_total").increment(page.len() as u64);
        Ok(sequence)
    }

    async fn send(&self, recorded: &Recorded) -> Result<jetstream::context::PublishAckFuture, RelayError> {
        let body = frame::encode(recorded).map_err(|error| RelayError::Log(error.to_string()))?;
        let message = PublishMessage::build()
            .message_id(recorded.envelope.event_id.to_string())
            .header(POSITION_HEADER, recorded.position.to_string());
        let subject = self.config.subject(recorded);
        match self.context.send_publish(subject.clone(), message.clone().payload(body.into())).await {
            // An event that the server finds too large goes as its position alone: readers take it from the log.
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                self.context.send_publish(subject, message).await.map_err(publish_error)
            }
            sent => sent.map_err(publish_error),
        }
    }

    /// Compares the stream with the durable position, and makes or mends it. A lost stream is filled from the reader that is
    /// furthest behind, one that lost its end from its last message.
    async fn reconcile(&self, checkpoint: i64) -> Result<Progress, RelayError> {
        let found = stream::tail(&self.context, &self.config).await?;
        let mut start = checkpoint;
        let mut sequence = 0;
        let mut lost = true;
        match found {
            Some(tail) => {
                lost = false;
                sequence = tail.sequence;
                match tail.last {
                    Some((position, event_id)) if in_log(&self.log, position, event_id).await? => {
                        start = start.min(i64::try_from(position).unwrap_or(i64::MAX));
                    }
                    Some(_) => {
                        // The messages are of another log, so nothing in the stream can be trusted.
                        stream::delete(&self.context, &self.config).await?;
                        sequence = 0;
                        lost = true;
                        start = start.min(self.lowest_checkpoint().await?);
                    }
                    // Aged out: nothing is missing. Never filled: everything may be.
                    None if tail.sequence > 0 => {}
                    None => start = start.min(self.lowest_checkpoint().await?),
                }
            }
            None => start = start.min(self.lowest_checkpoint().await?),
        }
        stream::ensure(&self.context, &self.config).await?;
        if start != checkpoint || (lost && checkpoint >= 0) {
            tracing::warn!(
                relay.from = start + 1,
                relay.was = checkpoint + 1,
                "the stream was lost or had lost events; filling it again from the log"
            );
            metrics::counter!("hilt_relay_refills_total").increment(1);
            self.health.send_modify(|health| health.refills += 1);
            self.move_checkpoint(checkpoint, start).await?;
        }
        Ok(Progress { checkpoint: start, sequence, checked: Instant::now() })
    }

    /// While nothing is published, nothing would tell that the stream is gone.
    async fn recheck(&self, progress: Progress) -> Result<Progress, RelayError> {
        match stream::tail(&self.context, &self.config).await? {
            Some(tail) if tail.sequence >= progress.sequence => Ok(Progress { checked: Instant::now(), ..progress }),
            _ => self.reconcile(progress.checkpoint).await,
        }
    }

    async fn load_checkpoint(&self) -> Result<i64, RelayError> {
        Ok(sqlx::query_scalar(include_str!("sql/load_checkpoint.sql")).bind(NAME).fetch_one(&self.pool).await?)
    }

    async fn lowest_checkpoint(&self) -> Result<i64, RelayError> {
        Ok(sqlx::query_scalar(include_str!("sql/lowest_checkpoint.sql")).bind(NAME).fetch_one(&self.pool).await?)
    }

    async fn move_checkpoint(&self, from: i64, to: i64) -> Result<(), RelayError> {
        let query = sqlx::query(include_str!("sql/move_checkpoint.sql")).bind(NAME).bind(from).bind(to);
        match query.execute(&self.pool).await?.rows_affected() {
            1 => Ok(()),
            _ => Err(RelayError::Fenced),
        }
    }

    fn note(&self, state: RelayState, error: Option<String>, checkpoint: i64) {
        let position = u64::try_from(checkpoint).ok();
        self.health.send_modify(|health| {
            health.state = state;
            health.position = position.or(health.position);
            health.head = self.log.known_head();
            health.last_error = error;
        });
        let health = self.health.borrow();
        metrics::gauge!("hilt_relay_lag_events").set(health.lag() as f64);
    }
}

/// Whether there is a stream and it is a copy of `log`. After the database was restored to an earlier state, or a server is used for
/// another ledger, the stream tells of events that the log does not have, until the relay has replaced it.
pub async fn is_of_log(context: &jetstream::Context, config: &StreamConfig, log: &Log) -> Result<bool, StreamError> {
    match stream::tail(context, config).await? {
        None => Ok(false),
        Some(stream::Tail { last: None, .. }) => Ok(true),
        Some(stream::Tail { last: Some((position, event_id)), .. }) => in_log(log, position, event_id).await.map_err(StreamError::of),
    }
}

async fn in_log(log: &Log, position: u64, event_id: EventId) -> Result<bool, RelayError> {
    let found = log.read(position, 1).await.map_err(|error| RelayError::Log(error.to_string()))?;
    Ok(found.first().is_some_and(|recorded| recorded.position == position && recorded.envelope.event_id == event_id))
}

fn next(checkpoint: i64) -> u64 {
    u64::try_from(checkpoint + 1).unwrap_or(0)
}

fn publish_error(error: jetstream::context::PublishError) -> RelayError {
    match error.kind() {
        PublishErrorKind::StreamNotFound => RelayError::Lost,
        _ => StreamError::of(error).into(),
    }
}

/// Runs until `shutdown`: waits for the role, publishes while it has it, and after a failure gives it up and asks again.
pub async fn run(relay: Relay, shutdown: CancellationToken) {
    let mut backoff = Duration::from_millis(100);
    while !shutdown.is_cancelled() {
        let lease = match relay.leases.try_take(NAME).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                relay.note(RelayState::Standby, None, -1);
                pause(STANDBY, &shutdown).await;
                continue;
            }
            Err(error) => {
                relay.note(RelayState::Retrying, Some(format!("leadership: {error}")), -1);
                pause(STANDBY, &shutdown).await;
                continue;
            }
        };
        let started = Instant::now();
        let outcome = relay.lead(&lease, &shutdown).await;
        relay.leases.release(lease).await;
        if let Err(error) = outcome {
            if started.elapsed() > MAX_BACKOFF {
                backoff = Duration::from_millis(100);
            }
            tracing::warn!(relay.error = %error, "the relay stopped and will try again");
            relay.note(RelayState::Retrying, Some(error.to_string()), -1);
            pause(backoff, &shutdown).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }
}

async fn pause(time: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}
