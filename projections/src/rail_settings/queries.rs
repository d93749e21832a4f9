//! What is asked of `rail_settings`.

use super::{RailSetting, SettingStatus};
use crate::{Page, QueryError, Reader, Window};
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

/// Which settings staff ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Where they stand.
    pub status: Option<SettingStatus>,
    /// The rail.
    pub rail: Option<RailId>,
    /// The workspace.
    pub owner: Option<OwnerId>,
}

/// Settings of every workspace, newest first: for staff.
pub async fn for_staff(reader: &Reader, wanted: Wanted, window: Window) -> Result<Page<RailSetting>, QueryError> {
    let (status, rail, owner) = (wanted.status.map(SettingStatus::as_str), wanted.rail.map(RailId::as_str), wanted.owner.map(|id| id.0));
    let rows = sqlx::query_scalar(include_str!("queries/for_staff.sql"))
        .bind(status)
        .bind(rail)
        .bind(owner)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_for_staff.sql")).bind(status).bind(rail).bind(owner);
    reader.page(TABLES, rows, total).await
}
