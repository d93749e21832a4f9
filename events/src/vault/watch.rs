//! Hears of erasures in other processes.

use super::Inner;
use crate::vocab::id::SubjectId;
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Weak, time::Duration};
use tokio_util::sync::CancellationToken;

pub(super) const CHANNEL: &str = "hilt_erasures";

/// Forgets keys as others destroy them. While nothing can be heard, nothing is cached: a destroyed key must not live on here.
pub(super) async fn hear_erasures(pool: PgPool, vault: Weak<Inner>, stop: CancellationToken) {
    stop.run_until_cancelled(async {
        loop {
            if let Err(error) = listen(&pool, &vault).await
                && !pool.is_closed()
            {
                tracing::warn!(%error, "erasures in other processes cannot be heard; subject keys are not cached meanwhile");
            }
            match vault.upgrade() {
                Some(inner) => inner.cache().forget_all(false),
                None => return,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
}

async fn listen(pool: &PgPool, vault: &Weak<Inner>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A reconnection behind our back would hide what was said meanwhile; `try_recv` tells of it.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    match vault.upgrade() {
        Some(inner) => inner.cache().forget_all(true),
        None => return Ok(()),
    }
    while let Some(notification) = listener.try_recv().await? {
        let Some(inner) = vault.upgrade() else { return Ok(()) };
        match notification.payload().parse::<SubjectId>() {
            Ok(subject) => inner.cache().forget(subject),
            Err(_) => inner.cache().forget_all(true),
        }
    }
    Ok(())
}
