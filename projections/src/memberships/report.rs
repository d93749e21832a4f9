//! Renewals ahead and behind (RT-034, RT-036).

use super::{Happened, Membership, MembershipView, shown};
use crate::{QueryError, Reader, words::words};
use events::vocab::{
    id::{MembershipId, OwnerId, ProductId},
    membership::MembershipStatus,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How far back the events of a report go.
const RECENT_DAYS: u32 = 30;
/// A member without reminders is told from others as many days before his end.
const NEAR_DAYS: u32 = 7;

/// Whose memberships, and which.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The workspace.
    pub owner: OwnerId,
    /// Live or sandbox.
    pub livemode: bool,
    /// Of this hosted or access product only.
    pub product_id: Option<Uuid>,
    /// How many days ahead, and back, the report looks.
    pub window_days: u32,
}

/// Where the renewals of a workspace stand.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// One for each product with memberships, those with the most to do first.
    pub products: Vec<ProductReport>,
    /// Memberships that end within the window, the first to end first: up to 100 of them.
    pub expiring: Vec<MembershipView>,
    /// What happened in the last 30 days, newest first: up to 50.
    pub events: Vec<RecentEvent>,
}

/// The memberships of a product.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProductReport {
    /// Which product.
    pub product_id: ProductId,
    /// Its title.
    pub title: Option<String>,
    /// Its price in minor units.
    pub amount_minor_units: Option<u64>,
    /// What it is paid with.
    pub asset: Option<String>,
    /// How long a payment lasts.
    pub billing_interval_days: Option<u32>,
    /// In a time that is paid or given.
    pub active: u64,
    /// In the days of grace.
    pub grace: u64,
    /// Over.
    pub expired: u64,
    /// Taken away.
    pub revoked: u64,
    /// Active, and over within the window.
    pub expiring: u64,
    /// Active or in grace, and will not go on.
    pub cancelling: u64,
    /// Renewals in as many days back.
    pub renewed: u64,
    /// Over since as many days at most.
    pub lapsed: u64,
}

/// Something that happened to a membership.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecentEvent {
    /// Which.
    pub membership_id: MembershipId,
    /// Of which product.
    pub product_id: ProductId,
    /// What.
    #[serde(flatten)]
    pub happened: Happened,
}

words! {
    /// How it stands with the money for the time after the one that is paid.
    pub enum CollectionState {
        /// Paid, and the end is not near.
        PaidThrough = "paid_through",
        /// Paid, and the next payment is asked for.
        RenewalDue = "renewal_due",
        /// In the days of grace.
        PastDue = "past_due",
        /// The member will not go on.
        Cancelled = "cancelled",
        /// Nobody paid.
        Lapsed = "lapsed",
        /// Taken away.
        Revoked = "revoked",
    }
}

impl Membership {
    /// How it stands with the money for the time after the one that is paid.
    pub fn collection_state(&self, now: Timestamp) -> CollectionState {
        let near = self.renewal_reminder_offsets_days.iter().copied().max().unwrap_or(NEAR_DAYS);
        match self.status(now) {
            MembershipStatus::Revoked => CollectionState::Revoked,
            MembershipStatus::Expired => CollectionState::Lapsed,
            _ if self.cancel_at_period_end => CollectionState::Cancelled,
            MembershipStatus::Grace => CollectionState::PastDue,
            MembershipStatus::Active if now.plus_days(near) >= self.current_period_end_at => CollectionState::RenewalDue,
            MembershipStatus::Active => CollectionState::PaidThrough,
        }
    }
}

/// Where the renewals of `scope` stand at `now` (RT-034).
pub async fn report(reader: &Reader, scope: &Scope, now: Timestamp) -> Result<Report, QueryError> {
    let (ahead, behind) = (now.plus_days(scope.window_days), now.plus_seconds(-i64::from(scope.window_days) * 86_400));
    let products = sqlx::query_scalar(include_str!("queries/product_reports.sql"))
        .bind(scope.owner.0)
        .bind(scope.livemode)
        .bind(scope.product_id)
        .bind(now.datetime())
        .bind(ahead.datetime())
        .bind(behind.datetime());
    let expiring = sqlx::query_scalar(include_str!("queries/expiring.sql"))
        .bind(scope.owner.0)
        .bind(scope.livemode)
        .bind(scope.product_id)
        .bind(now.datetime())
        .bind(ahead.datetime());
    let recent = now.plus_seconds(-i64::from(RECENT_DAYS) * 86_400);
    let events = sqlx::query_scalar(include_str!("queries/recent_events.sql"))
        .bind(scope.owner.0)
        .bind(scope.livemode)
        .bind(scope.product_id)
        .bind(recent.datetime());
    Ok(Report {
        products: reader.many(&["memberships", "products"], products).await?,
        expiring: shown(reader, reader.many(&["memberships"], expiring).await?).await?,
        events: reader.many(&["memberships"], events).await?,
    })
}
