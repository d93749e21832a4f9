//! The key of a session that was asked for without an `Idempotency-Key` (DIS-6): the protected endpoint of a merchant asks again with
//! every request of a customer who has not paid, and must get the same session while that is open.

use super::open_session::SESSION_SECONDS;
use crate::http::{
    idempotency::{Commands, Draft, Operation},
    problem::{Code, Problem},
    rejection,
};
use axum::response::Response;
use events::{
    clock::Clock,
    log::Log,
    unit::load,
    vocab::{
        bytes::Hash32,
        id::{OwnerId, SessionId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::payment_session::PaymentSession;
use serde_json::Value;
use std::time::Duration;

/// Sessions for one key that came to their end before their time, within half an hour.
const GENERATIONS: u32 = 1000;

const PAUSE: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Finds the operation to run: that of the open session, or one that makes the next.
pub struct Derived<'a> {
    /// Looks up what was answered.
    pub commands: &'a Commands,
    /// Looks up what became of it.
    pub log: &'a Log,
    /// Says whether it is over.
    pub clock: &'a Clock,
}

impl Derived<'_> {
    /// Runs `draft` under the key of `content`. Nobody has chosen that key, so that a caller who comes while another of his requests is
    /// under way waits for its answer instead of being told to.
    pub async fn run<'a, F, Fut>(&self, owner: OwnerId, name: &str, content: Hash32, mut draft: F) -> Result<Response, Problem>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Draft<'a>, Problem>>,
    {
        let mut waited = Duration::ZERO;
        loop {
            let operation = self.operation(owner, name, content).await?;
            match self.commands.run(operation, &mut draft).await {
                Err(problem) if problem.code == Code::IdempotencyInProgress.as_str() && waited < LONGEST_WAIT => {
                    tokio::time::sleep(PAUSE).await;
                    waited += PAUSE;
                }
                answer => return answer,
            }
        }
    }

    /// The operation of `name` for what `content` is the hash of. A session lives as long as one slot of time, so the open one is of
    /// this slot or of the one before.
    async fn operation(&self, owner: OwnerId, name: &str, content: Hash32) -> Result<Operation, Problem> {
        let now = self.clock.now();
        let slot = now.micros() / (SESSION_SECONDS * 1_000_000);
        for of in [slot - 1, slot] {
            for generation in 0..GENERATIONS {
                let key = Some(format!("derived:{content}:{of}:{generation}"));
                let operation = Operation { owner, name: name.to_owned(), key, request_hash: content.0 };
                match self.commands.answered(&operation).await? {
                    Some(answer) if self.is_open(&answer, now).await? => return Ok(operation),
                    Some(_) => {}
                    None if of == slot => return Ok(operation),
                    None => break,
                }
            }
        }
        Err(Problem::of(Code::Conflict).retry_after(1))
    }

    async fn is_open(&self, answer: &Value, now: Timestamp) -> Result<bool, Problem> {
        let id = answer.pointer("/payment_session/id").and_then(Value::as_str).and_then(|id| id.parse::<SessionId>().ok());
        let Some(id) = id else { return Ok(false) };
        let session = load::<PaymentSession>(self.log, StreamId::new(Category::PaymentSession, id)).await;
        let session = session.map_err(|error| rejection::read(&error))?;
        Ok(matches!(&session.state, PaymentSession::Pending(open) if now < open.session.expires_at))
    }
}
