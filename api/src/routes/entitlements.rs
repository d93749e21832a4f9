//! RT-066 `POST /v1/access/entitlements/check`: the question a protected endpoint asks before it works. A denial is an answer, not
//! an error.

use super::{
    input::{self, Customer},
    rails::RailView,
};
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Body,
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vault::Vault,
    vocab::{
        id::{AccessProductId, MembershipId, OwnerId, PaymentId, ProductId, ReceiptId, SubjectId},
        rail::RailId,
        time::Timestamp,
        words::Scope,
    },
};
use ledger::{
    entitlement_check::{self, Answer, Question, Source, Standing},
    rails::Rail,
};
use projections::{
    Reader,
    access_products::{self, AccessProduct},
    entitlements::{self, Entitlement, EntitlementStatus},
    memberships, payment_sessions,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
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
    rail: RailView,
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

/// What a check reads.
struct Records {
    entitlements: Vec<Entitlement>,
    membership: Option<entitlement_check::Membership>,
    x402: BTreeSet<uuid::Uuid>,
}

/// Check an entitlement
///
/// The source of truth for serving protected work: deny unless `has_access` is true.
#[utoipa::path(post, path = "/v1/access/entitlements/check", tag = "access", operation_id = "check_entitlement", request_body = Check,
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Access, or why not", body = CheckAnswer), answers::Check))]
#[allow(clippy::too_many_arguments, reason = "each is one extracted part of the request")]
async fn check(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(vault): Part<Vault>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    Part(platform): Part<Platform>,
    merchant: Merchant,
    min: MinPosition,
    Body { value: asked, .. }: Body<Check>,
) -> Result<Json<CheckAnswer>, Problem> {
    merchant.require(Scope::Read)?;
    let live = mode(&merchant, asked.livemode)?;
    for name in ["access_products", "entitlements", "memberships"] {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    let product = product(&reader, &merchant, live, &asked).await?;
    let customer = Customer::parse(&asked.external_customer_id, &asked.customer_reference, &asked.wallet, &asked.email)?;
    let rail = asked.rail.as_deref().map_or(Ok(product.default_rail), |text| input::rail("rail", text))?;
    let rails = platform.shown().await.map_err(|error| rejection::read(&error))?;
    let now = clock.now();
    let records = records(&reader, &vault, &merchant, live, &product, &customer, rail, now).await?;
    let rows: Vec<_> = records.entitlements.iter().map(|row| on_record(row, &records.x402)).collect();
    let question = Question { rail, allowed_rails: &product.allowed_rails, now };
    let answer = entitlement_check::decide(&question, &rows, records.membership.as_ref());
    Ok(Json(CheckAnswer::new(&answer, product, customer, rails.get(rail), live, &settings)))
}

/// Live access is never shown to a sandbox key, nor sandbox access to a key that may not use the sandbox (INV-39, INV-40).
fn mode(merchant: &Merchant, asked: Option<bool>) -> Result<bool, Problem> {
    match asked.unwrap_or(merchant.livemode()) {
        true => merchant.require_live().map(|_| true),
        false => merchant.require_sandbox().map(|_| false),
    }
}

async fn product(reader: &Reader, merchant: &Merchant, live: bool, asked: &Check) -> Result<AccessProduct, Problem> {
    if let Some(external_id) = &asked.external_product_id {
        let mut found = access_products::find_by_external_id(reader, merchant.owner, live, external_id).await.map_err(rejection::query)?;
        if found.is_none() && !live && merchant.livemode() {
            // Whoever may use both modes may try a live product in the sandbox.
            found = access_products::find_by_external_id(reader, merchant.owner, true, external_id).await.map_err(rejection::query)?;
        }
        return found.ok_or_else(|| Problem::of(Code::ProductNotFound));
    }
    let Some(id) = asked.access_product_id.as_ref().or(asked.product_id.as_ref()) else {
        return Err(Problem::of(Code::ProductRequired).next_action("Send external_product_id or product_id."));
    };
    let id: uuid::Uuid = input::id(id, Code::ProductNotFound)?;
    let found = match access_products::find(reader, merchant.owner, id).await.map_err(rejection::query)? {
        Some(product) => Some(product),
        None => access_products::find_by_product(reader, merchant.owner, ProductId(id)).await.map_err(rejection::query)?,
    };
    let found = found.filter(|product| product.meta.livemode == live || (!live && merchant.livemode()));
    found.ok_or_else(|| Problem::of(Code::ProductNotFound))
}

#[allow(clippy::too_many_arguments, reason = "the parts of one question")]
async fn records(
    reader: &Reader,
    vault: &Vault,
    merchant: &Merchant,
    live: bool,
    product: &AccessProduct,
    customer: &Customer,
    rail: RailId,
    now: Timestamp,
) -> Result<Records, Problem> {
    let named = entitlements::Customer {
        external_customer_id: customer.external_customer_id.clone(),
        wallet: customer.wallet.clone(),
        email: customer.email.clone(),
    };
    let product_id = AccessProductId(product.meta.id);
    let mut rows = entitlements::of_customer(reader, merchant.owner, product_id, !live, &named).await.map_err(rejection::query)?;
    rows.retain(|row| row.meta.livemode == live);
    rows.sort_by_key(|row| (row.meta.created_at, row.meta.id));
    let membership = match live && rail == RailId::SolanaUsdc {
        true => membership(reader, vault, merchant.owner, product, customer, &rows, now).await?,
        false => None,
    };
    let mut x402 = BTreeSet::new();
    if rail == RailId::X402 {
        for session in rows.iter().filter_map(|row| row.session_id) {
            let found = payment_sessions::find(reader, merchant.owner, session).await.map_err(rejection::query)?;
            x402.extend(found.filter(|session| session.payment_protocol.is_some()).map(|session| session.entitlement_id.0));
        }
    }
    Ok(Records { entitlements: rows, membership, x402 })
}

/// The membership with the latest period among those of the people that the identities lead to.
async fn membership(
    reader: &Reader,
    vault: &Vault,
    owner: OwnerId,
    product: &AccessProduct,
    customer: &Customer,
    rows: &[Entitlement],
    now: Timestamp,
) -> Result<Option<entitlement_check::Membership>, Problem> {
    let mut people: BTreeSet<SubjectId> = rows.iter().filter_map(|row| row.meta.subject_id).collect();
    if people.is_empty() {
        people.extend(vault.find_subject(owner, &customer.identities()).await.map_err(|error| rejection::read(&error))?);
    }
    let mut latest: Option<entitlement_check::Membership> = None;
    for person in people {
        let id = MembershipId::of(product.product_id, person);
        let Some(found) = memberships::find(reader, owner, id).await.map_err(rejection::query)? else { continue };
        let (row, receipt_id) = (found.membership, found.receipt_id);
        let found = entitlement_check::Membership {
            from: row.current_period_start_at(now),
            until: row.current_period_end_at,
            grace_until: row.grace_end_at,
            revoked: row.revoked_at.is_some(),
            payment_id: Some(row.latest_payment_id),
            receipt_id,
        };
        if latest.as_ref().is_none_or(|latest| (!latest.revoked, latest.until) < (!found.revoked, found.until)) {
            latest = Some(found);
        }
    }
    Ok(latest)
}

fn on_record(row: &Entitlement, x402: &BTreeSet<uuid::Uuid>) -> entitlement_check::Entitlement {
    let window = row.active_from.zip(row.expires_at);
    let standing = match (row.status, window) {
        (EntitlementStatus::Pending, _) => Standing::Pending,
        (EntitlementStatus::Active | EntitlementStatus::Expired, Some((from, until))) => Standing::Active { from, until },
        (EntitlementStatus::Revoked, _) => Standing::Revoked,
        // Active without a window cannot be written; it grants nothing.
        (EntitlementStatus::Failed | EntitlementStatus::Active | EntitlementStatus::Expired, _) => Standing::Failed,
    };
    entitlement_check::Entitlement {
        rail_id: row.rail_id,
        payment_protocol: x402.contains(&row.meta.id).then_some(events::vocab::words::PaymentProtocol::X402),
        standing,
        payment_id: row.payment_id,
        receipt_id: row.receipt_id,
        sandbox: row.sandbox,
    }
}

impl CheckAnswer {
    fn new(answer: &Answer, product: AccessProduct, customer: Customer, rail: &Rail, live: bool, settings: &Settings) -> Self {
        let link = |receipt_id: ReceiptId| ReceiptLink { receipt_id, verify_url: settings.verify_url(receipt_id) };
        CheckAnswer {
            has_access: answer.has_access(),
            status: answer.status.as_str(),
            reason: answer.reason.as_str(),
            source: answer.source.as_str(),
            product_id: product.product_id,
            access_product_id: AccessProductId(product.meta.id),
            external_product_id: product.external_product_id,
            rail_id: rail.rail_id.as_str(),
            rail: RailView::from(rail),
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
