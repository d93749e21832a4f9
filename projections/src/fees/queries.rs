//! What is asked of `fees`.

use super::Fee;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{bytes::SolanaAddress, id::OwnerId};
use serde::Deserialize;

const TABLES: &[&str] = &["fees"];

/// All that is owed in one asset.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Total {
    /// The asset's symbol.
    pub asset_symbol: String,
    /// Its mint.
    pub asset_mint: SolanaAddress,
    /// Its decimals.
    pub asset_decimals: u8,
    /// The sum, in its minor unit.
    pub amount: u64,
    /// Of how many payments.
    pub count: u64,
}

/// What an owner owes, or every owner, newest first.
pub async fn list(reader: &Reader, owner: Option<OwnerId>, window: Window) -> Result<Page<Fee>, QueryError> {
    let owner = owner.map(|owner| owner.0);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner);
    reader.page(TABLES, rows, total).await
}

/// The sums of it, an asset each.
pub async fn totals(reader: &Reader, owner: Option<OwnerId>) -> Result<Vec<Total>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/totals.sql")).bind(owner.map(|owner| owner.0))).await
}
