//! Alchemy's custom webhooks (RT-076): which ERC-20 transfers they say there were. A wake-up and nothing more: whatever is in them is
//! a claim, and the chain is asked before anything follows (INV-62, INV-63).

use events::vocab::{
    bytes::{EvmAddress, EvmHash},
    event::TransferCandidate,
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, str::FromStr};

/// Logs of one message at most. A webhook that is made for certain addresses sends far fewer.
pub const MOST: usize = 1_000;
/// The first topic of `Transfer(address,address,uint256)`.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// Ids and numbers of the provider that are longer are none of its.
const LONGEST_REFERENCE: usize = 128;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Transfers in a block.
    Transfers(Block),
    /// A block without any.
    Heartbeat,
    /// The provider could not answer its own query.
    ProviderError,
}

/// The transfers that a message says a block has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The provider's id of the message.
    pub message_ref: String,
    /// The provider's id of the webhook.
    pub webhook_ref: Option<String>,
    /// The provider's order of messages.
    pub sequence_number: Option<String>,
    /// The provider's name of the network, such as `BASE_MAINNET`.
    pub network: Option<String>,
    /// The block's number.
    pub number: u64,
    /// The block's hash. After a reorganisation the same number comes again with another one.
    pub hash: EvmHash,
    /// The transfers, in the block's order.
    pub candidates: Vec<TransferCandidate>,
}

/// A body that is not a message of a custom webhook.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotAlchemy {
    /// Not JSON, or not of the documented form.
    #[error("the body is not a GRAPHQL webhook with an id and an event")]
    Form,
    /// Transfers of a block that is not named.
    #[error("event.data.block has no number and hash")]
    Block,
    /// More than [`MOST`].
    #[error("the block has more than {MOST} logs")]
    TooMany,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    id: String,
    webhook_id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    event: Value,
}

/// What the body says. Logs that are no ERC-20 transfer, or of a transaction that failed, are passed over.
pub fn message(body: &[u8]) -> Result<Message, NotAlchemy> {
    let Body { id, webhook_id, kind, event } = serde_json::from_slice(body).map_err(|_| NotAlchemy::Form)?;
    if kind != "GRAPHQL" || !is_reference(&id) || !event.is_object() {
        return Err(NotAlchemy::Form);
    }
    if event.get("error").is_some_and(|error| !error.is_null()) {
        return Ok(Message::ProviderError);
    }
    let block = event.pointer("/data/block");
    let logs = block.and_then(|block| block.get("logs")).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if logs.len() > MOST {
        return Err(NotAlchemy::TooMany);
    }
    let candidates: Vec<_> = logs.iter().filter_map(candidate).collect();
    let Some(block) = block.filter(|_| !candidates.is_empty()) else { return Ok(Message::Heartbeat) };
    Ok(Message::Transfers(Block {
        message_ref: id,
        webhook_ref: webhook_id.filter(|id| is_reference(id)),
        sequence_number: event.get("sequenceNumber").and_then(digits),
        network: text(&event, "/network").filter(|network| is_reference(network)).map(str::to_owned),
        number: block.get("number").and_then(number).ok_or(NotAlchemy::Block)?,
        hash: text(block, "/hash").and_then(|hash| hash.parse().ok()).ok_or(NotAlchemy::Block)?,
        candidates,
    }))
}

/// Which chain each webhook is of that does not name its network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Chains {
    /// All of them are of this chain.
    One(u64),
    /// By the provider's id of the webhook.
    ByWebhook(BTreeMap<String, u64>),
}

impl Chains {
    /// The chain that a block is of: by the network that its message names, or else as configured.
    pub fn of(&self, block: &Block) -> Option<u64> {
        match (&block.network, self) {
            (Some(network), _) => chain_of(network),
            (None, Chains::One(chain)) => Some(*chain),
            (None, Chains::ByWebhook(chains)) => block.webhook_ref.as_ref().and_then(|webhook| chains.get(webhook)).copied(),
        }
    }
}

impl FromStr for Chains {
    type Err = NotAlchemy;
    fn from_str(text: &str) -> Result<Self, NotAlchemy> {
        if let Ok(chain) = text.trim().parse() {
            return Ok(Chains::One(chain));
        }
        let pair = |pair: &str| {
            let (webhook, chain) = pair.split_once('=')?;
            Some((webhook.trim().to_owned(), chain.trim().parse().ok()?))
        };
        text.split(',').map(pair).collect::<Option<_>>().map(Chains::ByWebhook).ok_or(NotAlchemy::Form)
    }
}

/// The chain of a network that the provider names.
fn chain_of(network: &str) -> Option<u64> {
    Some(match network {
        "ETH_MAINNET" => 1,
        "OPT_MAINNET" => 10,
        "MATIC_MAINNET" | "POLYGON_MAINNET" => 137,
        "ARB_MAINNET" => 42_161,
        "BASE_MAINNET" => 8_453,
        "BASE_SEPOLIA" => 84_532,
        "ETH_SEPOLIA" => 11_155_111,
        _ => return None,
    })
}

/// The log, if it is an ERC-20 transfer. One of an ERC-721 has a topic more and no data.
fn candidate(log: &Value) -> Option<TransferCandidate> {
    let topics: Vec<&str> = log.get("topics")?.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    let [kind, from, to] = topics[..] else { return None };
    let failed = log.pointer("/transaction/status").and_then(number) == Some(0);
    let removed = log.get("removed") == Some(&Value::Bool(true));
    if !kind.eq_ignore_ascii_case(TRANSFER) || failed || removed {
        return None;
    }
    Some(TransferCandidate {
        tx_hash: text(log, "/transaction/hash")?.parse().ok()?,
        log_index: u32::try_from(log.get("index").and_then(number)?).ok()?,
        token_contract: text(log, "/account/address")?.parse().ok()?,
        from: padded_address(from)?,
        to: padded_address(to)?,
        amount: decimal(text(log, "/data")?.parse::<EvmHash>().ok()?.0),
    })
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// A number as JSON, as decimal digits, or as `0x` and hex: the query's author chooses.
fn number(value: &Value) -> Option<u64> {
    let text = match value {
        Value::String(text) => text.as_str(),
        other => return other.as_u64(),
    };
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Digits that may be too many for a number.
fn digits(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty() && text.len() <= LONGEST_REFERENCE && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn is_reference(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_REFERENCE && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An address as a topic has it: 32 bytes, the first 12 of them zero.
fn padded_address(topic: &str) -> Option<EvmAddress> {
    let EvmHash(bytes) = topic.parse().ok()?;
    let (padding, address) = bytes.split_at(12);
    padding.iter().all(|byte| *byte == 0).then(|| EvmAddress::try_from(address).ok()).flatten()
}

/// 256 bits as decimal digits.
fn decimal(mut number: [u8; 32]) -> String {
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u16;
        for byte in &mut number {
            let part = (rest << 8) | u16::from(*byte);
            // Below 256, since the rest is below 10.
            *byte = (part / 10).to_be_bytes()[1];
            rest = part % 10;
        }
        digits.push(char::from(b'0' + rest.to_be_bytes()[1]));
    }
    match digits.is_empty() {
        true => "0".to_owned(),
        false => digits.into_iter().rev().collect(),
    }
}

#[cfg(test)]
mod tests;
