//! `Idempotency-Key`: the answer commits with the events it answers for, so a crash at any line leaves both or neither (CV-3,
//!

use super::{
    fresh::{HILT_POSITION, OwnWrites},
    problem::{Code, Problem},
    rejection,
};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use events::{
    claims::ClaimScope,
    log::{AppendError, IdempotencyRow, Log, PageFilter, StoredAnswer},
    unit::Unit,
    vault::Vault,
    vocab::id::OwnerId,
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

/// The request header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// On an answer that was stored before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// A command that loses a race looks again this many times before it tells the caller.
const ATTEMPTS: u32 = 8;

/// The caller's key, where the route takes one but does not ask for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionalKey(pub Option<String>);

/// The caller's key, on routes that require it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequiredKey(pub String);

impl<S: Send + Sync> FromRequestParts<S> for OptionalKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(&IDEMPOTENCY_KEY) else { return Ok(OptionalKey(None)) };
        match value.to_str() {
            Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => Ok(OptionalKey(Some(key.to_owned()))),
            _ => Err(Problem::field(Code::InvalidIdempotencyKey, "Idempotency-Key", "1 to 255 visible ASCII characters")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequiredKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match OptionalKey::from_request_parts(parts, state).await?.0 {
            Some(key) => Ok(RequiredKey(key)),
            None => {
                Err(Problem::of(Code::IdempotencyKeyRequired)
                    .next_action("Send an Idempotency-Key header that is unique to this operation."))
            }
        }
    }
}

/// What makes two requests the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Whose request.
    pub owner: OwnerId,
    /// `METHOD /route/template`, and the path's own ids where the template has any.
    pub name: String,
    /// The caller's key, if he sent one.
    pub key: Option<String>,
    /// Hash of the canonical body.
    pub request_hash: [u8; 32],
}

/// What a command came to, not yet committed.
pub struct Draft<'a> {
    /// The events.
    pub unit: Unit<'a>,
    /// The answer.
    pub answer: Answer,
}

/// An answer to a write.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub body: Value,
    /// JSON pointers of what is shown once: a replayed answer holds `null` there.
    pub once: &'static [&'static str],
    /// Members of the body that are the time at which the log accepts the events, if it gets any.
    pub stamped: &'static [&'static str],
}

impl Answer {
    /// `201` with a body.
    pub fn created(body: impl serde::Serialize) -> Result<Self, Problem> {
        Answer::new(StatusCode::CREATED, body)
    }
    /// `200` with a body.
    pub fn ok(body: impl serde::Serialize) -> Result<Self, Problem> {
        Answer::new(StatusCode::OK, body)
    }
    /// `202` with a body: what was asked for happens after the answer.
    pub fn accepted(body: impl serde::Serialize) -> Result<Self, Problem> {
        Answer::new(StatusCode::ACCEPTED, body)
    }
    fn new(status: StatusCode, body: impl serde::Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_value(body).map_err(|error| Problem::internal(&error, "write an answer"))?;
        Ok(Answer { status, body, once: &[], stamped: &[] })
    }
    /// `created_at` is when the log accepted the events, as every later read shows it; nobody knows it before (CV-13).
    pub fn stamped(self) -> Self {
        self.stamped_as(&[CREATED_AT])
    }
    /// [`Answer::stamped`] for these of `created_at` and `updated_at`. When nothing is decided they stay as they are.
    pub fn stamped_as(mut self, members: &'static [&'static str]) -> Self {
        self.stamped = members;
        self
    }
    /// Holds secrets at these pointers, which a replay does not repeat.
    pub fn once(mut self, pointers: &'static [&'static str]) -> Self {
        self.once = pointers;
        self
    }
    fn stored_body(&self) -> Value {
        let mut body = self.body.clone();
        for pointer in self.once {
            if let Some(secret) = body.pointer_mut(pointer) {
                *secret = Value::Null;
            }
        }
        if !self.once.is_empty() {
            body["idempotent_replay"] = Value::Bool(true);
        }
        for member in self.stamped {
            body[*member] = Value::Null;
        }
        body
    }
}

/// The members that [`Answer::stamped_as`] fills; stored as null, for the answer is stored with the events and their time is not known.
const CREATED_AT: &str = "created_at";
const UPDATED_AT: &str = "updated_at";
const STAMPS: [&str; 2] = [CREATED_AT, UPDATED_AT];

/// Runs commands, at most once for each key.
#[derive(Clone)]
pub struct Commands {
    log: Log,
    vault: Vault,
    own_writes: OwnWrites,
    under_way: Arc<Mutex<HashSet<(OwnerId, String, String)>>>,
}

/// Takes the key off the list when the request ends, however it ends.
struct UnderWay<'a>(&'a Commands, (OwnerId, String, String));
impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Ok(mut keys) = self.0.under_way.lock() {
            keys.remove(&self.1);
        }
    }
}

impl Commands {
    /// Commands on `log`.
    pub fn new(log: Log, vault: Vault, own_writes: OwnWrites) -> Self {
        Commands { log, vault, own_writes, under_way: Arc::default() }
    }

