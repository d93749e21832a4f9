//! Queueing a mail beside what it tells of.

use events::{
    unit::Unit,
    vocab::{
        id::EventId,
        stream::{Category, StreamId},
    },
};
use ledger::mail::{Command, Mail, Queue, Rejection};

/// Adds a mail to `unit`, so that it is queued exactly when the rest of the unit is on record; returns the event that queues it.
/// Its id is the caller's: the same id a second time is a conflict of the append, so a worker that derives it mails once.
pub fn queue(unit: &mut Unit<'_>, mail: Queue, cause: Option<EventId>) -> Result<Option<EventId>, Rejection> {
    let mut stream = unit.start::<Mail>(StreamId::new(Category::Mail, mail.mail_id));
    Ok(unit.decide(&mut stream, Command::Queue(Box::new(mail)), cause)?.first().copied())
}
