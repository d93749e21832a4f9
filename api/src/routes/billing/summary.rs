//! RT-050: what a merchant's dashboard shows of his subscription, his limits and what he was paid.

use super::totals::{UsdcEquivalent, dollars};
use crate::{
    http::{
        answers,
        auth::Merchant,
        fresh::{Fresh, MinPosition},
        problem::Problem,
        rejection,
    },
    routes::sales::SalesView,
    state::{Settings, State},
};
use axum::{
    Json,
    extract::{FromRef, State as Part},
};
use events::{
    clock::Clock,
    vocab::{event::BillingInvoice, id::OwnerId, time::Timestamp},
};
use ledger::{credits::Plan, workspace_billing::WorkspaceBilling};
use projections::{Reader, payments, products, workspace_billing};
use rails::price::PriceSource;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(summary))
}

/// A merchant's subscription of Hilt, his limits, and what he was paid.
#[derive(Serialize, ToSchema)]
pub struct BillingSummary {
    /// The plan that the workspace has now: the subscribed one while it is paid for, or else the deployment's own.
    #[schema(example = "growth")]
    tier: String,
    /// `none`, or where the subscription stands in Stripe's words: `active`, `trialing`, `past_due`, `canceled`, `unpaid`, `incomplete`,
    /// `incomplete_expired`, `paused`.
    #[schema(example = "active")]
    billing_status: String,
    billing_interval: Option<String>,
    /// The plan that was subscribed to, paid for or not.
    subscribed_plan: Option<String>,
    /// End of the period that the newest invoice is for.
    #[schema(value_type = Option<String>, format = DateTime)]
    current_period_end_at: Option<Timestamp>,
    /// Whether the subscription ends with that period.
    cancel_at_period_end: bool,
    stripe_customer_id: Option<String>,
    stripe_subscription_id: Option<String>,
    /// Hosted products that sell: templates, in the dashboard's words.
    live_template_count: u64,
    plan_limits: PlanLimits,
    fee_rates: FeeRates,
    /// What buyers paid, asset by asset: amounts of different assets are never added up.
    payment_totals_by_asset: Vec<SalesView>,
    /// All of it in USDC. Null when there is no fresh price of SOL, or something cannot be converted.
    usdc_equivalent_totals: Option<UsdcEquivalent>,
    /// What one SOL is worth in US dollars, as exact decimal text; null when nobody says so freshly.
    #[schema(example = "143.210000")]
    sol_price_usd: Option<String>,
    /// When it was seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    sol_price_observed_at: Option<Timestamp>,
    /// The newest, newest first, as of `synced_at`. Their PDFs are in the billing portal.
    invoices: Vec<StripeInvoice>,
    /// When Stripe last told something new; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    synced_at: Option<Timestamp>,
}

/// What the tier allows.
#[derive(Serialize, ToSchema)]
struct PlanLimits {
    /// Hosted products that may sell at a time; null when they are not limited.
    live_templates: Option<u32>,
    /// Credits granted for a calendar month (`GET /v1/credits`).
    credits_per_month: u32,
}

/// What Hilt takes, in basis points.
#[derive(Serialize, ToSchema)]
struct FeeRates {
    /// On payments of hosted products.
    workspace_fee_bps: u16,
    /// On payment sessions of the access API.
    access_fee_bps: u16,
}

/// An invoice of Stripe's.
#[derive(Serialize, ToSchema)]
struct StripeInvoice {
    #[schema(example = "in_1RSample")]
    id: String,
    /// Null on a draft.
    number: Option<String>,
    status: String,
    /// ISO 4217, in lower case.
    #[schema(example = "usd")]
    currency: String,
    /// In the currency's minor unit; below zero on a credit.
    total_minor_units: i64,
    amount_paid_minor_units: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    period_start_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    period_end_at: Timestamp,
}

impl From<BillingInvoice> for StripeInvoice {
    fn from(invoice: BillingInvoice) -> Self {
        StripeInvoice {
            id: invoice.invoice_id,
            number: invoice.number,
            status: invoice.status.to_string(),
            currency: invoice.currency,
            total_minor_units: invoice.total,
            amount_paid_minor_units: invoice.amount_paid,
            created_at: invoice.created_at,
            period_start_at: invoice.period_start,
            period_end_at: invoice.period_end,
        }
    }
}

