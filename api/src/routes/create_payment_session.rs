//! `POST /v1/access/payment-sessions` (RT-063).

use super::{context, input, openapi::shapes::OpenedPaymentSession, rails::SessionOptions};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, RequiredKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        agent_setups, gates,
        open_session::{self, OpenSession, Opened},
        products::{self, ProductRef},
    },
    state::{Settings, State},
};
use axum::{extract::State as Part, response::Response};
use events::{
    clock::Clock,
    log::Log,
    unit::Unit,
    vault::Vault,
    vocab::{
        rail::{Mode, RailId},
        words::{ProductStatus, Scope},
    },
};
use ledger::rail_gates::{RailOptions, Refused};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// A session to open.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreatePaymentSession {
    /// Your own id of the product.
    #[schema(example = "pro-ai-api")]
    pub external_product_id: Option<String>,
    /// The access product's id, or the hosted product's.
    pub product_id: Option<String>,
    /// The access product's id.
    pub access_product_id: Option<String>,
    /// Your own id of the customer. At least one of this, `wallet` and `email` is required.
    #[schema(example = "cust_123")]
    pub external_customer_id: Option<String>,
    /// The customer's wallet; a Solana wallet named here is the only one that may pay.
    pub wallet: Option<String>,
    /// The customer's e-mail address.
    #[schema(example = "buyer@example.com")]
    pub email: Option<String>,
    /// The rail to settle on.
    #[schema(example = "solana_usdc")]
    pub rail: Option<String>,
    /// The protocol around the settlement rail.
    pub payment_protocol: Option<String>,
    /// The rail to settle on.
    pub settlement_rail: Option<String>,
    /// Another amount than the product's price.
    pub amount_minor_units: Option<u64>,
    /// Anything of yours; kept sealed.
    pub metadata: Option<Value>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_payment_session))
}

/// Open a live payment session.
#[utoipa::path(
    post, path = "/v1/access/payment-sessions", tag = "access", operation_id = "create_payment_session",
    params(("Idempotency-Key" = String, Header, description = "Unique to this operation")),
    request_body = CreatePaymentSession,
    responses(
        (status = 201, description = "`payment_session` with its `payment_requirement`, `pending_entitlement`, `rail`, `payment_session_options`", body = OpenedPaymentSession),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`, `live_key_required`", body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 409, description = "`payout_address_required`, `backing_product_wallet_mismatch`, `rail_not_effective`, `rail_kill_switched`, `no_available_rails`, `product_not_active`", body = Problem),
        (status = 422, description = "`customer_identity_required`, `rail_required`, `unknown_rail`, `rail_conflict`, `amount_out_of_range`, `invalid_wallet`", body = Problem),
        (status = 503, description = "`overloaded`, `unavailable`", body = Problem),
    ),
    security(("hilt_key" = []), ("bearer" = []))
)]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn create_payment_session(
    Part(commands): Part<Commands>,
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    RequiredKey(key): RequiredKey,
    Body { value: body, hash }: Body<CreatePaymentSession>,
) -> Result<Response, Problem> {
    merchant.require(Scope::Write)?;
    agent_setups::require_live(&log, &settings, &merchant).await?;
    let named = ProductRef::parse(&body.external_product_id, &[&body.access_product_id, &body.product_id])?;
    let customer = input::Customer::parse(&body.external_customer_id, &None, &body.wallet, &body.email)?;
    let asked = body.rail()?;
    let operation =
        Operation { owner: merchant.owner, name: "POST /v1/access/payment-sessions".into(), key: Some(key), request_hash: hash };
    commands
        .run(operation, || async {
            let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
            let found = products::find(&log, merchant.owner, true, &named).await?;
            if found.product.status != ProductStatus::Active {
                return Err(Problem::of(Code::ProductNotActive).next_action("Activate the product before opening live sessions."));
            }
            let standing = platform.standing().await.map_err(|error| rejection::read(&error))?;
            // A switch that is tripped while this goes on makes it look again.
            unit.rely_on(&standing.policy);
            let options = gates::under(&log, &standing.rails, &settings, merchant.owner, Mode::Live, &found.product).await?;
            let rail = options.choose(asked).map_err(refused)?;
            let subject = vault.resolve_subject(merchant.owner, &customer.identities()).await.map_err(|error| rejection::read(&error))?;
            let open = OpenSession {
                owner: merchant.owner,
                found: &found,
                subject,
                customer: &customer,
                amount: body.amount_minor_units,
                rail,
                metadata: &body.metadata,
                now: clock.now(),
            };
            let opened = open_session::open(&mut unit, &settings, &open)?;
            let answer = Answer::created(view(&opened, &options, &settings))?;
            Ok(Draft { unit, answer })
        })
        .await
}

impl CreatePaymentSession {
    /// The rail asked for; a protocol around it has no session adapter here.
    fn rail(&self) -> Result<Option<RailId>, Problem> {
        if self.payment_protocol.is_some() || self.rail.as_deref() == Some("x402") {
            return Err(Problem::new(Code::RailSessionAdapterNotImplemented, "this deployment opens no x402 sessions")
                .next_action("Open the session on solana_usdc."));
        }
        input::agreeing_rails(&[("rail", &self.rail), ("settlement_rail", &self.settlement_rail)])
    }
}

/// A refused choice of rail, with its blockers.
pub fn refused(refused: Refused) -> Problem {
    let mut problem = rejection::decided(refused.code, &refused.detail).next_action(refused.next_action);
    problem.blockers = refused.blockers.into_iter().map(str::to_owned).collect();
    problem
}

fn view(opened: &Opened, options: &RailOptions, settings: &Settings) -> Value {
    let session = &opened.session;
    let mut requirement = open_session::requirement_view(&opened.requirement);
    requirement["payment_id"] = json!(session.payment_id);
    let adapter = options.verdict(session.rail_id).and_then(|verdict| verdict.rail.adapter.as_ref());
    json!({
        "payment_session": {
            "id": session.session_id,
            "status": "pending",
            "rail_id": session.rail_id,
            "payment_protocol": session.payment_protocol,
            "settlement_rail_id": session.rail_id,
            "payment_id": session.payment_id,
            "amount_minor_units": session.amount,
            "expires_at": session.expires_at,
            "checkout_url": checkout_url(settings, opened),
            "payment_requirement": requirement,
            "adapter": adapter.map(super::rails::AdapterView::from),
        },
        "pending_entitlement": {
            "id": opened.entitlement_id,
            "status": "pending",
            "access_product_id": session.access_product_id,
            "product_id": session.product_id,
            "rail_id": session.rail_id,
        },
        "rail": session.rail_id,
        "payment_session_options": SessionOptions::from(options),
        "livemode": true,
    })
}

/// Where a buyer without a wallet integration pays.
fn checkout_url(settings: &Settings, opened: &Opened) -> String {
    format!("{}/p/{}?session={}", settings.public_web_url, opened.slug, opened.session.session_id)
}
