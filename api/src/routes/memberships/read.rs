//! RT-025 to RT-027: the list, the look-up, and one membership.

use super::shown::{FullMembership, Membership};
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
    routes::input,
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{clock::Clock, vocab::id::MembershipId};
use projections::{
    Reader,
    memberships::{self, Filter, Lookup},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Read models that a membership is shown from.
pub(super) const READS: [&str; 4] = ["memberships", "products", "payments", "deliveries"];

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
    /// `ACTIVE`, `GRACE`, `EXPIRED` or `REVOKED`; letter case does not matter.
    status: Option<String>,
    /// `TELEGRAM`, `DISCORD` or `CUSTOM`; letter case does not matter.
    platform: Option<String>,
    /// Text in the handle, identity, customer id, e-mail address, wallet or a transaction; letter case does not matter.
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
    /// A wallet that paid.
    wallet: Option<String>,
    /// A handle such as `@buyer`, a platform identity, your own customer id or an e-mail address.
    identity: Option<String>,
    /// The transaction of any of its payments.
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

/// Returns when everything that a membership is shown from is fresh enough.
pub(super) async fn ready(fresh: &Fresh, merchant: &Merchant, min: MinPosition) -> Result<(), Problem> {
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
        status: query.status.as_deref().map(|text| input::word("status", &text.to_uppercase())).transpose()?,
        platform: query.platform.as_deref().map(|text| input::word("platform", &text.to_uppercase())).transpose()?,
        q: query.q.filter(|q| !q.trim().is_empty()),
    };
    let now = clock.now();
    let page = memberships::list(&reader, merchant.owner, &filter, asked.window(), now).await.map_err(rejection::query)?;
    let (mut rows, count) = (page.items, page.total);
    let more = asked.cut(&mut rows, |view| (view.membership.meta.created_at, view.membership.meta.id));
    let items = rows.into_iter().map(|view| Membership::at(view, now)).collect();
    Ok(Json(MembershipList { items, count, has_more: more.has_more, next_cursor: more.next_cursor }))
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
    let found = memberships::lookup(&reader, merchant.owner, &key).await.map_err(rejection::query)?;
    let now = clock.now();
    let items: Vec<_> = found.into_iter().map(|view| Membership::at(view, now)).collect();
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
    let found = memberships::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let found = found.ok_or_else(|| Problem::of(Code::MembershipNotFound))?;
    Ok(Json(FullMembership::at(found, clock.now())))
}
