use super::samples::*;
use crate::{
    spec::given,
    ticket::{Command, Open, Rejection, Ticket},
};
use events::vocab::{
    event::*,
    words::{AuthorType, TicketCategory},
};

fn open(subject: &str, body: &str) -> Command {
    Command::Open(Box::new(opening(subject, body)))
}
fn opening(subject: &str, body: &str) -> Open {
    Open {
        ticket_id: id(80),
        public_id: "hilt_ticket_abc".into(),
        subject_id: id(7),
        message_id: id(81),
        category: TicketCategory::Other,
        author_type: AuthorType::Merchant,
        context: TicketContext::default(),
        delivery_case_of: None,
        subject: subject.into(),
        body: body.into(),
    }
}
fn write(message: u128, author_type: AuthorType, body: &str) -> Command {
    Command::AddMessage { message_id: id(message), author_type, subject_id: id(7), body: body.into() }
}
fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().as_str()).collect()
}
const BODY: &str = "The invite did not arrive.";

#[test]
fn what_people_write_is_sealed() {
    let facts = given::<Ticket>([]).when(open("Access", BODY)).facts();
    let (subject, personal) = facts[0].personal.clone().unwrap();
    assert_eq!((subject, personal.subject.as_deref(), personal.text.as_deref()), (id(7), Some("Access"), Some(BODY)));
    assert!(!format!("{:?}", facts[0].event).contains("invite"));
}

#[test]
fn rejections_of_a_ticket_in_order_of_precedence() {
    let ticket = given::<Ticket>([]);
    ticket.when(write(82, AuthorType::Merchant, "")).refused(Rejection::NotFound);
    ticket.when(Command::WaitOnMerchant).refused(Rejection::NotFound);
    ticket.when(Command::Close).refused(Rejection::NotFound);
    ticket.when(open(" ", "hi")).refused(Rejection::SubjectRequired);
    ticket.when(open("two\nlines", "hi")).refused(Rejection::SubjectInvalid);
    ticket.when(open(&"x".repeat(201), "hi")).refused(Rejection::SubjectInvalid);
    ticket.when(open("Access", &"x".repeat(20_001))).refused(Rejection::MessageTooLong);
    ticket.when(open("Access", "  123456789  ")).refused(Rejection::MessageTooShort);
    // Ten characters, not ten bytes.
    assert_eq!(ticket.when(open("Access", "ääääääääää")).events().len(), 1);
    ticket.when(open("Access", "äääääääää")).refused(Rejection::MessageTooShort);
}

#[test]
fn a_merchant_who_writes_on_a_waiting_ticket_reopens_it() {
    let opened = given::<Ticket>([]).when(open("Access", BODY)).events();
    given::<Ticket>(&opened).when(open("Access", BODY)).nothing();
    let waiting = [opened.clone(), given::<Ticket>(&opened).when(Command::WaitOnMerchant).events()].concat();
    let ticket = given::<Ticket>(&waiting);
    ticket.when(Command::WaitOnMerchant).nothing();
    assert_eq!(types(&ticket.when(write(82, AuthorType::Merchant, BODY)).events()), ["ticket.message_added", "ticket.reopened"]);
    assert_eq!(types(&ticket.when(write(82, AuthorType::Buyer, BODY)).events()), ["ticket.message_added"]);
    ticket.when(write(82, AuthorType::Merchant, "hi")).refused(Rejection::MessageTooShort);
    ticket.when(write(81, AuthorType::Merchant, BODY)).nothing();
    assert_eq!(types(&given::<Ticket>(&opened).when(write(82, AuthorType::Merchant, BODY)).events()), ["ticket.message_added"]);
}

#[test]
fn a_closed_ticket_stays_closed() {
    let opened = given::<Ticket>([]).when(open("Access", BODY)).events();
    let waiting = [opened.clone(), given::<Ticket>(&opened).when(Command::WaitOnMerchant).events()].concat();
    for before in [opened, waiting] {
        let closed = [before.clone(), given::<Ticket>(&before).when(Command::Close).events()].concat();
        let ticket = given::<Ticket>(&closed);
        for author_type in [AuthorType::Merchant, AuthorType::Buyer, AuthorType::Staff] {
            ticket.when(write(82, author_type, BODY)).refused(Rejection::Closed);
        }
        ticket.when(Command::WaitOnMerchant).refused(Rejection::Closed);
        // What was done before the end may be repeated after it.
        ticket.when(Command::Close).nothing();
        ticket.when(write(81, AuthorType::Merchant, BODY)).nothing();
        ticket.when(open("Access", BODY)).nothing();
        // Even an event that cannot follow leaves it closed.
        let reopened = [closed, vec![TicketReopened { ticket_id: id(80) }.into()]].concat();
        given::<Ticket>(&reopened).when(write(82, AuthorType::Merchant, BODY)).refused(Rejection::Closed);
    }
}

#[test]
fn closing_a_delivery_case_gives_its_membership_back() {
    let case = Open { delivery_case_of: Some(id(90)), ..opening("Delivery", BODY) };
    let opened = given::<Ticket>([]).when(Command::Open(Box::new(case))).events();
    assert!(matches!(&opened[..], [Event::TicketOpened(opened)] if opened.delivery_case_of == Some(id(90))));
    let closed = given::<Ticket>(&opened).when(Command::Close).events();
    assert_eq!(closed, [TicketClosed { ticket_id: id(80), delivery_case_of: Some(id(90)) }.into()]);
}
