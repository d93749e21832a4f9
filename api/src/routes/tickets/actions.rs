//! Calls that may help with a ticket: one for each thing that its context names and this deployment can do.

use super::view::ContextView;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A call that may help. It works as it stands, with the credential that reads the ticket.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct TicketAction {
    /// Stable name, such as `retry_delivery`.
    pub id: &'static str,
    pub label: &'static str,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path of this API.
    pub endpoint: String,
    /// The body to send, if one is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
}

/// The ticket whose context is looked at.
pub struct Subject<'a> {
    /// `hilt_ticket_…`.
    pub ticket_id: &'a str,
    /// What it is about.
    pub context: &'a ContextView,
    /// Whether it is over: nothing is noted on it any more.
    pub closed: bool,
    /// Whether this deployment sends mail.
    pub sends_mail: bool,
}

/// The calls that the ticket's context allows.
pub fn actions(ticket: &Subject<'_>) -> Vec<TicketAction> {
    let mut actions = Vec::new();
    let mut offer = |id, label, method, endpoint: String| actions.push(TicketAction { id, label, method, endpoint, body: None });
    if let Some(id) = ticket.context.payment_id {
        offer("inspect_payment", "Inspect the payment", "GET", format!("/v1/payments/{id}"));
    }
    if let Some(id) = ticket.context.product_id {
        offer("inspect_product", "Inspect the product", "GET", format!("/v1/products/{id}"));
    }
    if let Some(id) = ticket.context.membership_id {
        let path = format!("/v1/memberships/{id}");
        offer("inspect_membership", "Inspect the membership", "GET", path.clone());
        offer("inspect_recurring_access", "Inspect the recurring access state", "GET", format!("{path}/subscription"));
        offer("inspect_delivery", "Find out why access did not arrive", "GET", format!("{path}/delivery-diagnostics"));
        offer("retry_delivery", "Retry the delivery", "POST", format!("{path}/retry-delivery"));
    }
    if let Some(id) = ticket.context.receipt_id {
        offer("open_receipt_proof", "Open the receipt proof", "GET", format!("/v1/receipt/{id}/public"));
        offer("verify_receipt", "Verify the receipt", "GET", format!("/v1/receipt/{id}/verify"));
        if ticket.sends_mail && !ticket.closed {
            actions.push(TicketAction {
                id: "send_proof_link",
                label: "Mail the proof link to the buyer; name an email unless the invoice metadata has one",
                method: "POST",
                endpoint: format!("/v1/receipt/{id}/send-proof"),
                body: Some(json!({"ticket_id": ticket.ticket_id})),
            });
        }
    }
    actions
}
