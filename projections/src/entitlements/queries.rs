//! What is asked of `entitlements`.

use super::{Entitlement, EntitlementStatus};
use crate::{Page, QueryError, Reader, Window};
use events::vocab::{
    id::{AccessProductId, EntitlementId, OwnerId, PaymentId, TestClockId},
    time::Timestamp,
};
use uuid::Uuid;

const TABLES: &[&str] = &["entitlements"];

/// Who asks for access: at least one of these, and any that matches counts.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Customer {
    /// The merchant's own id.
    pub external_customer_id: Option<String>,
    /// A wallet.
    pub wallet: Option<String>,
    /// An e-mail address; case does not matter.
    pub email: Option<String>,
}

/// The row of that id, if it is this owner's.
pub async fn find(reader: &Reader, owner: OwnerId, id: impl Into<Uuid>) -> Result<Option<Entitlement>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find.sql")).bind(owner.0).bind(id.into())).await
}

/// The entitlements of a customer to an access product, the one that matters most first: active before others, then the latest.
pub async fn of_customer(
    reader: &Reader,
    owner: OwnerId,
    access_product_id: AccessProductId,
    sandbox: bool,
    customer: &Customer,
) -> Result<Vec<Entitlement>, QueryError> {
    reader
        .many(
            TABLES,
            sqlx::query_scalar(include_str!("queries/of_customer.sql"))
                .bind(owner.0)
                .bind(access_product_id.0)
                .bind(sandbox)
                .bind(customer.external_customer_id.clone())
                .bind(customer.wallet.clone())
                .bind(customer.email.clone()),
        )
        .await
}

/// The entitlement that a payment is for.
pub async fn find_by_payment(reader: &Reader, owner: OwnerId, payment_id: PaymentId) -> Result<Option<Entitlement>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_by_payment.sql")).bind(owner.0).bind(payment_id.0)).await
}

/// Rows of this owner and mode, newest first.
pub async fn list(reader: &Reader, owner: OwnerId, livemode: bool, window: Window) -> Result<Page<Entitlement>, QueryError> {
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

/// Entitlements of no test clock, recorded as active, whose window is over, of all owners.
pub async fn lapsed(reader: &Reader, now: Timestamp, limit: u32) -> Result<Vec<Entitlement>, QueryError> {
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/lapsed.sql")).bind(now.datetime()).bind(i64::from(limit))).await
}

/// Entitlements on a test clock, recorded as active, whose window is over in its time, the earliest end first.
pub async fn lapsed_on(reader: &Reader, clock: TestClockId, now: Timestamp, limit: u32) -> Result<Vec<Entitlement>, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/lapsed_on.sql"));
    reader.many(TABLES, query.bind(clock.0).bind(now.datetime()).bind(i64::from(limit))).await
}

/// Which entitlements staff ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Live or sandbox.
    pub livemode: bool,
    /// Where they stand.
    pub status: Option<EntitlementStatus>,
    /// The workspace.
    pub owner: Option<OwnerId>,
    /// What they give access to.
    pub access_product: Option<AccessProductId>,
    /// Only those that a payment came for after staff had closed them.
    pub paid_when_closed: bool,
}

/// Entitlements of every workspace, newest first: for staff.
pub async fn for_staff(reader: &Reader, wanted: Wanted, window: Window) -> Result<Page<Entitlement>, QueryError> {
    let Wanted { livemode, status, owner, access_product, paid_when_closed } = wanted;
    let (status, owner, product) = (status.map(EntitlementStatus::as_str), owner.map(|id| id.0), access_product.map(|id| id.0));
    let rows = sqlx::query_scalar(include_str!("queries/for_staff.sql"))
        .bind(livemode)
        .bind(status)
        .bind(owner)
        .bind(product)
        .bind(paid_when_closed)
        .bind(window.after_time())
        .bind(window.after_id())
        .bind(window.limit())
        .bind(window.offset());
    let total = sqlx::query_scalar(include_str!("queries/count_for_staff.sql"))
        .bind(livemode)
        .bind(status)
        .bind(owner)
        .bind(product)
        .bind(paid_when_closed);
    reader.page(TABLES, rows, total).await
}

/// The row of that id, whoever's it is: for staff.
pub async fn find_for_staff(reader: &Reader, id: EntitlementId) -> Result<Option<Entitlement>, QueryError> {
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_for_staff.sql")).bind(id.0)).await
}
