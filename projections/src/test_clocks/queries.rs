//! What is asked of `test_clocks`.

use super::TestClock;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{OwnerId, TestClockId},
    time::Timestamp,
};
use uuid::Uuid;

const TABLES: &[&str] = &["test_clocks"];

/// The row of that id, if it is this owner's; deleted ones too.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<TestClock>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The owner's clocks, newest first, deleted ones left out.
pub async fn list(reader: &Reader, owner: OwnerId, window: Window) -> Result<Page<TestClock>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0);
    reader.page(TABLES, rows, total).await
}

/// Clocks, of all owners, in whose time something is over that is not on record as over.
pub async fn with_due(reader: &Reader, limit: u32) -> Result<Vec<TestClock>, QueryError> {
    let tables = &["test_clocks", "entitlements", "sandbox_sessions"];
    reader.many(tables, sqlx::query_scalar(include_str!("queries/with_due.sql")).bind(i64::from(limit))).await
}

/// Whether something is over by `now` on a clock that is not on record as over.
pub async fn has_due(reader: &Reader, clock: TestClockId, now: Timestamp) -> Result<bool, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/has_due.sql")).bind(clock.0).bind(now.datetime());
    Ok(reader.count(&["entitlements", "sandbox_sessions"], query).await? > 0)
}
