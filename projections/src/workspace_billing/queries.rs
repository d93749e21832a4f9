//! What is asked of `workspace_billing`.

use super::Billing;
use crate::{QueryError, Reader};
use events::vocab::{id::OwnerId, time::Timestamp};
use uuid::Uuid;

const TABLES: &[&str] = &["workspace_billing"];

/// What is on record of an owner's billing.
pub async fn find(reader: &Reader, owner: OwnerId) -> Result<Option<Billing>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0)).await
}

/// Rows of all owners of which Stripe may have more to say, in order of their ids, after `after`: of subscriptions that have not ended,
/// and of checkouts that were opened since `since`.
pub async fn going_on(reader: &Reader, after: Uuid, since: Timestamp, limit: u32) -> Result<Vec<Billing>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/going_on.sql")).bind(after).bind(since.datetime()).bind(i64::from(limit));
    reader.many(TABLES, rows).await
}
