//! Settlement: from a transaction to a receipt and access, whoever asks first (INV-64).
//!
//! The confirm call, a submitted proof and the watcher all come here. The chain is asked once, and everything that follows
//! from a final, matching transaction is one append: there is no state between paid and active that a crash could leave behind.

mod buyer;
mod chain;
mod proofs;
mod record;
pub mod watch;

pub use chain::{Chain, Look};
pub use proofs::SettleProofs;
pub use record::proof_id;
pub use watch::WatchError;

use events::{
    clock::Clock,
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, is_conflict, retry_conflicts},
    vault::{KeyPurpose, Vault, VaultError},
    vocab::{
        bytes::TxSignature,
        event::{EntitlementActivated, PaymentConfirmed, PaymentCreated, ReceiptCreated},
        id::{MembershipId, PaymentId},
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::{Outcome, Trigger},
    },
};
use ledger::payment::Payment;
use rails::solana::rpc::RpcUnavailable;
use std::sync::Arc;

/// A conflict means that someone else moved this payment; looking again finds out where to.
const ATTEMPTS: u32 = 5;

/// Settles payments.
#[derive(Clone)]
pub struct Settler(Arc<Parts>);

struct Parts {
    log: Log,
    vault: Vault,
    clock: Clock,
    chain: Option<Chain>,
}

/// Who asks, for the events.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Who.
    pub actor: Actor,
    /// The HTTP request, if there is one.
    pub request_id: Option<String>,
    /// Through which door.
    pub trigger: Trigger,
}

/// What became of a payment.
#[derive(Clone, PartialEq, Debug)]
pub enum Settlement {
    /// Paid, now or before.
    Settled(Box<Settled>),
    /// Not final yet: the code says what it waits for.
    Pending(&'static str),
    /// The transaction does not pay it: the code says why.
    Refused(String),
}

/// A settled payment and what it led to.
#[derive(Clone, PartialEq, Debug)]
pub struct Settled {
    /// What was asked for.
    pub payment: PaymentCreated,
    /// What was paid.
    pub confirmed: PaymentConfirmed,
    /// Its receipt.
    pub receipt: Option<ReceiptCreated>,
    /// The membership and the end of its period.
    pub membership: Option<(MembershipId, Timestamp)>,
    /// The entitlement.
    pub entitlement: Option<EntitlementActivated>,
    /// Position of the last event, when this call wrote it.
    pub position: Option<u64>,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// A rule refuses it; the code is the contract's.
    #[error("{detail}")]
    Rejected {
        /// The contract's code.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The chain cannot be asked.
    #[error("the chain cannot be asked: {0}")]
    Chain(#[from] RpcUnavailable),
    /// No chain is configured.
    #[error("no Solana RPC is configured")]
    NoChain,
    /// The streams of one payment contradict each other, which no append of ours can have caused.
    #[error("the payment's streams contradict each other")]
    Inconsistent,
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A key cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A decider's rejection as [`SettleError::Rejected`].
macro_rules! rejected {
    () => {
        |refused| $crate::settle::SettleError::Rejected { code: refused.code(), detail: refused.to_string() }
    };
}
pub(crate) use rejected;

impl Settler {
    /// Settles payments of `log` on `chain`, if one is configured.
    pub fn new(log: Log, vault: Vault, clock: Clock, chain: Option<Chain>) -> Self {
        Settler(Arc::new(Parts { log, vault, clock, chain }))
    }

    /// The chain it asks.
    pub fn chain(&self) -> Option<&Chain> {
        self.0.chain.as_ref()
    }

    /// Looks at `tx` for `payment_id` and records what follows. Doing so again changes nothing.
    pub async fn settle(&self, payment_id: PaymentId, tx: TxSignature, asker: &Asker) -> Result<Settlement, SettleError> {
        let chain = self.0.chain.as_ref().ok_or(SettleError::NoChain)?;
        let stream = StreamId::new(Category::Payment, payment_id);
        let payment = events::unit::load::<Payment>(&self.0.log, stream).await?;
        let facts =
            payment.state.facts().ok_or(SettleError::Rejected { code: "payment_not_found", detail: "there is no such payment".into() })?;
        if let Payment::Confirmed { confirmed, .. } = &payment.state
            && confirmed.tx_signature == tx
        {
            return record::settled(&self.0.log, &payment.state, None).await;
        }
        let look = chain.look(facts, &tx).await;
        let conflict = |error: &SettleError| matches!(error, SettleError::Append(error) if is_conflict(error));
        match retry_conflicts(ATTEMPTS, conflict, || self.record(payment_id, tx, asker, &look)).await {
            // The streams were read one after the other; whoever settled it in between made them look as if a rule were broken.
            Err(SettleError::Rejected { code, detail }) => match self.settled_by_another(stream, &tx).await? {
                Some(settled) => Ok(settled),
                None => Err(SettleError::Rejected { code, detail }),
            },
            outcome => outcome,
        }
    }

    async fn settled_by_another(&self, stream: StreamId, tx: &TxSignature) -> Result<Option<Settlement>, SettleError> {
        let payment = events::unit::load::<Payment>(&self.0.log, stream).await?;
        match &payment.state {
            Payment::Confirmed { confirmed, .. } if confirmed.tx_signature == *tx => {
                record::settled(&self.0.log, &payment.state, None).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn record(
        &self,
        payment_id: PaymentId,
        tx: TxSignature,
        asker: &Asker,
        look: &Result<Look, RpcUnavailable>,
    ) -> Result<Settlement, SettleError> {
        let Parts { log, vault, clock, .. } = &*self.0;
        let payment = events::unit::load::<Payment>(log, StreamId::new(Category::Payment, payment_id)).await?;
        let context = Context {
            owner_id: payment.owner_id,
            livemode: payment.livemode.unwrap_or(true),
            actor: asker.actor.clone(),
            request_id: asker.request_id.clone(),
            correlation_id: payment.correlation_id.unwrap_or(payment_id.0),
        };
        let unit = Unit::new(log, context);
        let case = record::Case::open(log, vault, unit, payment, tx, asker.trigger, clock.now()).await?;
        match look {
            Ok(Look { outcome: Outcome::Passed, matched: Some(matched), observed, network, .. }) => {
                let signer = vault.signer(KeyPurpose::Receipt).await?;
                case.pass(matched, observed.clone(), network, &signer).await
            }
            Ok(look) => case.not_passed(look).await,
            Err(unavailable) => {
                case.unavailable(unavailable).await?;
                Err(SettleError::Chain(unavailable.clone()))
            }
        }
    }
}
