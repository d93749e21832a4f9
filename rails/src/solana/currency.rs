//! What a payment is made in: SOL itself or a token.

use super::programs;
use events::vocab::{bytes::SolanaAddress, event::Asset};
use std::fmt;

/// What a payment is made in. SOL is no token: it lies in the wallet, not in an account of the wallet, and has no mint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Currency {
    /// SOL, counted in lamports.
    Sol,
    /// The token of that mint.
    Token(SolanaAddress),
}

impl Currency {
    /// The currency of an asset: the mint of wrapped SOL stands for SOL itself, never for the wrapped token.
    pub fn of(asset: &Asset) -> Self {
        Currency::of_mint(asset.mint)
    }
    /// The currency that a mint stands for, as [`Currency::of`] reads it.
    pub fn of_mint(mint: SolanaAddress) -> Self {
        if mint == programs::NATIVE_MINT { Currency::Sol } else { Currency::Token(mint) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Currency::Sol => f.write_str("SOL"),
            Currency::Token(mint) => write!(f, "the token {mint}"),
        }
    }
}
