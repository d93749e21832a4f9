//! What a node is asked for a transaction to be built, and how one is sent.

use super::{Commitment, Rpc, RpcUnavailable, malformed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::vocab::bytes::{SolanaAddress, TxSignature};
use serde::Deserialize;
use serde_json::json;

/// An account as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountInfo {
    /// The program that it belongs to; the system program for a wallet.
    pub owner: SolanaAddress,
    /// What it holds in SOL.
    pub lamports: u64,
    /// What its program keeps in it.
    pub data: Vec<u8>,
}

/// What new transactions are built against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LatestBlockhash {
    /// The hash of a recent block.
    pub blockhash: [u8; 32],
    /// The last block height at which a transaction with it is taken.
    pub last_valid_block_height: u64,
}

impl Rpc {
    /// Accounts as a supermajority has them, in the order asked; `None` for one that is not there. At most 100.
    pub async fn accounts(&self, addresses: &[SolanaAddress]) -> Result<Vec<Option<AccountInfo>>, RpcUnavailable> {
        const METHOD: &str = "getMultipleAccounts";
        #[derive(Deserialize)]
        struct Answer {
            value: Vec<Option<Raw>>,
        }
        #[derive(Deserialize)]
        struct Raw {
            owner: SolanaAddress,
            lamports: u64,
            data: (String, String),
        }
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let options = json!({ "encoding": "base64", "commitment": Commitment::Confirmed.as_str() });
        let answer: Answer = self.call(METHOD, json!([names, options])).await?;
        if answer.value.len() != addresses.len() {
            return Err(malformed(METHOD, "not one answer for each account"));
        }
        let read = |raw: Raw| {
            let data = STANDARD.decode(&raw.data.0).map_err(|error| malformed(METHOD, error))?;
            Ok(AccountInfo { owner: raw.owner, lamports: raw.lamports, data })
        };
        answer.value.into_iter().map(|raw| raw.map(read).transpose()).collect()
    }

    /// A block hash for new transactions, of a block that a supermajority has.
    pub async fn latest_blockhash(&self) -> Result<LatestBlockhash, RpcUnavailable> {
        #[derive(Deserialize)]
        struct Answer {
            value: Value,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Value {
            blockhash: SolanaAddress,
            last_valid_block_height: u64,
        }
        let options = json!([{ "commitment": Commitment::Confirmed.as_str() }]);
        let Answer { value } = self.call("getLatestBlockhash", options).await?;
        Ok(LatestBlockhash { blockhash: value.blockhash.0, last_valid_block_height: value.last_valid_block_height })
    }

    /// The lamports that an account with `bytes` of data must hold at least.
    pub async fn rent_minimum(&self, bytes: usize) -> Result<u64, RpcUnavailable> {
        self.call("getMinimumBalanceForRentExemption", json!([bytes])).await
    }

    /// Tries a transaction without sending it; signatures are not looked at. `Some` is the runtime's error, as compact JSON.
    pub async fn simulate(&self, transaction: &[u8]) -> Result<Option<String>, RpcUnavailable> {
        #[derive(Deserialize)]
        struct Answer {
            value: Value,
        }
        #[derive(Deserialize)]
        struct Value {
            err: serde_json::Value,
        }
        let options = json!({
            "encoding": "base64", "commitment": Commitment::Confirmed.as_str(), "sigVerify": false, "replaceRecentBlockhash": false,
        });
        let Answer { value } = self.call("simulateTransaction", json!([STANDARD.encode(transaction), options])).await?;
        Ok(Some(value.err).filter(|err| !err.is_null()).map(|err| err.to_string()))
    }

    /// Whether a transaction that builds on this block can still be taken.
    pub async fn blockhash_valid(&self, blockhash: [u8; 32]) -> Result<bool, RpcUnavailable> {
        #[derive(Deserialize)]
        struct Answer {
            value: bool,
        }
        let options = json!({ "commitment": Commitment::Processed.as_str() });
        let Answer { value } = self.call("isBlockhashValid", json!([SolanaAddress(blockhash).to_string(), options])).await?;
        Ok(value)
    }

    /// Sends a signed transaction, after the node has tried it; its id. Sending the same bytes again does no harm: the network
    /// takes a transaction once. [`Unavailable::Refused`] means that the node would not take it.
    pub async fn send_transaction(&self, transaction: &[u8]) -> Result<TxSignature, RpcUnavailable> {
        let options = json!({ "encoding": "base64", "preflightCommitment": Commitment::Confirmed.as_str() });
        self.call("sendTransaction", json!([STANDARD.encode(transaction), options])).await
    }
}
