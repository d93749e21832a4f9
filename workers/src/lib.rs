//! Reactions with side effects: what an event makes the service do outside, and the outcome as a command.

mod attest;
pub mod delivery;
pub mod expire;
pub mod health;
mod housekeeping;
pub mod mail;
pub mod memberships;
pub mod platform;
mod runtime;
pub mod settle;
pub mod webhooks;
pub mod x402;

pub use health::{WorkerHealth, WorkerState};
pub use runtime::{
    DELIVERY_RESCUE, HOUSEKEEPING, Health, MAILER, MEMBERSHIP_SWEEP, PAYMENT_WATCHER, PROOF_SETTLEMENT, STATE_ATTESTER, WEBHOOK_DELIVERER,
    WEBHOOK_EMITTER, WEBHOOK_FOLLOW_UP, Watch, Workers,
};
