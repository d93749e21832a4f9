//! The address the service answers on.

use std::{io, net::SocketAddr};
use tokio::net::TcpListener;

/// The address cannot be listened on; one sentence for the person who started the service.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process listens there.
    #[error("{0} is already in use: stop what listens there, or set HILT_LISTEN to another address (port 0 picks a free one)")]
    Taken(SocketAddr),
    /// Ports below 1024 need a privilege.
    #[error("this user may not listen on {0}: set HILT_LISTEN to a port above 1023")]
    Forbidden(SocketAddr),
    /// Any other refusal of the operating system.
    #[error("cannot listen on {0} (HILT_LISTEN): {1}")]
    Other(SocketAddr, io::Error),
}

/// Binds `address`. Called before anything else is started, so that a taken port costs nothing.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken(address),
        io::ErrorKind::PermissionDenied => ListenError::Forbidden(address),
        _ => ListenError::Other(address, error),
    })
}
