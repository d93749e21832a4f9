//! The bounded queue before the writer.

use super::{
    AppendError, Appended, LogOptions,
    prepare::{MOST_BYTES, Prepared},
    writer::Writer,
};
use crate::clock::Clock;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

/// Most events of one batch.
const BATCH_EVENTS: usize = 4_000;

/// An append that waits, and who waits for it.
pub(super) struct Waiting {
    pub append: Prepared,
    pub answer: oneshot::Sender<Result<Appended, AppendError>>,
    /// Gives back its share of the queue when it is answered.
    _room: OwnedSemaphorePermit,
}

/// The sending end.
pub(super) struct Queue {
    sender: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    retry_after: Duration,
}

impl Queue {
    /// Starts the writer and returns the way to it.
    pub fn start(pool: &PgPool, clock: Clock, head: Arc<watch::Sender<u64>>, options: LogOptions) -> Self {
        let (sender, receiver) = mpsc::channel(options.queue_requests.max(1));
        // At least one append of the largest size fits, or it could never be written.
        let room = options.queue_bytes.clamp(MOST_BYTES, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let queue = Queue { sender, room: Arc::new(Semaphore::new(room)), retry_after: options.retry_after };
        let inbox = Inbox { receiver, held: None, most: options.batch_requests.max(1) };
        tokio::spawn(Writer::new(pool, clock, head, options).run(inbox));
        queue
    }

    /// Queues `append` and waits for what comes of it.
    pub async fn append(&self, append: Prepared) -> Result<Appended, AppendError> {
        let overloaded = || {
            metrics::counter!("hilt_log_overloaded_total").increment(1);
            AppendError::Overloaded { retry_after: self.retry_after }
        };
        let bytes = u32::try_from(append.bytes).map_err(|_| AppendError::TooLarge { limit: "8 MiB" })?;
        let room = self.room.clone().try_acquire_many_owned(bytes).map_err(|_| overloaded())?;
        let (answer, outcome) = oneshot::channel();
        self.sender.try_send(Waiting { append, answer, _room: room }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => overloaded(),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        outcome.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> AppendError {
    AppendError::Unavailable("the writer has stopped".into())
}

/// The receiving end.
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Waiting>,
    /// One that did not fit in the last batch.
    held: Option<Waiting>,
    most: usize,
}

impl Inbox {
    /// The next batch: what is waiting, without waiting for more. Empty when every sender is gone.
    pub async fn next_batch(&mut self) -> Vec<Waiting> {
        let mut batch = Vec::new();
        let (mut bytes, mut events) = (0, 0);
        let mut next = match self.held.take() {
            Some(waiting) => Some(waiting),
            None => self.receiver.recv().await,
        };
        while let Some(waiting) = next {
            bytes += waiting.append.bytes;
            events += waiting.append.events;
            if !batch.is_empty() && (bytes > MOST_BYTES || events > BATCH_EVENTS) {
                self.held = Some(waiting);
                break;
            }
            batch.push(waiting);
            next = if batch.len() < self.most { self.receiver.try_recv().ok() } else { None };
        }
        batch
    }
}
