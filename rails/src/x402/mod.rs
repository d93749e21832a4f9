//! x402 of scheme `exact` on Solana, versions 1 and 2: what resource servers send to a facilitator, and whether the transaction in it
//! is the payment that was asked for. What is asked for comes from the ledger; nothing here believes the sender.

mod check;
mod payload;
mod reason;

pub use check::{Asked, Payable, check};
pub use payload::{Extra, MAX_HEADER_BYTES, Presented, Requirement, decode_header};
pub use reason::{Reason, Refusal};

use crate::solana::{Network, programs};

/// A version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// Requirements in the body of the 402, `X-PAYMENT`.
    V1,
    /// Requirements in `PAYMENT-REQUIRED`, `PAYMENT-SIGNATURE`.
    V2,
}

impl Version {
    /// Its number.
    pub const fn number(self) -> u64 {
        match self {
            Version::V1 => 1,
            Version::V2 => 2,
        }
    }

    /// The version of that number.
    pub const fn of(number: u64) -> Option<Self> {
        match number {
            1 => Some(Version::V1),
            2 => Some(Version::V2),
            _ => None,
        }
    }

    /// What this version calls the cluster; version 1 has names for the public ones only.
    pub fn network(self, network: &Network) -> Option<String> {
        match self {
            Version::V2 => Some(network.as_str().to_owned()),
            Version::V1 => V1_NETWORKS.iter().find(|(_, caip2)| *caip2 == network.as_str()).map(|(name, _)| (*name).to_owned()),
        }
    }
}

const V1_NETWORKS: [(&str, &str); 3] = [
    ("solana", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    ("solana-devnet", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"),
    ("solana-testnet", "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z"),
];

/// The token program that the asset belongs to; USDC is of the first.
const TOKEN: events::vocab::bytes::SolanaAddress = programs::TOKEN;

#[cfg(test)]
mod tests;
