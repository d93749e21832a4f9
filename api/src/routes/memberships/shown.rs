//! A membership as it is shown.

use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::{AccessProductId, EventId, MembershipId, PaymentId, ProductId, ReceiptId},
    time::Timestamp,
};
use projections::memberships::{Happened, MembershipView};
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
    /// Null while nothing is recorded of a delivery.
    delivery_status: Option<&'static str>,
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
    /// How access was handed over; null while nothing is recorded of a delivery.
    #[schema(value_type = Option<Object>)]
    delivery: Option<serde_json::Value>,
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
            delivery_status: None,
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
        FullMembership { membership: Membership::at(view, now), history, delivery: None }
    }
}
