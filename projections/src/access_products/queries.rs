//! What is asked of `access_products`.

use super::AccessProduct;
use crate::{Page, QueryError, Reader, Window};
use events::vocab::id::{OwnerId, ProductId};
use uuid::Uuid;

const TABLES: &[&str] = &["access_products"];

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<AccessProduct>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The row with the merchant's own id of it.
pub async fn find_by_external_id(
    reader: &Reader,
    owner: OwnerId,
    livemode: bool,
    external_id: &str,
) -> Result<Option<AccessProduct>, QueryError> {
    reader
        .one(
            TABLES,
            sqlx::query_scalar(include_str!("queries/find_by_external_id.sql")).bind(owner.0).bind(livemode).bind(external_id.to_owned()),
        )
        .await
}

/// The access product that a hosted product backs.
pub async fn find_by_product(reader: &Reader, owner: OwnerId, product_id: ProductId) -> Result<Option<AccessProduct>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_product.sql")).bind(owner.0).bind(product_id.0)).await
}

/// Rows of this owner and mode, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, window: Window) -> Result<Page<AccessProduct>, QueryError> {
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
