//! What a transaction did: who signed it, which memos it carries, and how every balance changed, of SOL and of tokens.
//!
//! "How much" comes only from the balances before and after. Instructions can lie by omission: a plain `transfer` names
//! no mint, a batch instruction is not parsed at all, a transfer to oneself looks like a payment.

use super::programs;
use events::vocab::bytes::{SolanaAddress, TxSignature};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, btree_map::Entry};

/// A longer memo does not fit in a transaction; base58 of unparsed data is not decoded beyond it.
const MAX_MEMO_CHARACTERS: usize = 2048;

/// A transaction as the chain tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObservedTransaction {
    /// Its first signature, which is its id.
    pub signature: TxSignature,
    /// The slot that holds it.
    pub slot: u64,
    /// When the chain believes it happened, in Unix seconds; an estimate of the validators, absent for some slots.
    pub block_time: Option<i64>,
    /// The runtime's error as compact JSON; `None` if it succeeded. A failed transaction moved no tokens.
    pub err: Option<String>,
    /// Everyone who signed, the fee payer first.
    pub signers: Vec<SolanaAddress>,
    /// Who paid the network's fee; with a facilitator this is not the buyer.
    pub fee_payer: SolanaAddress,
    /// All memos, at the top level first, then those written by called programs.
    pub memos: Vec<String>,
    /// The change of every token account that took part, unchanged ones included.
    pub deltas: Vec<TokenDelta>,
    /// The change of every account's lamports, unchanged ones included; empty when the node does not tell.
    pub lamports: Vec<LamportDelta>,
}

/// How one account's lamports changed by what the transaction did. The network's fee, which is paid for the transaction and
/// by none of its instructions, is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LamportDelta {
    /// The account; for SOL in a wallet, the wallet.
    pub account: SolanaAddress,
    /// Lamports after minus lamports before.
    pub delta: i128,
}

/// How one token account's balance changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenDelta {
    /// The token account.
    pub account: SolanaAddress,
    /// The wallet it belongs to.
    pub owner: SolanaAddress,
    /// Its token.
    pub mint: SolanaAddress,
    /// The token program that keeps it.
    pub token_program: SolanaAddress,
    /// Balance after minus balance before, in minor units.
    pub delta: i128,
}

/// A transaction that does not have the documented form. The node is at fault, not the payer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// The JSON does not have the documented fields.
    #[error("transaction: {0}")]
    Form(String),
    /// A field has a value that cannot be.
    #[error("transaction: {0}")]
    Field(&'static str),
}

/// Parses a `getTransaction` result (encoding `jsonParsed`). Unknown fields and instructions are ignored.
pub fn parse(result: &Value) -> Result<ObservedTransaction, Unreadable> {
    let raw = RawTransaction::deserialize(result).map_err(|error| Unreadable::Form(error.to_string()))?;
    let message = &raw.transaction.message;
    let fee_payer = message.account_keys.first().ok_or(Unreadable::Field("message.accountKeys is empty"))?.pubkey;
    let accounts = accounts(&raw);
    Ok(ObservedTransaction {
        signature: *raw.transaction.signatures.first().ok_or(Unreadable::Field("signatures is empty"))?,
        slot: raw.slot,
        block_time: raw.block_time,
        err: Some(&raw.meta.err).filter(|err| !err.is_null()).map(Value::to_string),
        signers: message.account_keys.iter().filter(|key| key.signer).map(|key| key.pubkey).collect(),
        fee_payer,
        memos: memos(&raw),
        deltas: deltas(&accounts, &raw.meta)?,
        lamports: lamports(&accounts, &raw.meta)?,
    })
}

/// The accounts in the order that `accountIndex` counts: the message's own, then those loaded from lookup tables,
/// writable before readonly. `jsonParsed` lists the loaded ones among the message's own; other encodings do not. No
/// account occurs twice in a transaction, so the end of the list tells which form it is.
fn accounts(raw: &RawTransaction) -> Vec<SolanaAddress> {
    let mut accounts: Vec<_> = raw.transaction.message.account_keys.iter().map(|key| key.pubkey).collect();
    if let Some(loaded) = &raw.meta.loaded_addresses {
        let loaded: Vec<_> = loaded.writable.iter().chain(&loaded.readonly).copied().collect();
        if !accounts.ends_with(&loaded) {
            accounts.extend(loaded);
        }
    }
    accounts
}

fn memos(raw: &RawTransaction) -> Vec<String> {
    let inner = raw.meta.inner_instructions.iter().flatten().flat_map(|group| &group.instructions);
    raw.transaction.message.instructions.iter().chain(inner).filter_map(memo).collect()
}

/// A memo is a plain string when the node parses it, and base58 of its bytes when it does not.
fn memo(instruction: &RawInstruction) -> Option<String> {
    let program = instruction.program_id.filter(|program| [programs::MEMO, programs::MEMO_V1].contains(program));
    match (program?, &instruction.parsed, &instruction.data) {
        (_, Some(Value::String(text)), _) => Some(text.clone()),
        (_, None, Some(data)) if data.len() <= MAX_MEMO_CHARACTERS => String::from_utf8(bs58::decode(data).into_vec().ok()?).ok(),
        _ => None,
    }
}

