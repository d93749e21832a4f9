//! RT-046 and RT-047: tickets and their threads.

use super::{
    actions::{Subject, TicketAction, actions},
    view::{MessageView, TicketRow},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::Settings,
};
use axum::{Json, extract::State as Part};
use projections::{
    Reader,
    tickets::{self, TicketStatus},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which tickets.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `OPEN`, `WAITING_ON_MERCHANT` or `CLOSED`; letter case does not matter.
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
pub struct TicketList {
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

/// A ticket with its thread.
#[derive(Serialize, ToSchema)]
pub struct Thread {
    #[serde(flatten)]
    ticket: TicketRow,
    actions: Vec<TicketAction>,
    /// In order.
    messages: Vec<MessageView>,
}

/// Tickets
#[utoipa::path(get, path = "/v1/support/tickets", tag = "support", operation_id = "list_tickets", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of tickets", body = TicketList), answers::Read))]
pub async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<TicketList>, Problem> {
    let asked = Asked::by_page(query.page, query.per_page, query.cursor.as_deref())?;
    let unknown = || Problem::field(Code::ValidationFailed, "status", "OPEN, WAITING_ON_MERCHANT or CLOSED");
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
pub async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Thread>, Problem> {
    fresh.wait("tickets", Some(merchant.owner), min).await?;
    let ticket = tickets::find(&reader, merchant.owner, &id.0).await.map_err(rejection::query)?;
    let ticket = ticket.ok_or_else(|| Problem::of(Code::TicketNotFound))?;
    let row = TicketRow::from(&ticket);
    let subject = Subject {
        ticket_id: &row.ticket_id,
        context: &row.context,
        closed: ticket.status == TicketStatus::Closed,
        sends_mail: settings.sends_mail,
    };
    Ok(Json(Thread { actions: actions(&subject), ticket: row, messages: ticket.messages.into_iter().map(MessageView::from).collect() }))
}
