//! The deliverer: one process at a time works the queue.
//!
//! The queue is memory and nothing else. Whoever becomes the deliverer fills it from the read model of deliveries and then follows
//! the log from where that read model was; so losing the process, the read model or the message bus loses no delivery.

use super::{
    attempt::{Attempts, Progress},
    emit::changes_endpoint,
    failing,
    lanes::{Job, Lanes, Limits},
    problem::WorkError,
};
use crate::health::Board;
use events::{
    log::Log,
    vocab::{
        event::{Event, EventType},
        id::EndpointId,
        stream::Recorded,
        time::Timestamp,
    },
};
use futures::FutureExt as _;
use projections::{
    Reader,
    runner::Projections,
    webhook_deliveries::{self, Open},
};
use std::{panic::AssertUnwindSafe, time::Duration};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// The read model that the queue is filled from.
const PROJECTION: &str = "webhook_deliveries";
/// How long to wait for that read model before going on from wherever it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rows read at a time to fill the queue.
const PAGE: u32 = 10_000;
/// Events read at a time to follow the log.
const BATCH: u64 = 1_000;
/// How often the log is asked when nothing tells of new events.
const POLL: Duration = Duration::from_millis(250);
/// How often the clock is looked at for retries that have become due.
const TICK: Duration = Duration::from_millis(50);
/// How often receivers are looked for that have failed for days.
const SWEEP: Duration = Duration::from_secs(1);
/// How long attempts under way may take to end when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Seconds to the next look at a delivery that could not be attempted because something did not answer.
const SECOND_LOOK: i64 = 2;
/// The same where only an operator can help.
const LATE_LOOK: i64 = 60;

/// Works the queue.
#[derive(Clone)]
pub struct Deliverer {
    /// Makes attempts.
    pub attempts: Attempts,
    /// Knows how far the read models are.
    pub projections: Projections,
    /// Reads them.
    pub reader: Reader,
    /// How much at a time.
    pub limits: Limits,
}

