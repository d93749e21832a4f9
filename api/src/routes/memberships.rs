//! RT-025 to RT-027: who has access, found by what support is told.

use super::input;
use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        id::{AccessProductId, EventId, MembershipId, PaymentId, ProductId, ReceiptId},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    memberships::{self, Filter, Lookup, MembershipStatus, MembershipView, Period},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Read models that a membership is shown from.
const READS: [&str; 4] = ["memberships", "products", "payments", "entitlements"];

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(lookup)).routes(routes!(get))
}

/// Which memberships.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The hosted product's id, or the access product's.
    product_id: Option<String>,
    /// `ACTIVE`, `GRACE` or `EXPIRED`; letter case does not matter.
    status: Option<String>,
    /// `TELEGRAM`, `DISCORD` …; letter case does not matter.
    platform: Option<String>,
    /// Text in the identity, the wallet or the transaction.
    q: Option<String>,
    /// Rows of a page: 1 to 100, 20 unless told.
    limit: Option<u32>,
    /// Rows to skip.
    offset: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Exactly one of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LookupQuery {
    /// The wallet that paid.
    wallet: Option<String>,
    /// A handle such as `@buyer`, a platform identity, your own customer id or an e-mail address.
    identity: Option<String>,
    /// The transaction of one of its payments.
    tx_signature: Option<String>,
}

/// Memberships, newest first.
#[derive(Serialize, ToSchema)]
struct MembershipList {
    items: Vec<Membership>,
    /// All that match.
    count: u64,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// What a look-up found.
#[derive(Serialize, ToSchema)]
struct Found {
    items: Vec<Membership>,
    count: usize,
}

/// A membership.
#[derive(Serialize, ToSchema)]
struct Membership {
    #[schema(value_type = String, format = Uuid)]
    id: MembershipId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = Option<String>, format = Uuid)]
    access_product_id: Option<AccessProductId>,
    product_title: Option<String>,
    /// `ACTIVE`, `GRACE` or `EXPIRED`, at the time of the answer.
    status: &'static str,
    platform: Option<String>,
    platform_identity: Option<Identity>,
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
    #[schema(value_type = String, format = DateTime)]
    current_period_end_at: Timestamp,
    /// When the next payment is due: the end of the current period.
    #[schema(value_type = String, format = DateTime)]
    renewal_due_at: Timestamp,
    delivery_type: Option<&'static str>,
    /// Null while nothing is recorded of a delivery.
    delivery_status: Option<&'static str>,
    /// The merchant's notes.
    notes: Option<String>,
    livemode: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A platform identity.
#[derive(Serialize, ToSchema)]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    value: Option<String>,
    display: Option<String>,
}

/// A membership with all its periods.
#[derive(Serialize, ToSchema)]
struct FullMembership {
    #[serde(flatten)]
    membership: Membership,
    /// Every paid period, in order.
    history: Vec<PeriodView>,
    /// How access was handed over; null while nothing is recorded of a delivery.
    #[schema(value_type = Option<Object>)]
    delivery: Option<serde_json::Value>,
}

