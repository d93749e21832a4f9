//! Asks Stripe once an hour after everything that may have changed there: a payment that failed, a plan that was changed in the portal, a
//! checkout from which nobody came back.

use super::{Billing, BillingError, StripeError, stream};
use events::{
    clock::{Clock, new_id},
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, is_conflict},
    vocab::{id::OwnerId, stream::Actor, time::Timestamp},
};
use ledger::workspace_billing::WorkspaceBilling;
use projections::{QueryError, Reader, workspace_billing};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often it looks at the clock.
const LOOK: Duration = Duration::from_secs(1);
/// How often it asks, in seconds.
const PERIOD: i64 = super::HOUR;
/// How long a checkout that was opened may still come to something, in seconds: Stripe closes it after a day.
const CHECKOUT_OPEN: i64 = 2 * 86_400;
/// Workspaces read at once.
const PAGE: u32 = 200;

/// What the round works with.
#[derive(Clone)]
pub struct BillingSync {
    /// The log.
    pub log: Log,
    /// Knows who has a subscription.
    pub reader: Reader,
    /// Tells the time.
    pub clock: Clock,
    /// Asks Stripe.
    pub billing: Billing,
}

/// Why a round ended before its end; the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The read model did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The log did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Goes round until it is told to stop.
pub async fn run(sync: BillingSync, stop: CancellationToken) -> Result<(), SyncError> {
    let mut last: Option<Timestamp> = None;
    while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
        let now = sync.clock.now();
        if last.is_none_or(|last| now >= last.plus_seconds(PERIOD)) {
            sync.round(now).await?;
            last = Some(now);
        }
    }
    Ok(())
}

impl BillingSync {
    async fn round(&self, now: Timestamp) -> Result<(), SyncError> {
        let mut after = Uuid::nil();
        loop {
            let rows = workspace_billing::going_on(&self.reader, after, now.plus_seconds(-CHECKOUT_OPEN), PAGE).await?;
            for row in &rows {
                after = row.meta.id;
                if !self.one(OwnerId(row.meta.id)).await? {
                    return Ok(());
                }
            }
            if rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// One workspace; whether Stripe can be asked after others too. What it refuses of one does not hold up the rest.
    async fn one(&self, owner: OwnerId) -> Result<bool, SyncError> {
        let actor = Actor::system("billing_sync");
        let context = Context { owner_id: Some(owner), livemode: true, actor, request_id: None, correlation_id: new_id() };
        let mut unit = Unit::new(&self.log, context);
        let mut loaded = unit.load::<WorkspaceBilling>(stream(owner)).await?;
        match self.billing.sync(&mut unit, &mut loaded, owner).await {
            Ok(()) if unit.is_empty() => Ok(true),
            Ok(()) => match unit.commit().await {
                // Somebody else asked at the same time.
                Err(error) if is_conflict(&error) => Ok(true),
                outcome => Ok(outcome.map(|_| true)?),
            },
            Err(error) => {
                tracing::warn!(billing.error = %error, "Stripe was not heard on a subscription");
                Ok(!matches!(error, BillingError::Stripe(StripeError::Unavailable(_))))
            }
        }
    }
}
