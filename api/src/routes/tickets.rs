//! RT-045 to RT-049: support tickets. What people write is sealed with a key of the ticket's own.

use super::context;
use crate::{
    http::{
        answers,
        auth::{Merchant, Staff},
        body::{Body, Params},
        fresh::{Fresh, MinPosition},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::{Json, extract::State as Part, response::Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{
    clock::{new_id, random_bytes},
    log::{Context, Log},
    unit::Unit,
    vault::Vault,
    vocab::{
        event::TicketContext,
        id::{EntitlementId, MembershipId, MessageId, OwnerId, PaymentId, ProductId, ReceiptId, TicketId},
        stream::{Category, StreamId},
        time::Timestamp,
        words::{AuthorType, TicketCategory},
    },
};
use ledger::ticket::{self, Command, Open};
use projections::{
    Reader,
    tickets::{self, Message, Ticket, TicketStatus},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Routes for merchants.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list, open)).routes(routes!(get)).routes(routes!(add_message))
}

/// Routes for staff.
pub fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::default().routes(routes!(answer))
}

/// A ticket to open.
#[derive(Deserialize, ToSchema)]
struct OpenTicket {
    /// In one line.
    #[schema(example = "Buyer says access did not arrive")]
    subject: String,
    /// `BILLING`, `API_ERROR`, `FEATURE_REQUEST`, `COMPLIANCE` or `OTHER`.
    #[schema(example = "OTHER")]
    category: String,
    /// At least 10 characters.
    body: String,
    /// Ids of what it is about.
    #[serde(default)]
    context: ContextView,
}

/// What a ticket is about.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
struct ContextView {
    payment_id: Option<Uuid>,
    product_id: Option<Uuid>,
    membership_id: Option<Uuid>,
    receipt_id: Option<Uuid>,
    entitlement_id: Option<Uuid>,
}

impl From<ContextView> for TicketContext {
    fn from(context: ContextView) -> Self {
        TicketContext {
            payment_id: context.payment_id.map(PaymentId),
            product_id: context.product_id.map(ProductId),
            membership_id: context.membership_id.map(MembershipId),
            receipt_id: context.receipt_id.map(ReceiptId),
            entitlement_id: context.entitlement_id.map(EntitlementId),
        }
    }
}

impl From<TicketContext> for ContextView {
    fn from(context: TicketContext) -> Self {
        ContextView {
            payment_id: context.payment_id.map(Uuid::from),
            product_id: context.product_id.map(Uuid::from),
            membership_id: context.membership_id.map(Uuid::from),
            receipt_id: context.receipt_id.map(Uuid::from),
            entitlement_id: context.entitlement_id.map(Uuid::from),
        }
    }
}

/// A call that may help.
#[derive(Serialize, ToSchema)]
struct Action {
    /// `inspect_payment`, `inspect_membership`, `open_receipt_proof` or `verify_receipt`.
    id: &'static str,
    label: &'static str,
    endpoint: String,
}

/// The calls that the ticket's context allows.
fn actions(context: &ContextView) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut offer = |id, label, endpoint: String| actions.push(Action { id, label, endpoint });
    if let Some(id) = context.payment_id {
        offer("inspect_payment", "Read the payment's state", format!("GET /v1/payments/{id}"));
    }
    if let Some(id) = context.membership_id {
        offer("inspect_membership", "Inspect the recurring access state", format!("GET /v1/memberships/{id}"));
    }
    if let Some(id) = context.receipt_id {
        offer("open_receipt_proof", "Open the receipt proof", format!("GET /v1/receipt/{id}"));
        offer("verify_receipt", "Share the public proof link", format!("GET /v1/receipt/{id}/verify"));
    }
    actions
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
    actions: Vec<Action>,
}

/// Which tickets.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `OPEN` or `WAITING_ON_MERCHANT`; letter case does not matter.
    status: Option<String>,
    /// Page, from 1.
    page: Option<u32>,
    /// Tickets of a page: 1 to 100, 20 unless told.
    per_page: Option<u32>,
    /// `next_cursor` of the page before; instead of `page`.
    cursor: Option<String>,
}

