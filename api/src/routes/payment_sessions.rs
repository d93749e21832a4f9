//! RT-064 `GET /v1/access/payment-sessions[/{id}]`: status, and the stages reached with their event ids.

use super::{
    apps::PageQuery,
    openapi::shapes::{PaymentRequirement, RefusedProof, VerificationAttempt},
    rails::AdapterView,
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    services::{isolation, open_session::requirement_view},
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    log::Log,
    vocab::{
        bytes::TxSignature,
        id::{AccessProductId, EntitlementId, EventId, PaymentId, ProductId, ReceiptId, SessionId},
        money::Minor,
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::rails::Rails;
use projections::{
    Reader,
    payment_sessions::{self, PaymentSession, SessionStatus, Stage, Stages},
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// A session with everything that has come of it.
#[derive(Serialize, ToSchema)]
struct SessionAnswer {
    payment_session: SessionView,
}

/// Sessions, newest first.
#[derive(Serialize, ToSchema)]
struct SessionList {
    items: Vec<SessionView>,
    /// All sessions.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A payment session.
#[derive(Serialize, ToSchema)]
struct SessionView {
    #[schema(value_type = String, format = Uuid)]
    id: SessionId,
    /// `pending`, `confirmed`, `expired` or `failed`.
    status: &'static str,
    rail_id: &'static str,
    payment_protocol: Option<&'static str>,
    settlement_rail_id: &'static str,
    #[schema(value_type = String, format = Uuid)]
    access_product_id: AccessProductId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    #[schema(value_type = String, format = Uuid)]
    entitlement_id: EntitlementId,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    external_customer_id: Option<String>,
    wallet: Option<String>,
    email: Option<String>,
    /// As it was sent.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    #[schema(value_type = u64)]
    amount_minor_units: Minor,
    #[schema(value_type = Option<String>)]
    tx_signature: Option<TxSignature>,
    /// A stable code.
    failure_reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    livemode: bool,
    #[schema(value_type = Option<PaymentRequirement>)]
    payment_requirement: Option<Value>,
    adapter: Option<AdapterView>,
    /// In the order of the lifecycle, each with the event that reached it.
    stages: Vec<StageView>,
    /// Looks at the chain, failed ones too.
    #[schema(value_type = Vec<VerificationAttempt>)]
    verification_attempts: Value,
    /// Proofs that were not recorded, and why.
    #[schema(value_type = Vec<RefusedProof>)]
    rejected_proofs: Value,
}

/// A stage that was reached.
#[derive(Serialize, ToSchema)]
struct StageView {
    /// `session`, `requirement`, `proof`, `verification`, `settlement`, `receipt`, `entitlement` or `confirmed`.
    stage: &'static str,
    /// The event that reached it.
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

fn stages(stages: &Stages) -> Vec<StageView> {
    let all: [(&'static str, &Option<Stage>); 8] = [
        ("session", &stages.created),
        ("requirement", &stages.requirement),
        ("proof", &stages.proof),
        ("verification", &stages.verification),
        ("settlement", &stages.settlement),
        ("receipt", &stages.receipt),
        ("entitlement", &stages.entitlement),
        ("confirmed", &stages.confirmed),
    ];
    let reached = |(stage, at): (&'static str, &Option<Stage>)| at.as_ref().map(|at| StageView { stage, event_id: at.event_id, at: at.at });
    all.into_iter().filter_map(reached).collect()
}

impl SessionView {
    fn new(session: PaymentSession, rails: &Rails, settings: &Settings, now: Timestamp) -> Result<Self, Problem> {
        // Expiry is recorded when its worker comes by; a proof that is already recorded keeps the session open.
        let lapsed = session.status == SessionStatus::Pending
            && session.stages.proof.is_none()
            && session.tx_signature.is_none()
            && now >= session.expires_at;
        let status = if lapsed { SessionStatus::Expired } else { session.status };
        let adapter = AdapterView::of_session(rails, session.rail_id, session.payment_protocol);
        let payment_requirement = requirement(&session, settings);
        let json = |value: serde_json::Result<Value>| value.map_err(|error| Problem::internal(&error, "show a payment session"));
        Ok(SessionView {
            id: SessionId(session.meta.id),
            status: status.as_str(),
            rail_id: session.rail_id.as_str(),
            payment_protocol: session.payment_protocol.map(|protocol| protocol.as_str()),
            settlement_rail_id: session.rail_id.as_str(),
            access_product_id: session.access_product_id,
            product_id: session.product_id,
            payment_id: session.payment_id,
            entitlement_id: session.entitlement_id,
            receipt_id: session.receipt_id,
            external_customer_id: session.external_customer_id,
            wallet: session.wallet,
            email: session.email,
            metadata: session.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            amount_minor_units: session.amount,
            tx_signature: session.tx_signature,
            failure_reason: session.failure_reason,
            expires_at: session.expires_at,
            created_at: session.meta.created_at,
            livemode: session.meta.livemode,
            payment_requirement,
            adapter,
            stages: stages(&session.stages),
            verification_attempts: json(serde_json::to_value(&session.stages.attempts))?,
            rejected_proofs: json(serde_json::to_value(&session.stages.rejections))?,
        })
    }
}

/// What must be paid, and whether the fee that the merchant owes for an x402 payment is due.
fn requirement(session: &PaymentSession, settings: &Settings) -> Option<Value> {
    let mut view = requirement_view(session.requirement.as_ref()?, session.resource.as_deref(), settings);
    if let Some(status) = view.pointer_mut("/fee_collection/status").filter(|_| session.stages.settlement.is_some()) {
        *status = Value::from("due");
    }
    Some(view)
}

/// Payment sessions
#[utoipa::path(get, path = "/v1/access/payment-sessions", tag = "access", operation_id = "list_payment_sessions", params(PageQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of sessions", body = SessionList), answers::Read))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<PageQuery>,
) -> Result<Json<SessionList>, Problem> {
    let asked = query.asked()?;
    fresh.wait("payment_sessions", Some(merchant.owner), min).await?;
    let page = payment_sessions::list(&reader, merchant.owner, merchant.livemode(), asked.window()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |session| (session.meta.created_at, session.meta.id));
    let (rails, now) = (platform.shown().await.map_err(|error| rejection::read(&error))?, clock.now());
    let items = rows.into_iter().map(|session| SessionView::new(session, &rails, &settings, now)).collect::<Result<_, _>>()?;
    Ok(Json(SessionList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

/// One payment session
///
/// `status`, and the stages reached with the ids of their events.
#[utoipa::path(get, path = "/v1/access/payment-sessions/{id}", tag = "access", operation_id = "get_payment_session",
    params(("id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The session", body = SessionAnswer), answers::ReadOne))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn get(
    Part(reader): Part<Reader>,
    Part(log): Part<Log>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    Part(platform): Part<Platform>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<SessionAnswer>, Problem> {
    let id: SessionId = id.id(Code::PaymentSessionNotFound)?;
    fresh.wait("payment_sessions", Some(merchant.owner), min).await?;
    let session = payment_sessions::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let session = session.filter(|session| session.meta.livemode == merchant.livemode());
    let Some(session) = session else {
        let stream = StreamId::new(Category::PaymentSession, id);
        return Err(isolation::missing(&log, merchant.owner, stream, Code::PaymentSessionNotFound).await);
    };
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    Ok(Json(SessionAnswer { payment_session: SessionView::new(session, &rails, &settings, clock.now())? }))
}
