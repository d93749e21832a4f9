//! RT-034 and RT-036: what is ahead of the merchant's recurring members, and of one of them.

use super::{read::ready, shown::Membership};
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
    routes::input,
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use events::{
    clock::Clock,
    vocab::{
        id::{EventId, MembershipId, PaymentId, ProductId},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    memberships::{self, CollectionState, MembershipView, ProductReport, RecentEvent, Scope},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Days that a report looks ahead and back unless told.
const WINDOW_DAYS: u32 = 7;
/// Days that it looks ahead and back at most.
const LONGEST_WINDOW_DAYS: u32 = 365;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(renewal_intelligence)).routes(routes!(subscription))
}

/// Which memberships, and how far to look.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportQuery {
    /// The hosted product's id, or the access product's.
    product_id: Option<String>,
    /// Days ahead and back: 1 to 365, 7 unless told.
    window_days: Option<u32>,
}

/// Where renewals stand.
#[derive(Serialize, ToSchema)]
struct Report {
    summary: Summary,
    /// Memberships whose paid time ends within the window, the first to end first: up to 100 of them.
    expiring_memberships: Vec<Expiring>,
    /// One for each product with memberships, those with the most to do first.
    product_reports: Vec<ProductRenewals>,
    /// What happened to memberships in the last 30 days, newest first: up to 50.
    recent_events: Vec<EventView>,
}

/// All products together.
#[derive(Serialize, ToSchema, Default)]
struct Summary {
    /// How many days the report looks ahead and back.
    window_days: u32,
    /// In a time that is paid or given.
    active: u64,
    /// In the days of grace.
    grace: u64,
    /// Over.
    expired: u64,
    /// Taken away.
    revoked: u64,
    /// Active, and over within the window.
    expiring: u64,
    /// Active or in grace, and will not go on.
    cancelling: u64,
    /// Renewals within as many days back.
    renewed: u64,
    /// Over since as many days at most.
    lapsed: u64,
}

/// A membership whose paid time ends soon.
#[derive(Serialize, ToSchema)]
struct Expiring {
    #[serde(flatten)]
    membership: Membership,
    #[schema(value_type = String, format = DateTime)]
    paid_through_at: Timestamp,
    /// Whole days until then.
    days_left: i64,
    /// `renewal_due`, `paid_through` or `cancelled`.
    collection_state: &'static str,
}

/// The memberships of a product.
#[derive(Serialize, ToSchema)]
struct ProductRenewals {
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    title: Option<String>,
    /// Its price in minor units of `asset`.
    amount_minor_units: Option<u64>,
    asset: Option<String>,
    billing_interval_days: Option<u32>,
    active: u64,
    grace: u64,
    expired: u64,
    revoked: u64,
    expiring: u64,
    cancelling: u64,
    renewed: u64,
    lapsed: u64,
}

/// Something that happened to a membership. What does not apply is null.
#[derive(Serialize, ToSchema)]
struct EventView {
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
    /// `membership.renewed`, `membership.entered_grace`, `membership.expired` …
    event: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String, format = Uuid)]
    membership_id: MembershipId,
    #[schema(value_type = String, format = Uuid)]
    product_id: ProductId,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
    /// The end of the paid time, as it was after it.
    #[schema(value_type = Option<String>, format = DateTime)]
    end_at: Option<Timestamp>,
}

impl From<ProductReport> for ProductRenewals {
    fn from(report: ProductReport) -> Self {
        let ProductReport { product_id, title, amount_minor_units, asset, billing_interval_days, active, grace, .. } = report;
        let ProductReport { expired, revoked, expiring, cancelling, renewed, lapsed, .. } = report;
        ProductRenewals {
            product_id,
            title,
            amount_minor_units,
            asset,
            billing_interval_days,
            active,
            grace,
            expired,
            revoked,
            expiring,
            cancelling,
            renewed,
            lapsed,
        }
    }
}

impl From<RecentEvent> for EventView {
    fn from(RecentEvent { membership_id, product_id, happened }: RecentEvent) -> Self {
        EventView {
            event_id: happened.event_id,
            event: happened.event,
            at: happened.at,
            membership_id,
            product_id,
            payment_id: happened.payment_id,
            end_at: happened.end_at,
        }
    }
}

