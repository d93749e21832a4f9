//! Mail to buyers: [`queue`] puts one into a unit of work, with what it is about; the [`Mailer`] sends it by SMTP.
//!
//! A mail is sent at least once, with the same `Message-ID` each time, and its outcome is recorded once. What it says is read from the
//! log and opened at the moment of sending; neither the read model nor any log line holds it.

mod letter;
mod mailer;
mod queue;
mod smtp;

pub use letter::{NotASender, Sender};
pub use mailer::{MailError, Mailer};
pub use queue::queue;
pub use smtp::{NotAMailServer, Smtp};
