//! What is asked of `payments`.

use super::{Payment, PaymentStatus};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    bytes::SolanaAddress,
    id::{OwnerId, PaymentId, ProductId},
    time::Timestamp,
};
use serde::Deserialize;
use uuid::Uuid;

const TABLES: &[&str] = &["payments"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The payment of that id, whoever asks: RT-018 shows safe fields only.
pub async fn find_public(reader: &Reader, id: PaymentId) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_public.sql")).bind(id.0)).await
}

/// The payment that a transaction with this memo is for.
pub async fn find_by_memo(reader: &Reader, memo: &str) -> Result<Option<Payment>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_memo.sql")).bind(memo.to_owned())).await
}

/// Payments of this owner and mode, newest first.
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    livemode: bool,
    status: Option<PaymentStatus>,
    window: Window,
) -> Result<Page<Payment>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(status.map(PaymentStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total =
        sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode).bind(status.map(PaymentStatus::as_str));
    reader.page(TABLES, rows, total).await
}

/// Payments that may still be paid, of all owners, oldest id first, after `after`: what the watcher looks at.
pub async fn open(reader: &Reader, after: Uuid, limit: u32) -> Result<Vec<Payment>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/open.sql")).bind(after).bind(i64::from(limit))).await
}

/// Payments nobody paid in time, of all owners.
pub async fn overdue(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<Payment>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/overdue.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}

/// How the payments of a product have gone.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Figures {
    /// All that were asked for.
    pub payment_count: u64,
    /// Paid.
    pub confirmed_count: u64,
    /// Failed on chain.
    pub failed_count: u64,
    /// Not paid in time.
    pub expired_count: u64,
    /// May still be paid.
    pub pending_count: u64,
    /// When the last one was paid.
    pub last_payment_at: Option<Timestamp>,
    /// What was paid, asset by asset.
    pub sales: Vec<Sales>,
}

/// What was paid in one asset, in its minor unit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Sales {
    /// The asset.
    pub asset_symbol: String,
    /// Decimals of its minor unit.
    pub asset_decimals: u8,
    /// Its mint.
    pub asset_mint: SolanaAddress,
    /// Paid.
    pub confirmed_count: u64,
    /// What buyers paid.
    pub gross: u64,
    /// The merchant's part of it.
    pub merchant: u64,
    /// Hilt's part of it.
    pub fee: u64,
}

/// Payments of one of this owner's products, newest first, with the status that holds at `now`.
pub async fn list_of_product(
    reader: &Reader,
    owner: OwnerId,
    product: ProductId,
    status: Option<PaymentStatus>,
    window: Window,
    now: Timestamp,
) -> Result<Page<Payment>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list_of_product.sql"))
        .bind(owner.0)
        .bind(product.0)
        .bind(now.datetime())
        .bind(status.map(PaymentStatus::as_str))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_of_product.sql"))
        .bind(owner.0)
        .bind(product.0)
        .bind(now.datetime())
        .bind(status.map(PaymentStatus::as_str));
    reader.page(TABLES, rows, total).await
}

/// How the payments of one of this owner's products have gone, as of `now`.
pub async fn figures_of_product(
    reader: &Reader,
    owner: OwnerId,
    product: ProductId,
    now: Timestamp,
) -> Result<Option<Figures>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/figures_of_product.sql")).bind(owner.0).bind(product.0).bind(now.datetime());
    reader.one(TABLES, query).await
}

/// What this owner's buyers paid in real money, asset by asset.
pub async fn totals_of_owner(reader: &Reader, owner: OwnerId) -> Result<Vec<Sales>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/totals_of_owner.sql")).bind(owner.0)).await
}
