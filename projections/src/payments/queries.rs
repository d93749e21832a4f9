//! What is asked of `payments`.

use super::{Payment, PaymentStatus};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{OwnerId, PaymentId},
    time::Timestamp,
};
use uuid::Uuid;

const TABLES: &[&str] = &["payments"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The payment of that id, whoever asks: RT-018 shows safe fields only.
pub async fn find_public(reader: &Reader, id: PaymentId) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_public.sql")).bind(id.0)).await
}

/// The payment that a transaction with this memo is for.
pub async fn find_by_memo(reader: &Reader, memo: &str) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_memo.sql")).bind(memo.to_owned())).await
}

/// Payments of this owner and mode, newest first.
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    livemode: bool,
    status: Option<PaymentStatus>,
    window: Window,
) -> Result<Page<Payment>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(status.map(PaymentStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total =
        sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode).bind(status.map(PaymentStatus::as_str));
    reader.page(TABLES, rows, total).await
}

/// Payments that may still be paid, of all owners, oldest id first, after `after`: what the watcher looks at.
pub async fn open(reader: &Reader, after: Uuid, limit: u32) -> Result<Vec<Payment>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/open.sql")).bind(after).bind(i64::from(limit))).await
}

/// Payments nobody paid in time, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<Payment>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}
