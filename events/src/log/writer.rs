//! The one writer of a process.
//!
//! A batch is written in a loop that every outcome re-enters: another process was first, a value was there already, the
//! connection broke. The recovery after a lost connection is the same loop, after a fence that makes certain what became of the
//! statement that was under way.

use super::{
    AppendError, Head, LogOptions,
    batch::{self, Known, Place, Plan, Verdict},
    commit::{self, Sent},
    fail::{Step, reach},
    head, listen,
    lookup::{self, Streams},
    queue::{Inbox, Waiting},
};
use crate::{clock::Clock, vocab::id::EventId};
use hashlink::LruCache;
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgConnectOptions};
use std::{collections::HashMap, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// For how many batches the head is locked first after another process has been in between.
const TURNS: u32 = 32;

/// Between tries to reach a database that is away.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Writer {
    connect: PgConnectOptions,
    clock: Clock,
    watch: Arc<watch::Sender<u64>>,
    options: LogOptions,
    connection: Option<PgConnection>,
    /// The head as of our last look; `None` when a statement of ours may still be under way.
    head: Option<Head>,
    streams: Streams,
    /// While above zero, other processes write too, and the head is locked before anything is looked up: comparing and swapping
    /// alone could lose every time.
    turns: u32,
}

/// Why a batch has to be tried again.
enum Setback {
    /// Another process was first.
    Moved,
    /// A unique value was there already.
    Duplicate,
    /// The database refused; trying again would not help.
    Refused(sqlx::Error),
    /// The database does not answer; nothing of the batch is written.
    Lost(sqlx::Error),
}

