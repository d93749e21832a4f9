//! Evidence from outside: what a chain or a provider says, parsed into typed evidence. Nothing here decides about access or money.

pub mod alchemy;
pub mod discord_oauth;
pub mod helius;
pub mod phantom;
pub mod price;
pub mod solana;
pub mod stripe;
pub mod x402;
