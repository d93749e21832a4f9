//! The log's side: what has reached accounts, as far as a replay has folded it.

use crate::{class::Failure, state::failure};
use ledger::statement::{Leg, Scope};
use projections::{
    movements::{Asked, Movement, Movements as Model},
    runner::Projection as _,
    state::Replay,
};
use std::collections::BTreeMap;

/// Movements by account: the wallet, or nothing at Stripe.
pub(crate) struct Movements(BTreeMap<Option<String>, Vec<Movement>>);

impl Movements {
    /// What `replay` has folded.
    pub fn of(replay: &Replay) -> Result<Self, Failure> {
        let mut by_account: BTreeMap<Option<String>, Vec<Movement>> = BTreeMap::new();
        for id in replay.ids(Model::NAME) {
            let Some(row) = replay.whole_row(Model::NAME, id).map_err(failure)? else { continue };
            let row: Movement = serde_json::from_value(row).map_err(|_| Failure::Unreadable("a row of movements"))?;
            if row.moved_position.is_some() {
                by_account.entry(row.account.clone()).or_default().push(row);
            }
        }
        Ok(Movements(by_account))
    }

    /// What the log said of the account at that position.
    pub fn legs(&self, scope: &Scope, position: u64) -> Vec<Leg> {
        let asked = Asked::of(scope.source, &scope.account, scope.asset.clone(), scope.livemode, (scope.period_start, scope.period_end));
        let rows = self.0.get(&asked.account).into_iter().flatten().filter(|row| asked.is_of(row));
        rows.filter_map(|row| row.leg_at(position)).map(|(reference, leg)| Leg { reference, leg }).collect()
    }
}
