//! Keeping a server up: one that ends by itself is started again on the same port.

use super::{error::StackError, nats, nats::Nats, postgres, postgres::Postgres, process};
use std::time::Duration;
use tokio::{
    process::Child,
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// A server that ends this many times without staying up in between is given up.
const ATTEMPTS: u32 = 5;
/// Staying up this long makes earlier ends forgotten.
const STABLE: Duration = Duration::from_secs(60);

/// One of the stack's servers.
pub(super) enum Server {
    Postgres(Postgres),
    Nats(Nats),
}

impl Server {
    const fn name(&self) -> &'static str {
        match self {
            Server::Postgres(_) => "PostgreSQL",
            Server::Nats(_) => "nats-server",
        }
    }

    async fn launch(&self) -> Result<Child, StackError> {
        match self {
            Server::Postgres(server) => server.launch().await,
            Server::Nats(server) => server.launch().await,
        }
    }

    async fn stop(&self, child: &mut Child) {
        match self {
            Server::Postgres(_) => process::stop(child, postgres::STOP).await,
            Server::Nats(_) => process::stop(child, nats::STOP).await,
        }
    }
}

/// Watches `child` until `stop`, then ends it in the server's own clean way. Tells `given_up` when it cannot be kept up.
pub(super) async fn keep(
    server: Server,
    mut child: Child,
    stop: CancellationToken,
    given_up: watch::Sender<Option<(&'static str, String)>>,
) {
    let mut ends = 0;
    loop {
        let since = Instant::now();
        tokio::select! {
            () = stop.cancelled() => return server.stop(&mut child).await,
            status = child.wait() => tracing::warn!(stack.server = server.name(), stack.status = ?status, "a server ended by itself"),
        }
        ends = if since.elapsed() > STABLE { 1 } else { ends + 1 };
        child = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(Duration::from_millis(100) * ends) => {}
            }
            match server.launch().await {
                Ok(child) => break child,
                Err(error) if ends >= ATTEMPTS => {
                    given_up.send_replace(Some((server.name(), error.to_string())));
                    return;
                }
                Err(error) => {
                    tracing::warn!(stack.server = server.name(), stack.error = %error, "a server did not come back; trying again")
                }
            }
            ends += 1;
        };
        tracing::info!(stack.server = server.name(), "the server is back");
    }
}