    /// Runs `draft`, which decides on the current state and may run again when it loses a race (a refusal as
    /// [`Code::Conflict`] says that it did), and commits what it yields together with its answer.
    pub async fn run<'a, F, Fut>(&self, operation: Operation, mut draft: F) -> Result<Response, Problem>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Draft<'a>, Problem>>,
    {
        let _under_way = match &operation.key {
            None => None,
            Some(key) => {
                let under_way = self.enter(operation.owner, &operation.name, key)?;
                if let Some(answer) = self.stored(&operation).await? {
                    return Ok(answer);
                }
                Some(under_way)
            }
        };
        for _ in 0..ATTEMPTS {
            // Another attempt of this very request may commit while this one reads: a caller that gave up and came again, or came
            // to another process. What then looks decided already, or not allowed any more, is that attempt's own effect.
            let Draft { mut unit, mut answer } = match draft().await {
                Ok(draft) => draft,
                Err(problem) => match self.stored(&operation).await? {
                    Some(answer) => return Ok(answer),
                    None if problem.code == Code::Conflict.as_str() => continue,
                    None => return Err(problem),
                },
            };
            if unit.is_empty() {
                if let Some(answer) = self.stored(&operation).await? {
                    return Ok(answer);
                }
                return Ok(respond(answer.status, &answer.body, self.log.watch_head().borrow().checked_sub(1), false));
            }
            if let Some(key) = &operation.key {
                unit.answer(self.row(&operation, key, &answer)?);
            }
            match unit.commit().await {
                Ok(appended) => {
                    self.own_writes.wrote(operation.owner, appended.last_position);
                    for member in answer.stamped {
                        answer.body[*member] = json!(appended.recorded_at);
                    }
                    return Ok(respond(answer.status, &answer.body, Some(appended.last_position), false));
                }
                Err(AppendError::Answered(stored)) => return self.replay(&operation, *stored).await,
                Err(AppendError::Conflict { .. }) => {}
                // Someone else has just opened it: the next draft finds it.
                Err(AppendError::ClaimTaken { claim, .. }) if claim.scope == ClaimScope::DeliveryCase => {}
                Err(error) => return Err(rejection::append(error)),
            }
        }
        Err(Problem::of(Code::Conflict).retry_after(1))
    }

    /// The body of the answer that this operation was given before, if it was; null once the person it was about is erased.
    pub async fn answered(&self, operation: &Operation) -> Result<Option<Value>, Problem> {
        let Some(key) = &operation.key else { return Ok(None) };
        let stored = self.log.find_answer(operation.owner, &operation.name, key).await.map_err(|error| rejection::read(&error))?;
        // What was about a person who is erased says nothing any more.
        let body = |stored: StoredAnswer| if stored.body.is_empty() { Ok(Value::Null) } else { self.body(key, &stored) };
        stored.map(body).transpose()
    }

    /// The answer that this request was given before, if it was.
    async fn stored(&self, operation: &Operation) -> Result<Option<Response>, Problem> {
        let Some(key) = &operation.key else { return Ok(None) };
        let stored = self.log.find_answer(operation.owner, &operation.name, key).await.map_err(|error| rejection::read(&error))?;
        match stored {
            Some(stored) => self.replay(operation, stored).await.map(Some),
            None => Ok(None),
        }
    }

    fn enter(&self, owner: OwnerId, name: &str, key: &str) -> Result<UnderWay<'_>, Problem> {
        let entry = (owner, name.to_owned(), key.to_owned());
        let fresh = self.under_way.lock().map_err(|_| Problem::of(Code::Internal))?.insert(entry.clone());
        match fresh {
            true => Ok(UnderWay(self, entry)),
            false => Err(Problem::of(Code::IdempotencyInProgress).retry_after(1)),
        }
    }

    fn row(&self, operation: &Operation, key: &str, answer: &Answer) -> Result<IdempotencyRow, Problem> {
        let body = serde_json::to_vec(&answer.stored_body()).map_err(|error| Problem::internal(&error, "store an answer"))?;
        Ok(IdempotencyRow {
            owner_id: operation.owner,
            operation: operation.name.clone(),
            key: key.to_owned(),
            request_hash: operation.request_hash,
            status: answer.status.as_u16(),
            body: self.vault.seal_bytes(PURPOSE, key.as_bytes(), &body),
        })
    }

    fn body(&self, key: &str, stored: &StoredAnswer) -> Result<Value, Problem> {
        let body = self
            .vault
            .open_bytes(PURPOSE, key.as_bytes(), &stored.body)
            .map_err(|error| Problem::internal(&error, "open a stored answer"))?;
        serde_json::from_slice(&body).map_err(|error| Problem::internal(&error, "read a stored answer"))
    }

    async fn replay(&self, operation: &Operation, stored: StoredAnswer) -> Result<Response, Problem> {
        if stored.body.is_empty() {
            return Err(Problem::new(Code::IdentityErased, "what was answered is gone with the person it was about"));
        }
        if stored.request_hash != operation.request_hash {
            return Err(Problem::of(Code::IdempotencyKeyReused).next_action("Send another Idempotency-Key, or the same request again."));
        }
        let key = operation.key.as_deref().unwrap_or_default();
        let mut body = self.body(key, &stored)?;
        let stamps: Vec<&str> = STAMPS.into_iter().filter(|member| body.get(member).is_some_and(Value::is_null)).collect();
        if !stamps.is_empty() {
            let page = self.log.read_page(PageFilter::default(), stored.position, 1).await.map_err(|error| rejection::read(&error))?;
            let accepted = json!(page.events.first().map(|recorded| recorded.envelope.recorded_at));
            for member in stamps {
                body[member] = accepted.clone();
            }
        }
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        Ok(respond(status, &body, Some(stored.position), true))
    }
}

/// Stored answers may repeat what the caller said of a customer, so they are encrypted.
const PURPOSE: &str = "idempotency";

fn respond(status: StatusCode, body: &Value, position: Option<u64>, replayed: bool) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(position) = position {
        headers.insert(HILT_POSITION, HeaderValue::from(position));
    }
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    (status, headers, Json(body)).into_response()
}
