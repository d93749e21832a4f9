//! What is asked of `proofs`.

use super::Proof;
use crate::{QueryError, Reader};
use events::vocab::id::{OwnerId, PaymentId, SessionId};
use uuid::Uuid;

const TABLES: &[&str] = &["proofs"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Proof>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The proofs of a session, oldest first.
pub async fn of_session(reader: &Reader, owner: OwnerId, session_id: SessionId) -> Result<Vec<Proof>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/of_session.sql")).bind(owner.0).bind(session_id.0)).await
}

/// The proofs of a payment, oldest first.
pub async fn of_payment(reader: &Reader, owner: OwnerId, payment_id: PaymentId) -> Result<Vec<Proof>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/of_payment.sql")).bind(owner.0).bind(payment_id.0)).await
}

/// Proofs that the chain has not answered for yet, of all owners, by id after `after`: what the watcher looks at.
pub async fn open(reader: &Reader, after: Uuid, limit: u32) -> Result<Vec<Proof>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/open.sql")).bind(after).bind(i64::from(limit))).await
}
