//! The rules of the ledger: one pure decider for each aggregate, one file for each decider.
//!
//! Nothing here reads a clock, draws a random number or talks to anything: time, ids and what a chain showed arrive inside the
//! command. Checks run in the order in which a module's rejections are listed, and that order is part of the contract. A
//! command that was carried out before yields no events, so that whoever repeats it does no harm.

mod check;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod tests;

pub mod access_app;
pub mod access_product;
pub mod agent_setup;
pub mod api_key;
pub mod approval;
pub mod attestation;
pub mod audit;
pub mod credits;
pub mod delivery;
pub mod entitlement;
pub mod entitlement_check;
pub mod evidence;
pub mod evm_requirement;
pub mod fee;
pub mod fee_leg;
pub mod handoff;
pub mod identity_session;
pub mod mail;
pub mod membership;
pub mod operator;
pub mod payment;
pub mod payment_session;
pub mod phantom_session;
pub mod platform;
pub mod product;
pub mod proof;
pub mod provider_webhook;
pub mod rail_gates;
pub mod rail_setting;
pub mod rails;
pub mod receipt;
pub mod recovery;
pub mod requirement;
pub mod sandbox_session;
pub mod statement;
pub mod subject;
pub mod test_clock;
pub mod ticket;
pub mod treasury;
pub mod wallet;
pub mod webhook_delivery;
pub mod webhook_endpoint;
pub mod workspace;
pub mod workspace_billing;
pub mod x402;

use events::vocab::id::EventId;

/// An event of another stream that a command rests on: its id, which the outcome cites, and what it says.
#[derive(Clone, PartialEq, Debug)]
pub struct Cited<T> {
    /// Its id in the log.
    pub id: EventId,
    /// Its payload, as read from the log.
    pub event: T,
}

impl<T> Cited<T> {
    /// `event`, known in the log as `id`.
    pub fn new(id: EventId, event: T) -> Self {
        Cited { id, event }
    }
}
