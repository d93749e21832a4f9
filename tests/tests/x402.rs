//! x402 for real: sessions, the facilitator, proofs, and x402's own clients paying on a local chain.

#[path = "lifecycle/shop.rs"]
mod shop;

#[path = "x402/clients.rs"]
mod clients;
#[path = "x402/facilitator.rs"]
mod facilitator;
#[path = "x402/preview.rs"]
mod preview;
#[path = "x402/proofs.rs"]
mod proofs;
#[path = "x402/scene.rs"]
mod scene;
#[path = "x402/sessions.rs"]
mod sessions;
#[path = "x402/trouble.rs"]
mod trouble;