/// What a summary is made with.
#[derive(Clone)]
pub struct Desk {
    reader: Reader,
    fresh: Fresh,
    clock: Clock,
    prices: PriceSource,
    settings: Arc<Settings>,
}

impl FromRef<State> for Desk {
    fn from_ref(state: &State) -> Self {
        Desk {
            reader: state.reader.clone(),
            fresh: state.fresh.clone(),
            clock: state.clock.clone(),
            prices: state.prices.clone(),
            settings: state.settings.clone(),
        }
    }
}

impl Desk {
    /// The summary of a workspace whose billing stands like that.
    pub async fn summary(
        &self,
        owner: OwnerId,
        billing: WorkspaceBilling,
        synced_at: Option<Timestamp>,
        min: MinPosition,
    ) -> Result<BillingSummary, Problem> {
        for name in ["payments", "products"] {
            self.fresh.wait(name, Some(owner), min).await?;
        }
        let live_template_count = products::count_selling(&self.reader, owner).await.map_err(rejection::query)?;
        let sales = payments::totals_of_owner(&self.reader, owner).await.map_err(rejection::query)?;
        let now = self.clock.now();
        // Without a price the rest is as true as with one.
        let price = self.prices.quote(now).await.ok();
        let settings = &self.settings;
        let Plan { name: tier, credits: credits_per_month, templates: live_templates } = settings.plans.of(billing.plan(now));
        let subscription = billing.subscription;
        Ok(BillingSummary {
            tier,
            billing_status: subscription.as_ref().map_or("none", |subscription| subscription.status.as_str()).to_owned(),
            billing_interval: subscription.as_ref().and_then(|subscription| subscription.interval).map(|interval| interval.to_string()),
            subscribed_plan: subscription.as_ref().and_then(|subscription| subscription.plan).map(|plan| plan.to_string()),
            current_period_end_at: subscription.as_ref().map(|subscription| subscription.current_period_end),
            cancel_at_period_end: subscription.as_ref().is_some_and(|subscription| subscription.cancel_at_period_end),
            stripe_customer_id: billing.customer_id,
            stripe_subscription_id: subscription.map(|subscription| subscription.subscription_id),
            live_template_count,
            plan_limits: PlanLimits { live_templates, credits_per_month },
            fee_rates: FeeRates { workspace_fee_bps: settings.workspace_fee_bps.get(), access_fee_bps: settings.access_fee_bps.get() },
            usdc_equivalent_totals: price.as_ref().and_then(|price| UsdcEquivalent::of(&sales, settings.usdc_mint, price)),
            payment_totals_by_asset: sales.into_iter().map(SalesView::from).collect(),
            sol_price_usd: price.as_ref().map(dollars),
            sol_price_observed_at: price.map(|price| price.observed_at),
            invoices: billing.invoices.into_iter().map(StripeInvoice::from).collect(),
            synced_at,
        })
    }
}

/// The workspace's billing
#[utoipa::path(get, path = "/v1/billing/summary", tag = "billing", operation_id = "get_billing_summary", security(("bearer" = [])),
    responses((status = 200, description = "The subscription, the limits, and what was paid", body = BillingSummary), answers::Read))]
async fn summary(Part(desk): Part<Desk>, merchant: Merchant, min: MinPosition) -> Result<Json<BillingSummary>, Problem> {
    merchant.require_session()?;
    desk.fresh.wait("workspace_billing", Some(merchant.owner), min).await?;
    let row = workspace_billing::find(&desk.reader, merchant.owner).await.map_err(rejection::query)?;
    let synced_at = row.as_ref().and_then(|row| row.synced_at);
    let billing = row.map_or_else(WorkspaceBilling::default, |row| WorkspaceBilling {
        customer_id: row.customer_id,
        subscription: row.subscription,
        invoices: row.invoices,
        checkout_session_id: row.checkout_session_id,
    });
    desk.summary(merchant.owner, billing, synced_at, min).await.map(Json)
}