/// One change for each account, mint, owner and program. An account that changed hands or mint within the transaction
/// gives two, so that neither side is mistaken for a plain payment.
fn deltas(accounts: &[SolanaAddress], meta: &RawMeta) -> Result<Vec<TokenDelta>, Unreadable> {
    let before = balances(meta.pre_token_balances.as_deref().unwrap_or_default())?;
    let after = balances(meta.post_token_balances.as_deref().unwrap_or_default())?;
    let mut changes: BTreeMap<(usize, Holding), i128> = BTreeMap::new();
    for (index, (holding, amount)) in after {
        *changes.entry((index, holding)).or_default() += i128::from(amount);
    }
    for (index, (holding, amount)) in before {
        *changes.entry((index, holding)).or_default() -= i128::from(amount);
    }
    changes
        .into_iter()
        .map(|((index, (owner, mint, token_program)), delta)| {
            let account = *accounts.get(index).ok_or(Unreadable::Field("a token balance names an account that is not there"))?;
            Ok(TokenDelta { account, owner, mint, token_program, delta })
        })
        .collect()
}

/// One change for each account, the network's fee given back to the first, who is who pays it.
fn lamports(accounts: &[SolanaAddress], meta: &RawMeta) -> Result<Vec<LamportDelta>, Unreadable> {
    let (Some(before), Some(after), Some(fee)) = (&meta.pre_balances, &meta.post_balances, meta.fee) else {
        let none = meta.pre_balances.is_none() && meta.post_balances.is_none();
        return if none { Ok(Vec::new()) } else { Err(Unreadable::Field("balances without their counterpart or the fee")) };
    };
    if before.len() != accounts.len() || after.len() != accounts.len() {
        return Err(Unreadable::Field("not one balance for each account"));
    }
    let fees = std::iter::once(fee).chain(std::iter::repeat(0));
    let changes = accounts.iter().zip(before.iter().zip(after)).zip(fees);
    Ok(changes
        .map(|((account, (before, after)), fee)| LamportDelta {
            account: *account,
            delta: i128::from(*after) - i128::from(*before) + i128::from(fee),
        })
        .collect())
}

/// Owner, mint and token program of a token account.
type Holding = (SolanaAddress, SolanaAddress, SolanaAddress);

fn balances(raw: &[RawBalance]) -> Result<BTreeMap<usize, (Holding, u64)>, Unreadable> {
    let mut balances = BTreeMap::new();
    for balance in raw {
        // `uiAmount` is a float and `uiAmountString` is scaled; only `amount` is the integer itself.
        let amount = balance.ui_token_amount.amount.parse().map_err(|_| Unreadable::Field("uiTokenAmount.amount is not a u64"))?;
        match balances.entry(balance.account_index) {
            Entry::Vacant(entry) => entry.insert(((balance.owner, balance.mint, balance.program_id), amount)),
            Entry::Occupied(_) => return Err(Unreadable::Field("two token balances for one account")),
        };
    }
    Ok(balances)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTransaction {
    slot: u64,
    #[serde(default)]
    block_time: Option<i64>,
    meta: RawMeta,
    transaction: RawSigned,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMeta {
    // Required: were its absence read as success, a node could settle a payment by leaving a field out.
    err: Value,
    #[serde(default)]
    inner_instructions: Option<Vec<RawInner>>,
    #[serde(default)]
    loaded_addresses: Option<RawLoaded>,
    #[serde(default)]
    fee: Option<u64>,
    #[serde(default)]
    pre_balances: Option<Vec<u64>>,
    #[serde(default)]
    post_balances: Option<Vec<u64>>,
    #[serde(default)]
    pre_token_balances: Option<Vec<RawBalance>>,
    #[serde(default)]
    post_token_balances: Option<Vec<RawBalance>>,
}

#[derive(Deserialize)]
struct RawInner {
    instructions: Vec<RawInstruction>,
}

#[derive(Deserialize)]
struct RawLoaded {
    writable: Vec<SolanaAddress>,
    readonly: Vec<SolanaAddress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBalance {
    account_index: usize,
    mint: SolanaAddress,
    owner: SolanaAddress,
    program_id: SolanaAddress,
    ui_token_amount: RawAmount,
}

#[derive(Deserialize)]
struct RawAmount {
    amount: String,
}

#[derive(Deserialize)]
struct RawSigned {
    signatures: Vec<TxSignature>,
    message: RawMessage,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessage {
    account_keys: Vec<RawKey>,
    instructions: Vec<RawInstruction>,
}

#[derive(Deserialize)]
struct RawKey {
    pubkey: SolanaAddress,
    signer: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawInstruction {
    #[serde(default)]
    program_id: Option<SolanaAddress>,
    #[serde(default)]
    parsed: Option<Value>,
    #[serde(default)]
    data: Option<String>,
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
