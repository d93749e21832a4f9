use super::samples::*;
use crate::{
    mail::{Command, LONGEST_TEXT, Mail, Queue, RETRY_MINUTES, Rejection, address, one_line},
    spec::given,
};
use events::vocab::{event::*, words::MailKind};

fn queue() -> Queue {
    Queue {
        mail_id: id(1),
        kind: MailKind::ReceiptProof,
        subject_id: id(2),
        receipt_id: Some(id(3)),
        membership_id: None,
        to: "buyer@example.com".into(),
        subject: "Your receipt".into(),
        text: "Here it is.".into(),
    }
}
fn with(change: impl FnOnce(&mut Queue)) -> Command {
    let mut asked = queue();
    change(&mut asked);
    Command::Queue(Box::new(asked))
}
fn failed(attempt: u32, permanent: bool) -> Command {
    Command::RecordFailed { attempt, reason: "smtp_451".into(), permanent, now: at(0) }
}
fn queued() -> Vec<Event> {
    given::<Mail>([]).when(with(|_| ())).events()
}

#[test]
fn address_and_text_are_sealed_and_nowhere_else() {
    let facts = given::<Mail>([]).when(with(|mail| mail.to = " Buyer.One@Example.COM ".into())).facts();
    let (subject, personal) = facts[0].personal.clone().unwrap();
    assert_eq!((subject, personal.email.as_deref()), (id(2), Some("Buyer.One@example.com")));
    assert_eq!((personal.subject.as_deref(), personal.text.as_deref()), (Some("Your receipt"), Some("Here it is.")));
    let shown = format!("{:?}", facts[0].event);
    assert!(!shown.contains('@') && !shown.contains("Here"), "{shown}");
}

#[test]
fn rejections_of_a_mail_in_order_of_precedence() {
    let mail = given::<Mail>([]);
    mail.when(Command::RecordSent { attempt: 1 }).refused(Rejection::NotFound);
    mail.when(failed(1, false)).refused(Rejection::NotFound);
    let everything = |mail: &mut Queue| (mail.to, mail.subject, mail.text) = ("nobody".into(), " ".into(), " ".into());
    mail.when(with(everything)).refused(Rejection::InvalidAddress);
    mail.when(with(|mail| (mail.subject, mail.text) = ("\r\n".into(), " ".into()))).refused(Rejection::SubjectRequired);
    mail.when(with(|mail| mail.text = " \n ".into())).refused(Rejection::TextRequired);
    mail.when(with(|mail| mail.text = "x".repeat(LONGEST_TEXT + 1))).refused(Rejection::TextTooLong);
    let queued = queued();
    let mail = given::<Mail>(&queued);
    mail.when(with(|_| ())).nothing();
    mail.when(with(|mail| mail.receipt_id = None)).refused(Rejection::AlreadyExists);
    mail.when(failed(2, false)).refused(Rejection::OutOfOrder { next: 1 });
    mail.when(failed(0, false)).refused(Rejection::OutOfOrder { next: 1 });
    let text = |reason: &str| Command::RecordFailed { attempt: 1, reason: reason.into(), permanent: false, now: at(0) };
    for reason in ["", "550 buyer@example.com unknown"] {
        mail.when(text(reason)).refused(Rejection::ReasonNotACode);
    }
}

#[test]
fn a_mail_is_tried_six_times_and_then_given_up() {
    let mut events = queued();
    let mut waits = Vec::new();
    for attempt in 1..=6 {
        let made = given::<Mail>(&events).when(failed(attempt, false)).events();
        let [Event::MailFailed(failed)] = &made[..] else { panic!("{made:?}") };
        waits.push(failed.retry_at.map(|retry| retry.seconds() - at(0).seconds()));
        events.extend(made);
    }
    let expected: Vec<_> = RETRY_MINUTES.iter().map(|minutes| Some(minutes * 60)).chain([None]).collect();
    assert_eq!((waits, RETRY_MINUTES), (expected, [1, 5, 30, 120, 480]));
    let mail = given::<Mail>(&events);
    mail.when(failed(7, false)).refused(Rejection::Closed);
    mail.when(Command::RecordSent { attempt: 6 }).refused(Rejection::Closed);
    mail.when(failed(6, true)).nothing();
}

#[test]
fn what_would_fail_again_is_given_up_at_once() {
    let mut events = queued();
    events.extend(given::<Mail>(&events).when(failed(1, true)).events());
    assert!(matches!(&events[1], Event::MailFailed(failed) if failed.retry_at.is_none()));
    given::<Mail>(&events).when(failed(2, false)).refused(Rejection::Closed);
}

#[test]
fn an_outcome_counts_once() {
    let mut events = queued();
    events.extend(given::<Mail>(&events).when(failed(1, false)).events());
    given::<Mail>(&events).when(failed(1, true)).nothing();
    given::<Mail>(&events).when(failed(3, false)).refused(Rejection::OutOfOrder { next: 2 });
    // Two processes tried at the same time; one of them got through.
    let sent = given::<Mail>(&events).when(Command::RecordSent { attempt: 1 }).events();
    assert_eq!(sent, [MailSent { mail_id: id(1), attempt: 1 }.into()]);
    events.extend(sent);
    let mail = given::<Mail>(&events);
    mail.when(Command::RecordSent { attempt: 2 }).nothing();
    mail.when(failed(2, false)).refused(Rejection::Closed);
}

#[test]
fn only_addresses_that_every_server_takes() {
    for good in ["a@b.io", "first.last+tag@sub.example.com", "o'brien@example.ie", "x@xn--mnchen-3ya.de"] {
        assert_eq!(address(good).as_deref(), Some(good));
    }
    let long = format!("{}@example.com", "a".repeat(65));
    for bad in [
        "",
        "@",
        "a@",
        "@b.io",
        "a@b",
        "a b@c.io",
        "a@b.io\r\nBcc: c@d.io",
        "a@b..io",
        "a..b@c.io",
        ".a@b.io",
        "a.@b.io",
        "a@-b.io",
        "a@b-.io",
        "\"a b\"@c.io",
        "<a@b.io>",
        "a@b.io, c@d.io",
        "a@b@c.io",
        "ä@b.io",
        "a@münchen.de",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@b.io>",
        "a\0@b.io",
        &long,
    ] {
        assert_eq!(address(bad), None, "{bad:?}");
    }
}

#[test]
fn a_subject_line_is_one_line() {
    assert_eq!(one_line("Receipt\r\nBcc: thief@example.com\r\n\r\n"), "Receipt Bcc: thief@example.com");
    assert_eq!(one_line("\u{0}Ünïcode\u{85} 領収書\t"), "Ünïcode 領収書");
    let facts = given::<Mail>([]).when(with(|mail| mail.text = "One\r\nTwo\u{0}\u{1b}\rThree\n".into())).facts();
    assert_eq!(facts[0].personal.clone().unwrap().1.text.as_deref(), Some("One\nTwo\nThree"));
}
