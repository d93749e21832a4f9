//! What is asked of `journal`.

use crate::{QueryError, Reader};
use events::vocab::{event::AttestedBalance, id::OwnerId};

const TABLES: &[&str] = &["journal"];

/// The trial balance of one owner, or of all of them, in one mode or both: one line for each asset, mode and account that has moved.
pub async fn trial_balance(reader: &Reader, owner: Option<OwnerId>, livemode: Option<bool>) -> Result<Vec<AttestedBalance>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/trial_balance.sql")).bind(owner.map(|owner| owner.0)).bind(livemode);
    reader.many(TABLES, query).await
}
