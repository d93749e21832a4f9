//! A payment for access that staff have closed. The money has arrived at the merchant's wallet: that is on record, and the receipt
//! stands. Access does not open by itself, no membership begins, and nothing is handed over; a support case says so, for people to
//! decide on.

use super::{Case, Records};
use crate::settle::{SettleError, rejected};
use events::{
    clock::{new_id, random_bytes},
    unit::Loaded,
    vocab::{
        event::TicketContext,
        id::TicketId,
        stream::{Category, StreamId},
        words::{AuthorType, TicketCategory},
    },
};
use ledger::{
    entitlement::Entitlement,
    payment_session::{self, PaymentSession},
    ticket::{self, Ticket},
};

/// The session's reason, when staff have closed its entitlement.
pub const ENTITLEMENT_CLOSED: &str = "entitlement_closed";

impl Case<'_> {
    pub(super) async fn keep_closed(&mut self, mut entitlement: Loaded<Entitlement>, records: Records) -> Result<(), SettleError> {
        let (cause, receipt_id) = (records.mapped_event, records.receipt.event.receipt_id);
        let Some(evidence) = self.evidence(records, None) else { return Err(SettleError::Inconsistent) };
        let bring = self.grant(&entitlement, evidence, None)?;
        let made = self.unit.decide(&mut entitlement, bring, Some(cause)).map_err(rejected!())?;
        let blocked = made.last().copied().unwrap_or(cause);
        if let Some(session) = self.session.as_mut().filter(|session| matches!(session.state, PaymentSession::Pending(_))) {
            let fail = payment_session::Command::Fail { reason: ENTITLEMENT_CLOSED.to_owned() };
            self.unit.decide(session, fail, Some(blocked)).map_err(rejected!())?;
        }
        let owner = self.payment.owner_id.ok_or(SettleError::Inconsistent)?;
        let public_id = ticket::public_id(random_bytes());
        let ticket_id = TicketId::of(owner, &public_id);
        let open = ticket::Open {
            ticket_id,
            public_id,
            subject_id: self.vault.subject_or_new(owner, Some(self.facts.subject_id)).await?,
            message_id: new_id(),
            category: TicketCategory::Billing,
            author_type: AuthorType::System,
            context: TicketContext {
                payment_id: Some(self.facts.payment_id),
                product_id: Some(self.facts.product_id),
                membership_id: None,
                receipt_id: Some(receipt_id),
                entitlement_id: self.facts.entitlement_id,
            },
            delivery_case_of: None,
            subject: "A payment came for access that was closed".to_owned(),
            body: format!(
                "The access that this payment is for was closed by staff ({}) before it was paid, and stays closed. The merchant has \
                 received the money and the receipt stands. Either the merchant refunds the buyer, or the buyer is let in by a new session \
                 or a gift.",
                entitlement.state.status()
            ),
        };
        let mut ticket = self.unit.start::<Ticket>(StreamId::new(Category::Ticket, ticket_id));
        self.unit.decide(&mut ticket, ticket::Command::Open(Box::new(open)), Some(blocked)).map_err(rejected!())?;
        Ok(())
    }
}
