//! The newest events, read once for all readers of a process: one commit wakes them all, and they ask for the same.

use super::{Log, ReadError};
use crate::vocab::stream::Recorded;
use sqlx::PgPool;
use tokio::sync::Mutex;

/// How far behind the head a reader may be and still be given what was read for others; who is further behind reads for himself.
const NEAR: u64 = 256;

/// What was read last, contiguous.
#[derive(Default)]
pub(super) struct News(Mutex<Vec<Recorded>>);

impl Log {
    /// [`Log::read`] for those who follow the head, on connections of their own.
    pub async fn read_news(&self, pool: &PgPool, from: u64, limit: u64) -> Result<Vec<Recorded>, ReadError> {
        let positions = from..from.saturating_add(limit);
        if from.saturating_add(NEAR) < self.known_head() {
            return Log::read_range_on(pool, positions).await;
        }
        // Held while reading: the others wait for the same answer instead of asking.
        let mut news = self.0.news.0.lock().await;
        if let Some(known) = after(&news, from, self.known_head()) {
            return Ok(known.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect());
        }
        let read = Log::read_range_on(pool, positions).await?;
        if read.last().map(|last| last.position) > news.last().map(|last| last.position) {
            news.clone_from(&read);
        }
        Ok(read)
    }
}

/// What `news` has from position `from` on, if that is all there is before `head`.
fn after(news: &[Recorded], from: u64, head: u64) -> Option<&[Recorded]> {
    let (first, last) = (news.first()?.position, news.last()?.position);
    let skipped = usize::try_from(from.checked_sub(first)?).ok()?;
    news.get(skipped..).filter(|rest| !rest.is_empty() && last + 1 >= head)
}
