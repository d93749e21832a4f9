//! What providers of chain data say. It wakes the service up and is never evidence (INV-62).

use crate::vocab::bytes::{EvmAddress, EvmHash};
use serde::{Deserialize, Serialize};

/// A provider told of transfers (RT-076). None of them is known to have happened: the chain is asked before anything follows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProviderWebhookReceived {
    /// `alchemy`.
    pub provider: String,
    /// The provider's id of the message: a repeat is the same one.
    pub message_ref: String,
    /// The provider's id of the webhook that sent it.
    pub webhook_ref: Option<String>,
    /// The provider's order of messages, as decimal digits. Of two that tell of one block, the higher one holds.
    pub sequence_number: Option<String>,
    pub chain_id: u64,
    pub block_number: u64,
    pub block_hash: EvmHash,
    pub candidates: Vec<TransferCandidate>,
}

/// A transfer of tokens that a provider says it saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransferCandidate {
    pub tx_hash: EvmHash,
    /// The log's place in its block.
    pub log_index: u32,
    pub token_contract: EvmAddress,
    pub from: EvmAddress,
    pub to: EvmAddress,
    /// In the token's minor units, as decimal digits: up to 256 bits, and not checked by anyone.
    pub amount: String,
}
