//! What the end-to-end tests share: databases, webhook receivers, real local chains, real transactions, and a proxy that alters a chain's real answers.

pub mod app;
pub mod browser;
pub mod chain;
pub mod checks;
pub mod db;
pub mod discord;
pub mod discord_oauth;
pub mod follower;
pub mod history;
pub mod keyed;
pub mod nats;
pub mod payments;
pub mod phantom_wallet;
pub mod prices;
pub mod processes;
pub mod python;
pub mod readers;
pub mod receiver;
pub mod rpc_proxy;
pub mod smtp;
pub mod solana_tx;
pub mod stack;
pub mod tampering;
pub mod telegram;
pub mod verify;
