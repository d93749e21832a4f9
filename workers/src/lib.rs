//! Reactions with side effects: what an event makes the service do outside, and the outcome as a command.

mod attest;
pub mod billing;
pub mod delivery;
pub mod expire;
pub mod health;
mod housekeeping;
pub mod mail;
pub mod memberships;
pub mod platform;
mod provider;
mod runtime;
pub mod settle;
mod stripe;
pub mod webhooks;
pub mod x402;

pub use health::{WorkerHealth, WorkerState};
pub use runtime::{
    BILLING_SYNC, DELIVERY_RESCUE, HOUSEKEEPING, Health, MAILER, MEMBERSHIP_SWEEP, PAYMENT_WATCHER, PROOF_SETTLEMENT, STATE_ATTESTER,
    WEBHOOK_DELIVERER, WEBHOOK_EMITTER, WEBHOOK_FOLLOW_UP, Watch, Workers,
};
