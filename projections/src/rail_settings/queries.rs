//! What is asked of `rail_settings`.

use super::RailSetting;
use crate::{QueryError, Reader};
use events::vocab::{
    id::OwnerId,
    rail::{Mode, RailId},
};

const TABLES: &[&str] = &["rail_settings"];

/// The owner's setting for a rail and mode.
pub async fn find(reader: &Reader, owner: OwnerId, mode: Mode, rail: RailId) -> Result<Option<RailSetting>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(mode.as_str()).bind(rail.as_str())).await
}

/// The owner's settings of a mode.
pub async fn list(reader: &Reader, owner: OwnerId, mode: Mode) -> Result<Vec<RailSetting>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/list.sql")).bind(owner.0).bind(mode.as_str())).await
}
