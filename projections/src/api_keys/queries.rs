//! What is asked of `api_keys`.

use super::ApiKey;
use crate::{QueryError, Reader};
use events::vocab::id::OwnerId;
use uuid::Uuid;

const TABLES: &[&str] = &["api_keys"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<ApiKey>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The owner's keys, newest first.
pub async fn list(reader: &Reader, owner: OwnerId) -> Result<Vec<ApiKey>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/list.sql")).bind(owner.0)).await
}
