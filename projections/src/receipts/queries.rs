//! What is asked of `receipts`.

use super::Receipt;
use crate::{Page, QueryError, Reader, Window, reader::pattern};
use events::vocab::{
    bytes::TxSignature,
    id::{OwnerId, PaymentId, ReceiptId},
};
use uuid::Uuid;

const TABLES: &[&str] = &["receipts"];

/// What to narrow a list of receipts by; `None` does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Paid by this wallet.
    pub wallet: Option<String>,
    /// For this hosted or access product.
    pub product_id: Option<Uuid>,
    /// Holding this text in transaction, wallet, hash, id, invoice number, buyer name or billing reference; case does not matter.
    pub q: Option<String>,
}

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Receipt>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The receipt of that id, whoever asks: a receipt is made to be checked by others.
pub async fn find_public(reader: &Reader, id: ReceiptId) -> Result<Option<Receipt>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_public.sql")).bind(id.0)).await
}

/// The receipt of a payment.
pub async fn find_by_payment(reader: &Reader, owner: OwnerId, payment_id: PaymentId) -> Result<Option<Receipt>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_payment.sql")).bind(owner.0).bind(payment_id.0)).await
}

/// The receipt of a transaction: its settlement's before one that was made by hand.
pub async fn find_by_transaction(reader: &Reader, owner: OwnerId, tx_signature: TxSignature) -> Result<Option<Receipt>, QueryError> {
    reader
        .one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_transaction.sql")).bind(owner.0).bind(tx_signature.to_string()))
        .await
}

/// Receipts of this owner and mode, newest first (RT-044).
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, filter: &Filter, window: Window) -> Result<Page<Receipt>, QueryError> {
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(filter.wallet.clone())
        .bind(filter.product_id)
        .bind(filter.q.as_deref().map(pattern))
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql"))
        .bind(owner.0)
        .bind(livemode)
        .bind(filter.wallet.clone())
        .bind(filter.product_id)
        .bind(filter.q.as_deref().map(pattern));
    reader.page(TABLES, rows, total).await
}
