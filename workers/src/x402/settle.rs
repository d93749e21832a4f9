//! Sending a payment and waiting for it, bounded. Whatever happens here, the watcher finishes what was begun.

use super::{
    Facilitator, FacilitatorError, LONGEST_WAIT, Presentation,
    examine::{Examined, Standing},
};
use crate::settle::{Asker, Chain, SettleError, Settled, Settlement};
use events::{
    log::Context,
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        id::OwnerId,
        words::Trigger,
    },
};
use rails::{
    solana::rpc::{Commitment, RpcUnavailable, Unavailable},
    x402::{Reason, Refusal},
};
use std::time::Duration;
use tokio::time::Instant;

/// Between the first two looks at a transaction that was sent, and the most between two.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The payment's reason when a node would not take what it had just tried.
const NOT_TAKEN: &str = "tx_not_taken";
/// The payment's reason when its block is too old for it to come.
const NEVER_APPEARED: &str = "tx_never_appeared";

/// What became of a settlement that was asked for.
pub enum Outcome {
    /// Paid, now or before.
    Done(Box<Done>),
    /// Sent, and not final when the wait was over.
    Pending {
        /// The transaction.
        tx: TxSignature,
        /// Who pays.
        payer: SolanaAddress,
    },
}

/// A settled payment.
pub struct Done {
    /// Whose.
    pub owner: OwnerId,
    /// The transaction.
    pub tx: TxSignature,
    /// Who paid.
    pub payer: SolanaAddress,
    /// What it led to.
    pub settled: Settled,
}

impl Facilitator {
    /// Settles a payment. Doing so again answers with the same transaction.
    pub async fn settle(&self, presentation: &Presentation, request_id: &str) -> Result<Outcome, FacilitatorError> {
        let _under_way = self.enter()?;
        let examined = match self.examine(presentation).await {
            Err(FacilitatorError::Replayed { subject, signed, tx }) => {
                self.record_replay(&subject, signed, tx, request_id).await?;
                return Err(FacilitatorError::Replayed { subject, signed, tx });
            }
            examined => examined?,
        };
        let context = self.context(&examined.subject, request_id);
        let chain = self.0.settler.chain().ok_or(FacilitatorError::NoChain)?;
        match examined.standing {
            Standing::Paid => {}
            Standing::Sent => self.send_again(chain, &examined, &context).await?,
            Standing::Open => {
                self.simulate(&examined.payable).await?;
                self.begin(&examined, &context).await?;
                self.send(chain, &examined, &context).await?;
            }
        }
        self.wait(chain, examined, &context).await
    }

    /// Sends it. Sending the same bytes twice does no harm; a node refuses what it has taken before.
    async fn send(&self, chain: &Chain, examined: &Examined, context: &Context) -> Result<(), FacilitatorError> {
        let refused = match chain.rpc.send_transaction(&examined.payable.signed(examined.tx)).await {
            Ok(_) => return Ok(()),
            Err(RpcUnavailable { reason: Unavailable::Refused(code), .. }) => code,
            // It may have arrived all the same: the wait, the watcher or the next call will tell.
            Err(unavailable) => {
                tracing::warn!(%unavailable, "an x402 payment could not be sent");
                return Ok(());
            }
        };
        if chain.rpc.signature_status(&examined.tx).await?.is_some() {
            return Ok(());
        }
        self.give_up(examined, context, NOT_TAKEN).await?;
        let message = format!("the network does not take the transaction (JSON-RPC error {refused})");
        Err(Refusal::new(Reason::TransactionFailed, message).of(examined.payable.payer).into())
    }

    /// One that was sent and has not arrived is sent again while it can.
    async fn send_again(&self, chain: &Chain, examined: &Examined, context: &Context) -> Result<(), FacilitatorError> {
        if chain.rpc.signature_status(&examined.tx).await?.is_some() {
            return Ok(());
        }
        if chain.rpc.blockhash_valid(examined.payable.blockhash).await? {
            return self.send(chain, examined, context).await;
        }
        self.give_up(examined, context, NEVER_APPEARED).await?;
        let message = "the transaction did not arrive in time: ask for the resource again";
        Err(Refusal::new(Reason::TransactionFailed, message).of(examined.payable.payer).into())
    }

    async fn wait(&self, chain: &Chain, examined: Examined, context: &Context) -> Result<Outcome, FacilitatorError> {
        let (owner, tx, payer) = (examined.subject.owner, examined.tx, examined.payable.payer);
        let asker = Asker {
            actor: context.actor.clone(),
            request_id: context.request_id.clone(),
            trigger: Trigger::Facilitator,
            identity_session_id: None,
        };
        let end = Instant::now() + LONGEST_WAIT;
        let mut pause = PAUSE;
        loop {
            if examined.standing == Standing::Paid || is_decided(chain, &tx).await {
                match self.0.settler.settle(examined.subject.facts.payment_id, tx, &asker).await {
                    Ok(Settlement::Settled(settled)) => return Ok(Outcome::Done(Box::new(Done { owner, tx, payer, settled: *settled }))),
                    Ok(Settlement::Refused(why)) => return Err(Refusal::new(Reason::TransactionFailed, why).of(payer).into()),
                    // A node may not know yet what another said is final.
                    Ok(Settlement::Pending(_)) | Err(SettleError::Chain(_)) => {}
                    Err(SettleError::Rejected { code, detail }) => {
                        tracing::debug!(code, "an x402 settlement was refused");
                        return Err(Refusal::new(Reason::TransactionFailed, detail).of(payer).into());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if Instant::now() >= end {
                return Ok(Outcome::Pending { tx, payer });
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether the chain has come to an end with the transaction. Nobody is told of a node that does not answer: the next look will.
async fn is_decided(chain: &Chain, tx: &TxSignature) -> bool {
    let status = chain.rpc.signature_status(tx).await;
    status.is_ok_and(|status| status.is_some_and(|status| status.confirmation_status == Some(Commitment::Finalized)))
}
