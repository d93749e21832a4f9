//! Support tickets (OBJ-10, TR-24, TR-25, RT-045 to RT-049, INV-77, INV-78). What people write is sealed.

use crate::check::{line, rejections};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, TicketClosed, TicketContext, TicketMessageAdded, TicketOpened, TicketReopened, TicketWaitingOnMerchant},
        id::{MembershipId, MessageId, SubjectId, TicketId},
        personal::Personal,
        stream::Fact,
        words::{AuthorType, TicketCategory},
    },
};

/// A support ticket.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Ticket {
    /// Not opened.
    #[default]
    Absent,
    /// Waits for Hilt.
    Open(Thread),
    /// Waits for the merchant.
    WaitingOnMerchant(Thread),
    /// Over, for good.
    Closed(Thread),
}

/// What is known of a ticket's messages without reading them.
#[derive(Clone, PartialEq, Debug)]
pub struct Thread {
    /// The ticket.
    pub ticket_id: TicketId,
    /// `hilt_ticket_…`.
    pub public_id: String,
    /// Whose key seals the messages.
    pub subject_id: SubjectId,
    /// The membership whose delivery it is the one open case of.
    pub delivery_case_of: Option<MembershipId>,
    /// The messages so far.
    pub messages: Vec<MessageId>,
}

/// What is asked of a ticket.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Open it.
    Open(Box<Open>),
    /// Write on it. A merchant who writes on a waiting ticket reopens it.
    AddMessage {
        /// The message's id; the same one again changes nothing.
        message_id: MessageId,
        /// Who writes.
        author_type: AuthorType,
        /// Whose key seals it: the thread's own person, while he is not erased.
        subject_id: SubjectId,
        /// What he writes.
        body: String,
    },
    /// Staff has answered and waits.
    WaitOnMerchant,
    /// Staff ends it.
    Close,
}

/// See [`Command::Open`].
#[derive(Clone, PartialEq, Debug)]
pub struct Open {
    /// Its id.
    pub ticket_id: TicketId,
    /// `hilt_ticket_…`.
    pub public_id: String,
    /// Whose key seals the messages.
    pub subject_id: SubjectId,
    /// The first message's id.
    pub message_id: MessageId,
    /// Its category.
    pub category: TicketCategory,
    /// Who writes.
    pub author_type: AuthorType,
    /// What it is about.
    pub context: TicketContext,
    /// The membership whose delivery it is about. A membership has one open case at a time: the append of a second one fails by claim.
    pub delivery_case_of: Option<MembershipId>,
    /// Its subject line.
    pub subject: String,
    /// The first message.
    pub body: String,
}

/// The name that merchants know a ticket by, made of random bytes.
pub fn public_id(random: [u8; 10]) -> String {
    format!("hilt_ticket_{}", URL_SAFE_NO_PAD.encode(random))
}

/// The shortest message, in characters, blanks around it not counted.
pub const SHORTEST_MESSAGE: usize = 10;
/// The longest message, likewise.
pub const LONGEST_MESSAGE: usize = 20_000;

rejections! {
    /// Why a ticket command is refused.
    pub enum Rejection {
        /// There is no such ticket.
        NotFound = "ticket_not_found", "there is no such ticket";
        /// It is over.
        Closed = "ticket_closed", "the ticket is closed";
        /// No subject line.
        SubjectRequired = "subject_required", "subject: is required";
        /// More than a line, or a long one.
        SubjectInvalid = "validation_failed", "subject: is one line of at most 200 characters";
        /// Fewer than ten characters.
        MessageTooShort = "message_too_short", "body: needs at least 10 characters";
        /// More than a person reads.
        MessageTooLong = "text_too_long", "body: has at most 20000 characters";
        /// The id is in use for another ticket.
        AlreadyExists = "already_exists", "the ticket exists";
    }
}

