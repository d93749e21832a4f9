//! Mail to buyers (RT-043, renewal reminders): queued, then tried until the mail server takes it or it is given up. Who gets it and
//! what it says is sealed.

mod text;

pub use text::{LONGEST_TEXT, address, one_line, text};

use crate::check::{is_code, rejections};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, MailFailed, MailQueued, MailSent},
        id::{MailId, MembershipId, ReceiptId, SubjectId},
        personal::Personal,
        stream::Fact,
        time::Timestamp,
        words::MailKind,
    },
};

/// Minutes from a failed attempt to the next one. After the last, the mail is given up.
pub const RETRY_MINUTES: [i64; 5] = [1, 5, 30, 120, 480];

/// A mail.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Mail {
    /// Not queued.
    #[default]
    Absent,
    /// To be tried.
    Due {
        /// What it is about.
        queued: MailQueued,
        /// How many attempts were made.
        attempts: u32,
        /// When the next one is due; at once before the first.
        next_attempt_at: Option<Timestamp>,
    },
    /// The mail server has it.
    Sent(MailQueued),
    /// Given up.
    GivenUp {
        /// What it was about.
        queued: MailQueued,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// What is asked of a mail.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Send it when you can.
    Queue(Box<Queue>),
    /// The mail server took it.
    RecordSent {
        /// At which attempt: 1, 2, 3 …
        attempt: u32,
    },
    /// The mail server did not, or could not be asked. One that is recorded already changes nothing.
    RecordFailed {
        /// Which attempt: 1, 2, 3 …
        attempt: u32,
        /// A stable code.
        reason: String,
        /// Whether another attempt would end the same way.
        permanent: bool,
        /// When it was made.
        now: Timestamp,
    },
}

/// See [`Command::Queue`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// Its id.
    pub mail_id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// Whose key seals address and text.
    pub subject_id: SubjectId,
    /// The receipt that it is about.
    pub receipt_id: Option<ReceiptId>,
    /// The membership that it is about.
    pub membership_id: Option<MembershipId>,
    /// To whom; see [`address`].
    pub to: String,
    /// The subject line; blanks and control characters in it become one blank.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
}

rejections! {
    /// Why a mail command is refused.
    pub enum Rejection {
        /// There is no such mail.
        NotFound = "mail_not_found", "there is no such mail";
        /// The id is in use for another mail.
        AlreadyExists = "already_exists", "the mail exists";
        /// The address cannot be one.
        InvalidAddress = "validation_failed", "email: must be an e-mail address";
        /// No subject line.
        SubjectRequired = "subject_required", "subject: is required";
        /// No text.
        TextRequired = "text_required", "text: is required";
        /// More than [`LONGEST_TEXT`] characters.
        TextTooLong = "text_too_long", "text: has at most 20000 characters";
        /// It was sent or given up.
        Closed = "mail_closed", "the mail is over";
        /// An attempt is missing before this one.
        OutOfOrder {
            /// The attempt that is next.
            next: u32,
        } = "attempt_out_of_order", "the next attempt is number {next}";
        /// The reason is not a stable code.
        ReasonNotACode = "reason_required", "reason: is a code of a-z, 0-9 and _";
    }
}

impl Decider for Mail {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use Mail::{Absent, Due, GivenUp, Sent};
        match (state, command) {
            (Absent, Command::Queue(queue)) => queue.fact().map(|fact| vec![fact]),
            (Due { queued, .. } | Sent(queued) | GivenUp { queued, .. }, Command::Queue(queue)) => match queue.event() == *queued {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (Absent, Command::RecordSent { .. } | Command::RecordFailed { .. }) => Err(Rejection::NotFound),

            // Even of an attempt that another process has recorded as failed: the mail is out.
            (Due { queued, attempts, .. }, Command::RecordSent { attempt }) => {
                in_order(*attempts, attempt)?;
                Ok(vec![MailSent { mail_id: queued.mail_id, attempt }.into()])
            }
            (Sent(_), Command::RecordSent { .. }) => Ok(vec![]),
            (GivenUp { .. }, Command::RecordSent { .. }) => Err(Rejection::Closed),

            (Due { attempts, .. } | GivenUp { attempts, .. }, Command::RecordFailed { attempt, .. })
                if (1..=*attempts).contains(&attempt) =>
            {
                Ok(vec![])
            }
            (Due { queued, attempts, .. }, Command::RecordFailed { attempt, reason, permanent, now }) => {
                in_order(*attempts, attempt)?;
                if reason.is_empty() || !is_code(&reason) {
                    return Err(Rejection::ReasonNotACode);
                }
                let retry_at = if permanent { None } else { retry_at(attempt, now) };
                Ok(vec![MailFailed { mail_id: queued.mail_id, attempt, reason, retry_at }.into()])
            }
            (Sent(_) | GivenUp { .. }, Command::RecordFailed { .. }) => Err(Rejection::Closed),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use Mail::{Absent, Due, GivenUp, Sent};
        match (state, event) {
            (Absent, Event::MailQueued(queued)) => Due { queued: queued.clone(), attempts: 0, next_attempt_at: None },
            (Due { queued, .. }, Event::MailSent(_)) => Sent(queued),
            (Due { queued, .. }, Event::MailFailed(failed)) => match failed.retry_at {
                Some(_) => Due { queued, attempts: failed.attempt, next_attempt_at: failed.retry_at },
                None => GivenUp { queued, attempts: failed.attempt },
            },
            (state, _) => state,
        }
    }
}

impl Queue {
    fn event(&self) -> MailQueued {
        MailQueued {
            mail_id: self.mail_id,
            kind: self.kind,
            subject_id: self.subject_id,
            receipt_id: self.receipt_id,
            membership_id: self.membership_id,
        }
    }

    fn fact(&self) -> Result<Fact, Rejection> {
        let email = address(&self.to).ok_or(Rejection::InvalidAddress)?;
        let subject = one_line(&self.subject);
        let text = text(&self.text);
        if subject.is_empty() {
            return Err(Rejection::SubjectRequired);
        }
        if text.is_empty() {
            return Err(Rejection::TextRequired);
        }
        if text.chars().count() > LONGEST_TEXT {
            return Err(Rejection::TextTooLong);
        }
        let personal = Personal { email: Some(email), subject: Some(subject), text: Some(text), ..Personal::default() };
        Ok(Fact::sealed(self.event(), self.subject_id, personal))
    }
}

fn in_order(made: u32, attempt: u32) -> Result<(), Rejection> {
    let next = made.saturating_add(1);
    if (1..=next).contains(&attempt) { Ok(()) } else { Err(Rejection::OutOfOrder { next }) }
}

fn retry_at(attempt: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = usize::try_from(attempt).ok()?.checked_sub(1).and_then(|index| RETRY_MINUTES.get(index))?;
    Some(now.plus_seconds(wait * 60))
}
