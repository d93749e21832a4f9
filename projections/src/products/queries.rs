//! What is asked of `products`.

use super::Product;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{id::OwnerId, words::ProductType};
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

/// Which products of an owner; what is `None` does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter<'a> {
    /// `ACTIVE` or `ARCHIVED`.
    pub status: Option<&'a str>,
    /// What they sell.
    pub product_type: Option<ProductType>,
}

/// Rows of this owner and mode, newest first.
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    livemode: bool,
    filter: Filter<'_>,
    window: Window,
) -> Result<Page<Product>, QueryError> {
    let product_type = filter.product_type.map(ProductType::as_str);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(filter.status.map(str::to_owned))
        .bind(product_type)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(filter.status.map(str::to_owned))
        .bind(product_type);
    reader.page(TABLES, rows, total).await
}

/// How many hosted products of this owner sell for real money.
pub async fn count_selling(reader: &Reader, owner: OwnerId) -> Result<u64, QueryError> {
    reader.count(TABLES, sqlx::query_scalar(include_str!("queries/count_selling.sql")).bind(owner.0)).await
}
