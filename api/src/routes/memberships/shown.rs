//! A membership as it is shown.

use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::{AccessProductId, EventId, MembershipId, PaymentId, ProductId, ReceiptId},
    time::Timestamp,
    words::{DeliveryStatus, WithdrawalStatus},
};
use projections::memberships::{Handed, Happened, MembershipView};
use serde::Serialize;
use utoipa::ToSchema;

/// A membership.
#[derive(Serialize, ToSchema)]
pub struct Membership {
    #[schema(value_type = String, format = Uuid)]
    id: MembershipId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = Option<String>, format = Uuid)]
    access_product_id: Option<AccessProductId>,
    product_title: Option<String>,
    /// `ACTIVE`, `GRACE`, `EXPIRED` or `REVOKED`, at the time of the answer.
    status: &'static str,
    /// `TELEGRAM`, `DISCORD` or `CUSTOM`.
    platform: Option<&'static str>,
    /// As it was verified.
    platform_identity: Option<Identity>,
    /// As you corrected it, or as it came.
    platform_display: Option<String>,
    external_customer_id: Option<String>,
    email: Option<String>,
    #[schema(value_type = String)]
    wallet: SolanaAddress,
    #[schema(value_type = String, format = Uuid)]
    latest_payment_id: PaymentId,
    #[schema(value_type = String)]
    latest_tx_signature: TxSignature,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    #[schema(value_type = String, format = DateTime)]
    current_period_start_at: Timestamp,
    /// Until when it is paid. Access goes on through the days of grace.
    #[schema(value_type = String, format = DateTime)]
    current_period_end_at: Timestamp,
    /// When grace is over.
    #[schema(value_type = String, format = DateTime)]
    grace_end_at: Timestamp,
    /// When the next payment is due: the end of the paid time.
    #[schema(value_type = String, format = DateTime)]
    renewal_due_at: Timestamp,
    /// Whether the member has said that he will not go on.
    cancel_at_period_end: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// A code such as `refund`.
    revoke_reason: Option<String>,
    delivery_type: Option<&'static str>,
    /// `NOT_REQUIRED`, `PENDING`, `SENT`, `FAILED`, `RETRY_SCHEDULED` or `MANUAL_REVIEW`: of the last payment.
    delivery_status: &'static str,
    /// Your notes, which only you see.
    notes: Option<String>,
    livemode: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A platform identity.
#[derive(Serialize, ToSchema)]
pub struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
    display: Option<String>,
}

/// A membership with all that happened to it.
#[derive(Serialize, ToSchema)]
pub struct FullMembership {
    #[serde(flatten)]
    membership: Membership,
    /// What happened to it, in order.
    history: Vec<HappenedView>,
    /// How what the last payment bought was handed over; null where there was nothing to hand over.
    delivery: Option<HandedView>,
}

/// How a purchase was handed over.
#[derive(Serialize, ToSchema)]
pub struct HandedView {
    /// As `delivery_status`.
    status: &'static str,
    attempts: u32,
    /// Why the last attempt failed, as a stable code.
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_retry_at: Option<Timestamp>,
    /// `static_value`, `telegram_bot` or `discord_bot`.
    mode: &'static str,
    /// Whether the bot takes the member out again, since the membership ended; null while there is nothing to take back.
    withdrawal: Option<WithdrawalView>,
}

/// How access is taken back.
#[derive(Serialize, ToSchema)]
pub struct WithdrawalView {
    /// `PENDING`, `DONE`, `RETRY_SCHEDULED` or `MANUAL_REVIEW`: then a person has to take him out.
    status: &'static str,
    /// Why the last attempt failed, as a stable code.
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_retry_at: Option<Timestamp>,
    /// When he was found to be out.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn_at: Option<Timestamp>,
}

impl From<&Handed> for HandedView {
    fn from(handed: &Handed) -> Self {
        HandedView {
            status: handed.status.as_str(),
            attempts: handed.attempts,
            last_error: handed.last_error.clone(),
            next_retry_at: handed.next_attempt_at,
            mode: handed.mode.as_str(),
            withdrawal: handed.withdrawal_status.map(|status| WithdrawalView {
                status: status.as_str(),
                last_error: handed.withdrawal_error.clone(),
                next_retry_at: handed.withdrawal_due_at.filter(|_| status == WithdrawalStatus::RetryScheduled),
                withdrawn_at: handed.withdrawn_at,
            }),
        }
    }
}

/// Something that happened to a membership. What does not apply is null.
#[derive(Serialize, ToSchema)]
pub struct HappenedView {
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    /// `membership.activated`, `membership.renewed`, `membership.gifted` …
    event: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
    #[schema(value_type = Option<String>)]
    tx_signature: Option<TxSignature>,
    /// Start of the time that was paid or given.
    #[schema(value_type = Option<String>, format = DateTime)]
    start_at: Option<Timestamp>,
    /// The end of the paid time, as it was after it.
    #[schema(value_type = Option<String>, format = DateTime)]
    end_at: Option<Timestamp>,
    /// Days of a gift, or days before the end of a reminder.
    days: Option<u32>,
    /// Why, as a code.
    reason: Option<String>,
    /// Your words, which only you see.
    note: Option<String>,
}

impl From<&Happened> for HappenedView {
    fn from(happened: &Happened) -> Self {
        HappenedView {
            event_id: happened.event_id,
            event: happened.event.clone(),
            at: happened.at,
            payment_id: happened.payment_id,
            tx_signature: happened.tx_signature,
            start_at: happened.start_at,
            end_at: happened.end_at,
            days: happened.days,
            reason: happened.reason.clone(),
            note: happened.note.clone(),
        }
    }
}

impl Membership {
    /// `view` as it stands at `now`.
    pub fn at(view: MembershipView, now: Timestamp) -> Self {
        let row = view.membership;
        let known = row.identity_type.is_some() || row.identity_value.is_some();
        let identity =
            Identity { kind: row.identity_type.clone(), value: row.identity_value.clone(), display: row.identity_display.clone() };
        Membership {
            id: MembershipId(row.meta.id),
            product_id: row.product_id,
            access_product_id: row.access_product_id,
            product_title: view.product_title,
            status: row.status(now).as_str(),
            platform: row.platform.map(|platform| platform.as_str()),
            platform_identity: known.then_some(identity),
            platform_display: row.display().map(str::to_owned),
            current_period_start_at: row.current_period_start_at(now),
            current_period_end_at: row.current_period_end_at,
            grace_end_at: row.grace_end_at,
            renewal_due_at: row.current_period_end_at,
            cancel_at_period_end: row.cancel_at_period_end,
            revoked_at: row.revoked_at,
            revoke_reason: row.revoke_reason,
            external_customer_id: row.external_customer_id,
            email: row.email,
            wallet: row.wallet,
            latest_payment_id: row.latest_payment_id,
            latest_tx_signature: row.latest_tx_signature,
            receipt_id: view.receipt_id,
            delivery_type: view.delivery_type.map(|delivery| delivery.as_str()),
            delivery_status: view.delivery.map_or(DeliveryStatus::NotRequired, |handed| handed.status).as_str(),
            notes: row.notes,
            livemode: row.meta.livemode,
            created_at: row.meta.created_at,
            updated_at: row.meta.updated_at,
        }
    }
}

impl FullMembership {
    /// `view` as it stands at `now`.
    pub fn at(view: MembershipView, now: Timestamp) -> Self {
        let history = view.membership.history.iter().map(HappenedView::from).collect();
        let delivery = view.delivery.as_ref().map(HandedView::from);
        FullMembership { membership: Membership::at(view, now), history, delivery }
    }
}
