//! What is asked of `deliveries`.

use super::Delivery;
use crate::{QueryError, Reader};
use events::vocab::{
    id::{AccessDeliveryId, MembershipId, OwnerId, PaymentId, ProductId},
    time::Timestamp,
    words::DeliveryMode,
};
use serde::Deserialize;
use uuid::Uuid;

const TABLES: &[&str] = &["deliveries"];

/// The delivery of that payment, whoever asks: RT-018 shows its status only.
pub async fn find_public(reader: &Reader, payment: PaymentId) -> Result<Option<Delivery>, QueryError> {
    let id = AccessDeliveryId::of(payment);
    reader.one(TABLES, sqlx::query_scalar(include_str!("queries/find_public.sql")).bind(id.0)).await
}

/// The deliveries of those payments that are this owner's, in no order.
pub async fn of_payments(reader: &Reader, owner: OwnerId, payments: &[PaymentId]) -> Result<Vec<Delivery>, QueryError> {
    let ids: Vec<Uuid> = payments.iter().map(|payment| AccessDeliveryId::of(*payment).0).collect();
    reader.many(TABLES, sqlx::query_scalar(include_str!("queries/of_payments.sql")).bind(owner.0).bind(ids)).await
}

/// How many purchases of this owner's product could not be handed over so far (RT-007).
pub async fn count_failed(reader: &Reader, owner: OwnerId, product: ProductId) -> Result<u64, QueryError> {
    let query = sqlx::query_scalar(include_str!("queries/count_failed.sql")).bind(owner.0).bind(product.0);
    reader.count(TABLES, query).await
}

/// A delivery of which something is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Due {
    /// Which one.
    pub id: AccessDeliveryId,
    /// The membership that it is for.
    pub membership_id: Option<MembershipId>,
}

/// Deliveries of all owners to hand over or to take back at `now`, the longest due first, without those in `except`.
pub async fn due(
    reader: &Reader,
    mode: DeliveryMode,
    now: Timestamp,
    except: &[AccessDeliveryId],
    limit: u32,
) -> Result<Vec<Due>, QueryError> {
    let except: Vec<Uuid> = except.iter().map(|id| id.0).collect();
    let query = sqlx::query_scalar(include_str!("queries/due.sql")).bind(mode.as_str()).bind(now.datetime()).bind(except);
    reader.many(TABLES, query.bind(i64::from(limit))).await
}
