//! RT-048 and RT-049: writing on a ticket.

use crate::{
    http::{
        answers,
        auth::{Merchant, Staff},
        body::Body,
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::new_id,
    log::{Context, Log},
    unit::Unit,
    vault::Vault,
    vocab::{
        id::{MessageId, OwnerId, TicketId},
        stream::{Category, StreamId},
        words::AuthorType,
    },
};
use ledger::ticket::{Command, Rejection, Ticket};
use projections::{Reader, tickets};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message to add.
#[derive(Deserialize, ToSchema)]
pub struct NewMessage {
    /// At least 10 characters.
    body: String,
    /// `MERCHANT` (unless told) or `BUYER`.
    author_type: Option<String>,
}

/// A message of staff.
#[derive(Deserialize, ToSchema)]
pub struct StaffMessage {
    /// At least 10 characters.
    body: String,
    /// `WAITING_ON_MERCHANT` to wait for an answer, `CLOSED` to end it for good.
    status: Option<String>,
}

/// A message that was added.
#[derive(Serialize, ToSchema)]
struct Added {
    ticket_id: String,
    /// The ticket's status after it.
    status: &'static str,
    #[schema(value_type = String, format = Uuid)]
    message_id: MessageId,
}

/// Add a message
///
/// A merchant who writes on a ticket that waits for him reopens it. A closed ticket takes no message: open a new one.
#[utoipa::path(post, path = "/v1/support/tickets/{ticket_id}/message", tag = "support", operation_id = "add_ticket_message",
    params(("ticket_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = NewMessage, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The message", body = Added), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
pub async fn add_message(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<NewMessage>,
) -> Result<Response, Problem> {
    let author_type = match asked.author_type.as_deref() {
        None | Some("MERCHANT") => AuthorType::Merchant,
        Some("BUYER") => AuthorType::Buyer,
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "author_type", "MERCHANT or BUYER")),
    };
    let name = format!("POST /v1/support/tickets/{{ticket_id}}/message {}", id.0);
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    let add = Add { owner: merchant.owner, public_id: &id.0, author_type, body: &asked.body, then: None };
    commands.run(operation, || add.draft(&log, &vault, context(&merchant, true, &request_id))).await
}

/// Answer a ticket
///
/// The only way in which a ticket comes to wait for its merchant, or is closed.
#[utoipa::path(post, path = "/v1/admin/support/tickets/{ticket_id}/message", tag = "admin", operation_id = "answer_ticket",
    params(("ticket_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = StaffMessage, security(("bearer" = [])),
    responses((status = 201, description = "The message", body = Added), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
pub async fn answer(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    staff: Staff,
    min: MinPosition,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<StaffMessage>,
) -> Result<Response, Problem> {
    let then = match asked.status.as_deref() {
        None => None,
        Some("WAITING_ON_MERCHANT") => Some(Command::WaitOnMerchant),
        Some("CLOSED") => Some(Command::Close),
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "status", "WAITING_ON_MERCHANT, CLOSED, or nothing")),
    };
    let owner = owner_of(&reader, &fresh, min.or_head(&log), &id).await?;
    let name = format!("POST /v1/admin/support/tickets/{{ticket_id}}/message {}", id.0);
    let operation = Operation { owner, name, key, request_hash: hash };
    let add = Add { owner, public_id: &id.0, author_type: AuthorType::Staff, body: &asked.body, then };
    let context = || Context {
        owner_id: Some(owner),
        livemode: true,
        actor: staff.actor.clone(),
        request_id: Some(request_id.clone()),
        correlation_id: new_id(),
    };
    commands.run(operation, || add.draft(&log, &vault, context())).await
}

/// The workspace that a ticket belongs to, which its public name does not tell.
async fn owner_of(reader: &Reader, fresh: &Fresh, min: MinPosition, id: &Segment) -> Result<OwnerId, Problem> {
    fresh.wait("tickets", None, min).await?;
    let ticket = tickets::find_for_staff(reader, &id.0).await.map_err(rejection::query)?;
    ticket.and_then(|ticket| ticket.meta.owner_id).ok_or_else(|| Problem::of(Code::TicketNotFound))
}

/// A message on its way into a ticket, and what follows it.
struct Add<'a> {
    owner: OwnerId,
    public_id: &'a str,
    author_type: AuthorType,
    body: &'a str,
    then: Option<Command>,
}

impl Add<'_> {
    async fn draft<'l>(&self, log: &'l Log, vault: &Vault, context: Context) -> Result<Draft<'l>, Problem> {
        let refused = |refused: Rejection| rejection::decided(refused.code(), refused);
        let mut unit = Unit::new(log, context);
        let stream = StreamId::new(Category::Ticket, TicketId::of(self.owner, self.public_id));
        let mut ticket = unit.load::<Ticket>(stream).await.map_err(|error| rejection::read(&error))?;
        if let Some(correlation_id) = ticket.correlation_id {
            unit.correlate(correlation_id);
        }
        let message_id = new_id();
        let of_thread = ticket.state.thread().map(|thread| thread.subject_id);
        let subject_id = vault.subject_or_new(self.owner, of_thread).await.map_err(|error| rejection::read(&error))?;
        let message = Command::AddMessage { message_id, author_type: self.author_type, subject_id, body: self.body.to_owned() };
        for command in [Some(message), self.then.clone()].into_iter().flatten() {
            let cause = ticket.last_event;
            unit.decide(&mut ticket, command, cause).map_err(refused)?;
        }
        let status = ticket.state.status().unwrap_or_default();
        Ok(Draft { unit, answer: Answer::created(Added { ticket_id: self.public_id.to_owned(), status, message_id })? })
    }
}
