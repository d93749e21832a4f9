//! What is asked of `approvals`.

use super::{Approval, ApprovalStatus};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::id::ApprovalId;

const TABLES: &[&str] = &["approvals"];

/// The approval of that id.
pub async fn find(reader: &Reader, id: ApprovalId) -> Result<Option<Approval>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(id.0)).await
}

/// Approvals, newest first.
pub async fn list(reader: &Reader, status: Option<ApprovalStatus>, window: Window) -> Result<Page<Approval>, QueryError> {
    let status = status.map(ApprovalStatus::as_str);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(status)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(status);
    reader.page(TABLES, rows, total).await
}

/// The one that has waited longest.
pub async fn oldest_pending(reader: &Reader) -> Result<Option<Approval>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/oldest_pending.sql"))).await
}