/// A paid period.
#[derive(Serialize, ToSchema)]
struct PeriodView {
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    #[schema(value_type = String)]
    tx_signature: TxSignature,
    #[schema(value_type = String, format = DateTime)]
    start_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl From<&Period> for PeriodView {
    fn from(period: &Period) -> Self {
        PeriodView {
            event_id: period.event_id,
            payment_id: period.payment_id,
            tx_signature: period.tx_signature,
            start_at: period.start_at,
            end_at: period.end_at,
            at: period.at,
        }
    }
}

impl From<MembershipView> for Membership {
    fn from(view: MembershipView) -> Self {
        let row = view.membership;
        let known = view.identity_type.is_some() || view.identity_value.is_some();
        let display = view.identity_display;
        Membership {
            id: MembershipId(row.meta.id),
            product_id: row.product_id,
            access_product_id: row.access_product_id,
            product_title: view.product_title,
            status: view.status.as_str(),
            platform: view.platform,
            platform_identity: known.then(|| Identity { kind: view.identity_type, value: view.identity_value, display: display.clone() }),
            platform_display: display,
            external_customer_id: view.external_customer_id,
            email: view.email,
            wallet: row.wallet,
            latest_payment_id: row.latest_payment_id,
            latest_tx_signature: row.latest_tx_signature,
            receipt_id: view.receipt_id,
            current_period_start_at: row.current_period_start_at,
            current_period_end_at: row.current_period_end_at,
            renewal_due_at: row.current_period_end_at,
            delivery_type: view.delivery_type.map(|delivery| delivery.as_str()),
            delivery_status: None,
            notes: None,
            livemode: row.meta.livemode,
            created_at: row.meta.created_at,
            updated_at: row.meta.updated_at,
        }
    }
}

async fn ready(fresh: &Fresh, merchant: &Merchant, min: MinPosition) -> Result<(), Problem> {
    merchant.require_live()?;
    for name in READS {
        fresh.wait(name, Some(merchant.owner), min).await?;
    }
    Ok(())
}

/// Memberships
#[utoipa::path(get, path = "/v1/memberships", tag = "memberships", operation_id = "list_memberships", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of memberships", body = MembershipList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<MembershipList>, Problem> {
    ready(&fresh, &merchant, min).await?;
    let asked = Asked::by_offset(query.limit, query.offset, query.cursor.as_deref())?;
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "product_id", "a uuid");
    let filter = Filter {
        livemode: Some(true),
        product_id: query.product_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?,
        status: query.status.as_deref().map(status).transpose()?,
        platform: query.platform.map(|platform| platform.to_uppercase()),
        q: query.q.filter(|q| !q.trim().is_empty()),
    };
    let page = memberships::list(&reader, merchant.owner, &filter, asked.window(), clock.now()).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |view| (view.membership.meta.created_at, view.membership.meta.id));
    let items = rows.into_iter().map(Membership::from).collect();
    Ok(Json(MembershipList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
}

fn status(text: &str) -> Result<MembershipStatus, Problem> {
    let rule = || Problem::field(Code::ValidationFailed, "status", "ACTIVE, GRACE or EXPIRED");
    MembershipStatus::parse(&text.to_uppercase()).ok_or_else(rule)
}

/// Look a membership up
#[utoipa::path(get, path = "/v1/memberships/lookup", tag = "memberships", operation_id = "lookup_memberships", params(LookupQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "What was found, perhaps nothing", body = Found), answers::Read))]
async fn lookup(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<LookupQuery>,
) -> Result<Json<Found>, Problem> {
    ready(&fresh, &merchant, min).await?;
    let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let key = match (filled(query.wallet), filled(query.identity), filled(query.tx_signature)) {
        (Some(wallet), None, None) => Some(Lookup::Wallet(wallet)),
        (None, Some(identity), None) => Some(Lookup::Identity(identity)),
        // A text that is no signature is the signature of nothing.
        (None, None, Some(signature)) => match signature.parse() {
            Ok(signature) => Some(Lookup::Transaction(signature)),
            Err(_) => return Ok(Json(Found { items: Vec::new(), count: 0 })),
        },
        _ => None,
    };
    let key = key.ok_or_else(|| Problem::of(Code::LookupKeyRequired).next_action("Send one of wallet, identity, tx_signature."))?;
    let found = memberships::lookup(&reader, merchant.owner, &key, clock.now()).await.map_err(rejection::query)?;
    let items: Vec<_> = found.into_iter().map(Membership::from).collect();
    Ok(Json(Found { count: items.len(), items }))
}

/// One membership
#[utoipa::path(get, path = "/v1/memberships/{membership_id}", tag = "memberships", operation_id = "get_membership",
    params(("membership_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The membership with its periods", body = FullMembership), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<FullMembership>, Problem> {
    ready(&fresh, &merchant, min).await?;
    let id: MembershipId = input::id(&id.0, Code::MembershipNotFound)?;
    let found = memberships::find(&reader, merchant.owner, id, clock.now()).await.map_err(rejection::query)?;
    let found = found.ok_or_else(|| Problem::of(Code::MembershipNotFound))?;
    let history = found.membership.history.iter().map(PeriodView::from).collect();
    Ok(Json(FullMembership { membership: found.into(), history, delivery: None }))
}
