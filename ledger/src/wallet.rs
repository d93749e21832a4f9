//! Wallet addresses, strictly: a payout to an address that cannot exist is lost.

use events::vocab::{bytes::SolanaAddress, rail::RailId};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

/// Which rule an address breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Invalid {
    /// Not base58 of 32 bytes.
    #[error("a Solana address is base58 of exactly 32 bytes")]
    Solana,
    /// Not `0x` and 40 hexadecimal digits.
    #[error("an EVM address is 0x and 40 hexadecimal digits")]
    Evm,
    /// Mixed case that is not EIP-55's.
    #[error("the address's mixed case fails its EIP-55 checksum")]
    EvmChecksum,
    /// Not base58check of a TRON account.
    #[error("a TRON address is base58check of 21 bytes and starts with T")]
    Tron,
    /// Neither of the two that x402 settles to.
    #[error("an x402 payout is a Solana or an EVM address")]
    X402,
    /// A family of rails has no address of its own.
    #[error("usdt is a family of rails and has no address")]
    Family,
}

/// Whether `text` is a payout address on `rail`.
pub fn check(rail: RailId, text: &str) -> Result<(), Invalid> {
    match rail {
        RailId::SolanaUsdc | RailId::SolanaUsdt => solana(text),
        RailId::BaseUsdc | RailId::EvmUsdc | RailId::Erc20Usdt => evm(text),
        RailId::TronUsdt => tron(text),
        RailId::X402 if text.starts_with("0x") => evm(text),
        RailId::X402 => solana(text).map_err(|_| Invalid::X402),
        RailId::Usdt => Err(Invalid::Family),
    }
}

/// Whether `text` is a Solana address.
pub fn solana(text: &str) -> Result<(), Invalid> {
    text.parse::<SolanaAddress>().map(|_| ()).map_err(|_| Invalid::Solana)
}

/// Whether `text` is an EVM address; mixed case must carry the right EIP-55 checksum.
pub fn evm(text: &str) -> Result<(), Invalid> {
    let digits = text.strip_prefix("0x").ok_or(Invalid::Evm)?;
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Invalid::Evm);
    }
    let lower = digits.to_ascii_lowercase();
    if digits == lower || digits == digits.to_ascii_uppercase() {
        return Ok(());
    }
    let hash = hex::encode(Keccak256::digest(lower.as_bytes()));
    let as_hashed = lower.chars().zip(hash.chars()).map(|(digit, hash)| if hash >= '8' { digit.to_ascii_uppercase() } else { digit });
    if as_hashed.eq(digits.chars()) { Ok(()) } else { Err(Invalid::EvmChecksum) }
}

/// Whether `text` is a TRON address: `0x41`, 20 bytes, and four bytes of double SHA-256 over both.
pub fn tron(text: &str) -> Result<(), Invalid> {
    // 25 bytes are at most 35 base58 digits; decoding longer text costs time that a caller should not be able to spend.
    let bytes = if text.len() <= 40 { bs58::decode(text).into_vec().ok() } else { None };
    let bytes: [u8; 25] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(Invalid::Tron)?;
    let (account, checksum) = bytes.split_at(21);
    let hash = Sha256::digest(Sha256::digest(account));
    if account.starts_with(&[0x41]) && hash.starts_with(checksum) { Ok(()) } else { Err(Invalid::Tron) }
}
