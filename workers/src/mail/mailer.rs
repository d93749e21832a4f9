//! The mailer: one process at a time sends what is due.

use super::{
    letter::Letter,
    smtp::{NotTaken, Smtp},
};
use crate::health::Board;
use events::{
    clock::Clock,
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, load},
    vault::{Vault, VaultError},
    vocab::{
        id::{EventId, MailId},
        stream::{Actor, Category, Recorded, StreamId},
    },
};
use ledger::mail::{Command, Mail, Rejection};
use projections::{QueryError, Reader, mails};
use std::{collections::HashMap, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How often the queue is looked at.
const PERIOD: Duration = Duration::from_millis(250);
/// Mails under way at a time.
const AT_ONCE: usize = 8;
/// Mails read from the queue at once.
const PAGE: u32 = 256;
/// Waiting mails are counted up to here.
const COUNTED: u32 = 100_000;
/// Looks at the queue for which a mail that was just tried is left alone: its outcome may not be in the read model yet.
const REST: u32 = 4;
/// The same for one that could not be tried because something of ours did not answer.
const LONG_REST: u32 = 40;
/// A mail that has waited this long, in seconds, says nothing of use any more: the mailer was switched off.
const STALE: i64 = 5 * 86_400;
/// How long mails under way may take to end when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait before an outcome is offered again to a log that does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Sends mails.
#[derive(Clone)]
pub struct Mailer {
    /// The log.
    pub log: Log,
    /// Opens what a mail says.
    pub vault: Vault,
    /// Tells what is due.
    pub clock: Clock,
    /// Knows what is queued.
    pub reader: Reader,
    /// Takes mails.
    pub smtp: Smtp,
}

/// Why the mailer could not go on for the moment.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The read model did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The log did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log did not take an outcome.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The vault did not answer.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A rule refuses what should always be allowed.
    #[error("the ledger refuses: {0}")]
    Refused(#[from] Rejection),
}

impl Mailer {
    /// Sends until `stop`, or until the queue cannot be read.
    pub(crate) async fn lead(&self, board: &Board, stop: &CancellationToken) -> Result<(), MailError> {
        let mut under_way: JoinSet<(MailId, Result<(), MailError>)> = JoinSet::new();
        let mut resting: HashMap<MailId, u32> = HashMap::new();
        board.leading();
        loop {
            while let Some(done) = under_way.try_join_next() {
                // One that panicked rests until the process ends, as it would do so again.
                let Ok((mail, outcome)) = done else { continue };
                if let Err(error) = &outcome {
                    tracing::warn!(mail.id = %mail, mail.error = %error, "a mail could not be tried and will be looked at again");
                }
                resting.insert(mail, if outcome.is_ok() { REST } else { LONG_REST });
            }
            for mail in mails::due(&self.reader, self.clock.now(), PAGE).await? {
                if under_way.len() < AT_ONCE && !resting.contains_key(&mail) {
                    resting.insert(mail, u32::MAX);
                    let mailer = self.clone();
                    under_way.spawn(async move { (mail, mailer.attempt(mail).await) });
                }
            }
            let waiting = mails::waiting(&self.reader, COUNTED).await?;
            board.queue(usize::try_from(waiting).unwrap_or(usize::MAX), under_way.len());
            if stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
                break;
            }
            resting.retain(|_, looks| {
                if *looks != u32::MAX {
                    *looks -= 1;
                }
                *looks > 0
            });
        }
        // What is cut off here is sent again by the next mailer.
        let _ = tokio::time::timeout(GRACE, async { while under_way.join_next().await.is_some() {} }).await;
        Ok(())
    }

    /// Tries a mail if it is due.
    async fn attempt(&self, id: MailId) -> Result<(), MailError> {
        let stream = StreamId::new(Category::Mail, id);
        let mail = load::<Mail>(&self.log, stream).await?;
        let now = self.clock.now();
        let Mail::Due { attempts, next_attempt_at, .. } = &mail.state else { return Ok(()) };
        if next_attempt_at.is_some_and(|due| due > now) {
            return Ok(());
        }
        let Some(queued) = self.log.read_stream(stream, 0).await?.into_iter().next() else { return Ok(()) };
        let outcome = match self.letter(id, &queued).await? {
            Ok(letter) => self.smtp.send(&letter).await,
            Err(reason) => Err(NotTaken { reason: reason.to_owned(), permanent: true }),
        };
        let word = if outcome.is_ok() { "sent" } else { "failed" };
        metrics::counter!("hilt_mail_attempts_total", "outcome" => word).increment(1);
        let attempt = attempts.saturating_add(1);
        let command = match outcome {
            Ok(()) => Command::RecordSent { attempt },
            Err(NotTaken { reason, permanent }) => Command::RecordFailed { attempt, reason, permanent, now: self.clock.now() },
        };
        self.record(stream, &queued, &command, &format!("{word}-{attempt}")).await
    }

    /// What the mail says, or why it cannot be sent any more.
    async fn letter(&self, mail_id: MailId, queued: &Recorded) -> Result<Result<Letter, &'static str>, MailError> {
        let queued_at = queued.envelope.recorded_at;
        if queued_at.plus_seconds(STALE) < self.clock.now() {
            return Ok(Err("stale"));
        }
        let personal = self.vault.open(queued).await?;
        let said = personal.and_then(|said| Some((said.email?, said.subject?, said.text?)));
        Ok(said.map(|(to, subject, text)| Letter { mail_id, queued_at, to, subject, text }).ok_or("subject_erased"))
    }

    /// Records what came of an attempt, however long the log takes to accept it: the server may have the mail already.
    async fn record(&self, stream: StreamId, queued: &Recorded, command: &Command, name: &str) -> Result<(), MailError> {
        let envelope = &queued.envelope;
        loop {
            let context = Context {
                owner_id: envelope.owner_id,
                livemode: envelope.livemode,
                actor: Actor::system("mailer"),
                request_id: None,
                correlation_id: envelope.correlation_id,
            };
            let mut unit = Unit::new(&self.log, context);
            let mut mail = match unit.load::<Mail>(stream).await {
                Ok(mail) => mail,
                Err(error) => {
                    tracing::warn!(read.error = %error, "the outcome of a mail waits for the log");
                    tokio::time::sleep(PATIENCE).await;
                    continue;
                }
            };
            let cause = mail.last_event;
            let derived = |_: &_| EventId::derived(envelope.event_id, name);
            match unit.decide_as(&mut mail, command.clone(), cause, derived) {
                // Another process was faster.
                Err(Rejection::Closed) => return Ok(()),
                other => other?,
            };
            if unit.is_empty() {
                return Ok(());
            }
            match unit.commit().await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(AppendError::Unavailable(_)) => tokio::time::sleep(PATIENCE).await,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
