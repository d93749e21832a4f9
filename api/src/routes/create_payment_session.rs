//! `POST /v1/access/payment-sessions` (RT-063).

use super::{
    context, input,
    openapi::shapes::OpenedPaymentSession,
    rails::{AdapterView, SessionOptions},
};
use crate::{
    http::{
        auth::Merchant,
        body::Body,
        idempotency::{Answer, Commands, Draft, Operation, OptionalKey},
        problem::{Code, Problem},
        rejection,
        request_id::RequestId,
    },
    services::{
        agent_setups,
        derived_session::Derived,
        gates,
        open_session::{self, OpenSession, Opened},
        products::{self, Found, ProductRef},
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
        bytes::Hash32,
        id::OwnerId,
        rail::{Mode, RailId},
        words::{PaymentProtocol, ProductStatus},
    },
};
use ledger::{
    rail_gates::{RailOptions, Refused},
    rails::KillSwitch,
    requirement::canonical,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::{platform::Platform, x402::Facilitator};

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
    /// The protocol around the settlement rail: `x402`.
    pub payment_protocol: Option<String>,
    /// The rail to settle on.
    pub settlement_rail: Option<String>,
    /// Another amount than the product's price.
    pub amount_minor_units: Option<u64>,
    /// Anything of yours; kept sealed. With x402, `resource` is the URL or path of what the payment opens.
    pub metadata: Option<Value>,
}

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_payment_session))
}

/// Open a live payment session.
///
/// With `payment_protocol` the key may be left out: then the same request gets the same session while that is open.
#[utoipa::path(
    post, path = "/v1/access/payment-sessions", tag = "access", operation_id = "create_payment_session",
    params(("Idempotency-Key" = Option<String>, Header, description = "Unique to this operation; required without `payment_protocol`")),
    request_body = CreatePaymentSession,
    responses(
        (status = 201, description = "`payment_session` with its `payment_requirement`, `pending_entitlement`, `rail`, `payment_session_options`", body = OpenedPaymentSession),
        (status = 400, description = "`idempotency_key_required`, `malformed_request`", body = Problem),
        (status = 401, description = "`auth_required`, `invalid_api_key`", body = Problem),
        (status = 403, description = "`scope_required`, `live_key_required`", body = Problem),
        (status = 404, description = "`product_not_found`", body = Problem),
        (status = 409, description = "`payout_address_required`, `backing_product_wallet_mismatch`, `rail_not_effective`, `rail_kill_switched`, `rail_session_adapter_not_implemented`, `no_available_rails`, `product_not_active`", body = Problem),
        (status = 422, description = "`customer_identity_required`, `rail_required`, `unknown_rail`, `rail_conflict`, `amount_out_of_range`, `invalid_wallet`, `validation_failed`", body = Problem),
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
    Part(facilitator): Part<Facilitator>,
    merchant: Merchant,
    RequestId(request_id): RequestId,
    OptionalKey(key): OptionalKey,
    Body { value: body, hash }: Body<CreatePaymentSession>,
) -> Result<Response, Problem> {
    agent_setups::require_live(&log, &settings, &merchant).await?;
    if key.is_none() && body.payment_protocol.is_none() {
        return Err(Problem::of(Code::IdempotencyKeyRequired)
            .next_action("Send an Idempotency-Key header that is unique to this operation, or name payment_protocol."));
    }
    let named = ProductRef::parse(&body.external_product_id, &[&body.access_product_id, &body.product_id])?;
    let customer = input::Customer::parse(&body.external_customer_id, &None, &body.wallet, &body.email)?;
    let asked = body.asked()?;
    let draft = || async {
        let mut unit = Unit::new(&log, context(&merchant, true, &request_id));
        let found = products::find(&log, merchant.owner, true, &named).await?;
        if found.product.status != ProductStatus::Active {
            return Err(Problem::of(Code::ProductNotActive).next_action("Activate the product before opening live sessions."));
        }
        let standing = platform.standing().await.map_err(|error| rejection::read(&error))?;
        // A switch that is tripped while this goes on makes it look again.
        unit.rely_on(&standing.policy);
        let options = gates::under(&log, &standing.rails, &settings, merchant.owner, Mode::Live, &found.product).await?;
        let rail = options.choose(asked.rail).map_err(refused)?;
        let x402 = asked.x402(rail, &options)?.then(|| facilitator.fee_payer());
        let subject = vault.resolve_subject(merchant.owner, &customer.identities()).await.map_err(|error| rejection::read(&error))?;
        let open = OpenSession {
            owner: merchant.owner,
            found: &found,
            subject,
            customer: &customer,
            amount: body.amount_minor_units,
            rail,
            x402,
            metadata: &body.metadata,
            now: clock.now(),
        };
        let opened = open_session::open(&mut unit, &settings, &open)?;
        let answer = Answer::created(view(&opened, &asked, &options, &settings))?;
        Ok(Draft { unit, answer })
    };
    let operation = match key {
        Some(key) => Operation { owner: merchant.owner, name: OPERATION.into(), key: Some(key), request_hash: hash },
        None => {
            let content = body.content(merchant.owner, &products::find(&log, merchant.owner, true, &named).await?, &customer, &asked);
            let derived = Derived { commands: &commands, log: &log, clock: &clock };
            return derived.run(merchant.owner, OPERATION, content, draft).await;
        }
    };
    commands.run(operation, draft).await
}

