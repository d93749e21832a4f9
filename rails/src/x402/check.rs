//! Whether a transaction is the payment that was asked for, and no more than that, before the service pays the network for it.
//!
//! What the chain did is asked of the chain afterwards. This keeps the fee payer from paying for, or signing, anything else.

use super::{Reason, Refusal, TOKEN};
use crate::solana::{
    ata::associated_token_account,
    instruction::TRANSFER_CHECKED,
    message::{CompiledInstruction, Transaction},
    programs,
};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    money::Minor,
};

/// A payment runs in about 10,000 units, and wallets add assertions.
const MAX_COMPUTE_UNITS: u64 = 400_000;
/// In micro-lamports, as x402's own facilitators have it.
const MAX_COMPUTE_PRICE: u64 = 5_000_000;
/// What a payment may cost the fee payer beside its signatures: limit times price.
const MAX_PRIORITY_LAMPORTS: u64 = 100_000;

/// What is asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// The mint.
    pub asset: SolanaAddress,
    /// Its decimals.
    pub decimals: u8,
    /// The merchant.
    pub pay_to: SolanaAddress,
    /// What he receives.
    pub amount: Minor,
    /// The payment's memo.
    pub memo: String,
    /// Who pays the network.
    pub fee_payer: SolanaAddress,
    /// The only wallet that may pay, where one was named.
    pub payer: Option<SolanaAddress>,
}

/// A transaction that pays, but for the fee payer's signature.
#[derive(Clone, PartialEq, Debug)]
pub struct Payable {
    /// Who pays.
    pub payer: SolanaAddress,
    /// The bytes to sign.
    pub message: Vec<u8>,
    /// The block that it builds on.
    pub blockhash: [u8; 32],
    signatures: Vec<TxSignature>,
}

impl Payable {
    /// The transaction with the fee payer's signature, which is its id.
    pub fn signed(&self, fee_payer: TxSignature) -> Vec<u8> {
        // Two signers, so that the count is one byte.
        let mut bytes = vec![self.signatures.len() as u8];
        bytes.extend_from_slice(&fee_payer.0);
        self.signatures.iter().skip(1).for_each(|signature| bytes.extend_from_slice(&signature.0));
        bytes.extend_from_slice(&self.message);
        bytes
    }
}

/// Checks `transaction` against `asked`. In this order: signers, number of instructions, compute budget, the transfer, what comes
/// after it, the memo.
pub fn check(transaction: Transaction, asked: &Asked) -> Result<Payable, Refusal> {
    let payer = signers(&transaction, asked)?;
    let instructions = &transaction.instructions;
    let [limit, price, transfer, rest @ ..] = &instructions[..] else {
        return Err(Refusal::new(Reason::InstructionsLength, "3 to 6 instructions are taken"));
    };
    if rest.len() > 3 {
        return Err(Refusal::new(Reason::InstructionsLength, "3 to 6 instructions are taken"));
    }
    budget(limit, price)?;
    transferred(transfer, asked, payer)?;
    isolated(instructions, asked.fee_payer).map_err(|refusal| refusal.of(payer))?;
    known(rest).and_then(|()| memo(rest, &asked.memo)).map_err(|refusal| refusal.of(payer))?;
    if asked.payer.is_some_and(|named| named != payer) {
        return Err(Refusal::new(Reason::PayerMismatch, "the session is for another wallet").of(payer));
    }
    Ok(Payable { payer, blockhash: transaction.blockhash, signatures: transaction.signatures, message: transaction.message })
}

/// The fee payer, whose signature is yet to come, and one other, who has signed.
fn signers(transaction: &Transaction, asked: &Asked) -> Result<SolanaAddress, Refusal> {
    if transaction.signers.first() != Some(&asked.fee_payer) {
        return Err(Refusal::new(Reason::FeePayerMismatch, "the transaction's fee payer is not extra.feePayer"));
    }
    let (payer, signature) = match (&transaction.signers[..], &transaction.signatures[..]) {
        ([_, payer], [_, signature]) => (*payer, *signature),
        ([_], _) => return Err(Refusal::new(Reason::SignatureInvalid, "nobody but the fee payer is to sign")),
        _ => return Err(Refusal::new(Reason::ExcessiveSigners, "the fee payer and the buyer sign, and nobody else")),
    };
    match transaction.signed_by(&payer, &signature) {
        true => Ok(payer),
        false => Err(Refusal::new(Reason::SignatureInvalid, "the buyer's signature is missing or false").of(payer)),
    }
}

