//! What a Solana node answers to `getTransaction`, for every transaction of a wallet: how much of the asset each has moved into it or out
//! of it, by the balances before and after. Who was on the other side is not looked at.

use super::{
    scope::{Item, SOL, Scope, Unreadable},
    value,
};
use events::vocab::money::SignedMinor;
use serde_json::Value;
use std::collections::BTreeSet;

/// A JSON array of transactions, or of whole JSON-RPC answers. A transaction that moved nothing of the asset is no line.
pub(super) fn read(scope: &Scope, bytes: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| Unreadable::json(&error))?;
    let answers = file.as_array().ok_or_else(|| Unreadable::file("is an array of answers to getTransaction"))?;
    let mint = scope.asset.mint.map(|mint| mint.to_string()).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(answers.len());
    for (number, answer) in (1_u32..).zip(answers) {
        let refused = |field: &str, rule: &'static str| Unreadable::item(number, field, rule);
        let transaction = answer.get("result").unwrap_or(answer);
        let signature = transaction["transaction"]["signatures"][0].as_str().unwrap_or_default();
        scope.id_rule(signature).map_err(|rule| refused("transaction.signatures", rule))?;
        if !seen.insert(signature) {
            return Err(refused("transaction.signatures", "is of a transaction that is in the file before"));
        }
        let at = transaction["blockTime"].as_i64().and_then(value::seconds);
        let at = at.ok_or_else(|| refused("blockTime", "is the seconds since 1970 of the block"))?;
        if !scope.covers(at) {
            return Err(refused("blockTime", value::OUTSIDE));
        }
        // Balances of SOL itself are in lamports and beside the tokens'.
        let change = match mint == SOL {
            true => lamports(transaction, &scope.account),
            false => tokens(transaction, &scope.account, &mint),
        };
        let change = change.map_err(|(field, rule)| refused(field, rule))?;
        let amount = i64::try_from(change).ok().and_then(|change| SignedMinor::new(change).ok());
        let amount = amount.ok_or_else(|| refused("meta", value::MINOR))?;
        if amount.units() != 0 {
            items.push(Item { line: number, reference: signature.to_owned(), id: None, at, amount });
        }
    }
    Ok(items)
}

/// A field and the rule that it breaks.
type Broken = (&'static str, &'static str);

/// The change of all token accounts of that wallet and mint.
fn tokens(transaction: &Value, wallet: &str, mint: &str) -> Result<i128, Broken> {
    let sum = |field: &'static str| -> Result<i128, Broken> {
        let balances = transaction["meta"][field].as_array().ok_or((field, "is the list of token balances"))?;
        let mut sum = 0_i128;
        for balance in balances.iter().filter(|balance| balance["mint"] == *mint) {
            // Without an owner nobody could say whose it is.
            let owner = balance["owner"].as_str().ok_or((field, "names the owner of every token balance"))?;
            let amount = balance["uiTokenAmount"]["amount"].as_str().and_then(|digits| digits.parse::<u64>().ok());
            let amount = amount.ok_or((field, "has uiTokenAmount.amount, an integer in a string"))?;
            if owner == wallet {
                sum += i128::from(amount);
            }
        }
        Ok(sum)
    };
    Ok(sum("postTokenBalances")? - sum("preTokenBalances")?)
}

/// The change of the wallet's lamports; what it paid the network is in it.
fn lamports(transaction: &Value, wallet: &str) -> Result<i128, Broken> {
    let keys = transaction["transaction"]["message"]["accountKeys"].as_array();
    let keys = keys.ok_or(("transaction.message.accountKeys", "is the list of accounts: ask with encoding json or jsonParsed"))?;
    let loaded = ["writable", "readonly"].map(|kind| &transaction["meta"]["loadedAddresses"][kind]);
    // With jsonParsed the loaded ones are among the keys already, and the first place counts.
    let loaded = loaded.into_iter().filter_map(Value::as_array).flatten();
    let place = keys.iter().chain(loaded).position(|key| key == wallet || key["pubkey"] == *wallet);
    let Some(place) = place else { return Ok(0) };
    let balance = |field: &'static str| -> Result<i128, Broken> {
        transaction["meta"][field][place].as_u64().map(i128::from).ok_or((field, "has the lamports of every account"))
    };
    Ok(balance("postBalances")? - balance("preBalances")?)
}
