//! The watcher: looks at the chain for payments that nobody has asked about, and ends those whose time is over (OPS-61, OPS-66).
//!
//! It finds a transaction by itself: each merchant wallet with open payments is asked for its newest signatures, and a memo
//! leads to its payment. The confirm call and the proof are only faster ways to the same place.

use super::{Asker, Parts, SettleError, Settlement, Settler};
use crate::expire;
use events::{
    claims::Claim,
    log::ReadError,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        id::PaymentId,
        stream::Actor,
        time::Timestamp,
        words::Trigger,
    },
};
use projections::{QueryError, Reader, payments::Payment};
use rails::solana::{
    ata::associated_token_account,
    currency::Currency,
    programs,
    rpc::{Commitment, MAX_PAGE, Page, RpcUnavailable, SignatureInfo},
};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often open payments are looked at. One look is one request a wallet and one a linked transaction.
const PERIOD: Duration = Duration::from_secs(1);
/// Open payments read at once.
const PAGE: u32 = 500;
/// Pages of a wallet's signatures read in one round. A wallet without a mark is read this far back, which covers more than the
/// half hour that a session lives.
const PAGES: usize = 5;
/// How long a transaction is looked at again: longer than a session lives and its transaction may take.
const AGAIN_SECONDS: i64 = 3600;

/// Looks at open payments until it is told to stop.
pub async fn run(settler: Settler, reader: Reader, stop: CancellationToken) -> Result<(), WatchError> {
    let mut watcher = Watcher { settler, reader, seen: HashMap::new(), again: HashMap::new() };
    while stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
        watcher.round().await?;
    }
    Ok(())
}

/// Why a round could not be finished; the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A read model did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] RpcUnavailable),
    /// The log did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A look failed.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

struct Watcher {
    settler: Settler,
    reader: Reader,
    /// The newest signature read of each account.
    seen: HashMap<SolanaAddress, TxSignature>,
    /// Transactions that carry a payment's memo and came to nothing yet, and since when. A node behind the one that listed them may
    /// not know them as final; or they were submitted for another payment, which keeps them until the chain has shown whose they are.
    /// They are read from an account only once, so without this the payment would be missed.
    again: HashMap<(PaymentId, TxSignature), Timestamp>,
}

impl Watcher {
    async fn round(&mut self) -> Result<(), WatchError> {
        // What is over is over, whether or not the chain answers.
        let looked = if self.settler.chain().is_some() { self.look_at_open().await } else { Ok(()) };
        let Parts { log, clock, .. } = &*self.settler.0;
        expire::payments(log, &self.reader, clock).await?;
        expire::entitlements(log, &self.reader, clock).await?;
        expire::identity_sessions(log, &self.reader, clock).await?;
        expire::agent_setups(log, &self.reader, clock).await?;
        expire::sandbox_sessions(log, &self.reader, clock).await?;
        expire::test_clocks(log, &self.reader).await?;
        looked
    }

    async fn look_at_open(&mut self) -> Result<(), WatchError> {
        let mut accounts = BTreeSet::new();
        let mut after = Uuid::nil();
        loop {
            let open = projections::payments::open(&self.reader, after, PAGE).await?;
            for payment in &open {
                after = payment.meta.id;
                accounts.extend(account(payment));
                if let Some(tx) = payment.tx_signature {
                    self.look(after.into(), tx).await?;
                }
            }
            if open.len() < PAGE as usize {
                break;
            }
        }
        for proof in projections::proofs::open(&self.reader, Uuid::nil(), PAGE).await? {
            if let Some(tx) = proof.tx_signature {
                self.look(proof.payment_id, tx).await?;
            }
        }
        let until = self.settler.0.clock.now().plus_seconds(-AGAIN_SECONDS);
        self.again.retain(|_, since| *since > until);
        for (payment, tx) in self.again.keys().copied().collect::<Vec<_>>() {
            self.look_at_found(payment, tx).await?;
        }
        for account in accounts {
            self.read_account(account).await?;
        }
        Ok(())
    }

