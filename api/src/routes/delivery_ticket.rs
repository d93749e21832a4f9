//! RT-033: the one open support case of a membership's delivery (INV-78).

use super::{
    context,
    deliveries::{latest, member},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, OptionalBody},
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    claims::Claim,
    clock::{new_id, random_bytes},
    log::Log,
    unit::{Unit, load},
    vault::Vault,
    vocab::{
        event::TicketContext,
        id::{AccessDeliveryId, MembershipId, TicketId},
        stream::{Category, StreamId},
        words::{AuthorType, DeliveryStatus, TicketCategory},
    },
};
use ledger::{
    delivery::Delivery,
    membership::Member,
    ticket::{self, Command, Open, Thread, Ticket},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(open))
}

/// What to say in the case; may be left out.
#[derive(Deserialize, ToSchema)]
struct SupportNote {
    /// At least 10 characters. It becomes the case's first message, or its next one.
    note: Option<String>,
}

/// The case.
#[derive(Serialize, ToSchema)]
struct Case {
    /// `hilt_ticket_…`.
    ticket_id: String,
    /// `OPEN` or `WAITING_ON_MERCHANT`.
    status: &'static str,
    /// Whether it was open already.
    reused: bool,
    #[schema(value_type = String, format = Uuid)]
    membership_id: MembershipId,
}

/// Open the support case of a delivery, or continue it
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/delivery-support-ticket", tag = "memberships",
    operation_id = "open_delivery_support_ticket", request_body(content = Option<SupportNote>),
    params(("membership_id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    security(("hilt_key" = []), ("bearer" = [])),
    responses(
        (status = 200, description = "The case that was open already", body = Case),
        (status = 201, description = "A new case", body = Case),
        answers::Write,
    ))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn open(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    id: Segment,
    OptionalBody(Body { value: asked, hash }): OptionalBody<SupportNote>,
) -> Result<Response, Problem> {
    let id: MembershipId = id.id(Code::MembershipNotFound)?;
    let name = format!("POST /v1/memberships/{{membership_id}}/delivery-support-ticket {id}");
    let operation = Operation { owner: merchant.owner, name, key, request_hash: hash };
    commands
        .run(operation, || async {
            let member = member(&log, &merchant, id).await?;
            let unit = Unit::new(&log, context(&merchant, true, &request_id));
            let open = log.find_claim(&Claim::delivery_case(id)).await.map_err(|error| rejection::read(&error))?;
            match open {
                Some(stream) => go_on(unit, &vault, (stream, id), asked.note.as_deref()).await,
                None => begin(unit, &log, &vault, &merchant, &member, asked.note.as_deref()).await,
            }
        })
        .await
}

async fn go_on<'l>(
    mut unit: Unit<'l>,
    vault: &Vault,
    (stream, id): (StreamId, MembershipId),
    note: Option<&str>,
) -> Result<Draft<'l>, Problem> {
    let mut ticket = unit.load::<Ticket>(stream).await.map_err(|error| rejection::read(&error))?;
    let (Ticket::Open(Thread { public_id, subject_id, .. }) | Ticket::WaitingOnMerchant(Thread { public_id, subject_id, .. })) =
        &ticket.state
    else {
        // It was closed since its claim was read: the next look finds none.
        return Err(Problem::of(Code::Conflict));
    };
    let (ticket_id, of_thread) = (public_id.clone(), *subject_id);
    if let Some(correlation_id) = ticket.correlation_id {
        unit.correlate(correlation_id);
    }
    if let Some(note) = note {
        let owner = ticket.owner_id.ok_or_else(|| Problem::of(Code::Internal))?;
        let subject_id = vault.subject_or_new(owner, Some(of_thread)).await.map_err(|error| rejection::read(&error))?;
        let message = Command::AddMessage { message_id: new_id(), author_type: AuthorType::Merchant, subject_id, body: note.to_owned() };
        let cause = ticket.last_event;
        unit.decide(&mut ticket, message, cause).map_err(refused)?;
    }
    let status = ticket.state.status().unwrap_or_default();
    Ok(Draft { unit, answer: Answer::ok(Case { ticket_id, status, reused: true, membership_id: id })? })
}

async fn begin<'l>(
    mut unit: Unit<'l>,
    log: &Log,
    vault: &Vault,
    merchant: &Merchant,
    member: &Member,
    note: Option<&str>,
) -> Result<Draft<'l>, Problem> {
    let public_id = ticket::public_id(random_bytes());
    let ticket_id = TicketId::of(merchant.owner, &public_id);
    let (id, payment_id) = (member.membership_id, latest(member)?);
    let stream = StreamId::new(Category::Delivery, AccessDeliveryId::of(payment_id));
    let delivery = load::<Delivery>(log, stream).await.map_err(|error| rejection::read(&error))?;
    let status = delivery.state.status();
    let open = Open {
        ticket_id,
        public_id: public_id.clone(),
        subject_id: vault.subject_or_new(merchant.owner, Some(member.subject_id)).await.map_err(|error| rejection::read(&error))?,
        message_id: new_id(),
        category: TicketCategory::Other,
        author_type: AuthorType::Merchant,
        context: TicketContext {
            payment_id: Some(payment_id),
            product_id: Some(member.product_id),
            membership_id: Some(id),
            ..TicketContext::default()
        },
        delivery_case_of: Some(id),
        subject: title(status).to_owned(),
        body: note.map_or_else(|| told(status, delivery.state.case().map_or(0, |case| case.attempts)), str::to_owned),
    };
    let mut ticket = unit.start::<Ticket>(StreamId::new(Category::Ticket, ticket_id));
    unit.decide(&mut ticket, Command::Open(Box::new(open)), None).map_err(refused)?;
    let opened = ticket.state.status().unwrap_or_default();
    Ok(Draft { unit, answer: Answer::created(Case { ticket_id: public_id, status: opened, reused: false, membership_id: id })? })
}

/// What the case is called: how the delivery stands when it is opened.
const fn title(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::NotRequired => "A member needs help; there was nothing to hand over",
        DeliveryStatus::Pending => "Access is being handed over",
        DeliveryStatus::RetryScheduled => "Access is not handed over yet",
        DeliveryStatus::Failed | DeliveryStatus::ManualReview => "Access was not handed over",
        DeliveryStatus::Sent => "Access was handed over, and a member needs help",
    }
}

/// The first message of a case that nobody wrote one for.
fn told(status: DeliveryStatus, attempts: u32) -> String {
    let times = match attempts {
        0 => "before the first attempt".to_owned(),
        1 => "after 1 attempt".to_owned(),
        attempts => format!("after {attempts} attempts"),
    };
    format!("The delivery of this membership needs a look: {status} {times}.")
}

/// What the ticket calls its message is the request's note.
fn refused(refused: ticket::Rejection) -> Problem {
    rejection::decided(refused.code(), refused.to_string().replacen("body: ", "note: ", 1))
}