const OPERATION: &str = "POST /v1/access/payment-sessions";

/// Which rail and protocol a request names.
struct Asked {
    /// The rail that settles.
    rail: Option<RailId>,
    /// The protocol around it.
    protocol: Option<PaymentProtocol>,
    /// Whether `rail` named the protocol, as it once did (DIS-8).
    legacy: bool,
}

impl Asked {
    /// Whether it is an x402 session, which settles over `solana_usdc` only and can be switched off by itself.
    fn x402(&self, rail: RailId, options: &RailOptions) -> Result<bool, Problem> {
        if self.protocol.is_none() {
            return Ok(false);
        }
        if rail != RailId::SolanaUsdc {
            let detail = format!("x402 over {rail} has no session adapter in this deployment");
            return Err(Problem::new(Code::RailSessionAdapterNotImplemented, detail).next_action("Settle over solana_usdc."));
        }
        match options.verdict(RailId::X402).is_some_and(|verdict| verdict.rail.kill_switch == KillSwitch::Tripped) {
            true => {
                Err(Problem::new(Code::RailKillSwitched, "x402 is switched off").next_action("Open the session without payment_protocol."))
            }
            false => Ok(true),
        }
    }
}

impl CreatePaymentSession {
    /// The rail and the protocol asked for; all fields must agree (DIS-19).
    fn asked(&self) -> Result<Asked, Problem> {
        let protocol = self.payment_protocol.as_deref().map(|text| input::word("payment_protocol", text)).transpose()?;
        let named = self.rail.as_deref().map(|text| input::rail("rail", text)).transpose()?;
        let legacy = named == Some(RailId::X402);
        let plain = if legacy { &None } else { &self.rail };
        let rail = input::agreeing_rails(&[("rail", plain), ("settlement_rail", &self.settlement_rail)])?;
        if rail == Some(RailId::X402) {
            return Err(Problem::field(Code::RailConflict, "settlement_rail", "x402 is a protocol, which settles over another rail"));
        }
        Ok(Asked {
            rail: rail.or(legacy.then_some(RailId::SolanaUsdc)),
            protocol: protocol.or(legacy.then_some(PaymentProtocol::X402)),
            legacy: legacy && self.payment_protocol.is_none(),
        })
    }

    /// What makes two requests without a key the same (DIS-6).
    fn content(&self, owner: OwnerId, found: &Found, customer: &input::Customer, asked: &Asked) -> Hash32 {
        Hash32::of(canonical(&json!({
            "owner": owner,
            "product": found.product.access_product_id,
            "external_customer_id": customer.external_customer_id,
            "wallet": customer.wallet,
            "email": customer.email,
            "protocol": asked.protocol,
            "settlement_rail": asked.rail,
            "amount": self.amount_minor_units.unwrap_or(found.product.amount.units()).to_string(),
            "resource": self.metadata.as_ref().and_then(|metadata| metadata.get("resource")),
        })))
    }
}

/// A refused choice of rail, with its blockers.
pub fn refused(refused: Refused) -> Problem {
    let mut problem = rejection::decided(refused.code, &refused.detail).next_action(refused.next_action);
    problem.blockers = refused.blockers.into_iter().map(str::to_owned).collect();
    problem
}

fn view(opened: &Opened, asked: &Asked, options: &RailOptions, settings: &Settings) -> Value {
    let session = &opened.session;
    let mut requirement = open_session::requirement_view(&opened.requirement, opened.resource.as_deref(), settings);
    requirement["payment_id"] = json!(session.payment_id);
    let of = if session.payment_protocol.is_some() { RailId::X402 } else { session.rail_id };
    let adapter = options.verdict(of).and_then(|verdict| verdict.rail.adapter.as_ref());
    let adapter = adapter.map(|adapter| AdapterView { settlement_rail_id: session.rail_id.as_str(), ..AdapterView::new(adapter, true) });
    let mut view = json!({
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
            "adapter": adapter,
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
    });
    if asked.legacy {
        view["warnings"] = json!(["legacy_x402_rail"]);
    }
    view
}

/// Where a buyer without a wallet integration pays; a session of a protocol has no such page (DIS-20).
fn checkout_url(settings: &Settings, opened: &Opened) -> Option<String> {
    let page = opened.session.payment_protocol.is_none();
    page.then(|| format!("{}/p/{}?session={}", settings.public_web_url, opened.slug, opened.session.session_id))
}
