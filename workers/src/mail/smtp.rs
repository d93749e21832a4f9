//! The mail server: handing one message over, and what its answer means.

use super::letter::{Letter, Sender};
use lettre::{
    SmtpTransport, Transport as _,
    transport::smtp::{Error, extension::ClientId, response::Severity},
};
use std::{fmt, time::Duration};
use url::Url;

/// How long the server may take for one command.
const COMMAND: Duration = Duration::from_secs(15);
/// How long one mail may take in all.
const WHOLE: Duration = Duration::from_secs(60);
/// Refusals of our credentials. They say nothing about the mail, so it waits until an operator has mended them.
const AUTHENTICATION: [u16; 5] = [454, 530, 534, 535, 538];

/// Where mail is handed over, and from whom it is.
#[derive(Clone)]
pub struct Smtp {
    transport: SmtpTransport,
    from: Sender,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The transport knows the password.
        write!(f, "Smtp({:?})", self.from)
    }
}

/// The URL does not name a mail server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no mail server can be made of it")]
pub struct NotAMailServer;

/// Why a mail was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NotTaken {
    /// A stable code.
    pub reason: String,
    /// Whether another attempt would end the same way.
    pub permanent: bool,
}

impl Smtp {
    /// The server of `url`, as the setting's rules leave it: `smtps://` speaks TLS at once, `smtp://` with STARTTLS, and
    /// `smtp://…?tls=none` without.
    pub fn new(url: &Url, from: Sender) -> Result<Self, NotAMailServer> {
        let mut url = url.clone();
        let plain = url.query() == Some("tls=none");
        url.set_query(if plain || url.scheme() == "smtps" { None } else { Some("tls=required") });
        let builder = SmtpTransport::from_url(url.as_str()).map_err(|_| NotAMailServer)?;
        let transport = builder.hello_name(ClientId::Domain(from.domain().to_owned())).timeout(Some(COMMAND)).build();
        Ok(Smtp { transport, from })
    }

    /// Hands one mail over.
    pub(super) async fn send(&self, letter: &Letter) -> Result<(), NotTaken> {
        let not_taken = |reason: &str, permanent| NotTaken { reason: reason.to_owned(), permanent };
        let message = letter.message(&self.from).ok_or_else(|| not_taken("invalid_address", true))?;
        let transport = self.transport.clone();
        // A connection blocks its thread; the mailer has few under way at a time.
        let sent = tokio::task::spawn_blocking(move || transport.send(&message));
        match tokio::time::timeout(WHOLE, sent).await {
            Err(_) => Err(not_taken("timeout", false)),
            Ok(Err(_)) => Err(not_taken("internal", false)),
            Ok(Ok(Err(error))) => Err(judge(&error)),
            Ok(Ok(Ok(_))) => Ok(()),
        }
    }
}

/// Whether the server could not prove who it is, or speaks no TLS that we do. A failed handshake comes as a broken connection.
fn is_tls(error: &Error) -> bool {
    let is_rustls = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref).is_some_and(|inner| inner.is::<rustls::Error>())
    };
    error.is_tls() || std::iter::successors(std::error::Error::source(error), |error| error.source()).any(is_rustls)
}

/// The server's own words may quote the address, so only its code is kept.
fn judge(error: &Error) -> NotTaken {
    let Some(code) = error.status() else {
        let reason = match error {
            error if error.is_timeout() => "timeout",
            error if is_tls(error) => "tls",
            error if error.is_client() => "not_supported",
            _ => "connection",
        };
        return NotTaken { reason: reason.to_owned(), permanent: false };
    };
    let number: u16 = code.into();
    let permanent = code.severity == Severity::PermanentNegativeCompletion && !AUTHENTICATION.contains(&number);
    NotTaken { reason: format!("smtp_{number}"), permanent }
}
