//! Whether a transaction is the payment that a session asked for. Observing asks the chain; comparing is pure.

mod lamports;
mod token;

use super::{
    currency::Currency,
    rpc::{Commitment, Rpc, RpcUnavailable, Unavailable},
    transfer::{self, ObservedTransaction},
};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    money::Minor,
};
use serde_json::Value;

/// Memos that begin like this name a payment session.
const SESSION_MEMO_PREFIX: &str = "HILT:";

/// What the chain holds about a signature now.
#[allow(clippy::large_enum_variant, reason = "one is made for each look, and none is kept")]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Observation {
    /// The node does not know it. It may still be on its way, so this is no refusal.
    NotFound,
    /// Seen, but it can still be reverted, whatever its outcome (INV-7).
    Pending {
        /// The slot that holds it.
        slot: u64,
        /// Blocks on top, if the node counts them.
        confirmations: Option<u64>,
        /// Processed or confirmed.
        commitment: Commitment,
    },
    /// It failed, and that is final.
    Failed {
        /// The slot that holds it.
        slot: u64,
        /// The runtime's error as compact JSON.
        err: String,
    },
    /// It succeeded, and that is final.
    Final(ObservedTransaction),
}

/// Asks the chain about a signature. Finality is the status `finalized`; the transaction is read only after it.
/// Any doubt about the node itself is an error, never an observation.
pub async fn observe(rpc: &Rpc, signature: &TxSignature) -> Result<Observation, RpcUnavailable> {
    rpc.network().await?;
    let Some(status) = rpc.signature_status(signature).await? else { return Ok(Observation::NotFound) };
    let commitment = status.confirmation_status.unwrap_or(Commitment::Processed);
    if commitment != Commitment::Finalized {
        return Ok(Observation::Pending { slot: status.slot, confirmations: status.confirmations, commitment });
    }
    if status.err != Value::Null {
        return Ok(Observation::Failed { slot: status.slot, err: status.err.to_string() });
    }
    let fault = |reason| RpcUnavailable { method: "getTransaction", reason };
    let contradiction = |what| fault(Unavailable::Contradiction(what));
    let raw = rpc.transaction(signature, Commitment::Finalized).await?;
    let raw = raw.ok_or_else(|| contradiction("finalized, but the transaction is not there"))?;
    let transaction = transfer::parse(&raw).map_err(|error| fault(Unavailable::Malformed(error.to_string())))?;
    if transaction.signature != *signature {
        return Err(contradiction("another transaction than asked for"));
    }
    if transaction.slot != status.slot {
        return Err(contradiction("the transaction is in another slot than its status"));
    }
    if transaction.lamports.is_empty() {
        return Err(fault(Unavailable::Malformed("no balances".into())));
    }
    if transaction.err.is_some() {
        return Err(contradiction("the status says success, the transaction failure"));
    }
    Ok(Observation::Final(transaction))
}

/// What a session asks for on chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// What is to be paid in.
    pub currency: Currency,
    /// The memo that binds the payment to the session, word for word.
    pub memo: String,
    /// The legs; those to one wallet are added up.
    pub transfers: Vec<ExpectedTransfer>,
    /// Who must have paid; `None` accepts anyone.
    pub payer: Option<SolanaAddress>,
}

/// One leg.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExpectedTransfer {
    /// The wallet to be paid; tokens must arrive in its associated token account, SOL in itself.
    pub owner: SolanaAddress,
    /// Exactly so much.
    pub amount: Minor,
}

/// A transaction that is the payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// Who paid.
    pub payer: SolanaAddress,
    /// The slot that holds it.
    pub slot: u64,
    /// Unix seconds, if the chain knows.
    pub block_time: Option<i64>,
    /// What each wallet received, in the order asked for.
    pub received: Vec<Received>,
}

/// What one wallet received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The wallet.
    pub owner: SolanaAddress,
    /// Its token account; for SOL, the wallet.
    pub account: SolanaAddress,
    /// How much.
    pub amount: Minor,
}

/// Why a transaction is not the payment.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Mismatch {
    /// It failed on chain.
    #[error("the transaction failed on chain: {err}")]
    TxFailed {
        /// The runtime's error.
        err: String,
    },
    /// The session asks for no transfer, so no transaction can satisfy it.
    #[error("the payment requirement has no transfer")]
    NothingExpected,
    /// It carries no memo.
    #[error("the transaction carries no memo; it must carry the session's memo")]
    MemoMissing,
    /// Its memos do not name this session, or also name another.
    #[error("the transaction's memo is not the session's memo")]
    WrongMemo,
    /// It moved nothing.
    #[error("the transaction moved neither tokens nor SOL")]
    NoTransfer,
    /// The recipient paid itself.
    #[error("{owner} is both payer and recipient")]
    SelfTransfer {
        /// The wallet.
        owner: SolanaAddress,
    },
    /// The recipient was paid in another token; wrapped SOL is one, and not SOL.
    #[error("{owner} was paid in the token {found}, not in {expected}")]
    WrongMint {
        /// The wallet.
        owner: SolanaAddress,
        /// What was asked for.
        expected: Currency,
        /// The token paid.
        found: SolanaAddress,
    },
    /// What was paid went elsewhere: not to the wallet, or not to its associated token account.
    #[error("the payment did not go to where {owner} receives it")]
    WrongRecipient {
        /// The wallet that should have been paid.
        owner: SolanaAddress,
    },
    /// The recipient received too little.
    #[error("{owner} received {found} minor units, less than {expected}")]
    AmountShort {
        /// The wallet.
        owner: SolanaAddress,
        /// Minor units asked for.
        expected: i128,
        /// Minor units received.
        found: i128,
    },
    /// The recipient received too much.
    #[error("{owner} received {found} minor units, more than {expected}")]
    AmountMismatch {
        /// The wallet.
        owner: SolanaAddress,
        /// Minor units asked for.
        expected: i128,
        /// Minor units received.
        found: i128,
    },
    /// Someone else paid, or several did.
    #[error("the transaction was not paid by the expected wallet alone")]
    WrongPayer,
}

