//! The instructions that a payment is made of, as their programs document them.

use super::{
    message::{Account, Instruction},
    programs,
};
use events::vocab::{bytes::SolanaAddress, money::Minor};

/// SPL Token: TransferChecked.
pub(crate) const TRANSFER_CHECKED: u8 = 12;
/// System program: Transfer, as a little-endian u32.
pub(super) const SYSTEM_TRANSFER: [u8; 4] = [2, 0, 0, 0];
/// SPL Associated Token Account: CreateIdempotent.
const CREATE_IDEMPOTENT: u8 = 1;

/// Moves lamports between wallets.
pub fn transfer_sol(from: SolanaAddress, to: SolanaAddress, amount: Minor) -> Instruction {
    let data = [&SYSTEM_TRANSFER[..], &amount.units().to_le_bytes()].concat();
    Instruction { program: programs::SYSTEM, accounts: vec![Account::payer(from), Account::writable(to)], data }
}

/// Moves tokens between token accounts; names the mint and its decimals, so that a wallet can show what moves.
pub fn transfer_token(
    authority: SolanaAddress,
    source: SolanaAddress,
    mint: SolanaAddress,
    to: SolanaAddress,
    amount: Minor,
    decimals: u8,
) -> Instruction {
    let accounts = vec![Account::writable(source), Account::readonly(mint), Account::writable(to), Account::signer(authority)];
    let data = [&[TRANSFER_CHECKED][..], &amount.units().to_le_bytes(), &[decimals]].concat();
    Instruction { program: programs::TOKEN, accounts, data }
}

/// Makes the associated token account of `owner` unless it is there; `funder` pays its rent.
pub fn create_token_account(funder: SolanaAddress, account: SolanaAddress, owner: SolanaAddress, mint: SolanaAddress) -> Instruction {
    let accounts = vec![
        Account::payer(funder),
        Account::writable(account),
        Account::readonly(owner),
        Account::readonly(mint),
        Account::readonly(programs::SYSTEM),
        Account::readonly(programs::TOKEN),
    ];
    Instruction { program: programs::ASSOCIATED_TOKEN, accounts, data: vec![CREATE_IDEMPOTENT] }
}

/// Writes a memo. Nobody need sign for it: what it is written beside is signed as a whole.
pub fn memo(text: &str) -> Instruction {
    Instruction { program: programs::MEMO, accounts: Vec::new(), data: text.as_bytes().to_vec() }
}
