//! RT-051 to RT-053: subscribing to a plan, looking after the subscription, and asking Stripe how it stands.

use super::{
    stripe,
    summary::{BillingSummary, Desk},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::{Body, QuestionBody},
        fresh::MinPosition,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    routes::context,
    state::{Settings, State},
};
use axum::{Json, extract::State as Part, response::Response};
use events::{
    clock::new_id,
    log::Log,
    unit::{Unit, load},
    vocab::words::{BillingInterval, BillingPlan},
};
use ledger::workspace_billing::{WorkspaceBilling, return_url};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use workers::billing::{self, Asked};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(start_checkout)).routes(routes!(open_portal)).routes(routes!(refresh))
}

/// What to subscribe to.
#[derive(Deserialize, ToSchema)]
struct StartStripeCheckout {
    #[schema(value_type = String, example = "growth")]
    plan: BillingPlan,
    #[schema(value_type = String, example = "monthly")]
    interval: BillingInterval,
    /// Where the browser goes when somebody has subscribed. Stripe fills in `{CHECKOUT_SESSION_ID}`.
    #[schema(example = "https://app.hilt.so/dashboard/billing?stripe=success")]
    success_url: String,
    /// Where it goes when nobody has.
    #[schema(example = "https://app.hilt.so/dashboard/billing?stripe=cancel")]
    cancel_url: String,
}

/// A page of Stripe's.
#[derive(Serialize, ToSchema)]
struct StripeCheckout {
    /// Where to send the browser.
    #[schema(example = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3")]
    checkout_url: String,
    /// Stripe's checkout session.
    #[schema(example = "cs_test_a1b2c3")]
    session_id: String,
}

/// Where to come back to.
#[derive(Deserialize, ToSchema)]
struct OpenStripePortal {
    /// Where Stripe's page leads back to.
    #[schema(example = "https://app.hilt.so/dashboard/billing")]
    return_url: String,
}

/// A page of Stripe's.
#[derive(Serialize, ToSchema)]
struct StripePortal {
    /// Where to send the browser; it works once, and soon.
    #[schema(example = "https://billing.stripe.com/p/session/test_YWNjdF8x")]
    portal_url: String,
}

/// Subscribe to a plan
///
/// Answers with a page of Stripe's for the merchant's browser. Nothing is bought by asking for it, and the page that was asked for before
/// is closed. After the merchant has come back, `POST /v1/billing/refresh/stripe` shows the subscription at once.
#[utoipa::path(post, path = "/v1/billing/checkout/stripe", tag = "billing", operation_id = "start_stripe_checkout",
    request_body = StartStripeCheckout, security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation")),
    responses((status = 200, description = "Where to send the browser", body = StripeCheckout), answers::Write))]
async fn start_checkout(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<StartStripeCheckout>,
) -> Result<Response, Problem> {
    merchant.require_session()?;
    let asked = Asked {
        owner_id: merchant.owner,
        plan: body.plan,
        interval: body.interval,
        success_url: back("success_url", &body.success_url)?,
        cancel_url: back("cancel_url", &body.cancel_url)?,
        // Of this request, not of the caller's key: what Stripe could not do once, it would not do again under the same key.
        request: format!("hilt-checkout-{}", new_id::<Uuid>()),
    };
    let stripe = stripe(&settings)?;
    let operation = Operation { owner: merchant.owner, name: "POST /v1/billing/checkout/stripe".into(), key, request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let stream = billing::stream(merchant.owner);
            let mut loaded = unit.load::<WorkspaceBilling>(stream).await.map_err(|error| rejection::read(&error))?;
            let page = stripe.open_checkout(&mut unit, &mut loaded, &asked).await.map_err(rejection::billing)?;
            Ok(Draft { unit, answer: Answer::ok(StripeCheckout { checkout_url: page.url, session_id: page.id })? })
        })
        .await
}

/// Look after the subscription
///
/// Answers with a page of Stripe's on which the merchant changes or ends his subscription, pays differently, and finds his invoices.
#[utoipa::path(post, path = "/v1/billing/portal/stripe", tag = "billing", operation_id = "open_stripe_portal",
    request_body = OpenStripePortal, security(("bearer" = [])),
    responses((status = 200, description = "Where to send the browser", body = StripePortal), answers::Write))]
async fn open_portal(
    Part(log): Part<Log>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    QuestionBody(body): QuestionBody<OpenStripePortal>,
) -> Result<Json<StripePortal>, Problem> {
    merchant.require_session()?;
    let return_url = back("return_url", &body.return_url)?;
    let stripe = stripe(&settings)?;
    let loaded = load::<WorkspaceBilling>(&log, billing::stream(merchant.owner)).await.map_err(|error| rejection::read(&error))?;
    let request = format!("hilt-portal-{}", new_id::<Uuid>());
    let page = stripe.open_portal(&loaded.state, &return_url, &request).await.map_err(rejection::billing)?;
    Ok(Json(StripePortal { portal_url: page.url }))
}

/// Ask Stripe how the subscription stands
///
/// After a completed checkout this shows the subscription at once; otherwise it is asked after once an hour. Nothing is made or charged.
#[utoipa::path(post, path = "/v1/billing/refresh/stripe", tag = "billing", operation_id = "refresh_stripe_billing", security(("bearer" = [])),
    responses((status = 200, description = "The subscription, the limits, and what was paid", body = BillingSummary), answers::Write))]
async fn refresh(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(desk): Part<Desk>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
) -> Result<Response, Problem> {
    merchant.require_session()?;
    let stripe = stripe(&settings)?;
    let operation = Operation { owner: merchant.owner, name: "POST /v1/billing/refresh/stripe".into(), key: None, request_hash: [0; 32] };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let stream = billing::stream(merchant.owner);
            let mut loaded = unit.load::<WorkspaceBilling>(stream).await.map_err(|error| rejection::read(&error))?;
            stripe.sync(&mut unit, &mut loaded, merchant.owner).await.map_err(rejection::billing)?;
            let synced_at = billing::synced_at(&log, merchant.owner).await.map_err(|error| rejection::read(&error))?;
            let summary = desk.summary(merchant.owner, loaded.state, synced_at, MinPosition(None)).await?;
            Ok(Draft { unit, answer: Answer::ok(summary)?.stamped_as(&["synced_at"]) })
        })
        .await
}

fn back(field: &'static str, text: &str) -> Result<String, Problem> {
    return_url(text).map_err(|rule| Problem::field(Code::ValidationFailed, field, rule))
}