impl Summary {
    fn of(window_days: u32, products: &[ProductReport]) -> Self {
        let sum = |count: fn(&ProductReport) -> u64| products.iter().map(count).sum();
        Summary {
            window_days,
            active: sum(|product| product.active),
            grace: sum(|product| product.grace),
            expired: sum(|product| product.expired),
            revoked: sum(|product| product.revoked),
            expiring: sum(|product| product.expiring),
            cancelling: sum(|product| product.cancelling),
            renewed: sum(|product| product.renewed),
            lapsed: sum(|product| product.lapsed),
        }
    }
}

impl Expiring {
    fn at(view: MembershipView, now: Timestamp) -> Self {
        let row = &view.membership;
        Expiring {
            paid_through_at: row.current_period_end_at,
            days_left: (row.current_period_end_at.micros() - now.micros()) / (86_400 * 1_000_000),
            collection_state: row.collection_state(now).as_str(),
            membership: Membership::at(view, now),
        }
    }
}

/// Renewals ahead and behind
#[utoipa::path(get, path = "/v1/memberships/renewal-intelligence", tag = "memberships", operation_id = "renewal_intelligence",
    params(ReportQuery), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Where renewals stand", body = Report), answers::Read))]
async fn renewal_intelligence(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ReportQuery>,
) -> Result<Json<Report>, Problem> {
    ready(&fresh, &merchant, min).await?;
    let window_days = query.window_days.unwrap_or(WINDOW_DAYS);
    if !(1..=LONGEST_WINDOW_DAYS).contains(&window_days) {
        return Err(Problem::field(Code::ValidationFailed, "window_days", format!("a number from 1 to {LONGEST_WINDOW_DAYS}")));
    }
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "product_id", "a uuid");
    let product_id = query.product_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?;
    let (scope, now) = (Scope { owner: merchant.owner, livemode: true, product_id, window_days }, clock.now());
    let report = memberships::report(&reader, &scope, now).await.map_err(rejection::query)?;
    Ok(Json(Report {
        summary: Summary::of(window_days, &report.products),
        expiring_memberships: report.expiring.into_iter().map(|view| Expiring::at(view, now)).collect(),
        product_reports: report.products.into_iter().map(ProductRenewals::from).collect(),
        recent_events: report.events.into_iter().map(EventView::from).collect(),
    }))
}

/// How a membership goes on.
#[derive(Serialize, ToSchema)]
struct Subscription {
    #[schema(value_type = String, format = Uuid)]
    membership_id: MembershipId,
    /// `ACTIVE`, `GRACE`, `EXPIRED` or `REVOKED`.
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    paid_through_at: Timestamp,
    cancel_at_period_end: bool,
    /// `paid_through`, `renewal_due`, `past_due`, `cancelled`, `lapsed` or `revoked`.
    collection_state: &'static str,
    /// What has to happen next for it to go on: `buyer_approves_renewal`, or null when nothing does. A payment on chain cannot be
    /// drawn; each one is approved by the buyer.
    next_action: Option<&'static str>,
    /// Where the buyer approves it.
    renewal_url: Option<String>,
}

/// How a membership goes on
#[utoipa::path(get, path = "/v1/memberships/{membership_id}/subscription", tag = "memberships", operation_id = "get_subscription",
    params(("membership_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "Whether and how it goes on", body = Subscription), answers::ReadOne))]
async fn subscription(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(clock): Part<Clock>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Subscription>, Problem> {
    ready(&fresh, &merchant, min).await?;
    let id: MembershipId = input::id(&id.0, Code::MembershipNotFound)?;
    let found = memberships::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let MembershipView { membership: row, slug, .. } = found.ok_or_else(|| Problem::of(Code::MembershipNotFound))?;
    let now = clock.now();
    let collection = row.collection_state(now);
    let next_action = match collection {
        CollectionState::RenewalDue | CollectionState::PastDue | CollectionState::Lapsed => Some("buyer_approves_renewal"),
        CollectionState::PaidThrough | CollectionState::Cancelled | CollectionState::Revoked => None,
    };
    Ok(Json(Subscription {
        membership_id: id,
        status: row.status(now).as_str(),
        paid_through_at: row.current_period_end_at,
        cancel_at_period_end: row.cancel_at_period_end,
        collection_state: collection.as_str(),
        next_action,
        renewal_url: slug.filter(|_| next_action.is_some()).map(|slug| format!("{}/p/{slug}", settings.public_web_url)),
    }))
}
