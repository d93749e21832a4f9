//! Support tickets. Subjects and bodies are sealed.

use crate::vocab::{id::*, words::*};
use serde::{Deserialize, Serialize};

/// A ticket is opened (TR-24). Sealed beside it: the subject line and the body.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TicketOpened {
    pub ticket_id: TicketId,
    /// `hilt_ticket_…`.
    pub public_id: String,
    pub subject_id: SubjectId,
    pub message_id: MessageId,
    pub category: TicketCategory,
    pub author_type: AuthorType,
    pub context: TicketContext,
    /// The membership whose delivery it is the one open case of (INV-78).
    pub delivery_case_of: Option<MembershipId>,
}

/// What a ticket is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct TicketContext {
    pub payment_id: Option<PaymentId>,
    pub product_id: Option<ProductId>,
    pub membership_id: Option<MembershipId>,
    pub receipt_id: Option<ReceiptId>,
    pub entitlement_id: Option<EntitlementId>,
}

/// A message is added. Sealed beside it: its text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TicketMessageAdded {
    pub ticket_id: TicketId,
    pub message_id: MessageId,
    pub author_type: AuthorType,
}

/// Staff answered and wait for the merchant (TR-25).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TicketWaitingOnMerchant {
    pub ticket_id: TicketId,
}

/// Staff closed it, for good.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TicketClosed {
    pub ticket_id: TicketId,
    /// The membership that may have a new case now.
    pub delivery_case_of: Option<MembershipId>,
}

/// The merchant posted on a waiting ticket (TR-25).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TicketReopened {
    pub ticket_id: TicketId,
}
