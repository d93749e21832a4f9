//! What is asked of `memberships`. The row holds all that is filtered and looked up by; what is only shown beside it stands in the
//! tables of products and payments and is read for the rows of an answer ([`shown`]).

use super::Membership;
use crate::{Page, QueryError, Reader, Window, reader::pattern};
use events::vocab::{
    bytes::TxSignature,
    id::{MembershipId, OwnerId, ProductId, ReceiptId},
    membership::MembershipStatus,
    time::Timestamp,
    words::{DeliveryMode, DeliveryStatus, DeliveryType, Platform, WithdrawalStatus},
};
use serde::Deserialize;
use std::collections::HashMap;
use uuid::Uuid;

const TABLES: &[&str] = &["memberships"];
const SHOWN_TABLES: &[&str] = &["memberships", "products", "payments", "deliveries"];

/// A membership as it is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct MembershipView {
    /// The row.
    pub membership: Membership,
    /// Title of its product.
    pub product_title: Option<String>,
    /// How its product hands access over.
    pub delivery_type: Option<DeliveryType>,
    /// Public name of its product.
    pub slug: Option<String>,
    /// Receipt of the last payment.
    pub receipt_id: Option<ReceiptId>,
    /// How what the last payment bought was handed over, if anything was to be.
    pub delivery: Option<Handed>,
}

/// How a purchase was handed over.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Handed {
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How many attempts were made.
    pub attempts: u32,
    /// Why the last one failed, as a stable code.
    pub last_error: Option<String>,
    /// When the next one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// How it is handed over.
    pub mode: DeliveryMode,
    /// Whether it is taken back.
    pub withdrawal_status: Option<WithdrawalStatus>,
    /// Why that failed last, as a stable code.
    pub withdrawal_error: Option<String>,
    /// When that is tried again.
    pub withdrawal_due_at: Option<Timestamp>,
    /// When the member was found to be out.
    pub withdrawn_at: Option<Timestamp>,
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
    pub platform: Option<Platform>,
    /// Holding this text in handle, identity, customer id, e-mail, wallet or a transaction; case does not matter.
    pub q: Option<String>,
}

/// What to look a membership up by.
#[derive(Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A wallet that paid for it.
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
    let platform = filter.platform.map(Platform::as_str);
    let q = filter.q.as_deref().map(pattern);
    let rows = sqlx::query_scalar(include_str!("queries/list.sql"))
        .bind(owner.0)
        .bind(now.datetime())
        .bind(filter.livemode)
        .bind(filter.product_id)
        .bind(status)
        .bind(platform)
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
        .bind(platform)
        .bind(q);
    let Page { items, total } = reader.page(TABLES, rows, total).await?;
    Ok(Page { items: shown(reader, items).await?, total })
}

/// The row of that id, if it is this owner's.
pub async fn row(reader: &Reader, owner: OwnerId, id: MembershipId) -> Result<Option<Membership>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.0)).await
}

/// The membership of that id, if it is this owner's (RT-027).
pub async fn find(reader: &Reader, owner: OwnerId, id: MembershipId) -> Result<Option<MembershipView>, QueryError> {
    let found = row(reader, owner, id).await?;
    Ok(shown(reader, found.into_iter().collect()).await?.pop())
}

/// Up to 100 memberships of this owner that the key finds, newest first (RT-026).
pub async fn lookup(reader: &Reader, owner: OwnerId, key: &Lookup) -> Result<Vec<MembershipView>, QueryError> {
    let (wallet, transaction, identity) = match key {
        Lookup::Wallet(wallet) => (Some(wallet.clone()), None, None),
        Lookup::Transaction(signature) => (None, Some(signature.to_string()), None),
        Lookup::Identity(identity) => (None, None, Some(identity.clone())),
    };
    let query = sqlx::query_scalar(include_str!("queries/lookup.sql")).bind(owner.0).bind(wallet).bind(transaction).bind(identity);
    let found = reader.many(TABLES, query).await?;
    shown(reader, found).await
}

/// Up to 100 memberships of this owner that are for the platform identity of that value, running or over.
pub async fn of_identity(reader: &Reader, owner: OwnerId, value: &str) -> Result<Vec<Membership>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/of_identity.sql")).bind(owner.0).bind(value)).await
}

/// Up to `limit` memberships of all owners with something to put on record at `now`, the longest due first, after the one with that
/// due time and id.
pub async fn due(reader: &Reader, now: Timestamp, after: Option<(Timestamp, Uuid)>, limit: u32) -> Result<Vec<Membership>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/due.sql"))
        .bind(now.datetime())
        .bind(after.map(|(at, _)| at.datetime()))
        .bind(after.map(|(_, id)| id))
        .bind(i64::from(limit));
    reader.many(TABLES, query).await
}

/// `rows` with what is shown beside them.
pub async fn shown(reader: &Reader, rows: Vec<Membership>) -> Result<Vec<MembershipView>, QueryError> {
    /// What stands in other tables.
    #[derive(Default, Deserialize)]
    struct Beside {
        id: Uuid,
        product_title: Option<String>,
        delivery_type: Option<DeliveryType>,
        slug: Option<String>,
        receipt_id: Option<ReceiptId>,
        delivery: Option<Handed>,
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.meta.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query_scalar(include_str!("queries/shown_with.sql")).bind(ids);
    let found: Vec<Beside> = reader.many(SHOWN_TABLES, query).await?;
    let mut beside: HashMap<Uuid, Beside> = found.into_iter().map(|beside| (beside.id, beside)).collect();
    let view = |membership: Membership| {
        let Beside { product_title, delivery_type, slug, receipt_id, delivery, .. } =
            beside.remove(&membership.meta.id).unwrap_or_default();
        MembershipView { membership, product_title, delivery_type, slug, receipt_id, delivery }
    };
    Ok(rows.into_iter().map(view).collect())
}

/// How many memberships of one of this owner's products are in a paid period at `now`.
pub async fn count_active(reader: &Reader, owner: OwnerId, product: ProductId, now: Timestamp) -> Result<u64, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/count_active.sql")).bind(owner.0).bind(product.0).bind(now.datetime());
    reader.count(&["memberships"], query).await
}
