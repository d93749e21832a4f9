//! Settlement: from a transaction to a receipt and access, whoever asks first (INV-64).
//!
//! The confirm call, a submitted proof and the watcher all come here. The chain is asked once, and everything that follows
//! from a final, matching transaction is one append: there is no state between paid and active that a crash could leave behind.

mod buyer;
mod chain;
mod identity;
mod proofs;
mod record;
mod wake;
pub mod watch;

pub use chain::{Chain, Look, expectation};
pub use identity::MISSING as IDENTITY_MISSING;
pub use proofs::SettleProofs;
pub(crate) use record::GIVEN_UP_AFTER_SECONDS;
pub use record::{ENTITLEMENT_CLOSED, proof_id, proof_id_of};
pub use wake::Waker;
pub use watch::WatchError;

use crate::{
    delivery::{DeliverError, Handover},
    platform::{Platform, Standing},
};
use events::{
    clock::Clock,
    log::{AppendError, Context, Log, ReadError},
    unit::{Unit, is_conflict, retry_conflicts},
    vault::{KeyPurpose, Vault, VaultError},
    vocab::{
        bytes::TxSignature,
        event::{EntitlementActivated, PaymentConfirmed, PaymentCreated, ReceiptCreated},
        id::{IdentitySessionId, MembershipId, PaymentId},
        rail::RailId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::{Outcome, Trigger},
    },
};
use identity::{Identity, Search};
use ledger::{
    identity_session::VALID_SECONDS,
    payment::Payment,
    rails::{KillSwitch, Rails},
};
use projections::{QueryError, Reader};
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
    reader: Reader,
    chain: Option<Chain>,
    handover: Handover,
    platform: Platform,
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
    /// The proof of identity that the caller names.
    pub identity_session_id: Option<IdentitySessionId>,
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
    /// A read model did not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What the product hands over cannot be read.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

/// A decider's rejection as [`SettleError::Rejected`].
macro_rules! rejected {
    () => {
        |refused| $crate::settle::SettleError::Rejected { code: refused.code(), detail: refused.to_string() }
    };
}
pub(crate) use rejected;

/// What a payment waits for whose rail is stopped: it is paid, and settles when the stop is over.
pub const KILL_SWITCHED: &str = "rail_kill_switched";
/// The same, while the rail's settled payments do not become access.
pub const GATE_CLOSED: &str = "live_apply_gate_closed";

/// Why payments that are seen to be paid do not settle now, if they do not (OBJ-16).
fn held(rails: &Rails) -> Option<&'static str> {
    let rail = rails.get(RailId::SolanaUsdc);
    match rail.kill_switch {
        KillSwitch::Tripped => Some(KILL_SWITCHED),
        KillSwitch::NotTripped if !rail.live_apply_open => Some(GATE_CLOSED),
        KillSwitch::NotTripped => None,
    }
}

impl Settler {
    /// Settles payments of `log` on `chain`, if one is configured. `reader` leads to proofs of identity, `handover` knows what
    /// payments hand over, and `platform` whether settled payments become access at all.
    pub fn new(log: Log, vault: Vault, clock: Clock, reader: Reader, chain: Option<Chain>, handover: Handover, platform: Platform) -> Self {
        Settler(Arc::new(Parts { log, vault, clock, reader, chain, handover, platform }))
    }

    /// The chain it asks.
    pub fn chain(&self) -> Option<&Chain> {
        self.0.chain.as_ref()
    }

    /// The platform's policy at this moment, and why payments do not settle under it, if they do not.
    pub(crate) async fn standing(&self) -> Result<(Standing, Option<&'static str>), SettleError> {
        let standing = self.0.platform.standing().await?;
        let held = held(&standing.rails);
        Ok((standing, held))
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
        if matches!(asker.trigger, Trigger::Watcher | Trigger::Provider) && self.still_unproven(&payment.state, &tx).await? {
            return Ok(Settlement::Pending(IDENTITY_MISSING));
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

    /// Whether the transaction was seen to pay, and there is still no proof of identity to go with it: the chain has nothing to add,
    /// and need not be asked each second.
    async fn still_unproven(&self, payment: &Payment, tx: &TxSignature) -> Result<bool, SettleError> {
        let Payment::PendingConfirmation { facts, tx: linked, last_look: Some(look) } = payment else { return Ok(false) };
        let Some(payer) = facts.payer_wallet else { return Ok(false) };
        if linked != tx || look.tx != *tx || look.reason.as_deref() != Some(IDENTITY_MISSING) {
            return Ok(false);
        }
        let since = self.0.clock.now().plus_seconds(-VALID_SECONDS);
        let proofs = projections::identity_sessions::verified(&self.0.reader, facts.product_id, payer, since, 1).await?;
        Ok(proofs.is_empty())
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
        let Parts { log, vault, clock, reader, handover, platform, .. } = &*self.0;
        let standing = platform.standing().await?;
        let payment = events::unit::load::<Payment>(log, StreamId::new(Category::Payment, payment_id)).await?;
        let context = Context {
            owner_id: payment.owner_id,
            livemode: payment.livemode.unwrap_or(true),
            actor: asker.actor.clone(),
            request_id: asker.request_id.clone(),
            correlation_id: payment.correlation_id.unwrap_or(payment_id.0),
        };
        let mut unit = Unit::new(log, context);
        // A switch that is tripped while this goes on makes it look again.
        unit.rely_on(&standing.policy);
        let settled = matches!(payment.state, Payment::Confirmed { .. });
        let case = record::Case::open(log, vault, unit, payment, tx, asker.trigger, clock.now()).await?;
        match look {
            Ok(Look { outcome: Outcome::Passed, matched: Some(matched), observed, network, .. }) => {
                if let Some(reason) = held(&standing.rails).filter(|_| !settled) {
                    return case.waits(matched, reason).await;
                }
                let search = Search { log, vault, reader, payment: case.facts(), payer: matched.payer, now: clock.now() };
                let identity = if settled { Identity::NotNeeded } else { search.find(asker.identity_session_id).await? };
                let signer = vault.signer(KeyPurpose::Receipt).await?;
                match identity {
                    Identity::Missing => case.waits(matched, IDENTITY_MISSING).await,
                    Identity::NotNeeded => case.pass(matched, observed.clone(), network, &signer, handover).await,
                    Identity::Proven(proven) => case.proven(*proven).pass(matched, observed.clone(), network, &signer, handover).await,
                }
            }
            Ok(look) => case.not_passed(look).await,
            Err(unavailable) => {
                case.unavailable(unavailable).await?;
                Err(SettleError::Chain(unavailable.clone()))
            }
        }
    }
}
