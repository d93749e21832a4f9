use super::*;
use crate::testkit::Sample;

#[test]
fn a_thread_holds_its_messages_and_whose_turn_it_is() {
    let sample = Sample::new();
    let rows = sample.fold::<Tickets>(&sample.events());
    let ticket = rows.get(sample.ticket).unwrap();
    assert_eq!((ticket.status, ticket.messages.len()), (TicketStatus::WaitingOnMerchant, 2));
    assert_eq!(ticket.messages[1].body.as_deref(), Some("We look into it."));
}

#[test]
fn a_closed_ticket_stays_closed() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.closed());
    assert_eq!(sample.fold::<Tickets>(&events).get(sample.ticket).unwrap().status, TicketStatus::Closed);
}

#[test]
fn erasure_leaves_the_thread_without_its_texts() {
    let sample = Sample::new();
    let mut events = sample.events();
    events.push(sample.erased());
    let rows = sample.fold::<Tickets>(&events);
    let ticket = rows.get(sample.ticket).unwrap();
    assert!(ticket.subject.is_none() && ticket.messages.iter().all(|message| message.body.is_none()));
}
