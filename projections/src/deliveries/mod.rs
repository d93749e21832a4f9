//! What payments bought, and whether it is handed over (OBJ-07): RT-027, and what the rescue looks at.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    event::{Event, EventType},
    id::{AccessProductId, MembershipId, PaymentId, ProductId},
    time::Timestamp,
    words::{DeliveryMode, DeliveryStatus, DeliveryTrigger, DeliveryType, WithdrawalStatus},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Deliveries;

/// A row of `deliveries`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The payment that bought it.
    pub payment_id: PaymentId,
    /// The product.
    pub product_id: ProductId,
    /// The access product, when one was bought.
    pub access_product_id: Option<AccessProductId>,
    /// The membership that the payment began or renewed.
    pub membership_id: Option<MembershipId>,
    /// What is handed over.
    pub delivery_type: DeliveryType,
    /// How, as of the last request or attempt.
    pub mode: DeliveryMode,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the next one is due, while one is scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, as a stable code; null once it is handed over.
    pub last_error: Option<String>,
    /// When it was handed over last.
    pub sent_at: Option<Timestamp>,
    /// Every attempt, in order.
    pub history: Vec<DeliveryTry>,
    /// Whether it is taken back, since the membership ended; `None` while it is not to be.
    pub withdrawal_status: Option<WithdrawalStatus>,
    /// When the next attempt to take it back is due, while one is.
    pub withdrawal_due_at: Option<Timestamp>,
    /// Why the last one failed, as a stable code.
    pub withdrawal_error: Option<String>,
    /// When the member was found to be out.
    pub withdrawn_at: Option<Timestamp>,
}

/// One attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryTry {
    /// 1, 2, 3 …
    pub attempt: u32,
    /// What made the service try.
    pub trigger: DeliveryTrigger,
    /// How.
    pub mode: DeliveryMode,
    /// Why it failed, as a stable code; null when it was handed over.
    pub error: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Row for Delivery {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Projection for Deliveries {
    const NAME: &'static str = "deliveries";
    const VERSION: i32 = 2;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Delivery;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::DeliveryRequested(e) => Keys::row(e.delivery_id),
            Event::DeliveryAttempted(e) => Keys::row(e.delivery_id),
            Event::DeliverySent(e) => Keys::row(e.delivery_id),
            Event::DeliveryFailed(e) => Keys::row(e.delivery_id),
            Event::DeliveryRescueScheduled(e) => Keys::row(e.delivery_id),
            Event::DeliveryRetryRequested(e) => Keys::row(e.delivery_id),
            Event::DeliveryRescueExhausted(e) => Keys::row(e.delivery_id),
            Event::DeliveryManualReviewOpened(e) => Keys::row(e.delivery_id),
            Event::DeliveryWithdrawalRequested(e) => Keys::row(e.delivery_id),
            Event::DeliveryWithdrawn(e) => Keys::row(e.delivery_id),
            Event::DeliveryWithdrawalFailed(e) => Keys::row(e.delivery_id),
            Event::DeliveryWithdrawalCancelled(e) => Keys::row(e.delivery_id),
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Delivery>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::DeliveryRequested(e) => rows.insert(
                event,
                Delivery {
                    meta: event.meta(e.delivery_id, Some(e.subject_id)),
                    payment_id: e.payment_id,
                    product_id: e.product_id,
                    access_product_id: e.access_product_id,
                    membership_id: e.membership_id,
                    delivery_type: e.delivery_type,
                    mode: e.mode,
                    status: DeliveryStatus::Pending,
                    attempts: 0,
                    next_attempt_at: None,
                    last_error: None,
                    sent_at: None,
                    history: Vec::new(),
                    withdrawal_status: None,
                    withdrawal_due_at: None,
                    withdrawal_error: None,
                    withdrawn_at: None,
                },
            ),
            Event::DeliveryAttempted(e) => rows.update(event, e.delivery_id, |row| {
                (row.attempts, row.mode, row.next_attempt_at) = (e.attempt, e.mode, None);
                let at = event.recorded_at();
                row.history.push(DeliveryTry { attempt: e.attempt, trigger: e.trigger, mode: e.mode, error: None, at });
            }),
            Event::DeliverySent(e) => rows.update(event, e.delivery_id, |row| {
                (row.status, row.last_error, row.sent_at) = (DeliveryStatus::Sent, None, Some(e.sent_at));
            }),
            Event::DeliveryFailed(e) => rows.update(event, e.delivery_id, |row| {
                (row.status, row.last_error) = (DeliveryStatus::Failed, Some(e.reason.clone()));
                if let Some(last) = row.history.last_mut() {
                    last.error = Some(e.reason.clone());
                }
            }),
            Event::DeliveryRescueScheduled(e) => rows.update(event, e.delivery_id, |row| {
                (row.status, row.next_attempt_at) = (DeliveryStatus::RetryScheduled, Some(e.due_at));
            }),
            Event::DeliveryRetryRequested(e) => rows.update(event, e.delivery_id, |row| {
                (row.status, row.mode, row.next_attempt_at) = (DeliveryStatus::Pending, e.mode, None);
                row.is_withdrawn(None, None, None);
            }),
            // What follows from it is the next event's to say.
            Event::DeliveryRescueExhausted(e) => rows.update(event, e.delivery_id, |_| {}),
            Event::DeliveryManualReviewOpened(e) => rows.update(event, e.delivery_id, |row| row.status = DeliveryStatus::ManualReview),
            Event::DeliveryWithdrawalRequested(e) => rows.update(event, e.delivery_id, |row| {
                row.is_withdrawn(Some(WithdrawalStatus::Pending), Some(event.recorded_at()), None);
            }),
            Event::DeliveryWithdrawn(e) => rows.update(event, e.delivery_id, |row| {
                row.is_withdrawn(Some(WithdrawalStatus::Done), None, None);
                row.withdrawn_at = Some(e.withdrawn_at);
            }),
            Event::DeliveryWithdrawalFailed(e) => rows.update(event, e.delivery_id, |row| {
                let status = if e.retry_at.is_some() { WithdrawalStatus::RetryScheduled } else { WithdrawalStatus::ManualReview };
                row.is_withdrawn(Some(status), e.retry_at, Some(e.reason.clone()));
            }),
            Event::DeliveryWithdrawalCancelled(e) => rows.update(event, e.delivery_id, |row| row.is_withdrawn(None, None, None)),
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

impl Delivery {
    fn is_withdrawn(&mut self, status: Option<WithdrawalStatus>, due: Option<Timestamp>, error: Option<String>) {
        (self.withdrawal_status, self.withdrawal_due_at, self.withdrawal_error, self.withdrawn_at) = (status, due, error, None);
    }
}
