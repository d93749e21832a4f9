//! Which plan an owner has: the one that he has subscribed to while it is paid for, or else the deployment's own. Read from the log, since
//! it decides what he may do.

use crate::{
    http::{
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    state::{Settings, State},
};
use axum::extract::FromRef;
use events::{clock::Clock, log::Log, unit::load, vocab::id::OwnerId};
use ledger::{credits::Plan, workspace_billing::WorkspaceBilling};
use projections::{Reader, products};
use std::sync::Arc;
use workers::billing;

/// Tells owners' plans.
#[derive(Clone)]
pub struct OwnerPlans {
    log: Log,
    clock: Clock,
    settings: Arc<Settings>,
    reader: Reader,
    fresh: Fresh,
}

impl FromRef<State> for OwnerPlans {
    fn from_ref(state: &State) -> Self {
        OwnerPlans {
            log: state.log.clone(),
            clock: state.clock.clone(),
            settings: state.settings.clone(),
            reader: state.reader.clone(),
            fresh: state.fresh.clone(),
        }
    }
}

impl OwnerPlans {
    /// The owner's plan now.
    pub async fn of(&self, owner: OwnerId) -> Result<Plan, Problem> {
        let billing = load::<WorkspaceBilling>(&self.log, billing::stream(owner)).await.map_err(|error| rejection::read(&error))?;
        Ok(self.settings.plans.of(billing.state.plan(self.clock.now())))
    }

    /// Refuses when the plan allows no hosted product beside those that sell. They are counted in the read model, so of several that are made
    /// at the same moment more may pass than there is room for.
    pub async fn room_for_template(&self, owner: OwnerId) -> Result<(), Problem> {
        let plan = self.of(owner).await?;
        let Some(most) = plan.templates else { return Ok(()) };
        self.fresh.wait("products", Some(owner), MinPosition(None)).await?;
        let count = products::count_selling(&self.reader, owner).await.map_err(rejection::query)?;
        if count < u64::from(most) {
            return Ok(());
        }
        let detail = format!("the plan {} allows {most} hosted products, and {count} sell", plan.name);
        Err(Problem::new(Code::TemplateLimitReached, detail)
            .next_action("Archive one, or subscribe to a larger plan: POST /v1/billing/checkout/stripe."))
    }
}
