//! Support tickets (OBJ-10): RT-045..049.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType, TicketContext},
    id::{MessageId, SubjectId},
    time::Timestamp,
    words::{AuthorType, TicketCategory},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Tickets;

/// A row of `tickets`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Everyone whose personal data the row holds.
    pub subject_ids: Vec<SubjectId>,
    /// Its public name.
    pub public_id: String,
    /// OPEN, WAITING_ON_MERCHANT or CLOSED.
    pub status: TicketStatus,
    /// What it is about.
    pub category: TicketCategory,
    /// Subject line. Personal.
    pub subject: Option<String>,
    /// What it is linked to.
    pub context: TicketContext,
    /// Every message, in order; texts are personal.
    pub messages: Vec<Message>,
}

impl Row for Ticket {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
    fn subjects(&self) -> Vec<SubjectId> {
        self.subject_ids.clone()
    }
}

impl Projection for Tickets {
    const NAME: &'static str = "tickets";
    const VERSION: i32 = 2;
    const PERSONAL: bool = true;
    const PERSONAL_FIELDS: &'static [&'static str] = &["subject", "messages[].body"];
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Ticket;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::TicketOpened(e) => Keys::row(e.ticket_id),
            Event::TicketMessageAdded(e) => Keys::row(e.ticket_id),
            Event::TicketWaitingOnMerchant(e) => Keys::row(e.ticket_id),
            Event::TicketReopened(e) => Keys::row(e.ticket_id),
            Event::TicketClosed(e) => Keys::row(e.ticket_id),
            Event::SubjectErased(e) => Keys::subject(e.subject_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Ticket>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::TicketOpened(e) => rows.insert(
                event,
                Ticket {
                    meta: event.meta(e.ticket_id, Some(e.subject_id)),
                    subject_ids: vec![e.subject_id],
                    public_id: e.public_id.clone(),
                    status: TicketStatus::Open,
                    category: e.category,
                    subject: event.personal(|p| &p.subject),
                    context: e.context,
                    messages: vec![Message::of(event, e.message_id, e.author_type)],
                },
            ),
            Event::TicketMessageAdded(e) => rows.update(event, e.ticket_id, |row| {
                let message = Message::of(event, e.message_id, e.author_type);
                if let Some(subject) = message.subject_id
                    && !row.subject_ids.contains(&subject)
                {
                    row.subject_ids.push(subject);
                }
                row.messages.push(message);
            }),
            Event::TicketWaitingOnMerchant(e) => rows.update(event, e.ticket_id, |row| row.status = TicketStatus::WaitingOnMerchant),
            Event::TicketReopened(e) => rows.update(event, e.ticket_id, |row| row.status = TicketStatus::Open),
            Event::TicketClosed(e) => rows.update(event, e.ticket_id, |row| row.status = TicketStatus::Closed),
            Event::SubjectErased(e) => {
                rows.update_subject(event, e.subject_id, |row| {
                    if row.meta.subject_id == Some(e.subject_id) {
                        row.subject = None;
                    }
                    for message in row.messages.iter_mut().filter(|message| message.subject_id == Some(e.subject_id)) {
                        message.body = None;
                    }
                });
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Whose turn it is.
    pub enum TicketStatus {
        /// Staff's.
        Open = "OPEN",
        /// The merchant's.
        WaitingOnMerchant = "WAITING_ON_MERCHANT",
        /// Nobody's: it is over.
        Closed = "CLOSED",
    }
}

/// One message of a thread.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub message_id: MessageId,
    /// Who wrote it.
    pub author_type: AuthorType,
    /// Its text; `None` after the person is erased.
    pub body: Option<String>,
    /// With whose key the text is sealed.
    pub subject_id: Option<SubjectId>,
    /// When.
    pub created_at: Timestamp,
}

impl Message {
    fn of(event: &Applied<'_>, message_id: MessageId, author_type: AuthorType) -> Self {
        Message {
            message_id,
            author_type,
            body: event.personal(|p| &p.text),
            subject_id: event.recorded.envelope.subject_id,
            created_at: event.recorded_at(),
        }
    }
}
