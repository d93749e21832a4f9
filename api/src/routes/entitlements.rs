//! RT-066 `POST /v1/access/entitlements/check`: the question a protected endpoint asks before it works. A denial is an answer, not
//! an error.

use super::{
    input::{self, Customer},
    rails::{RailText, RailView},
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::QuestionBody,
        fresh::MinPosition,
        problem::{Code, Problem},
        rejection,
    },
    services::access_check::{AccessCheck, Check as Question, Checked, Named},
    state::{Settings, State},
};
use axum::{
    extract::State as Part,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use events::vocab::{
    id::{AccessProductId, PaymentId, ProductId, ReceiptId},
    time::Timestamp,
};
use ledger::entitlement_check::Source;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::platform::Platform;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(check))
}

/// Who wants access to what.
#[derive(Deserialize, ToSchema)]
struct Check {
    /// The hosted product's id, or the access product's.
    product_id: Option<String>,
    /// The access product's id.
    access_product_id: Option<String>,
    /// Your own id of the product.
    #[schema(example = "pro-ai-api")]
    external_product_id: Option<String>,
    /// The rail; the product's default rail unless told.
    #[schema(example = "solana_usdc")]
    rail: Option<String>,
    /// Your own id of the customer. At least one of this, `wallet` and `email` is required.
    #[schema(example = "cust_123")]
    external_customer_id: Option<String>,
    /// Another name of `external_customer_id`.
    customer_reference: Option<String>,
    /// The customer's wallet.
    wallet: Option<String>,
    /// The customer's e-mail address.
    email: Option<String>,
    /// `false` asks for sandbox access; the key's own mode unless told.
    livemode: Option<bool>,
}

/// The answer. Every key is always there, null when unknown.
#[derive(Serialize, ToSchema)]
struct CheckAnswer {
    /// Do protected work only when this is true.
    has_access: bool,
    /// `active`, `pending`, `expired`, `revoked`, `failed` or `not_found`.
    status: &'static str,
    /// `active_entitlement`, `active_membership`, `payment_pending`, `entitlement_expired`, `entitlement_revoked`,
    /// `no_entitlement_for_rail` or `no_entitlement`.
    reason: &'static str,
    /// `membership_bridge`, `access_entitlement`, `sandbox_entitlement` or `none`.
    source: &'static str,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = String, format = Uuid)]
    access_product_id: AccessProductId,
    external_product_id: String,
    rail_id: &'static str,
    #[schema(value_type = RailView)]
    rail: RailText,
    external_customer_id: Option<String>,
    wallet: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    active_from: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    receipt: Option<ReceiptLink>,
    #[schema(value_type = Option<String>, format = Uuid)]
    last_payment_id: Option<PaymentId>,
    livemode: bool,
    sandbox_only: bool,
}

/// Where the receipt can be checked.
#[derive(Serialize, ToSchema)]
struct ReceiptLink {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    verify_url: String,
}

/// Check an entitlement
///
/// The source of truth for serving protected work: deny unless `has_access` is true.
#[utoipa::path(post, path = "/v1/access/entitlements/check", tag = "access", operation_id = "check_entitlement", request_body = Check,
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Access, or why not", body = CheckAnswer), answers::Check))]
async fn check(
    Part(checks): Part<AccessCheck>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    min: MinPosition,
    QuestionBody(asked): QuestionBody<Check>,
) -> Result<Response, Problem> {
    let live = mode(&merchant, asked.livemode)?;
    let named = named(&asked)?;
    let customer = Customer::parse(&asked.external_customer_id, &asked.customer_reference, &asked.wallet, &asked.email);
    let rail = asked.rail.as_deref().map(|text| input::rail("rail", text)).transpose();
    let (owner, both_modes) = (merchant.owner, merchant.livemode());
    let checked = checks.answer(&Question { owner, live, both_modes, named, customer: &customer, rail: &rail, min }).await?;
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    let rail = RailText::of(&rails, checked.rail).map_err(|error| Problem::internal(&error, "write the rail"))?;
    whole(&CheckAnswer::new(&checked, customer?, rail, live, &settings))
}

/// What an answer has at most, nearly always: written into one allocation.
const ROOM: usize = 1_536;

fn whole(answer: &CheckAnswer) -> Result<Response, Problem> {
    let mut body = Vec::with_capacity(ROOM);
    serde_json::to_writer(&mut body, answer).map_err(|error| Problem::internal(&error, "write the answer"))?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response())
}

/// Live access is never shown to a sandbox key, nor sandbox access to a key that may not use the sandbox (INV-39, INV-40).
fn mode(merchant: &Merchant, asked: Option<bool>) -> Result<bool, Problem> {
    match asked.unwrap_or(merchant.livemode()) {
        true => merchant.require_live().map(|_| true),
        false => merchant.require_sandbox().map(|_| false),
    }
}

fn named(asked: &Check) -> Result<Named<'_>, Problem> {
    if let Some(external_id) = &asked.external_product_id {
        return Ok(Named::External(external_id));
    }
    match asked.access_product_id.as_ref().or(asked.product_id.as_ref()) {
        Some(id) => input::id(id, Code::ProductNotFound).map(Named::Id),
        None => Err(crate::services::products::product_required().next_action("Send external_product_id or product_id.")),
    }
}

impl CheckAnswer {
    fn new(checked: &Checked, customer: Customer, rail: RailText, live: bool, settings: &Settings) -> Self {
        let Checked { product, answer, .. } = checked;
        let link = |receipt_id: ReceiptId| ReceiptLink { receipt_id, verify_url: settings.verify_url(receipt_id) };
        CheckAnswer {
            has_access: answer.has_access(),
            status: answer.status.as_str(),
            reason: answer.reason.as_str(),
            source: answer.source.as_str(),
            product_id: product.product_id,
            access_product_id: AccessProductId(product.meta.id),
            external_product_id: product.external_product_id.clone(),
            rail_id: checked.rail.as_str(),
            rail,
            external_customer_id: customer.external_customer_id,
            wallet: customer.wallet,
            email: customer.email,
            active_from: answer.window.map(|(from, _)| from),
            expires_at: answer.window.map(|(_, until)| until),
            receipt_id: answer.receipt_id,
            receipt: answer.receipt_id.map(link),
            last_payment_id: answer.last_payment_id,
            livemode: live,
            sandbox_only: answer.source == Source::SandboxEntitlement,
        }
    }
}
