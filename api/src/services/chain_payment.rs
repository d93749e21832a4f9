//! A payment as a Solana transaction: built for the buyer's wallet to sign, and sent once it is signed.

use crate::{
    http::{
        fresh::OwnWrites,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::extract::FromRef;
use events::{
    clock::Clock,
    log::{AppendError, Context, Log},
    unit::{Loaded, Unit, is_conflict, load, retry_conflicts},
    vocab::{
        bytes::{SolanaAddress, TxSignature},
        event::PaymentCreated,
        id::PaymentId,
        stream::{Actor, Category, StreamId},
        words::ActorKind,
    },
};
use ledger::payment::{self, Payment};
use rails::solana::{
    build::{self, BuildError, Unsigned},
    message::Transaction,
    rpc::{RpcUnavailable, Unavailable},
};
use workers::settle::{Chain, Settler, expectation};

/// Builds and sends the transactions of payments.
#[derive(Clone)]
pub struct ChainPayment {
    log: Log,
    clock: Clock,
    settler: Settler,
    own_writes: OwnWrites,
}

impl FromRef<State> for ChainPayment {
    fn from_ref(state: &State) -> Self {
        ChainPayment {
            log: state.log.clone(),
            clock: state.clock.clone(),
            settler: state.settler.clone(),
            own_writes: state.own_writes.clone(),
        }
    }
}

/// A signed transaction to be sent.
pub struct Submit<'a> {
    /// The payment.
    pub payment_id: PaymentId,
    /// The signed transaction.
    pub transaction: &'a [u8],
    /// The wallet that was to sign it.
    pub payer: SolanaAddress,
    /// The wallet's software.
    pub wallet_source: Option<String>,
    /// The HTTP request.
    pub request_id: &'a str,
}

/// A transaction that was sent.
pub struct Submitted {
    /// Its id.
    pub tx: TxSignature,
    /// The payment's status.
    pub status: &'static str,
    /// Position of the event, if one was written.
    pub position: Option<u64>,
}

impl ChainPayment {
    /// A payment of the log.
    pub async fn find(&self, payment_id: PaymentId) -> Result<Loaded<Payment>, Problem> {
        let payment = load::<Payment>(&self.log, StreamId::new(Category::Payment, payment_id)).await;
        let payment = payment.map_err(|error| rejection::read(&error))?;
        if payment.state.facts().is_some() { Ok(payment) } else { Err(Problem::of(Code::PaymentNotFound)) }
    }

    /// The transaction with which `payer` pays, unsigned, and what it pays. A payment that has a transaction gets no second one:
    /// the buyer would pay twice.
    pub async fn build(
        &self,
        payment_id: PaymentId,
        payer: Option<SolanaAddress>,
    ) -> Result<(PaymentCreated, SolanaAddress, Unsigned), Problem> {
        let payment = self.find(payment_id).await?;
        let facts = self.payable(&payment.state)?;
        let payer = self.payer(facts, payer)?;
        let built = build::build(&chain(&self.settler)?.rpc, &expectation(facts), payer, facts.asset.decimals).await;
        Ok((facts.clone(), payer, built.map_err(refused)?))
    }

    /// Sends a signed transaction if it is the payment, and records it. Sending it again changes nothing.
    pub async fn submit(&self, submit: &Submit<'_>) -> Result<Submitted, Problem> {
        let payment = self.find(submit.payment_id).await?;
        let malformed = |rule: &dyn std::fmt::Display| Problem::field(Code::ValidationFailed, "transaction", rule.to_string());
        let transaction = Transaction::parse(submit.transaction).map_err(|error| malformed(&error))?;
        let tx = transaction.id().ok_or_else(|| malformed(&"is not signed"))?;
        let Some(facts) = payment.state.facts() else { return Err(Problem::of(Code::PaymentNotFound)) };
        match payment.state.tx() {
            Some(linked) if linked == tx => {}
            Some(_) => return Err(Problem::of(Code::TxConflict)),
            None => drop(self.payable(&payment.state)?),
        }
        let payer = self.payer(facts, Some(submit.payer))?;
        build::check_signed(&transaction, &expectation(facts), payer, facts.asset.decimals).map_err(|error| malformed(&error))?;
        if let Payment::PendingSignature { .. } | Payment::PendingConfirmation { .. } = payment.state {
            send(chain(&self.settler)?, &tx, submit.transaction).await?;
        }
        // Whatever happens from here on, the watcher finds the transaction by its memo.
        let (status, position) = self.record(submit, tx).await?;
        Ok(Submitted { tx, status, position })
    }

    /// What is to be paid, if it still can be.
    fn payable<'a>(&self, payment: &'a Payment) -> Result<&'a PaymentCreated, Problem> {
        match payment {
            Payment::Absent => Err(Problem::of(Code::PaymentNotFound)),
            Payment::PendingSignature { facts, .. } if self.clock.now() < facts.expires_at => Ok(facts),
            Payment::PendingSignature { .. } | Payment::Expired { .. } => Err(Problem::of(Code::PaymentExpired)),
            Payment::PendingConfirmation { .. } => Err(Problem::of(Code::PaymentPendingConfirmation)),
            Payment::Confirmed { .. } => Err(Problem::of(Code::PaymentAlreadyConfirmed)),
            Payment::Failed { failed, .. } => Err(Problem::new(Code::TxFailed, format!("the payment failed: {}", failed.reason))),
        }
    }

    /// The wallet that pays: the one that the payment is for, or the one that shows up.
    fn payer(&self, facts: &PaymentCreated, named: Option<SolanaAddress>) -> Result<SolanaAddress, Problem> {
        match (facts.payer_wallet, named) {
            (Some(expected), Some(named)) if expected != named => Err(Problem::of(Code::PayerWalletMismatch)),
            (Some(payer), _) | (None, Some(payer)) => Ok(payer),
            (None, None) => Err(Problem::field(Code::ValidationFailed, "payer_wallet", "is required: the payment names no wallet")),
        }
    }

    async fn record(&self, submit: &Submit<'_>, tx: TxSignature) -> Result<(&'static str, Option<u64>), Problem> {
        enum Failure {
            Told(Problem),
            Append(AppendError),
        }
        let conflict = |failure: &Failure| matches!(failure, Failure::Append(error) if is_conflict(error));
        let recorded = retry_conflicts(8, conflict, || async {
            let mut payment = self.find(submit.payment_id).await.map_err(Failure::Told)?;
            let context = Context {
                owner_id: payment.owner_id,
                livemode: payment.livemode.unwrap_or(true),
                actor: Actor { kind: ActorKind::Public, id: None },
                request_id: Some(submit.request_id.to_owned()),
                correlation_id: payment.correlation_id.unwrap_or(payment.stream.id),
            };
            let mut unit = Unit::new(&self.log, context);
            let command = payment::Command::RecordBroadcast {
                tx,
                payer_wallet: Some(submit.payer),
                wallet_source: submit.wallet_source.clone(),
                now: self.clock.now(),
            };
            let decided = unit.decide(&mut payment, command, None);
            decided.map_err(|refused| Failure::Told(rejection::decided(refused.code(), refused)))?;
            let status = payment.state.status().unwrap_or("PENDING_CONFIRMATION");
            let position = if unit.is_empty() { None } else { Some(unit.commit().await.map_err(Failure::Append)?.last_position) };
            if let (Some(owner), Some(position)) = (payment.owner_id, position) {
                self.own_writes.wrote(owner, position);
            }
            Ok((status, position))
        });
        recorded.await.map_err(|failure| match failure {
            Failure::Told(problem) => problem,
            Failure::Append(error) => rejection::append(error),
        })
    }
}

