//! The sandbox lifecycle: `POST /v1/access/sandbox/payment-sessions` (RT-067) and `…/{id}/confirm` (RT-068). It moves no money,
//! makes no receipt, and activates nothing but its own entitlement (INV-39).

use super::{
    context, input,
    openapi::shapes::{ConfirmedSandboxSession, OpenedSandboxSession},
    rails::AdapterView,
};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        path::Segment,
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        products::{self, ProductRef},
        sandbox_time,
    },
    state::State,
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::{Clock, new_id, random_bytes},
    log::{Context, Log},
    unit::{Unit, load},
    vault::Vault,
    vocab::{
        bytes::Hash32,
        event::EntitlementOrigin,
        id::{EntitlementId, SandboxSessionId, TestClockId},
        stream::{Category, StreamId},
        time::Timestamp,
    },
};
use ledger::{
    Cited,
    entitlement::{self, Entitlement},
    evidence::{Evidence, SandboxEvidence},
    rails::{KillSwitch, Rail},
    sandbox_session::{self, SandboxSession},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// How long a sandbox proof waits.
const PROOF_SECONDS: i64 = 30 * 60;
/// The proof's form.
const PROOF_TYPE: &str = "hilt_pay_api_sandbox_v1";

/// A sandbox session to open.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateSandboxSession {
    /// Your own id of the product.
    #[schema(example = "pro-ai-api")]
    pub external_product_id: Option<String>,
    /// The access product's id, or the hosted product's.
    pub product_id: Option<String>,
    /// Your own id of the customer. At least one of this, `wallet` and `email` is required.
    pub external_customer_id: Option<String>,
    /// The customer's wallet.
    pub wallet: Option<String>,
    /// The customer's e-mail address.
    pub email: Option<String>,
    /// The rail to try out; the product's default when absent.
    #[schema(example = "x402")]
    pub rail: Option<String>,
    /// Must be `true`.
    #[serde(default)]
    pub confirm_sandbox_mode: bool,
    /// A test clock of yours: the session and its access then live in the time that it shows.
    pub test_clock_id: Option<String>,
}

/// A sandbox proof.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ConfirmSandboxSession {
    /// As returned when the session was opened.
    #[schema(example = "hilt_sandbox_v1.…")]
    pub proof: String,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_sandbox_session)).routes(routes!(confirm_sandbox_session))
}

