//! What is asked of `payment_sessions`.

use super::PaymentSession;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{OwnerId, PaymentId},
    time::Timestamp,
};
use uuid::Uuid;

const TABLES: &[&str] = &["payment_sessions"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<PaymentSession>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The session that a payment is for.
pub async fn find_by_payment(reader: &Reader, owner: OwnerId, payment_id: PaymentId) -> Result<Option<PaymentSession>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_payment.sql")).bind(owner.0).bind(payment_id.0)).await
}

/// Rows of this owner and mode, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, window: Window) -> Result<Page<PaymentSession>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode);
    reader.page(TABLES, rows, total).await
}

/// Pending sessions whose time is over, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<PaymentSession>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}
