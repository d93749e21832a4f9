//! What is asked of `workspaces`.

use super::Workspace;
use crate::{QueryError, Reader};
use events::vocab::id::OwnerId;

const TABLES: &[&str] = &["workspaces"];

/// The workspace of this owner, if it ever had a profile.
pub async fn find(reader: &Reader, owner: OwnerId) -> Result<Option<Workspace>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0)).await
}
