//! What the read models come to, put on record: once for each root at each position, and never with a trial balance that does not
//! balance.

use crate::check::rejections;
use events::{
    decider::Decider,
    vocab::{
        event::{AttestedBalance, Event, StateAttested},
        id::AttestationId,
        stream::{Category, Fact, StreamId},
    },
};
use std::collections::BTreeMap;

/// One attestation.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Attestation {
    /// Not on record.
    #[default]
    Absent,
    /// On record.
    Attested(Box<StateAttested>),
}

/// What is asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Put it on record.
    Attest(Box<StateAttested>),
}

rejections! {
    /// Why it is refused.
    pub enum Rejection {
        /// Its id is not that of its position and root.
        OtherId = "attestation_id_mismatch", "the id is not that of the position and the root";
        /// An asset's debits are not its credits.
        Unbalanced = "trial_balance_unbalanced", "the debits of an asset are not its credits";
    }
}

impl Decider for Attestation {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Attest(attested) = command;
        if attested.attestation_id != AttestationId::of(attested.at_position, &attested.root) {
            return Err(Rejection::OtherId);
        }
        if !balances(&attested.trial_balance) {
            return Err(Rejection::Unbalanced);
        }
        match state {
            Attestation::Absent => Ok(vec![(*attested).into()]),
            Attestation::Attested(_) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (Attestation::Absent, Event::StateAttested(attested)) => Attestation::Attested(Box::new(attested.clone())),
            (state, _) => state,
        }
    }
}

/// The stream of an attestation: one each, so that no stream grows for ever.
pub fn stream(attested: &StateAttested) -> StreamId {
    StreamId::new(Category::State, attested.attestation_id)
}

/// Whether in every asset and mode the debits are the credits.
fn balances(lines: &[AttestedBalance]) -> bool {
    let mut sums: BTreeMap<([u8; 32], bool), (u128, u128)> = BTreeMap::new();
    for line in lines {
        let (debit, credit) = sums.entry((line.asset.mint.0, line.livemode)).or_default();
        *debit += u128::from(line.debit.0);
        *credit += u128::from(line.credit.0);
    }
    sums.values().all(|(debit, credit)| debit == credit)
}
