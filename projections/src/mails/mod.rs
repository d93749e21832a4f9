//! Mails: the queue that the mailer reads. Addresses and texts are not in it; the mailer reads them, sealed, from the log.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use crate::words::words;
use events::vocab::{
    event::{Event, EventType},
    id::{MembershipId, ReceiptId},
    time::Timestamp,
    words::MailKind,
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Mails;

/// A row of `mails`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// What it is about.
    pub kind: MailKind,
    /// The receipt that it is about.
    pub receipt_id: Option<ReceiptId>,
    /// The membership that it is about.
    pub membership_id: Option<MembershipId>,
    /// QUEUED, SENT or FAILED.
    pub status: MailStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed, as a stable code.
    pub last_error: Option<String>,
    /// When it is tried next; null once it is sent or given up.
    pub next_attempt_at: Option<Timestamp>,
}

impl Row for Mail {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Mails {
    const NAME: &'static str = "mails";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Mail;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::MailQueued(e) => Keys::row(e.mail_id),
            Event::MailSent(e) => Keys::row(e.mail_id),
            Event::MailFailed(e) => Keys::row(e.mail_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Mail>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::MailQueued(e) => rows.insert(
                event,
                Mail {
                    meta: event.meta(e.mail_id, Some(e.subject_id)),
                    kind: e.kind,
                    receipt_id: e.receipt_id,
                    membership_id: e.membership_id,
                    status: MailStatus::Queued,
                    attempts: 0,
                    last_error: None,
                    next_attempt_at: Some(event.recorded_at()),
                },
            ),
            Event::MailSent(e) => rows.update(event, e.mail_id, |row| {
                row.status = MailStatus::Sent;
                row.attempts = row.attempts.max(e.attempt);
                row.next_attempt_at = None;
            }),
            Event::MailFailed(e) => rows.update(event, e.mail_id, |row| {
                row.status = if e.retry_at.is_some() { MailStatus::Queued } else { MailStatus::Failed };
                row.attempts = e.attempt;
                row.last_error = Some(e.reason.clone());
                row.next_attempt_at = e.retry_at;
            }),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

words! {
    /// Where a mail stands.
    pub enum MailStatus {
        /// To be tried, now or later.
        Queued = "QUEUED",
        /// The mail server has it.
        Sent = "SENT",
        /// Given up.
        Failed = "FAILED",
    }
}
