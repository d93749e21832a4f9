//! RT-018 `GET /v1/payments/{payment_id}`: what anyone may know of a payment (INV-69).

use crate::{
    http::{
        answers,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    log::Log,
    vocab::{
        bytes::TxSignature,
        id::{MembershipId, PaymentId, ProductId},
        time::Timestamp,
        words::DeliveryStatus,
    },
};
use projections::{
    Reader, deliveries,
    payments::{self, Payment, PaymentStatus},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get))
}

/// A payment, without anything that tells who pays or what is delivered.
#[derive(Serialize, ToSchema)]
struct PublicPayment {
    #[schema(value_type = String, format = Uuid)]
    id: PaymentId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    /// `PENDING_SIGNATURE`, `PENDING_CONFIRMATION`, `CONFIRMED`, `FAILED` or `EXPIRED`.
    status: &'static str,
    #[schema(value_type = Option<String>)]
    tx_signature: Option<TxSignature>,
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
    /// A stable code.
    failure_reason: Option<String>,
    /// `NOT_REQUIRED`, `PENDING`, `SENT`, `FAILED`, `RETRY_SCHEDULED` or `MANUAL_REVIEW`; null until it is confirmed.
    delivery_status: Option<&'static str>,
    #[schema(value_type = Option<String>, format = Uuid)]
    membership_id: Option<MembershipId>,
}

impl PublicPayment {
    fn new(payment: Payment, delivery: Option<DeliveryStatus>, now: Timestamp) -> Self {
        // Expiry is recorded when its worker comes by; it holds from the instant itself.
        let lapsed = payment.status == PaymentStatus::PendingSignature && now >= payment.expires_at;
        PublicPayment {
            id: PaymentId(payment.meta.id),
            product_id: payment.product_id,
            status: if lapsed { PaymentStatus::Expired } else { payment.status }.as_str(),
            tx_signature: payment.tx_signature,
            confirmed_at: payment.confirmed_at,
            failed_at: payment.failed_at,
            failure_reason: payment.failure_reason,
            delivery_status: payment.confirmed_at.map(|_| delivery.unwrap_or(DeliveryStatus::NotRequired).as_str()),
            membership_id: payment.membership_id,
        }
    }
}

/// Payment status
#[utoipa::path(get, path = "/v1/payments/{payment_id}", tag = "payments", operation_id = "get_payment",
    params(("payment_id" = String, Path)),
    responses((status = 200, description = "The payment's public fields", body = PublicPayment), answers::Public))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    min: MinPosition,
    id: Segment,
) -> Result<Json<PublicPayment>, Problem> {
    let id: PaymentId = id.id(Code::PaymentNotFound)?;
    fresh.wait("payments", None, min.or_head(&log)).await?;
    fresh.wait("deliveries", None, min.or_head(&log)).await?;
    let payment = payments::find_public(&reader, id).await.map_err(rejection::query)?;
    let payment = payment.ok_or_else(|| Problem::of(Code::PaymentNotFound))?;
    let delivery = deliveries::find_public(&reader, id).await.map_err(rejection::query)?;
    Ok(Json(PublicPayment::new(payment, delivery.map(|delivery| delivery.status), clock.now())))
}
