//! Receivers that have failed for days are not called any more. What they missed is in the feed, and what was given up can be made
//! again.

use super::{emit::actor, problem::WorkError};
use events::{
    clock::{Clock, new_id},
    log::{AppendError, Context, Log},
    unit::Unit,
    vocab::stream::{Category, StreamId},
};
use ledger::webhook_endpoint::{Command, FAILING_DAYS, WebhookEndpoint};
use projections::{Reader, webhook_endpoints};

/// Receivers given up in one round.
const ROUND: u32 = 100;

/// Disables receivers of which every attempt failed for [`FAILING_DAYS`]. The read model only says where to look.
pub(super) async fn give_up(log: &Log, reader: &Reader, clock: &Clock) -> Result<(), WorkError> {
    let failing = webhook_endpoints::failing(reader, clock.now(), FAILING_DAYS, ROUND).await;
    for row in failing.map_err(|error| WorkError::Projection(error.to_string()))? {
        let (Some(since), Some(last)) = (row.failing_since, row.last_failure_at) else { continue };
        let context = Context {
            owner_id: row.meta.owner_id,
            livemode: row.meta.livemode,
            actor: actor(),
            request_id: None,
            correlation_id: new_id(),
        };
        let mut unit = Unit::new(log, context);
        let mut endpoint = unit.load::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, row.meta.id)).await?;
        let decided = unit.decide(&mut endpoint, Command::GiveUp { since, last }, None);
        if decided.map_err(|refused| WorkError::Refused(refused.code()))?.is_empty() {
            continue;
        }
        match unit.commit().await {
            // Somebody changed it at the same moment: the next round looks again.
            Ok(_) | Err(AppendError::Conflict { .. }) => {
                metrics::counter!("hilt_webhook_endpoints_disabled_total", "reason" => "failing").increment(1);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
