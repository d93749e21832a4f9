//! Solana: a JSON-RPC client, what a transaction did, and whether that is what a payment session asked for (INV-63, INV-65).

pub mod ata;
pub mod build;
pub mod claimed;
pub mod currency;
pub mod evidence;
pub mod instruction;
pub mod message;
pub mod rpc;
pub mod transfer;
mod unavailable;

#[cfg(test)]
mod fixtures;

use events::vocab::bytes::{SolanaAddress, TxSignature};
use std::fmt;

/// Programs whose instructions or accounts the evidence rests on.
pub mod programs {
    use super::{SolanaAddress, address};

    /// The system program, which moves SOL.
    pub const SYSTEM: SolanaAddress = SolanaAddress([0; 32]);
    /// SPL Token, the program of USDC and USDT.
    pub const TOKEN: SolanaAddress = address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
    /// SPL Token 2022.
    pub const TOKEN_2022: SolanaAddress = address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
    /// SPL Associated Token Account.
    pub const ASSOCIATED_TOKEN: SolanaAddress = address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
    /// SPL Memo.
    pub const MEMO: SolanaAddress = address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
    /// The first SPL Memo, which some wallets still use.
    pub const MEMO_V1: SolanaAddress = address("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
    /// The compute budget: what a transaction may cost.
    pub const COMPUTE_BUDGET: SolanaAddress = address("ComputeBudget111111111111111111111111111111");
    /// Lighthouse, whose assertions wallets add to what they sign. It moves nothing.
    pub const LIGHTHOUSE: SolanaAddress = address("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95");
    /// USDC's mint on mainnet.
    pub const USDC_MINT: SolanaAddress = address("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
    /// The mint of wrapped SOL. Where an asset needs a mint, this one stands for SOL itself.
    pub const NATIVE_MINT: SolanaAddress = address("So11111111111111111111111111111111111111112");
}

/// A constant address: wrong text fails the build, not a run.
const fn address(text: &str) -> SolanaAddress {
    SolanaAddress(bs58::decode(text.as_bytes()).into_array_const_unwrap::<32>())
}

/// A Solana cluster as a CAIP-2 chain id: `solana:` and the first 32 characters of its genesis hash.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Network(String);

/// Text that is not a CAIP-2 id of a Solana cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a Solana network is `solana:` and the first 32 characters of its genesis hash")]
pub struct NotANetwork;

impl Network {
    /// The cluster whose genesis block has this hash (base58, as `getGenesisHash` gives it).
    pub fn of_genesis(hash: &str) -> Result<Self, NotANetwork> {
        let is_hash = hash.parse::<SolanaAddress>().is_ok();
        hash.get(..32).filter(|_| is_hash).map(|reference| Network(format!("solana:{reference}"))).ok_or(NotANetwork)
    }
    /// Parses a CAIP-2 id.
    pub fn parse(text: &str) -> Result<Self, NotANetwork> {
        let reference = text.strip_prefix("solana:").ok_or(NotANetwork)?;
        let base58 = bs58::decode(reference).into_vec().is_ok();
        if reference.len() == 32 && base58 { Ok(Network(text.to_owned())) } else { Err(NotANetwork) }
    }
    /// Solana mainnet.
    pub fn mainnet() -> Self {
        Network("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".to_owned())
    }
    /// The CAIP-2 id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The canonical id of a transaction's transfers, claimed once for ever so that one payment pays one thing:
    /// `solana:<genesis>:<signature>`. Legs share it: one transaction settles one session.
    pub fn transfer_id(&self, signature: &TxSignature) -> String {
        format!("{}:{signature}", self.0)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_clusters_have_their_published_caip2_ids() {
        let mainnet = Network::of_genesis("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d").unwrap();
        let devnet = Network::of_genesis("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG").unwrap();
        assert_eq!(mainnet, Network::mainnet());
        assert_eq!(devnet.as_str(), "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1");
        assert_eq!(Network::parse(mainnet.as_str()), Ok(mainnet));
    }

    #[test]
    fn text_that_names_no_cluster_is_refused() {
        for text in ["", "solana:", "solana:mainnet", "eip155:8453", "solana:0OIl0OIl0OIl0OIl0OIl0OIl0OIl0OIl"] {
            assert_eq!(Network::parse(text), Err(NotANetwork), "{text}");
        }
        assert_eq!(Network::of_genesis("é"), Err(NotANetwork));
    }
}
