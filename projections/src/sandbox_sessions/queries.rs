//! What is asked of `sandbox_sessions`.

use super::SandboxSession;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{OwnerId, TestClockId},
    time::Timestamp,
};
use uuid::Uuid;

const TABLES: &[&str] = &["sandbox_sessions"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<SandboxSession>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The owner's rows, or those on one test clock, newest first.
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    test_clock_id: Option<TestClockId>,
    window: Window,
) -> Result<Page<SandboxSession>, QueryError> {
    let clock = test_clock_id.map(|id| id.0);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(clock)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(clock);
    reader.page(TABLES, rows, total).await
}

/// Sessions of no test clock that nobody confirmed in time, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<SandboxSession>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}

/// Sessions on a test clock that nobody confirmed in its time, the earliest end first.
pub async fn overdue_on(reader: &Reader, clock: TestClockId, now: Timestamp, limit: u32) -> Result<Vec<SandboxSession>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/overdue_on.sql"));
    reader.many(TABLES, query.bind(clock.0).bind(now.datetime()).bind(i64::from(limit))).await
}