/// The log's feed: what it tells of deliveries, until it breaks.
struct Feed {
    jobs: mpsc::Receiver<Job>,
    task: JoinHandle<Result<(), WorkError>>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Deliverer {
    /// Delivers until `stop`, or until something that the queue depends on fails.
    pub async fn lead(&self, board: &Board, stop: &CancellationToken) -> Result<(), WorkError> {
        let mut lanes = Lanes::new(self.limits);
        let from = self.fill(&mut lanes).await?;
        let mut feed = self.follow(from);
        let mut under_way: JoinSet<(Job, Progress)> = JoinSet::new();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        board.leading();
        loop {
            let now = self.attempts.clock.now();
            while let Some(job) = lanes.next(now) {
                under_way.spawn(attempt(self.attempts.clone(), job));
            }
            board.queue(lanes.len(), lanes.under_way());
            tokio::select! {
                () = stop.cancelled() => break,
                job = feed.jobs.recv() => match job {
                    Some(job) => {
                        lanes.push(job);
                        while let Ok(job) = feed.jobs.try_recv() {
                            lanes.push(job);
                        }
                    }
                    None => return (&mut feed.task).await.unwrap_or(Ok(())),
                },
                Some(done) = under_way.join_next() => settle(&mut lanes, done),
                _ = tick.tick() => {}
                _ = sweep.tick() => failing::give_up(&self.attempts.log, &self.reader, &self.attempts.clock).await?,
            }
        }
        // What is cut off here is sent again by the next deliverer.
        let _ = tokio::time::timeout(GRACE, async { while under_way.join_next().await.is_some() {} }).await;
        Ok(())
    }

    /// Queues what the read model knows to be due, now or later, and returns the position from which to follow the log.
    async fn fill(&self, lanes: &mut Lanes) -> Result<u64, WorkError> {
        let next = self.attempts.log.head().await?.next_position;
        let from = match next.checked_sub(1) {
            None => 0,
            Some(last) => match self.projections.wait_for(PROJECTION, last, PATIENCE).await {
                Ok(()) => next,
                // The rest comes from the log itself.
                Err(behind) => behind.checkpoint.map_or(0, |position| position + 1),
            },
        };
        if from == 0 {
            return Ok(0);
        }
        let mut after = None;
        loop {
            let page =
                webhook_deliveries::open(&self.reader, after, PAGE).await.map_err(|error| WorkError::Projection(error.to_string()))?;
            let Some(last) = page.last() else { return Ok(from) };
            after = Some(last.delivery);
            page.into_iter().map(queued).for_each(|job| lanes.push(job));
        }
    }

    fn follow(&self, from: u64) -> Feed {
        let (sender, jobs) = mpsc::channel(4 * BATCH as usize);
        let followed = Followed { attempts: self.attempts.clone(), projections: self.projections.clone(), reader: self.reader.clone() };
        Feed { jobs, task: tokio::spawn(follow(followed, from, sender)) }
    }
}

/// Due since ever.
const EARLIEST: Timestamp = Timestamp::from_micros(0);

async fn follow(followed: Followed, mut next: u64, jobs: mpsc::Sender<Job>) -> Result<(), WorkError> {
    let log: &Log = &followed.attempts.log;
    let mut head = log.watch_head();
    loop {
        head.mark_unchanged();
        let events = log.read(next, BATCH).await?;
        if events.is_empty() {
            let _ = tokio::time::timeout(POLL, head.changed()).await;
            continue;
        }
        for recorded in events {
            next = recorded.position + 1;
            for job in followed.jobs(&recorded).await? {
                if jobs.send(job).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// What is needed to know what an event asks of the deliverer.
struct Followed {
    attempts: Attempts,
    projections: Projections,
    reader: Reader,
}

impl Followed {
    /// What an event asks of the deliverer.
    async fn jobs(&self, recorded: &Recorded) -> Result<Vec<Job>, WorkError> {
        let event_type = recorded.envelope.event_type;
        if changes_endpoint(event_type) {
            let endpoint = EndpointId(recorded.envelope.stream.id);
            self.attempts.endpoints.forget(endpoint);
            return match event_type {
                EventType::WebhookEndpointResumed => self.kept_for(endpoint, recorded.position).await,
                _ => Ok(Vec::new()),
            };
        }
        let concerns = [EventType::WebhookEmitted, EventType::WebhookRetryScheduled, EventType::WebhookRedeliveryRequested];
        if !concerns.contains(&event_type) {
            return Ok(Vec::new());
        }
        let (due, delivery, endpoint) = match recorded.decode()? {
            Event::WebhookEmitted(emitted) => (EARLIEST, emitted.delivery_id, emitted.endpoint_id),
            Event::WebhookRetryScheduled(retry) => (retry.next_attempt_at, retry.delivery_id, retry.endpoint_id),
            Event::WebhookRedeliveryRequested(asked) => (EARLIEST, asked.delivery_id, asked.endpoint_id),
            _ => return Ok(Vec::new()),
        };
        Ok(vec![Job { due, delivery, endpoint }])
    }

    /// What was kept for an endpoint while it was paused.
    async fn kept_for(&self, endpoint: EndpointId, position: u64) -> Result<Vec<Job>, WorkError> {
        let behind = |error: &dyn std::fmt::Display| WorkError::Projection(error.to_string());
        self.projections.wait_for(PROJECTION, position, PATIENCE).await.map_err(|error| behind(&error))?;
        let (mut kept, mut after) = (Vec::new(), None);
        loop {
            let page = webhook_deliveries::open_of(&self.reader, endpoint, after, PAGE).await.map_err(|error| behind(&error))?;
            let Some(last) = page.last() else { return Ok(kept) };
            after = Some(last.delivery);
            kept.extend(page.into_iter().map(queued));
        }
    }
}

fn queued(open: Open) -> Job {
    Job { due: open.next_attempt_at.unwrap_or(EARLIEST), delivery: open.delivery, endpoint: open.endpoint }
}

/// An attempt that failed inside us, or panicked, is looked at again: nothing was recorded.
async fn attempt(attempts: Attempts, job: Job) -> (Job, Progress) {
    let outcome = AssertUnwindSafe(attempts.attempt(job)).catch_unwind().await;
    let progress = match outcome {
        Ok(Ok(progress)) => progress,
        Ok(Err(WorkError::MessageMissing(_))) => Progress { again: None, slow: false },
        Ok(Err(error @ WorkError::SecretMissing(_))) => {
            tracing::error!(delivery.id = %job.delivery, error = %error, "a webhook cannot be signed and is not sent");
            look_again(&attempts, LATE_LOOK)
        }
        Ok(Err(error)) => {
            tracing::warn!(delivery.id = %job.delivery, error = %error, "a webhook could not be attempted and will be looked at again");
            look_again(&attempts, SECOND_LOOK)
        }
        Err(_) => {
            tracing::error!(delivery.id = %job.delivery, "a webhook attempt panicked and will be looked at again");
            look_again(&attempts, SECOND_LOOK)
        }
    };
    (job, progress)
}

fn look_again(attempts: &Attempts, seconds: i64) -> Progress {
    metrics::counter!("hilt_webhook_second_looks_total").increment(1);
    Progress { again: Some(attempts.clock.now().plus_seconds(seconds)), slow: false }
}

fn settle(lanes: &mut Lanes, done: Result<(Job, Progress), tokio::task::JoinError>) {
    if let Ok((job, progress)) = done {
        lanes.finish(job, progress.slow, progress.again);
    }
}