impl Mismatch {
    /// The stable reason code.
    pub const fn code(&self) -> &'static str {
        match self {
            Mismatch::TxFailed { .. } => "tx_failed",
            Mismatch::NothingExpected => "nothing_expected",
            Mismatch::MemoMissing => "memo_missing",
            Mismatch::WrongMemo => "wrong_memo",
            Mismatch::NoTransfer => "no_transfer",
            Mismatch::SelfTransfer { .. } => "self_transfer",
            Mismatch::WrongMint { .. } => "wrong_mint",
            Mismatch::WrongRecipient { .. } => "wrong_recipient",
            Mismatch::AmountShort { .. } => "amount_short",
            Mismatch::AmountMismatch { .. } => "amount_mismatch",
            Mismatch::WrongPayer => "wrong_payer",
        }
    }
}

/// Whether `transaction` is the payment that `expected` describes.
///
/// The order of refusals, first one wins, is part of the contract: `nothing_expected`, `tx_failed`, `memo_missing`,
/// `wrong_memo`, `no_transfer`; then for each recipient in turn `self_transfer`, `wrong_mint`, `wrong_recipient` or, where
/// the leg was left out, `amount_short`; then for each recipient in turn `amount_short`, `amount_mismatch`; last
/// `wrong_payer`. So a refusal first says whether the transaction worked, then whether it is about this session, then where
/// the tokens went, then how much, then from whom.
pub fn compare(expected: &Expectation, transaction: &ObservedTransaction) -> Result<Matched, Mismatch> {
    let legs = legs(&expected.transfers);
    if legs.is_empty() {
        return Err(Mismatch::NothingExpected);
    }
    if let Some(err) = &transaction.err {
        return Err(Mismatch::TxFailed { err: err.clone() });
    }
    check_memo(&expected.memo, &transaction.memos)?;
    let nothing_moved = match expected.currency {
        Currency::Token(_) => transaction.deltas.is_empty(),
        Currency::Sol => transaction.deltas.is_empty() && transaction.lamports.iter().all(|change| change.delta == 0),
    };
    if nothing_moved {
        return Err(Mismatch::NoTransfer);
    }
    let mut arrivals = Vec::with_capacity(legs.len());
    for (owner, _) in &legs {
        arrivals.push(match expected.currency {
            Currency::Token(mint) => token::arrival(*owner, mint, &legs, transaction)?,
            Currency::Sol => lamports::arrival(*owner, &legs, transaction)?,
        });
    }
    let mut received = Vec::with_capacity(legs.len());
    for ((owner, asked), (account, found)) in legs.into_iter().zip(arrivals) {
        received.push(Received { owner, account, amount: exact(owner, asked, found)? });
    }
    let sources = match expected.currency {
        Currency::Token(mint) => token::sources(mint, transaction),
        Currency::Sol => lamports::sources(transaction),
    };
    let payer = payer(sources, transaction).filter(|payer| expected.payer.is_none_or(|asked| asked == *payer));
    let payer = payer.ok_or(Mismatch::WrongPayer)?;
    Ok(Matched { payer, slot: transaction.slot, block_time: transaction.block_time, received })
}

/// The legs with those to one wallet added up, in the order first named; nothing is asked of a leg of nothing.
fn legs(transfers: &[ExpectedTransfer]) -> Vec<(SolanaAddress, i128)> {
    let mut legs: Vec<(SolanaAddress, i128)> = Vec::new();
    for transfer in transfers.iter().filter(|transfer| transfer.amount != Minor::ZERO) {
        let amount = i128::from(transfer.amount.units());
        match legs.iter_mut().find(|(owner, _)| *owner == transfer.owner) {
            Some((_, sum)) => *sum += amount,
            None => legs.push((transfer.owner, amount)),
        }
    }
    legs
}

/// A second session's memo would let one transaction be shown for two sessions; other memos are the wallet's own affair.
fn check_memo(expected: &str, memos: &[String]) -> Result<(), Mismatch> {
    if memos.is_empty() {
        return Err(Mismatch::MemoMissing);
    }
    let names_it = memos.iter().any(|memo| memo == expected);
    let names_another = memos.iter().any(|memo| memo != expected && memo.starts_with(SESSION_MEMO_PREFIX));
    if names_it && !names_another { Ok(()) } else { Err(Mismatch::WrongMemo) }
}

fn exact(owner: SolanaAddress, expected: i128, found: i128) -> Result<Minor, Mismatch> {
    if found < expected {
        return Err(Mismatch::AmountShort { owner, expected, found });
    }
    let amount = u64::try_from(found).ok().and_then(|units| Minor::new(units).ok());
    amount.filter(|_| found == expected).ok_or(Mismatch::AmountMismatch { owner, expected, found })
}

/// Who authorised the payment: the one wallet that it left and that signed. Where it left only accounts that did not sign (a
/// delegate's or an exchange's), the transaction's only signer. `None` where that leaves a choice.
fn payer(mut sources: Vec<SolanaAddress>, transaction: &ObservedTransaction) -> Option<SolanaAddress> {
    sources.retain(|source| transaction.signers.contains(source));
    sources.sort_unstable();
    sources.dedup();
    match (sources.as_slice(), transaction.signers.as_slice()) {
        ([source], _) => Some(*source),
        ([], [signer]) => Some(*signer),
        _ => None,
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
