//! What is asked of `memberships`. Answers also show the product, the customer and where the membership stands, which are read from
//! the tables that hold them.

use super::Membership;
use crate::{Page, QueryError, Reader, Window, reader::pattern, words::words};
use events::vocab::{
    bytes::TxSignature,
    id::{MembershipId, OwnerId, ProductId, ReceiptId},
    time::Timestamp,
    words::DeliveryType,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const TABLES: &[&str] = &["memberships", "products", "payments", "entitlements"];

/// A membership as it is shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipView {
    /// The row.
    #[serde(flatten)]
    pub membership: Membership,
    /// Title of its product.
    pub product_title: Option<String>,
    /// How its product hands access over.
    pub delivery_type: Option<DeliveryType>,
    /// Receipt of the current period's payment.
    pub receipt_id: Option<ReceiptId>,
    /// The merchant's id of the member.
    pub external_customer_id: Option<String>,
    /// The member's e-mail address.
    pub email: Option<String>,
    /// Kind of platform identity.
    pub identity_type: Option<String>,
    /// The platform identity.
    pub identity_value: Option<String>,
    /// Its handle.
    pub identity_display: Option<String>,
    /// `TELEGRAM`, `DISCORD` …
    pub platform: Option<String>,
    /// Where it stands at the time that was asked about.
    pub status: MembershipStatus,
}

words! {
    /// Where a membership stands at a moment.
    pub enum MembershipStatus {
        /// In a paid period.
        Active = "ACTIVE",
        /// After it, in the days of grace.
        Grace = "GRACE",
        /// Over.
        Expired = "EXPIRED",
    }
}

/// What to narrow a list of memberships by; `None` does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Live or sandbox.
    pub livemode: Option<bool>,
    /// Of this hosted or access product.
    pub product_id: Option<Uuid>,
    /// Standing so.
    pub status: Option<MembershipStatus>,
    /// On this platform.
    pub platform: Option<String>,
    /// Holding this text in identity, wallet or transaction; case does not matter.
    pub q: Option<String>,
}

/// What to look a membership up by.
#[derive(Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The wallet that paid last.
    Wallet(String),
    /// A handle, platform identity, customer id or e-mail address.
    Identity(String),
    /// The transaction of any of its payments.
    Transaction(TxSignature),
}

/// Memberships of this owner as they stand at `now`, newest first (RT-025).
pub async fn list(
    reader: &Reader,
    owner: OwnerId,
    filter: &Filter,
    window: Window,
    now: Timestamp,
) -> Result<Page<MembershipView>, QueryError> {
    let status = filter.status.map(MembershipStatus::as_str);
    let q = filter.q.as_deref().map(pattern);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(now.datetime())
        .bind(filter.livemode)
        .bind(filter.product_id)
        .bind(status)
        .bind(filter.platform.clone())
        .bind(q.clone())
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_list.sql"))
        .bind(owner.0)
        .bind(now.datetime())
        .bind(filter.livemode)
        .bind(filter.product_id)
        .bind(status)
        .bind(filter.platform.clone())
        .bind(q);
    reader.page(TABLES, rows, total).await
}

/// The membership of that id as it stands at `now`, if it is this owner's (RT-027).
pub async fn find(reader: &Reader, owner: OwnerId, id: MembershipId, now: Timestamp) -> Result<Option<MembershipView>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(now.datetime()).bind(id.0);
    reader.one(TABLES, query).await
}

/// Up to 100 memberships of this owner that the key finds, newest first (RT-026).
pub async fn lookup(reader: &Reader, owner: OwnerId, key: &Lookup, now: Timestamp) -> Result<Vec<MembershipView>, QueryError> {
    let (query, value) = match key {
        Lookup::Wallet(wallet) => (include_str!("queries/lookup_by_wallet.sql"), wallet.clone()),
        Lookup::Identity(identity) => (include_str!("queries/lookup_by_identity.sql"), identity.clone()),
        Lookup::Transaction(signature) => (include_str!("queries/lookup_by_transaction.sql"), signature.to_string()),
    };
    reader.many(TABLES, sqlx::query_scalar(query).bind(owner.0).bind(now.datetime()).bind(value)).await
}

/// How many memberships of one of this owner's products are in a paid period at `now`.
pub async fn count_active(reader: &Reader, owner: OwnerId, product: ProductId, now: Timestamp) -> Result<u64, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/count_active.sql")).bind(owner.0).bind(product.0).bind(now.datetime());
    reader.count(&["memberships"], query).await
}