/// The chain, if the deployment has one.
pub fn chain(settler: &Settler) -> Result<&Chain, Problem> {
    settler.chain().ok_or_else(|| Problem::new(Code::ChainUnavailable, "this deployment has no Solana RPC configured"))
}

/// Sends a signed transaction, unless the chain has it: a node refuses what it has taken before.
pub async fn send(chain: &Chain, tx: &TxSignature, transaction: &[u8]) -> Result<(), Problem> {
    let refused = match chain.rpc.send_transaction(transaction).await {
        Ok(_) => return Ok(()),
        Err(RpcUnavailable { reason: Unavailable::Refused(code), .. }) => code,
        Err(unavailable) => return Err(chain_unavailable(&unavailable)),
    };
    match chain.rpc.signature_status(tx).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Problem::new(Code::TxFailed, format!("the network does not take the transaction (JSON-RPC error {refused})"))
            .next_action("Check that the wallet holds the amount and SOL for the network's fee, and sign a new transaction.")),
        Err(unavailable) => Err(chain_unavailable(&unavailable)),
    }
}

/// Why no transaction can be built.
pub fn refused(error: BuildError) -> Problem {
    match error {
        BuildError::Chain(unavailable) => chain_unavailable(&unavailable),
        BuildError::UnusableAccount { .. } | BuildError::BelowRent { .. } => {
            Problem::new(Code::RecipientCannotReceive, error.to_string()).next_action("The merchant has to set this right.")
        }
        BuildError::SelfTransfer { .. } => Problem::field(Code::InvalidWallet, "payer_wallet", "is a wallet that this payment goes to"),
        BuildError::TooLarge(error) => Problem::internal(&error, "build a transaction"),
    }
}

fn chain_unavailable(unavailable: &RpcUnavailable) -> Problem {
    tracing::warn!(%unavailable, "the chain cannot be asked");
    Problem::of(Code::ChainUnavailable).retry_after(2)
}
