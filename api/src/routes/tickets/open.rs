//! RT-045: opening a ticket.

use super::{
    actions::{Subject, TicketAction, actions},
    context::{checked, subject_of},
    view::ContextView,
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    state::Settings,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{new_id, random_bytes},
    log::Log,
    unit::Unit,
    vault::Vault,
    vocab::{
        id::TicketId,
        stream::{Category, StreamId},
        words::{AuthorType, TicketCategory},
    },
};
use ledger::ticket::{self, Command, Open, Ticket};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A ticket to open.
#[derive(Deserialize, ToSchema)]
pub struct OpenTicket {
    /// In one line.
    #[schema(example = "Buyer says access did not arrive")]
    subject: String,
    /// `BILLING`, `API_ERROR`, `FEATURE_REQUEST`, `COMPLIANCE` or `OTHER`.
    #[schema(example = "OTHER")]
    category: String,
    /// At least 10 characters.
    body: String,
    /// Ids of what it is about, yours alone.
    #[serde(default)]
    context: ContextView,
}

/// A ticket just opened.
#[derive(Serialize, ToSchema)]
struct Opened {
    /// `hilt_ticket_…`.
    ticket_id: String,
    status: &'static str,
    subject: String,
    category: &'static str,
    context: ContextView,
    actions: Vec<TicketAction>,
}

/// Open a ticket
#[utoipa::path(post, path = "/v1/support/tickets", tag = "support", operation_id = "open_ticket", request_body = OpenTicket,
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The ticket", body = Opened), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
pub async fn open(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<OpenTicket>,
) -> Result<Response, Problem> {
    let category: TicketCategory =
        asked.category.parse().map_err(|rule| Problem::field(Code::InvalidCategory, "category", format!("{rule}")))?;
    let about = checked(&log, merchant.owner, &asked.context).await?;
    let operation = Operation { owner: merchant.owner, name: "POST /v1/support/tickets".into(), key, request_hash: hash };
    let public_id = ticket::public_id(random_bytes());
    let (ticket_id, message_id) = (TicketId::of(merchant.owner, &public_id), new_id());
    commands
        .run(operation, || async {
            let buyer = subject_of(&log, &about).await?;
            let subject_id = vault.subject_or_new(merchant.owner, buyer).await.map_err(|error| rejection::read(&error))?;
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let mut ticket = unit.start::<Ticket>(StreamId::new(Category::Ticket, ticket_id));
            let open = Open {
                ticket_id,
                public_id: public_id.clone(),
                subject_id,
                message_id,
                category,
                author_type: AuthorType::Merchant,
                context: about,
                delivery_case_of: None,
                subject: asked.subject.clone(),
                body: asked.body.clone(),
            };
            unit.decide(&mut ticket, Command::Open(Box::new(open)), None).map_err(|refused| rejection::decided(refused.code(), refused))?;
            let subject = Subject { ticket_id: &public_id, context: &asked.context, closed: false, sends_mail: settings.sends_mail };
            let answer = Answer::created(Opened {
                ticket_id: public_id.clone(),
                status: ticket.state.status().unwrap_or_default(),
                subject: asked.subject.trim().to_owned(),
                category: category.as_str(),
                actions: actions(&subject),
                context: asked.context,
            })?;
            Ok(Draft { unit, answer })
        })
        .await
}
