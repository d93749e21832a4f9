//! Ports of the loopback address, chosen by the system.

use super::error::StackError;
use std::net::{Ipv4Addr, TcpListener};

/// How often a server is tried with another port when someone else took the one chosen for it.
pub(super) const ATTEMPTS: u32 = 5;

/// The `remembered` port if nobody listens there, else one the system picks. It is free when this returns, and another
/// process may take it before our server does: the caller tries again then.
pub(super) fn choose(remembered: Option<u16>) -> Result<u16, StackError> {
    if let Some(port) = remembered.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
        return Ok(port);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| StackError::File { action: "find a free port on", path: "127.0.0.1".into(), source })
}

/// Whether a server's last words say that its port was taken.
pub(super) fn was_taken(last_words: &str) -> bool {
    let words = last_words.to_lowercase();
    words.contains("address already in use") || words.contains("could not create any tcp/ip sockets")
}
