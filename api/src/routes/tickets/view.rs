//! How tickets look from outside.

use events::vocab::{
    event::TicketContext,
    id::{EntitlementId, MembershipId, MessageId, PaymentId, ProductId, ReceiptId},
    time::Timestamp,
};
use projections::tickets::{Message, Ticket};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a ticket is about.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct ContextView {
    pub payment_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub membership_id: Option<Uuid>,
    pub receipt_id: Option<Uuid>,
    pub entitlement_id: Option<Uuid>,
}

impl From<&ContextView> for TicketContext {
    fn from(context: &ContextView) -> Self {
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

/// A ticket in a list.
#[derive(Serialize, ToSchema)]
pub struct TicketRow {
    pub ticket_id: String,
    /// `OPEN`, `WAITING_ON_MERCHANT` or `CLOSED`.
    pub status: &'static str,
    /// Null when its writer was erased.
    pub subject: Option<String>,
    pub category: &'static str,
    pub context: ContextView,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
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

/// A message.
#[derive(Serialize, ToSchema)]
pub struct MessageView {
    #[schema(value_type = String, format = Uuid)]
    pub message_id: MessageId,
    /// `MERCHANT`, `BUYER`, `STAFF` or `SYSTEM`.
    pub author_type: &'static str,
    /// Null when its writer was erased.
    pub body: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
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
