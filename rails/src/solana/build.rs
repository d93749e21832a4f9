//! The transaction that pays what is asked for, unsigned: the buyer's wallet signs it and pays the network.

use super::{
    ata::associated_token_account,
    currency::Currency,
    evidence::{Expectation, ExpectedTransfer},
    instruction::{SYSTEM_TRANSFER, TRANSFER_CHECKED, create_token_account, memo, transfer_sol, transfer_token},
    message::{self, CompiledInstruction, Instruction, Transaction},
    programs,
    rpc::{AccountInfo, Rpc, RpcUnavailable},
};
use events::vocab::{bytes::SolanaAddress, money::Minor};

/// Bytes of an SPL token account, without Token 2022's extensions.
const TOKEN_ACCOUNT_BYTES: usize = 165;
/// Where a token account says whether it may be used: 0 not yet made, 1 usable, 2 frozen.
const STATE_OFFSET: usize = 108;

/// A transaction to be signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsigned {
    /// The transaction with zeros for the signature.
    pub transaction: Vec<u8>,
    /// The bytes to sign.
    pub message: Vec<u8>,
    /// The last block height at which the network takes it.
    pub last_valid_block_height: u64,
}

/// Why no transaction can be built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError {
    /// The chain could not be asked.
    #[error(transparent)]
    Chain(#[from] RpcUnavailable),
    /// What a recipient would receive on is not his to use: it belongs to another wallet, is frozen, or is no token account.
    #[error("{owner} cannot receive the token: its token account is frozen or belongs to another")]
    UnusableAccount {
        /// The recipient.
        owner: SolanaAddress,
    },
    /// SOL that does not come to what the network asks an account to hold at least.
    #[error("{owner} holds no SOL, and {amount} lamports are less than the {minimum} that a new account must hold")]
    BelowRent {
        /// The recipient.
        owner: SolanaAddress,
        /// What it would hold, in lamports.
        amount: u64,
        /// What it must hold, in lamports.
        minimum: u64,
    },
    /// The recipient is the payer.
    #[error("{owner} cannot pay itself")]
    SelfTransfer {
        /// The wallet.
        owner: SolanaAddress,
    },
    /// More instructions than a transaction holds.
    #[error(transparent)]
    TooLarge(#[from] message::TooLarge),
}

/// Builds the transaction with which `payer` pays what `expected` asks for, against a recent block hash. `decimals` are the
/// asset's.
pub async fn build(rpc: &Rpc, expected: &Expectation, payer: SolanaAddress, decimals: u8) -> Result<Unsigned, BuildError> {
    rpc.network().await?;
    let legs: Vec<_> = expected.transfers.iter().filter(|leg| leg.amount != Minor::ZERO).copied().collect();
    if let Some(leg) = legs.iter().find(|leg| leg.owner == payer) {
        return Err(BuildError::SelfTransfer { owner: leg.owner });
    }
    let mut instructions = match expected.currency {
        Currency::Sol => sol(rpc, payer, &legs).await?,
        Currency::Token(mint) => token(rpc, payer, mint, decimals, &legs).await?,
    };
    instructions.push(memo(&expected.memo));
    let latest = rpc.latest_blockhash().await?;
    let message = message::compile(payer, latest.blockhash, &instructions)?;
    Ok(Unsigned { transaction: message::unsigned(&message)?, message, last_valid_block_height: latest.last_valid_block_height })
}

async fn sol(rpc: &Rpc, payer: SolanaAddress, legs: &[ExpectedTransfer]) -> Result<Vec<Instruction>, BuildError> {
    let owners: Vec<_> = legs.iter().map(|leg| leg.owner).collect();
    let found = rpc.accounts(&owners).await?;
    for (leg, found) in legs.iter().zip(found) {
        if found.is_none_or(|account| account.lamports == 0) {
            let amount = legs.iter().filter(|other| other.owner == leg.owner).map(|other| other.amount.units()).sum();
            let minimum = rpc.rent_minimum(0).await?;
            if amount < minimum {
                return Err(BuildError::BelowRent { owner: leg.owner, amount, minimum });
            }
        }
    }
    Ok(legs.iter().map(|leg| transfer_sol(payer, leg.owner, leg.amount)).collect())
}

async fn token(
    rpc: &Rpc,
    payer: SolanaAddress,
    mint: SolanaAddress,
    decimals: u8,
    legs: &[ExpectedTransfer],
) -> Result<Vec<Instruction>, BuildError> {
    let unusable = |owner| BuildError::UnusableAccount { owner };
    let account_of = |owner| associated_token_account(&owner, &programs::TOKEN, &mint).ok_or(unusable(owner));
    let source = account_of(payer)?;
    let mut receiving = Vec::with_capacity(legs.len());
    for leg in legs {
        receiving.push(account_of(leg.owner)?);
    }
    let found = rpc.accounts(&receiving).await?;
    let (mut made, mut transfers) = (Vec::new(), Vec::new());
    for ((leg, account), found) in legs.iter().zip(receiving).zip(found) {
        match found {
            Some(info) if receives(&info, leg.owner, mint) => {}
            // Anyone can send lamports to an address that nobody has made into an account.
            Some(info) if info.owner != programs::SYSTEM || !info.data.is_empty() => return Err(unusable(leg.owner)),
            _ => made.push(create_token_account(payer, account, leg.owner, mint)),
        }
        transfers.push(transfer_token(payer, source, mint, account, leg.amount, decimals));
    }
    made.extend(transfers);
    Ok(made)
}

/// Whether it is a usable token account of that wallet and mint. The address alone does not say so: an owner can hand his
/// associated account to another wallet.
fn receives(info: &AccountInfo, owner: SolanaAddress, mint: SolanaAddress) -> bool {
    let data = &info.data;
    info.owner == programs::TOKEN
        && data.len() >= TOKEN_ACCOUNT_BYTES
        && data.get(..32) == Some(&mint.0[..])
        && data.get(32..64) == Some(&owner.0[..])
        && data.get(STATE_OFFSET) == Some(&1)
}

/// Why a signed transaction is not the one that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAsked {
    /// A signature is missing or false.
    #[error("the transaction is not signed by all who must sign it")]
    Unsigned,
    /// Another wallet pays the network, or signs beside the payer.
    #[error("the transaction is not the payer's alone")]
    WrongPayer,
    /// The memo is not there.
    #[error("the transaction does not carry the payment's memo")]
    WrongMemo,
    /// A leg is missing, or another is there.
    #[error("the transaction does not move exactly what the payment asks for")]
    WrongTransfers,
}

