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
        words::Trigger,
    },
};
use projections::{QueryError, Reader, payments::Payment};
use rails::solana::{
    ata::associated_token_account,
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

/// Looks at open payments until it is told to stop.
pub async fn run(settler: Settler, reader: Reader, stop: CancellationToken) -> Result<(), WatchError> {
    let mut watcher = Watcher { settler, reader, seen: HashMap::new() };
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
    /// The newest signature read of each token account.
    seen: HashMap<SolanaAddress, TxSignature>,
}

impl Watcher {
    async fn round(&mut self) -> Result<(), WatchError> {
        // What is over is over, whether or not the chain answers.
        let looked = if self.settler.chain().is_some() { self.look_at_open().await } else { Ok(()) };
        let Parts { log, clock, .. } = &*self.settler.0;
        expire::payments(log, &self.reader, clock).await?;
        expire::entitlements(log, &self.reader, clock).await?;
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
            self.look(proof.payment_id, proof.tx_signature).await?;
        }
        for account in accounts {
            self.read_account(account).await?;
        }
        Ok(())
    }

    /// Looks once; tells whether there is an answer, whatever it is.
    async fn look(&self, payment: PaymentId, tx: TxSignature) -> Result<bool, SettleError> {
        let asker = Asker { actor: Actor::system("watcher"), request_id: None, trigger: Trigger::Watcher };
        match self.settler.settle(payment, tx, &asker).await {
            Ok(Settlement::Pending(_)) => Ok(false),
            Ok(Settlement::Settled(_) | Settlement::Refused(_)) => Ok(true),
            // What a rule refuses for one payment must not keep the watcher from the others.
            Err(SettleError::Rejected { code, .. }) => {
                tracing::debug!(%payment, code, "the watcher's look was refused");
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads what came to a token account since the last time, oldest first, and looks at what carries a memo of ours. The mark
    /// moves only past what has an answer: a node may list a signature before another calls it final.
    async fn read_account(&mut self, account: SolanaAddress) -> Result<(), WatchError> {
        let signatures = self.new_signatures(&account).await?;
        for found in signatures.iter().rev() {
            for memo in found.memo.iter().flat_map(|memo| memos(memo)) {
                if let Some(stream) = self.settler.0.log.find_claim(&Claim::memo(&memo)).await?
                    && !self.look(stream.id.into(), found.signature).await?
                {
                    return Ok(());
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

/// The token account that an open payment is to arrive in.
fn account(payment: &Payment) -> Option<SolanaAddress> {
    associated_token_account(&payment.merchant_wallet, &programs::TOKEN, &payment.asset_mint)
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