impl Decider for Ticket {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Ticket::{Absent, Closed, WaitingOnMerchant};
        match (state, command) {
            (Absent, Command::Open(open)) => open.fact().map(|fact| vec![fact]),
            (Ticket::Open(thread) | WaitingOnMerchant(thread) | Closed(thread), Command::Open(open)) => {
                let repeated = thread.messages.first() == Some(&open.message_id);
                open.fact()?;
                match repeated {
                    true => Ok(vec![]),
                    false => Err(Rejection::AlreadyExists),
                }
            }
            (Absent, Command::AddMessage { .. } | Command::WaitOnMerchant | Command::Close) => Err(Rejection::NotFound),

            (Ticket::Open(thread), Command::AddMessage { message_id, author_type, subject_id, body }) => {
                message(thread, message_id, author_type, (subject_id, &body))
            }
            (WaitingOnMerchant(thread), Command::AddMessage { message_id, author_type, subject_id, body }) => {
                let mut facts = message(thread, message_id, author_type, (subject_id, &body))?;
                if author_type == AuthorType::Merchant && !facts.is_empty() {
                    facts.push(TicketReopened { ticket_id: thread.ticket_id }.into());
                }
                Ok(facts)
            }
            (Closed(thread), Command::AddMessage { message_id, .. }) if thread.messages.contains(&message_id) => Ok(vec![]),
            (Closed(_), Command::AddMessage { .. } | Command::WaitOnMerchant) => Err(Rejection::Closed),

            (Ticket::Open(thread), Command::WaitOnMerchant) => Ok(vec![TicketWaitingOnMerchant { ticket_id: thread.ticket_id }.into()]),
            (WaitingOnMerchant(_), Command::WaitOnMerchant) => Ok(vec![]),

            (Ticket::Open(thread) | WaitingOnMerchant(thread), Command::Close) => {
                Ok(vec![TicketClosed { ticket_id: thread.ticket_id, delivery_case_of: thread.delivery_case_of }.into()])
            }
            (Closed(_), Command::Close) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Ticket::Absent, Event::TicketOpened(opened)) => Ticket::Open(Thread {
                public_id: opened.public_id.clone(),
                ticket_id: opened.ticket_id,
                subject_id: opened.subject_id,
                delivery_case_of: opened.delivery_case_of,
                messages: vec![opened.message_id],
            }),
            (Ticket::Open(thread), Event::TicketMessageAdded(added)) => Ticket::Open(thread.with(added.message_id)),
            (Ticket::WaitingOnMerchant(thread), Event::TicketMessageAdded(added)) => {
                Ticket::WaitingOnMerchant(thread.with(added.message_id))
            }
            (Ticket::Open(thread), Event::TicketWaitingOnMerchant(_)) => Ticket::WaitingOnMerchant(thread),
            (Ticket::WaitingOnMerchant(thread), Event::TicketReopened(_)) => Ticket::Open(thread),
            (Ticket::Open(thread) | Ticket::WaitingOnMerchant(thread), Event::TicketClosed(_)) => Ticket::Closed(thread),
            (state, _) => state,
        }
    }
}

impl Ticket {
    /// The contract's word (OBJ-10).
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Ticket::Absent => None,
            Ticket::Open(_) => Some("OPEN"),
            Ticket::WaitingOnMerchant(_) => Some("WAITING_ON_MERCHANT"),
            Ticket::Closed(_) => Some("CLOSED"),
        }
    }

    /// Its messages; `None` before it is opened.
    pub fn thread(&self) -> Option<&Thread> {
        match self {
            Ticket::Absent => None,
            Ticket::Open(thread) | Ticket::WaitingOnMerchant(thread) | Ticket::Closed(thread) => Some(thread),
        }
    }
}

impl Thread {
    fn with(mut self, message: MessageId) -> Self {
        self.messages.push(message);
        self
    }
}

impl Open {
    fn fact(self) -> Result<Fact, Rejection> {
        let subject = line(Some(&self.subject), 200).map_err(|_| Rejection::SubjectInvalid)?.ok_or(Rejection::SubjectRequired)?;
        let text = checked(&self.body)?;
        let opened = TicketOpened {
            ticket_id: self.ticket_id,
            public_id: self.public_id,
            subject_id: self.subject_id,
            message_id: self.message_id,
            category: self.category,
            author_type: self.author_type,
            context: self.context,
            delivery_case_of: self.delivery_case_of,
        };
        Ok(Fact::sealed(opened, self.subject_id, Personal { subject: Some(subject), text: Some(text), ..Personal::default() }))
    }
}

fn message(
    thread: &Thread,
    message_id: MessageId,
    author_type: AuthorType,
    (subject_id, body): (SubjectId, &str),
) -> Result<Vec<Fact>, Rejection> {
    let text = checked(body)?;
    if thread.messages.contains(&message_id) {
        return Ok(vec![]);
    }
    let added = TicketMessageAdded { ticket_id: thread.ticket_id, message_id, author_type };
    Ok(vec![Fact::sealed(added, subject_id, Personal { text: Some(text), ..Personal::default() })])
}

fn checked(body: &str) -> Result<String, Rejection> {
    let text = body.trim();
    match text.chars().count() {
        ..SHORTEST_MESSAGE => Err(Rejection::MessageTooShort),
        SHORTEST_MESSAGE..=LONGEST_MESSAGE => Ok(text.to_owned()),
        _ => Err(Rejection::MessageTooLong),
    }
}
