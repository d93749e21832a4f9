//! The x402 facilitator: verifies payments that clients signed, pays the network for them, and settles them like every other payment.
//!
//! A payment is tied to a stored requirement by its memo; what is asked for is read from the log, and what the sender says of it must
//! be the same (INV-8, INV-10, INV-16). A stranger's payment has no requirement here and is refused. The facilitator grants nothing: after
//! it has sent a transaction, [`Settler`] asks the chain, as it does for a buyer's own (INV-13, INV-63).

mod examine;
mod record;
mod settle;
mod subject;

pub use examine::{Brought, Presentation};
pub use settle::{Done, Outcome};
pub use subject::Subject;

use crate::settle::{SettleError, Settler};
use events::{
    clock::Clock,
    log::{AppendError, Log, ReadError},
    vault::{Signer, Vault, VaultError},
    vocab::bytes::{SolanaAddress, TxSignature},
};
use rails::{
    solana::{Network, rpc::RpcUnavailable},
    x402::{Reason, Refusal},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a settlement is waited for. Resource servers give a facilitator 30 seconds, and finality takes 13 on mainnet.
const LONGEST_WAIT: Duration = Duration::from_secs(22);
/// Payments that may be under way with the chain at once; more are told to come back.
const AT_ONCE: usize = 256;

/// Verifies and settles x402 payments.
#[derive(Clone)]
pub struct Facilitator(Arc<Parts>);

struct Parts {
    log: Log,
    vault: Vault,
    clock: Clock,
    settler: Settler,
    network: Network,
    fee_payer: Signer,
    under_way: Semaphore,
}

/// Why nothing can be said of a payment.
#[derive(Debug, thiserror::Error)]
pub enum FacilitatorError {
    /// The payment is refused; this is an answer.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The transaction is recorded for another payment than the one that it is presented for (INV-5).
    #[error("this transaction is recorded for another payment")]
    Replayed {
        /// What it is presented for.
        subject: Box<Subject>,
        /// Whether its buyer has signed it.
        signed: bool,
        /// The transaction.
        tx: TxSignature,
    },
    /// Too many payments are under way.
    #[error("too many payments are under way")]
    Busy,
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] RpcUnavailable),
    /// No chain is configured.
    #[error("no Solana RPC is configured")]
    NoChain,
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What is sealed cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// It could not be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The streams of one payment contradict each other.
    #[error("the payment's streams contradict each other")]
    Inconsistent,
}

impl FacilitatorError {
    /// What a sender is told of it, if it is an answer.
    pub fn refusal(self) -> Result<Refusal, Self> {
        match self {
            FacilitatorError::Refused(refusal) => Ok(refusal),
            replayed @ FacilitatorError::Replayed { .. } => Ok(Refusal::new(Reason::DuplicateSettlement, replayed.to_string())),
            other => Err(other),
        }
    }
}

impl From<Refusal> for FacilitatorError {
    fn from(refusal: Refusal) -> Self {
        FacilitatorError::Refused(refusal)
    }
}

impl Facilitator {
    /// A facilitator on `network`, whose fees `fee_payer` pays.
    pub fn new(log: Log, vault: Vault, clock: Clock, settler: Settler, network: Network, fee_payer: Signer) -> Self {
        Facilitator(Arc::new(Parts { log, vault, clock, settler, network, fee_payer, under_way: Semaphore::new(AT_ONCE) }))
    }

    /// The cluster.
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// The wallet that pays the network, as requirements name it.
    pub fn fee_payer(&self) -> SolanaAddress {
        SolanaAddress(self.0.fee_payer.public().to_bytes())
    }

    /// The fee payer's signature, which is the transaction's id. Whoever has it and the buyer's can send the transaction, so it is
    /// told to nobody before the transaction has passed every check.
    fn sign(&self, message: &[u8]) -> TxSignature {
        TxSignature(self.0.fee_payer.sign(message).0)
    }

    fn enter(&self) -> Result<SemaphorePermit<'_>, FacilitatorError> {
        self.0.under_way.try_acquire().map_err(|_| FacilitatorError::Busy)
    }
}
