//! What is asked of `tickets`.

use super::{Ticket, TicketStatus};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::id::OwnerId;

const TABLES: &[&str] = &["tickets"];

/// The ticket of that public name, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, public_id: &str) -> Result<Option<Ticket>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(public_id.to_owned())).await
}

/// The ticket of that public name, whoever's it is: for staff (RT-049).
pub async fn find_for_staff(reader: &Reader, public_id: &str) -> Result<Option<Ticket>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_for_staff.sql")).bind(public_id.to_owned())).await
}

/// Tickets of this owner, newest first (RT-046).
pub async fn list(reader: &Reader, owner: OwnerId, status: Option<TicketStatus>, window: Window) -> Result<Page<Ticket>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(status.map(TicketStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(status.map(TicketStatus::as_str));
    reader.page(TABLES, rows, total).await
}