impl Writer {
    pub fn new(pool: &PgPool, clock: Clock, watch: Arc<watch::Sender<u64>>, options: LogOptions) -> Self {
        // What a batch does is always a few index look-ups for each row. On tables whose statistics are missing or old the planner
        // would choose otherwise. An acknowledged append is on disk whatever the server's default is. A process that is frozen or cut
        // off while it has the head locked holds up all others no longer than this, which is well below their deadline.
        let connect = (*pool.connect_options()).clone().application_name("hilt writer").options([
            ("synchronous_commit", "on"),
            ("idle_in_transaction_session_timeout", "3s"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_seqscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
        ]);
        Writer { streams: LruCache::new(options.cached_streams), connect, clock, watch, options, connection: None, head: None, turns: 0 }
    }

    /// Writes batch after batch until every handle of the log is gone.
    pub async fn run(mut self, mut inbox: Inbox) {
        loop {
            let batch = inbox.next_batch().await;
            if batch.is_empty() {
                break;
            }
            self.process(batch).await;
            reach(Step::Answered);
        }
        if let Some(connection) = self.connection.take() {
            // Nothing is under way; the server cleans up if this fails.
            let _ = connection.close().await;
        }
    }

    /// Writes `batch` and answers everyone in it.
    async fn process(&mut self, batch: Vec<Waiting>) {
        let deadline = Instant::now() + self.options.deadline;
        let (mut every_id, mut pause) = (false, Duration::ZERO);
        loop {
            match self.attempt(&batch, every_id, deadline).await {
                Ok(verdicts) => return self.answer(batch, verdicts, deadline).await,
                Err(Setback::Moved) => self.turns = TURNS,
                Err(Setback::Duplicate) => {
                    // Either a repeat that its expectation did not show, or memory is wrong: ask about everything.
                    every_id = true;
                    self.streams.clear();
                    self.head = None;
                }
                Err(Setback::Refused(error)) if batch.len() == 1 => return refuse(batch, error),
                Err(Setback::Refused(error)) => {
                    tracing::error!(%error, "a batch was refused; its appends are tried one by one");
                    for waiting in batch {
                        Box::pin(self.process(vec![waiting])).await;
                    }
                    return;
                }
                Err(Setback::Lost(error)) if Instant::now() >= deadline => {
                    tracing::error!(%error, "the log is unavailable");
                    return refuse(batch, error);
                }
                Err(Setback::Lost(error)) => {
                    tracing::warn!(%error, "the writer lost its connection and tries again");
                    self.connection = None;
                    // At once after a broken connection, with pauses while the database is away.
                    tokio::time::sleep(pause).await;
                    pause = PAUSE;
                }
            }
            if Instant::now() >= deadline {
                return refuse(batch, timed_out());
            }
        }
    }

    /// One try: look, decide, send. An error means that nothing of the batch is written and it can be tried again.
    async fn attempt(&mut self, batch: &[Waiting], every_id: bool, deadline: Instant) -> Result<Vec<Verdict>, Setback> {
        let mut connection = self.connection(deadline).await?;
        let locked = self.turns > 0;
        let looked = within(deadline, self.look(&mut connection, batch, every_id, locked)).await;
        let (head, known) = looked.inspect_err(|_| self.head = None).map_err(Setback::Lost)?;
        let plan = batch::decide(batch.iter().map(|waiting| &waiting.append), &known, &head, self.clock.now());
        let sent = self.send(&mut connection, &head, &plan, locked, deadline).await;
        if !matches!(sent, Sent::Written | Sent::Moved) {
            self.head = None;
        }
        match sent {
            Sent::Written => self.connection = Some(connection),
            Sent::Moved | Sent::Duplicate | Sent::Refused(_) => {
                // A failed transaction is left behind with its connection.
                self.connection = (!locked).then_some(connection);
                return Err(match sent {
                    Sent::Refused(error) => Setback::Refused(error),
                    Sent::Duplicate => Setback::Duplicate,
                    _ => Setback::Moved,
                });
            }
            Sent::Unknown(error) => {
                drop(connection);
                tracing::warn!(%error, "the outcome of a batch is unknown; the log is asked");
                if !self.was_written(&plan, deadline).await.map_err(Setback::Lost)? {
                    return Err(Setback::Lost(error));
                }
            }
        }
        reach(Step::Committed);
        Ok(self.remember(plan))
    }

    /// The head to build on, and all that the batch needs to know as of it.
    async fn look(
        &mut self,
        connection: &mut PgConnection,
        batch: &[Waiting],
        every_id: bool,
        locked: bool,
    ) -> Result<(Head, Known), sqlx::Error> {
        if locked {
            sqlx::query(include_str!("sql/begin.sql")).execute(&mut *connection).await?;
        }
        let head = match (self.head.take(), locked) {
            (Some(head), false) => head,
            (Some(before), true) => {
                let head = head::lock(connection).await?;
                self.turns = if head.epoch == before.epoch { self.turns - 1 } else { TURNS };
                lookup::catch_up(connection, &mut self.streams, before.next_position, head.next_position).await?;
                head
            }
            (None, _) => {
                self.streams.clear();
                head::fence(connection).await?
            }
        };
        self.head = Some(head.clone());
        let appends = batch.iter().map(|waiting| &waiting.append);
        let known = lookup::look_up(connection, &mut self.streams, appends, every_id).await?;
        Ok((head, known))
    }

    async fn send(&self, connection: &mut PgConnection, head: &Head, plan: &Plan<'_>, locked: bool, deadline: Instant) -> Sent {
        let sending = async {
            if !plan.is_empty() {
                reach(Step::BeforeStatement);
                let mut statement = pin!(commit::send(connection, head, plan));
                let sent = match futures::poll!(statement.as_mut()) {
                    Poll::Ready(sent) => sent,
                    Poll::Pending => {
                        reach(Step::StatementSent);
                        statement.await
                    }
                };
                if !matches!(sent, Sent::Written) {
                    return sent;
                }
            }
            if locked && let Err(error) = sqlx::query(include_str!("sql/commit.sql")).execute(connection).await {
                return commit::judge(error);
            }
            Sent::Written
        };
        tokio::time::timeout_at(deadline, sending).await.unwrap_or_else(|_| Sent::Unknown(timed_out()))
    }

    /// Whether the statement that wrote `plan` took effect. After the fence it cannot take effect any more.
    async fn was_written(&mut self, plan: &Plan<'_>, deadline: Instant) -> Result<bool, sqlx::Error> {
        loop {
            let error = match self.connection(deadline).await {
                Ok(mut connection) => match within(deadline, ask(&mut connection, plan)).await {
                    Ok(written) => {
                        self.connection = Some(connection);
                        return Ok(written);
                    }
                    Err(error) => error,
                },
                Err(Setback::Lost(error)) => error,
                Err(_) => timed_out(),
            };
            if Instant::now() >= deadline {
                return Err(error);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes over what a written plan changed.
    fn remember(&mut self, plan: Plan<'_>) -> Vec<Verdict> {
        if !plan.is_empty() {
            metrics::counter!("hilt_log_batches_total").increment(1);
            metrics::counter!("hilt_log_events_total").increment(plan.rows.events.position.len() as u64);
            // After an unknown outcome the head is read anew, and the streams with it.
            if self.head.is_some() {
                plan.streams.into_iter().for_each(|(stream, head)| {
                    self.streams.insert(stream, head);
                });
                self.head = Some(plan.next.clone());
            }
            listen::advance(&self.watch, plan.next.next_position);
        }
        plan.verdicts
    }

    /// Answers winners at once, and losers after a look whether they are repeats.
    async fn answer(&mut self, batch: Vec<Waiting>, verdicts: Vec<Verdict>, deadline: Instant) {
        let mut losers = Vec::new();
        for (waiting, verdict) in batch.into_iter().zip(verdicts) {
            match verdict {
                // Whoever has stopped waiting does not want to know.
                Verdict::Stands(appended) => drop(waiting.answer.send(Ok(appended))),
                Verdict::Lost(error) => losers.push((waiting, error)),
            }
        }
        if losers.is_empty() {
            return;
        }
        let ids = losers.iter().flat_map(|(waiting, _)| waiting.append.all_events()).map(|event| event.event_id).collect();
        let found = self.find_events(ids, deadline).await;
        for (waiting, error) in losers {
            let places = |found: &HashMap<EventId, Place>| -> Vec<Place> {
                waiting.append.all_events().filter_map(|event| found.get(&event.event_id)).copied().collect()
            };
            let outcome = match &found {
                Ok(found) => match places(found) {
                    places if places.len() == waiting.append.events => batch::repeated(&places).ok_or(error),
                    _ => Err(error),
                },
                Err(cause) => Err(unavailable(cause)),
            };
            drop(waiting.answer.send(outcome));
        }
    }

    async fn find_events(&mut self, ids: Vec<EventId>, deadline: Instant) -> Result<HashMap<EventId, Place>, Arc<sqlx::Error>> {
        let mut connection = match self.connection(deadline).await {
            Ok(connection) => connection,
            Err(Setback::Lost(error)) => return Err(Arc::new(error)),
            Err(_) => return Err(Arc::new(timed_out())),
        };
        let found = within(deadline, lookup::find_events(&mut connection, ids)).await.map_err(Arc::new)?;
        self.connection = Some(connection);
        Ok(found)
    }

    /// The connection, taken out: it is put back only when nothing is under way on it.
    async fn connection(&mut self, deadline: Instant) -> Result<PgConnection, Setback> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => within(deadline, PgConnection::connect_with(&self.connect)).await.map_err(Setback::Lost),
        }
    }
}

/// Fences, then looks for the first thing that the plan would have written.
async fn ask(connection: &mut PgConnection, plan: &Plan<'_>) -> Result<bool, sqlx::Error> {
    head::fence(connection).await?;
    let rows = &plan.rows;
    if let (Some(position), Some(event_id)) = (rows.events.position.first(), rows.events.event_id.first()) {
        let there: Option<Uuid> = sqlx::query_scalar(include_str!("sql/event_id_at.sql")).bind(position).fetch_optional(connection).await?;
        return Ok(there == Some(*event_id));
    }
    let (answers, first) = (&rows.answers, 0);
    let there: Option<i64> = sqlx::query_scalar(include_str!("sql/answer_created_at.sql"))
        .bind(answers.owner_id[first])
        .bind(answers.operation[first])
        .bind(answers.key[first])
        .bind(answers.request_hash[first])
        .bind(answers.created_at[first])
        .fetch_optional(connection)
        .await?;
    Ok(there.is_some())
}

async fn within<T>(deadline: Instant, future: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout_at(deadline, future).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

fn refuse(batch: Vec<Waiting>, error: sqlx::Error) {
    let error = Arc::new(error);
    batch.into_iter().for_each(|waiting| drop(waiting.answer.send(Err(unavailable(&error)))));
}

fn unavailable(error: &Arc<sqlx::Error>) -> AppendError {
    AppendError::Unavailable(Box::new(error.clone()))
}