/// Tickets, newest first.
#[derive(Serialize, ToSchema)]
struct TicketList {
    /// All that match.
    total: u64,
    page: u32,
    per_page: u32,
    tickets: Vec<TicketRow>,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A ticket in a list.
#[derive(Serialize, ToSchema)]
struct TicketRow {
    ticket_id: String,
    status: &'static str,
    /// Null when its writer was erased.
    subject: Option<String>,
    category: &'static str,
    context: ContextView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A ticket with its thread.
#[derive(Serialize, ToSchema)]
struct Thread {
    #[serde(flatten)]
    ticket: TicketRow,
    actions: Vec<Action>,
    /// In order.
    messages: Vec<MessageView>,
}

/// A message.
#[derive(Serialize, ToSchema)]
struct MessageView {
    #[schema(value_type = String, format = Uuid)]
    message_id: MessageId,
    /// `MERCHANT`, `BUYER` or `STAFF`.
    author_type: &'static str,
    /// Null when its writer was erased.
    body: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        MessageView {
            message_id: message.message_id,
            author_type: message.author_type.as_str(),
            body: message.body,
            created_at: message.created_at,
        }
    }
}

impl From<&Ticket> for TicketRow {
    fn from(ticket: &Ticket) -> Self {
        TicketRow {
            ticket_id: ticket.public_id.clone(),
            status: ticket.status.as_str(),
            subject: ticket.subject.clone(),
            category: ticket.category.as_str(),
            context: ticket.context.into(),
            created_at: ticket.meta.created_at,
            updated_at: ticket.meta.updated_at,
        }
    }
}

/// A message to add.
#[derive(Deserialize, ToSchema)]
struct NewMessage {
    /// At least 10 characters.
    body: String,
    /// `MERCHANT` (unless told) or `BUYER`.
    author_type: Option<String>,
}

/// A message of staff.
#[derive(Deserialize, ToSchema)]
struct StaffMessage {
    /// At least 10 characters.
    body: String,
    /// `WAITING_ON_MERCHANT` to wait for an answer.
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

/// Tickets
#[utoipa::path(get, path = "/v1/support/tickets", tag = "support", operation_id = "list_tickets", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of tickets", body = TicketList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<TicketList>, Problem> {
    merchant.require_live()?;
    let asked = Asked::by_page(query.page, query.per_page, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "OPEN or WAITING_ON_MERCHANT");
    let status = query.status.as_deref().map(|text| TicketStatus::parse(&text.to_uppercase()).ok_or_else(unknown)).transpose()?;
    fresh.wait("tickets", Some(merchant.owner), min).await?;
    let found = tickets::list(&reader, merchant.owner, status, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, total) = (found.items, found.total);
    let more = asked.cut(&mut rows, |ticket| (ticket.meta.created_at, ticket.meta.id));
    Ok(Json(TicketList {
        total,
        page: query.page.unwrap_or(1),
        per_page: asked.limit,
        tickets: rows.iter().map(TicketRow::from).collect(),
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One ticket with its thread
#[utoipa::path(get, path = "/v1/support/tickets/{ticket_id}", tag = "support", operation_id = "get_ticket",
    params(("ticket_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The ticket", body = Thread), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Thread>, Problem> {
    merchant.require_live()?;
    fresh.wait("tickets", Some(merchant.owner), min).await?;
    let ticket = tickets::find(&reader, merchant.owner, &id.0).await.map_err(rejection::query)?;
    let ticket = ticket.ok_or_else(|| Problem::of(Code::TicketNotFound))?;
    let row = TicketRow::from(&ticket);
    Ok(Json(Thread { actions: actions(&row.context), ticket: row, messages: ticket.messages.into_iter().map(MessageView::from).collect() }))
}

/// Open a ticket
#[utoipa::path(post, path = "/v1/support/tickets", tag = "support", operation_id = "open_ticket", request_body = OpenTicket,
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The ticket", body = Opened), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn open(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<OpenTicket>,
) -> Result<Response, Problem> {
    merchant.require_live()?;
    let category: TicketCategory =
        asked.category.parse().map_err(|rule| Problem::field(Code::InvalidCategory, "category", format!("{rule}")))?;
    let operation = Operation { owner: merchant.owner, name: "POST /v1/support/tickets".into(), key, request_hash: hash };
    let public_id = format!("hilt_ticket_{}", URL_SAFE_NO_PAD.encode(random_bytes::<10>()));
    let (ticket_id, message_id) = (TicketId::of(merchant.owner, &public_id), new_id());
    commands
        .run(operation, || async {
            let subject_id = vault.new_subject(merchant.owner).await.map_err(|error| rejection::read(&error))?;
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let mut ticket = unit.start::<ticket::Ticket>(StreamId::new(Category::Ticket, ticket_id));
            let open = Open {
                ticket_id,
                public_id: public_id.clone(),
                subject_id,
                message_id,
                category,
                author_type: AuthorType::Merchant,
                context: asked.context.into(),
                delivery_case_of: None,
                subject: asked.subject.clone(),
                body: asked.body.clone(),
            };
            unit.decide(&mut ticket, Command::Open(Box::new(open)), None).map_err(|refused| rejection::decided(refused.code(), refused))?;
            let answer = Answer::created(Opened {
                ticket_id: public_id.clone(),
                status: ticket.state.status().unwrap_or_default(),
                subject: asked.subject.trim().to_owned(),
                category: category.as_str(),
                actions: actions(&asked.context),
                context: asked.context,
            })?;
            Ok(Draft { unit, answer })
        })
        .await
}

/// Add a message
///
/// A merchant who writes on a ticket that waits for him reopens it.
#[utoipa::path(post, path = "/v1/support/tickets/{ticket_id}/message", tag = "support", operation_id = "add_ticket_message",
    params(("ticket_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = NewMessage, security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 201, description = "The message", body = Added), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn add_message(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    merchant: Merchant,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<NewMessage>,
) -> Result<Response, Problem> {
    merchant.require_live()?;
    let author_type = match asked.author_type.as_deref() {
        None | Some("MERCHANT") => AuthorType::Merchant,
        Some("BUYER") => AuthorType::Buyer,
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "author_type", "MERCHANT or BUYER")),
    };
    let name = format!("POST /v1/support/tickets/{{ticket_id}}/message {}", id.0);
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    let add = Add { owner: merchant.owner, public_id: &id.0, author_type, body: &asked.body, wait: false };
    commands.run(operation, || add.draft(&log, context(&merchant, true, &request_id))).await
}

/// Answer a ticket
///
/// The only way in which a ticket comes to wait for its merchant.
#[utoipa::path(post, path = "/v1/admin/support/tickets/{ticket_id}/message", tag = "admin", operation_id = "answer_ticket",
    params(("ticket_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    request_body = StaffMessage, security(("bearer" = [])),
    responses((status = 201, description = "The message", body = Added), answers::Write))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn answer(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    staff: Staff,
    min: MinPosition,
    id: Segment,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: asked, hash }: Body<StaffMessage>,
) -> Result<Response, Problem> {
    let wait = match asked.status.as_deref() {
        None => false,
        Some("WAITING_ON_MERCHANT") => true,
        Some(_) => return Err(Problem::field(Code::ValidationFailed, "status", "WAITING_ON_MERCHANT, or nothing")),
    };
    let owner = owner_of(&reader, &fresh, min.or_head(&log), &id).await?;
    let name = format!("POST /v1/admin/support/tickets/{{ticket_id}}/message {}", id.0);
    let operation = Operation { owner, name, key, request_hash: hash };
    let add = Add { owner, public_id: &id.0, author_type: AuthorType::Staff, body: &asked.body, wait };
    let context = || Context {
        owner_id: Some(owner),
        livemode: true,
        actor: staff.actor.clone(),
        request_id: Some(request_id.clone()),
        correlation_id: new_id(),
    };
    commands.run(operation, || add.draft(&log, context())).await
}

/// The workspace that a ticket belongs to, which its public name does not tell.
async fn owner_of(reader: &Reader, fresh: &Fresh, min: MinPosition, id: &Segment) -> Result<OwnerId, Problem> {
    fresh.wait("tickets", None, min).await?;
    let ticket = tickets::find_for_staff(reader, &id.0).await.map_err(rejection::query)?;
    ticket.and_then(|ticket| ticket.meta.owner_id).ok_or_else(|| Problem::of(Code::TicketNotFound))
}

/// A message on its way into a ticket.
struct Add<'a> {
    owner: OwnerId,
    public_id: &'a str,
    author_type: AuthorType,
    body: &'a str,
    wait: bool,
}

impl Add<'_> {
    async fn draft<'l>(&self, log: &'l Log, context: Context) -> Result<Draft<'l>, Problem> {
        let refused = |refused: ticket::Rejection| rejection::decided(refused.code(), refused);
        let mut unit = Unit::new(log, context);
        let stream = StreamId::new(Category::Ticket, TicketId::of(self.owner, self.public_id));
        let mut ticket = unit.load::<ticket::Ticket>(stream).await.map_err(|error| rejection::read(&error))?;
        if let Some(correlation_id) = ticket.correlation_id {
            unit.correlate(correlation_id);
        }
        let message_id = new_id();
        let message = Command::AddMessage { message_id, author_type: self.author_type, body: self.body.to_owned() };
        let cause = ticket.last_event;
        unit.decide(&mut ticket, message, cause).map_err(refused)?;
        if self.wait {
            let cause = ticket.last_event;
            unit.decide(&mut ticket, Command::WaitOnMerchant, cause).map_err(refused)?;
        }
        let status = ticket.state.status().unwrap_or_default();
        Ok(Draft { unit, answer: Answer::created(Added { ticket_id: self.public_id.to_owned(), status, message_id })? })
    }
}