fn budget(limit: &CompiledInstruction, price: &CompiledInstruction) -> Result<(), Refusal> {
    let of_budget = |instruction: &CompiledInstruction, kind: u8, reason| match (instruction.program, instruction.data.split_first()) {
        (Some(programs::COMPUTE_BUDGET), Some((found, rest))) if *found == kind => Ok(rest.to_vec()),
        _ => Err(Refusal::new(reason, "the compute budget is set first: the limit, then the price")),
    };
    let units = of_budget(limit, 2, Reason::ComputeLimit)?;
    let units = <[u8; 4]>::try_from(units).map_err(|_| Refusal::new(Reason::ComputeLimit, "the limit is four bytes"))?;
    let units = u64::from(u32::from_le_bytes(units));
    if units > MAX_COMPUTE_UNITS {
        return Err(Refusal::new(Reason::ComputeLimitTooHigh, format!("at most {MAX_COMPUTE_UNITS} compute units")));
    }
    let micro = of_budget(price, 3, Reason::ComputePrice)?;
    let micro = <[u8; 8]>::try_from(micro).map_err(|_| Refusal::new(Reason::ComputePrice, "the price is eight bytes"))?;
    let micro = u64::from_le_bytes(micro);
    let lamports = micro.checked_mul(units).map(|micro| micro / 1_000_000);
    match lamports {
        Some(lamports) if micro <= MAX_COMPUTE_PRICE && lamports <= MAX_PRIORITY_LAMPORTS => Ok(()),
        _ => Err(Refusal::new(
            Reason::ComputePriceTooHigh,
            format!("at most {MAX_COMPUTE_PRICE} micro-lamports for a unit and {MAX_PRIORITY_LAMPORTS} lamports in all"),
        )),
    }
}

fn transferred(transfer: &CompiledInstruction, asked: &Asked, payer: SolanaAddress) -> Result<(), Refusal> {
    let none = || Refusal::new(Reason::NoTransfer, "the third instruction is no TransferChecked of the token program").of(payer);
    let refuse = |reason, message: &str| Err(Refusal::new(reason, message).of(payer));
    if transfer.program != Some(TOKEN) || transfer.data.first() != Some(&TRANSFER_CHECKED) {
        return Err(none());
    }
    let [Some(_source), Some(mint), Some(destination), Some(authority)] = transfer.accounts[..] else { return Err(none()) };
    let (amount, decimals) = match (transfer.data.get(1..9).and_then(|bytes| bytes.try_into().ok()), transfer.data.get(9..)) {
        (Some(amount), Some([decimals])) => (u64::from_le_bytes(amount), *decimals),
        _ => return Err(none()),
    };
    if authority == asked.fee_payer {
        return refuse(Reason::FeePayerTransferring, "the fee payer pays for nothing but the network");
    }
    if authority != payer {
        return refuse(Reason::SignatureInvalid, "who signs is not who pays");
    }
    if mint != asked.asset || decimals != asked.decimals {
        return refuse(Reason::MintMismatch, "another token than the requirement's asset");
    }
    if Some(destination) != associated_token_account(&asked.pay_to, &TOKEN, &asked.asset) {
        return refuse(Reason::RecipientMismatch, "not to the token account of payTo");
    }
    if amount != asked.amount.units() {
        return refuse(Reason::AmountMismatch, "not exactly the amount");
    }
    Ok(())
}

/// The fee payer may be asked for nothing: not as an account, not as a program, and not through a table that hides who is meant.
fn isolated(instructions: &[CompiledInstruction], fee_payer: SolanaAddress) -> Result<(), Refusal> {
    let named = |instruction: &CompiledInstruction| {
        let accounts = instruction.accounts.iter().chain(std::iter::once(&instruction.program));
        accounts.copied().collect::<Vec<_>>()
    };
    let all: Vec<_> = instructions.iter().flat_map(named).collect();
    if all.iter().any(Option::is_none) {
        return Err(Refusal::new(Reason::NotDecodable, "accounts from look-up tables are not taken"));
    }
    match all.contains(&Some(fee_payer)) {
        true => Err(Refusal::new(Reason::FeePayerTransferring, "the fee payer is among an instruction's accounts")),
        false => Ok(()),
    }
}

/// What may come after the transfer: memos, and assertions that wallets add.
fn known(rest: &[CompiledInstruction]) -> Result<(), Refusal> {
    let reasons = [Reason::UnknownFourth, Reason::UnknownFifth, Reason::UnknownSixth];
    let unknown =
        rest.iter().zip(reasons).find(|(instruction, _)| !matches!(instruction.program, Some(programs::MEMO | programs::LIGHTHOUSE)));
    match unknown {
        Some((_, reason)) => Err(Refusal::new(reason, "only a memo and Lighthouse's assertions come after the transfer")),
        None => Ok(()),
    }
}

fn memo(rest: &[CompiledInstruction], asked: &str) -> Result<(), Refusal> {
    let mut memos = rest.iter().filter(|instruction| instruction.program == Some(programs::MEMO));
    match (memos.next(), memos.next()) {
        (Some(memo), None) if memo.data == asked.as_bytes() => Ok(()),
        (Some(_), None) => Err(Refusal::new(Reason::MemoMismatch, "the memo is not extra.memo")),
        _ => Err(Refusal::new(Reason::MemoCount, "exactly one memo, which is extra.memo")),
    }
}
