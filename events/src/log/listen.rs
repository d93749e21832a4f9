//! Tells this process of commits, its own and others'.

use super::head;
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) const CHANNEL: &str = "hilt_log";

/// How long a commit of another process stays unseen at most when notifications are lost.
const POLL: Duration = Duration::from_millis(500);

/// Moves `head` as others commit, until `stop`.
pub(super) async fn follow(pool: PgPool, head: Arc<watch::Sender<u64>>, stop: CancellationToken) {
    stop.run_until_cancelled(async {
        loop {
            if let Err(error) = listen(&pool, &head).await
                && !pool.is_closed()
            {
                tracing::warn!(%error, "commits of other processes cannot be heard; polling");
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}

async fn listen(pool: &PgPool, head: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    advance(head, head::read(pool).await?.next_position);
    loop {
        match tokio::time::timeout(POLL, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => match notification.payload().parse() {
                Ok(position) => advance(head, position),
                Err(_) => advance(head, head::read(pool).await?.next_position),
            },
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => advance(head, head::read(pool).await?.next_position),
        }
    }
}

/// Moves `head` to `position`, never back.
pub(super) fn advance(head: &watch::Sender<u64>, position: u64) {
    head.send_if_modified(|current| {
        let forward = position > *current;
        *current = (*current).max(position);
        forward
    });
}
