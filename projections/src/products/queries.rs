//! What is asked of `products`.

use super::Product;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::id::OwnerId;
use uuid::Uuid;

const TABLES: &[&str] = &["products"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Product>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The product of that slug, for anyone.
pub async fn find_by_slug(reader: &Reader, slug: &str) -> Result<Option<Product>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_slug.sql")).bind(slug.to_owned())).await
}

/// Rows of this owner and mode, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, window: Window) -> Result<Page<Product>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql")).bind(owner.0).bind(livemode);
    reader.page(TABLES, rows, total).await
}
