//! A mail as bytes: from one queued mail always the same ones.

use events::vocab::{id::MailId, time::Timestamp};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use std::{fmt::Write as _, str::FromStr};

/// Who the mails are from: `Name <name@host.tld>` or an address alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender(Mailbox);

/// The text is not a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a sender is an e-mail address, or a name and an address in angle brackets")]
pub struct NotASender;

impl FromStr for Sender {
    type Err = NotASender;

    fn from_str(text: &str) -> Result<Self, NotASender> {
        let mailbox: Mailbox = text.parse().map_err(|_| NotASender)?;
        let plain = ledger::mail::address(mailbox.email.as_ref()).is_some() && !text.contains(char::is_control);
        if plain { Ok(Sender(mailbox)) } else { Err(NotASender) }
    }
}

impl Sender {
    /// The part after the `@`.
    pub(super) fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// What a queued mail says, opened.
pub(super) struct Letter {
    pub mail_id: MailId,
    pub queued_at: Timestamp,
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Letter {
    /// The message; `None` if a mail server would not understand its address.
    pub fn message(&self, from: &Sender) -> Option<Message> {
        // Ours was checked when it was queued; what was sealed long ago is checked again before it meets a header.
        let to: Address = ledger::mail::address(&self.to)?.parse().ok()?;
        let boundary = format!("hilt-{}", self.mail_id.0.simple());
        let parts = MultiPart::alternative()
            .boundary(boundary)
            .singlepart(SinglePart::plain(self.text.clone()))
            .singlepart(SinglePart::html(html(&self.text)));
        Message::builder()
            .from(from.0.clone())
            .to(Mailbox::new(None, to))
            .subject(ledger::mail::one_line(&self.subject))
            .date(self.queued_at.datetime().into())
            .message_id(Some(format!("<{}@{}>", self.mail_id, from.domain())))
            // RFC 3834: nobody's absence is told to a machine.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(parts)
            .ok()
    }
}

/// The text as HTML: paragraphs, quotations, and a link wherever a line is one.
fn html(text: &str) -> String {
    let mut page = String::from("<!doctype html>\n<html><head><meta charset=\"utf-8\"></head><body>\n");
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let quoted = paragraph.lines().all(|line| line.starts_with("> "));
        let lines: Vec<_> = paragraph.lines().map(|line| if quoted { escaped(&line[2..]) } else { linked(line) }).collect();
        let element = if quoted { "blockquote" } else { "p" };
        // Writing to a String does not fail.
        let _ = writeln!(page, "<{element}>{}</{element}>", lines.join("<br>\n"));
    }
    page.push_str("</body></html>\n");
    page
}

fn linked(line: &str) -> String {
    let link = (line.starts_with("https://") || line.starts_with("http://")) && !line.contains(char::is_whitespace);
    let text = escaped(line);
    if link { format!("<a href=\"{text}\">{text}</a>") } else { text }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn letter(to: &str, subject: &str, text: &str) -> Letter {
        Letter {
            mail_id: MailId(Uuid::from_u128(7)),
            queued_at: Timestamp::from_micros(1_800_000_000_000_000),
            to: to.into(),
            subject: subject.into(),
            text: text.into(),
        }
    }
    fn sender() -> Sender {
        "Hilt, Receipts <receipts@hilt.example>".parse().unwrap_or_else(|_| "\"Hilt, Receipts\" <receipts@hilt.example>".parse().unwrap())
    }
    fn formatted(letter: &Letter) -> String {
        String::from_utf8(letter.message(&sender()).unwrap().formatted()).unwrap()
    }

    #[test]
    fn the_same_mail_is_the_same_bytes() {
        let one = letter("buyer@example.com", "Ünïcode", "One\n\nTwo");
        assert_eq!(formatted(&one), formatted(&one));
        let text = formatted(&one);
        assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@hilt.example>\r\n"), "{text}");
        assert!(text.contains("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
    }

    #[test]
    fn nothing_in_a_mail_adds_a_header() {
        let hostile = letter("buyer@example.com", "Hi\r\nBcc: thief@example.com", "Text\r\nBcc: thief@example.com");
        let text = formatted(&hostile);
        let headers = text.split("\r\n\r\n").next().unwrap();
        assert!(!headers.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{headers}");
        assert!(letter("buyer@example.com\r\nBcc: thief@example.com", "Hi", "Text").message(&sender()).is_none());
    }

    #[test]
    fn markup_of_others_stays_text() {
        let page = html("See <b>&\"'\nhttps://hilt.example/r/1?a=1&b=2\n\n> https://evil.example/\n> <script>");
        assert!(page.contains("See &lt;b&gt;&amp;&quot;&#39;<br>"), "{page}");
        assert!(page.contains("<a href=\"https://hilt.example/r/1?a=1&amp;b=2\">"), "{page}");
        assert!(page.contains("<blockquote>https://evil.example/<br>\n&lt;script&gt;</blockquote>"), "{page}");
    }

    #[test]
    fn a_sender_is_an_address() {
        for good in ["receipts@hilt.example", "Hilt <receipts@hilt.example>"] {
            assert!(good.parse::<Sender>().is_ok(), "{good}");
        }
        for bad in ["", "Hilt", "Hilt <receipts>", "a@b.example, c@d.example", "Hilt <a@b.example>\r\nBcc: c@d.example"] {
            assert_eq!(bad.parse::<Sender>(), Err(NotASender), "{bad:?}");
        }
    }
}
