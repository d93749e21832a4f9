//! Commands that span streams: each is one append.

pub mod access_check;
pub mod agent_setups;
pub mod buyer;
pub mod chain_payment;
pub mod derived_session;
pub mod gates;
pub mod handoff_token;
pub mod handoffs;
pub mod hosted;
pub mod identity;
pub mod isolation;
pub mod key_uses;
pub mod keys;
pub mod log_reads;
pub mod memberships;
pub mod open_checkout;
pub mod open_session;
pub mod phantom;
pub mod products;
pub mod read_receipt;
pub mod receipt_proof;
pub mod receipt_sheet;
pub mod sandbox_time;
pub mod setup;
pub mod workspace;
pub mod x402;
