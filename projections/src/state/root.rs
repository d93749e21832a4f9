//! Roots: of a table, and of everything at one position.

use super::form::{FORM, canonical, row_leaf};
use events::{
    leaf::leaf_hash,
    proof::{self, Frontier},
    vocab::{
        bytes::Hash32,
        event::{AttestedBalance, AttestedProjection, StateAttested},
        id::AttestationId,
    },
};
use serde_json::{Value, json};

/// The root of a table while its rows come by, in id order.
#[derive(Default)]
pub struct TableRoot(Frontier);

impl TableRoot {
    /// The next row, without what is personal in it.
    pub fn push(&mut self, row: &Value) {
        self.0.push(row_leaf(row));
    }
    /// How many there were.
    pub fn rows(&self) -> u64 {
        self.0.size()
    }
    /// What they come to.
    pub fn root(&self) -> Hash32 {
        self.0.root()
    }
}

/// What the read models come to at one position.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Position of the last event folded into all of it.
    pub at_position: u64,
    /// Each read model, by name.
    pub projections: Vec<AttestedProjection>,
    /// Over all owners.
    pub trial_balance: Vec<AttestedBalance>,
}

impl State {
    /// One number for all of it.
    pub fn root(&self) -> Hash32 {
        state_root(&self.projections, &self.trial_balance)
    }

    /// As it goes on record.
    pub fn into_event(self) -> StateAttested {
        let root = self.root();
        let State { at_position, projections, trial_balance } = self;
        let attestation_id = AttestationId::of(at_position, &root);
        StateAttested { attestation_id, at_position, form: FORM.to_owned(), root, projections, trial_balance }
    }
}

/// RFC 6962 root over one leaf a line: the read models' lines, then the trial balance's, each as canonical JSON.
pub fn state_root(projections: &[AttestedProjection], trial_balance: &[AttestedBalance]) -> Hash32 {
    let models = projections
        .iter()
        .map(|AttestedProjection { name, version, rows, root }| json!({ "name": name, "version": version, "rows": rows, "root": root }));
    let balances = trial_balance.iter().map(|AttestedBalance { asset, livemode, account, debit, credit }| {
        json!({ "asset": asset, "livemode": livemode, "account": account, "debit": debit, "credit": credit })
    });
    let leaves: Vec<Hash32> = models.chain(balances).map(|line| leaf_hash(&canonical(&line))).collect();
    proof::root(&leaves)
}