    /// Looks at a transaction that carries the payment's memo, and keeps it in mind while nothing is decided.
    async fn look_at_found(&mut self, payment: PaymentId, tx: TxSignature) -> Result<(), SettleError> {
        match self.settle(payment, tx).await {
            Ok(Settlement::Pending(_)) | Err(SettleError::Rejected { code: "proof_replayed", .. }) => {
                let now = self.settler.0.clock.now();
                self.again.entry((payment, tx)).or_insert(now);
                Ok(())
            }
            decided @ (Ok(_) | Err(SettleError::Rejected { .. })) => {
                self.again.remove(&(payment, tx));
                told(payment, decided)
            }
            failed => told(payment, failed),
        }
    }

    async fn look(&self, payment: PaymentId, tx: TxSignature) -> Result<(), SettleError> {
        told(payment, self.settle(payment, tx).await)
    }

    async fn settle(&self, payment: PaymentId, tx: TxSignature) -> Result<Settlement, SettleError> {
        let asker = Asker { actor: Actor::system("watcher"), request_id: None, trigger: Trigger::Watcher, identity_session_id: None };
        self.settler.settle(payment, tx, &asker).await
    }

    /// Reads what came to an account since the last time, and looks at what carries a memo of ours.
    async fn read_account(&mut self, account: SolanaAddress) -> Result<(), WatchError> {
        let signatures = self.new_signatures(&account).await?;
        for found in signatures.iter().rev() {
            for memo in found.memo.iter().flat_map(|memo| memos(memo)) {
                if let Some(stream) = self.settler.0.log.find_claim(&Claim::memo(&memo)).await? {
                    self.look_at_found(stream.id.into(), found.signature).await?;
                }
            }
            self.seen.insert(account, found.signature);
        }
        Ok(())
    }

    /// Everything since the last time, newest first, page by page.
    async fn new_signatures(&self, account: &SolanaAddress) -> Result<Vec<SignatureInfo>, RpcUnavailable> {
        let Some(chain) = self.settler.chain() else { return Ok(Vec::new()) };
        let mut page = Page { before: None, until: self.seen.get(account).copied(), limit: MAX_PAGE, commitment: Commitment::Finalized };
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let found = chain.rpc.signatures_for_address(account, &page).await?;
            page.before = found.last().map(|last| last.signature);
            let full = found.len() == usize::from(MAX_PAGE);
            all.extend(found);
            if !full {
                break;
            }
        }
        Ok(all)
    }
}

/// What a rule refuses for one payment must not keep the watcher from the others.
fn told(payment: PaymentId, outcome: Result<Settlement, SettleError>) -> Result<(), SettleError> {
    match outcome {
        Err(SettleError::Rejected { code, .. }) => {
            tracing::debug!(%payment, code, "the watcher's look was refused");
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

/// The account that an open payment is to arrive in: the wallet's token account, for SOL the wallet.
fn account(payment: &Payment) -> Option<SolanaAddress> {
    match Currency::of_mint(payment.asset_mint) {
        Currency::Sol => Some(payment.merchant_wallet),
        Currency::Token(mint) => associated_token_account(&payment.merchant_wallet, &programs::TOKEN, &mint),
    }
}

/// The memos in a node's summary of a transaction: each as `[length] text`, several separated by `; `.
fn memos(summary: &str) -> Vec<String> {
    let words = summary.split(|c: char| c.is_whitespace() || c == ';');
    words.filter(|word| word.starts_with("HILT:") && word.len() <= 64).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::memos;

    #[test]
    fn memos_are_found_in_a_nodes_summary() {
        assert_eq!(memos("[37] HILT:0123456789abcdef0123456789abcdef"), ["HILT:0123456789abcdef0123456789abcdef"]);
        assert_eq!(memos("[5] hello; [9] HILT:beef"), ["HILT:beef"]);
        assert!(memos("[5] hello").is_empty());
    }
}
