//! One look at the chain for one payment.

use events::vocab::{
    bytes::TxSignature,
    event::{ObservedPayment, ObservedTransfer, PaymentCreated},
    money::Minor,
    words::Outcome,
};
use ledger::requirement::required_transfers;
use rails::solana::{
    Network,
    currency::Currency,
    evidence::{self, Expectation, ExpectedTransfer, Matched, Observation},
    programs,
    rpc::{Commitment, Rpc, RpcUnavailable},
    transfer::{self, ObservedTransaction},
};
use std::sync::Arc;

/// What arrived is kept for so many accounts; a payment has two.
const MAX_TRANSFERS: usize = 16;

/// A Solana cluster that can be asked.
#[derive(Clone)]
pub struct Chain {
    /// The node.
    pub rpc: Arc<Rpc>,
    /// The cluster's name in requirements and fingerprints.
    pub network: Network,
}

/// What a look came to.
#[derive(Clone, Debug)]
pub struct Look {
    /// Passed, pending or failed.
    pub outcome: Outcome,
    /// A stable code, unless it passed.
    pub reason: Option<&'static str>,
    /// Whether the transaction carries this payment's memo.
    pub bound: bool,
    /// The payment, when it passed.
    pub matched: Option<Matched>,
    /// What the chain showed.
    pub observed: Option<ObservedPayment>,
    /// The cluster.
    pub network: Network,
}

impl Chain {
    /// Asks whether `tx` pays `payment`.
    pub async fn look(&self, payment: &PaymentCreated, tx: &TxSignature) -> Result<Look, RpcUnavailable> {
        let expected = expectation(payment);
        Ok(match evidence::observe(&self.rpc, tx).await? {
            Observation::NotFound => self.without_transaction(Outcome::Pending, "tx_not_found", false),
            Observation::Pending { .. } => self.without_transaction(Outcome::Pending, "tx_not_final", false),
            Observation::Failed { .. } => self.without_transaction(Outcome::Failed, "tx_failed", self.carries(tx, &expected.memo).await?),
            Observation::Final(transaction) => {
                let observed = Some(observed(&transaction, &expected));
                let network = self.network.clone();
                match evidence::compare(&expected, &transaction) {
                    Ok(matched) => Look { outcome: Outcome::Passed, reason: None, bound: true, matched: Some(matched), observed, network },
                    Err(mismatch) => {
                        let bound = transaction.memos.contains(&expected.memo);
                        Look { outcome: Outcome::Failed, reason: Some(mismatch.code()), bound, matched: None, observed, network }
                    }
                }
            }
        })
    }

    fn without_transaction(&self, outcome: Outcome, reason: &'static str, bound: bool) -> Look {
        Look { outcome, reason: Some(reason), bound, matched: None, observed: None, network: self.network.clone() }
    }

    /// Whether a failed transaction was at least meant for this payment.
    async fn carries(&self, tx: &TxSignature, memo: &str) -> Result<bool, RpcUnavailable> {
        let raw = self.rpc.transaction(tx, Commitment::Finalized).await?;
        let transaction = raw.and_then(|raw| transfer::parse(&raw).ok());
        Ok(transaction.is_some_and(|transaction| transaction.memos.iter().any(|found| found == memo)))
    }
}

/// What `payment` asks for on chain: what is looked for, and what is built.
pub fn expectation(payment: &PaymentCreated) -> Expectation {
    let legs = required_transfers(payment);
    let transfers = legs.iter().map(|leg| ExpectedTransfer { owner: leg.pay_to, amount: leg.amount }).collect();
    Expectation { currency: Currency::of(&payment.asset), memo: payment.memo(), transfers, payer: payment.payer_wallet }
}

/// What goes into the log: the memo only where it is ours to keep, and what arrived, not what left.
fn observed(transaction: &ObservedTransaction, expected: &Expectation) -> ObservedPayment {
    ObservedPayment {
        slot: transaction.slot,
        block_time: transaction.block_time,
        payer: evidence::compare(expected, transaction).ok().map(|matched| matched.payer),
        memo: transaction.memos.iter().find(|memo| memo.starts_with("HILT:")).filter(|memo| memo.len() <= 64).cloned(),
        transfers: arrivals(transaction, expected.currency).take(MAX_TRANSFERS).collect(),
    }
}

/// Tokens that arrived, whatever was asked for, since they explain a refusal; and SOL, where SOL was asked for.
fn arrivals(transaction: &ObservedTransaction, currency: Currency) -> impl Iterator<Item = ObservedTransfer> {
    let lamports = transaction.lamports.iter().filter(move |_| currency == Currency::Sol);
    let lamports = lamports.map(|change| (change.account, programs::NATIVE_MINT, change.delta));
    let tokens = transaction.deltas.iter().map(|change| (change.account, change.mint, change.delta));
    lamports.chain(tokens).filter(|(_, _, delta)| *delta > 0).filter_map(|(account, mint, delta)| {
        let received = u64::try_from(delta).ok().and_then(|units| Minor::new(units).ok())?;
        Some(ObservedTransfer { account, mint, received })
    })
}
