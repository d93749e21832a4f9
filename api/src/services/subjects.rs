//! Whose personal data a stream is about.

use crate::http::{problem::Problem, rejection};
use events::{
    log::Log,
    vocab::{event::Event, id::SubjectId, stream::StreamId},
};

/// The buyers that a stream names, the first named first.
pub async fn of_stream(log: &Log, stream: StreamId) -> Result<Vec<SubjectId>, Problem> {
    let mut found = Vec::new();
    for recorded in log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))? {
        let event = recorded.decode().map_err(|error| Problem::internal(&error, "read a stream"))?;
        for subject in [named(&event), recorded.envelope.subject_id].into_iter().flatten() {
            if !found.contains(&subject) {
                found.push(subject);
            }
        }
    }
    Ok(found)
}

/// The buyer that an event names.
fn named(event: &Event) -> Option<SubjectId> {
    match event {
        Event::PaymentSessionCreated(e) => Some(e.subject_id),
        Event::SandboxSessionCreated(e) => Some(e.subject_id),
        Event::EntitlementPended(e) => Some(e.subject_id),
        Event::PaymentCreated(e) => Some(e.subject_id),
        Event::IdentitySessionStarted(e) => Some(e.subject_id),
        Event::HandoffIssued(e) => Some(e.subject_id),
        Event::MembershipActivated(e) => Some(e.subject_id),
        Event::DeliveryRequested(e) => Some(e.subject_id),
        Event::ReceiptCreated(e) => e.subject_id,
        Event::MailQueued(e) => Some(e.subject_id),
        Event::TicketOpened(e) => Some(e.subject_id),
        _ => None,
    }
}
