//! The hosted checkout on a real local chain, and the price that SOL is sold at.

#[path = "checkout_solana/building.rs"]
mod building;
#[path = "checkout_solana/hosted.rs"]
mod hosted;
#[path = "checkout_solana/prices.rs"]
mod prices;
#[path = "checkout_solana/sessions.rs"]
mod sessions;
#[path = "lifecycle/shop.rs"]
mod shop;