/// Whether a transaction that came back signed is the payment: signed by `payer` alone, with the memo, and with exactly the
/// legs. Wallets add instructions of their own (compute budget, assertions), so the message need not be the one that was
/// built. This keeps strangers' transactions from being sent through the service; what was paid, the chain says later.
pub fn check_signed(transaction: &Transaction, expected: &Expectation, payer: SolanaAddress, decimals: u8) -> Result<(), NotAsked> {
    if transaction.signers != [payer] {
        return Err(NotAsked::WrongPayer);
    }
    if !transaction.is_signed() {
        return Err(NotAsked::Unsigned);
    }
    let is_memo = |instruction: &&CompiledInstruction| instruction.program == Some(programs::MEMO);
    let mut memos = transaction.instructions.iter().filter(is_memo);
    if !memos.any(|memo| memo.data == expected.memo.as_bytes()) {
        return Err(NotAsked::WrongMemo);
    }
    let mut asked: Vec<_> =
        expected.transfers.iter().filter(|leg| leg.amount != Minor::ZERO).map(|leg| transfer(leg, expected, payer, decimals)).collect();
    for instruction in transaction.instructions.iter().filter(|instruction| moves(instruction, expected.currency)) {
        let found = asked.iter().position(|leg| leg.as_ref().is_some_and(|leg| same(leg, instruction)));
        let Some(found) = found else { return Err(NotAsked::WrongTransfers) };
        asked.swap_remove(found);
    }
    if asked.is_empty() { Ok(()) } else { Err(NotAsked::WrongTransfers) }
}

fn transfer(leg: &ExpectedTransfer, expected: &Expectation, payer: SolanaAddress, decimals: u8) -> Option<Instruction> {
    match expected.currency {
        Currency::Sol => Some(transfer_sol(payer, leg.owner, leg.amount)),
        Currency::Token(mint) => {
            let account_of = |owner| associated_token_account(&owner, &programs::TOKEN, &mint);
            Some(transfer_token(payer, account_of(payer)?, mint, account_of(leg.owner)?, leg.amount, decimals))
        }
    }
}

/// Whether the instruction is a transfer in that currency, of the kind that is built.
fn moves(instruction: &CompiledInstruction, currency: Currency) -> bool {
    match currency {
        Currency::Sol => instruction.program == Some(programs::SYSTEM) && instruction.data.starts_with(&SYSTEM_TRANSFER),
        Currency::Token(_) => instruction.program == Some(programs::TOKEN) && instruction.data.first() == Some(&TRANSFER_CHECKED),
    }
}

fn same(asked: &Instruction, found: &CompiledInstruction) -> bool {
    let named = asked.accounts.iter().map(|account| Some(account.address));
    found.program == Some(asked.program) && found.data == asked.data && named.eq(found.accounts.iter().copied())
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
