//! What is asked of `identity_sessions`.

use super::IdentitySession;
use crate::{QueryError, Reader};
use events::vocab::{bytes::SolanaAddress, id::ProductId, time::Timestamp};

const TABLES: &[&str] = &["identity_sessions"];

/// Proofs that `wallet` may use for `product`, made after `since`, newest first.
pub async fn verified(
    reader: &Reader,
    product: ProductId,
    wallet: SolanaAddress,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<IdentitySession>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/verified.sql"));
    let query = query.bind(product.0).bind(wallet.to_string()).bind(since.datetime()).bind(i64::from(limit));
    reader.many(TABLES, query).await
}

/// Sessions that nobody signed in time, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<IdentitySession>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}
