//! What is asked of `credits`.

use super::OwnerCredits;
use crate::{QueryError, Reader};
use events::vocab::id::OwnerId;

const TABLES: &[&str] = &["credits"];

/// What is on record of an owner's credits.
pub async fn find(reader: &Reader, owner: OwnerId) -> Result<Option<OwnerCredits>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0)).await
}