/// Open a sandbox session.
#[utoipa::path(
    post, path = "/v1/access/sandbox/payment-sessions", tag = "sandbox", operation_id = "create_sandbox_session",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = CreateSandboxSession,
    responses(
        (status = 201, description = "`sandbox_session` with its `proof`, shown once", body = OpenedSandboxSession),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`sandbox_key_required`, `scope_required`", body = Problem),
        (status = 404, description = "`product_not_found`, `test_clock_not_found`", body = Problem),
        (status = 409, description = "`rail_disabled`", body = Problem),
        (status = 422, description = "`sandbox_mode_confirmation_required`, `customer_identity_required`, `unknown_rail`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn create_sandbox_session(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(platform): Part<Platform>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreateSandboxSession>,
) -> Result<Response, Problem> {
    if !body.confirm_sandbox_mode {
        return Err(Problem::field(Code::SandboxModeConfirmationRequired, "confirm_sandbox_mode", "must be true"));
    }
    let named = ProductRef::parse(&body.external_product_id, &[&body.product_id])?;
    let asked = body.rail.as_deref().map(|rail| input::rail("rail", rail)).transpose()?;
    let customer = input::Customer::parse(&body.external_customer_id, &None, &body.wallet, &body.email)?;
    let test_clock_id = body.test_clock_id.as_deref().map(|id| input::id::<TestClockId>(id, Code::TestClockNotFound)).transpose()?;
    let operation =
        Operation { owner: merchant.owner, name: "POST /v1/access/sandbox/payment-sessions".into(), key: Some(key), request_hash: hash };
    let proof = format!("hilt_sandbox_v1.{}", hex::encode(random_bytes::<32>()));
    commands
        .run(operation, || async {
            // A dashboard session or a sandbox-capable live key may try out its live products as well as its sandbox ones.
            let product = match products::find(&log, merchant.owner, false, &named).await {
                Err(problem) if problem.code == Code::ProductNotFound.as_str() && merchant.livemode() => {
                    products::find(&log, merchant.owner, true, &named).await?.product
                }
                found => found?.product,
            };
            let now = sandbox_time::now(&log, &clock, merchant.owner, test_clock_id).await?;
            let rail_id = asked.unwrap_or(product.default_rail);
            let standing = platform.standing().await.map_err(|error| rejection::read(&error))?;
            let rail = standing.rails.get(rail_id);
            let subject = vault.resolve_subject(merchant.owner, &customer.identities()).await.map_err(|error| rejection::read(&error))?;
            let (session_id, entitlement_id): (SandboxSessionId, EntitlementId) = (new_id(), new_id());
            let mut unit = Unit::new(&log, context(&merchant, false, &request_id));
            unit.rely_on(&standing.policy);
            let mut session = unit.start::<SandboxSession>(StreamId::new(Category::SandboxSession, session_id));
            let create = sandbox_session::Create {
                sandbox_session_id: session_id,
                access_product_id: product.access_product_id,
                product_id: product.product_id,
                entitlement_id,
                subject_id: subject,
                wallet: customer.wallet.clone(),
                rail_id,
                sandbox_enabled: rail.sandbox_enabled && rail.kill_switch == KillSwitch::NotTripped,
                sandbox_mode_confirmed: body.confirm_sandbox_mode,
                proof_hash: Hash32::of(&proof),
                expires_at: now.plus_seconds(PROOF_SECONDS),
                test_clock_id,
                personal: customer.personal(),
            };
            let created = unit.decide(&mut session, sandbox_session::Command::Create(Box::new(create)), None);
            let created = created.map_err(|refused| rejection::decided(refused.code(), refused))?;
            let mut entitlement = unit.start::<Entitlement>(StreamId::new(Category::Entitlement, entitlement_id));
            let pend = entitlement::Pend {
                entitlement_id,
                access_product_id: product.access_product_id,
                product_id: product.product_id,
                subject_id: subject,
                wallet: customer.wallet.clone(),
                rail_id,
                origin: EntitlementOrigin::Sandbox { sandbox_session_id: session_id, test_clock_id },
                duration_days: product.entitlement_duration_days,
                personal: customer.personal(),
            };
            unit.decide(&mut entitlement, entitlement::Command::Pend(Box::new(pend)), created.last().copied())
                .map_err(|refused| rejection::decided(refused.code(), refused))?;
            let answer = Answer::created(created_view(&session.state, entitlement_id, rail, &proof))?.once(&["/sandbox_session/proof"]);
            Ok(Draft { unit, answer })
        })
        .await
}

/// Confirm a sandbox session with its proof.
#[utoipa::path(
    post, path = "/v1/access/sandbox/payment-sessions/{id}/confirm", tag = "sandbox", operation_id = "confirm_sandbox_session",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = ConfirmSandboxSession,
    responses(
        (status = 200, description = "`sandbox_session` and its active `entitlement`", body = ConfirmedSandboxSession),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`sandbox_key_required`, `scope_required`", body = Problem),
        (status = 404, description = "`sandbox_session_not_found`, `test_clock_not_found`", body = Problem),
        (status = 410, description = "`sandbox_proof_expired`", body = Problem),
        (status = 422, description = "`invalid_sandbox_proof`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn confirm_sandbox_session(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    Segment(id): Segment,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<ConfirmSandboxSession>,
) -> Result<Response, Problem> {
    let session_id: SandboxSessionId = input::id(&id, Code::SandboxSessionNotFound)?;
    let operation = Operation {
        owner: merchant.owner,
        name: format!("POST /v1/access/sandbox/payment-sessions/{session_id}/confirm"),
        key: Some(key),
        request_hash: hash,
    };
    let proof_hash = Hash32::of(&body.proof);
    commands
        .run(operation, || async {
            let session = load::<SandboxSession>(&log, StreamId::new(Category::SandboxSession, session_id)).await;
            let mut session = session.map_err(|error| rejection::read(&error))?;
            if session.owner_id != Some(merchant.owner) {
                return Err(Problem::of(Code::SandboxSessionNotFound));
            }
            let own = context(&merchant, false, &request_id);
            let context = Context { correlation_id: session.correlation_id.unwrap_or(own.correlation_id), ..own };
            let mut unit = Unit::new(&log, context);
            let now = sandbox_time::now(&log, &clock, merchant.owner, session.state.facts().and_then(|facts| facts.test_clock_id)).await?;
            let confirm = sandbox_session::Command::Confirm { proof_hash, now };
            let cause = session.last_event;
            let made = unit.decide(&mut session, confirm, cause);
            let made = made.map_err(|refused| rejection::decided(refused.code(), refused))?;
            let refused = sandbox_session::refusal(unit.events().map(|(_, _, event)| event));
            if let Some(refused) = refused {
                // The refusal leaves a trace, and the caller is told all the same.
                unit.commit().await.map_err(rejection::append)?;
                return Err(rejection::decided(refused.code(), refused));
            }
            let active = activate(&log, &mut unit, &session.state, made.last().copied(), &merchant, now).await?;
            let answer = Answer::ok(json!({
                "sandbox_session": {"id": session_id, "status": "confirmed"},
                "entitlement": active,
                "livemode": false,
                "sandbox_only": true,
            }))?;
            Ok(Draft { unit, answer })
        })
        .await
}

async fn activate(
    log: &Log,
    unit: &mut Unit<'_>,
    session: &SandboxSession,
    confirmed_event: Option<events::vocab::id::EventId>,
    merchant: &Merchant,
    now: Timestamp,
) -> Result<Value, Problem> {
    let SandboxSession::Confirmed { session, confirmed_at } = session else { return Err(Problem::of(Code::Internal)) };
    let stream = StreamId::new(Category::Entitlement, session.entitlement_id);
    let mut entitlement = load::<Entitlement>(log, stream).await.map_err(|error| rejection::read(&error))?;
    if let Some(id) = confirmed_event {
        if matches!(entitlement.state, Entitlement::Active { .. }) {
            // Another request confirmed the session after this one had read it.
            return Err(Problem::of(Code::Conflict).retry_after(1));
        }
        let confirmed =
            events::vocab::event::SandboxSessionConfirmed { sandbox_session_id: session.sandbox_session_id, confirmed_at: *confirmed_at };
        let evidence = Evidence::Sandbox(Box::new(SandboxEvidence {
            owner_id: merchant.owner,
            livemode: false,
            session: (**session).clone(),
            confirmed: Cited::new(id, confirmed),
        }));
        let activate = entitlement::Activate {
            owner_id: entitlement.owner_id.unwrap_or(merchant.owner),
            livemode: entitlement.livemode.unwrap_or(false),
            evidence,
            current_end: None,
            now,
        };
        unit.decide(&mut entitlement, entitlement::Command::Activate(Box::new(activate)), Some(id))
            .map_err(|refused| rejection::decided(refused.code(), refused))?;
    }
    let Entitlement::Active { pended, activated } = &entitlement.state else { return Err(Problem::of(Code::Internal)) };
    Ok(json!({
        "id": activated.entitlement_id,
        "status": "active",
        "access_product_id": pended.access_product_id,
        "product_id": pended.product_id,
        "rail_id": pended.rail_id,
        "active_from": activated.active_from,
        "expires_at": activated.expires_at,
        "livemode": false,
        "sandbox_only": true,
    }))
}

fn created_view(session: &SandboxSession, entitlement: EntitlementId, rail: &Rail, proof: &str) -> Value {
    let session = session.facts();
    json!({
        "sandbox_session": {
            "id": session.map(|session| session.sandbox_session_id),
            "status": "pending",
            "proof_type": PROOF_TYPE,
            "proof": proof,
            "expires_at": session.map(|session| session.expires_at),
            "test_clock_id": session.and_then(|session| session.test_clock_id),
        },
        "pending_entitlement": {"id": entitlement, "status": "pending", "rail_id": rail.rail_id, "livemode": false},
        "livemode": false,
        "sandbox_only": true,
        "rail": rail.rail_id,
        "payment_session_adapter": rail.adapter.as_ref().map(|adapter| AdapterView::new(adapter, true)),
    })
}
