#![doc = include_str!("../README.md")]

pub mod access_apps;
pub mod access_events;
pub mod access_index;
pub mod access_products;
pub mod agent_setups;
pub mod api_keys;
pub mod approvals;
pub mod credits;
pub mod deliveries;
pub mod entitlements;
pub mod fees;
pub mod identity_sessions;
mod interest;
pub mod journal;
pub mod mails;
pub mod memberships;
pub mod movements;
pub mod payment_sessions;
pub mod payments;
pub mod products;
pub mod proofs;
pub mod rail_settings;
mod reader;
pub mod receipts;
pub mod runner;
pub mod sandbox_sessions;
pub mod state;
pub mod statement_entries;
pub mod statements;
pub mod test_clocks;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod tickets;
pub mod webhook_deliveries;
pub mod webhook_endpoints;
mod words;
pub mod workspace_billing;
pub mod workspaces;

pub use reader::{Page, QueryError, Reader, Window};

use runner::Definition;

/// Every projection there is.
pub const ALL: &[Definition] = &[
    Definition::of::<access_apps::AccessApps>(),
    Definition::of::<access_events::AccessEvents>(),
    Definition::of::<access_products::AccessProducts>(),
    Definition::of::<agent_setups::AgentSetups>(),
    Definition::of::<api_keys::ApiKeys>(),
    Definition::of::<approvals::Approvals>(),
    Definition::of::<credits::Credits>(),
    Definition::of::<deliveries::Deliveries>(),
    Definition::of::<entitlements::Entitlements>(),
    Definition::of::<fees::Fees>(),
    Definition::of::<identity_sessions::IdentitySessions>(),
    Definition::of::<journal::Journal>(),
    Definition::of::<mails::Mails>(),
    Definition::of::<memberships::Memberships>(),
    Definition::of::<movements::Movements>(),
    Definition::of::<payment_sessions::PaymentSessions>(),
    Definition::of::<payments::Payments>(),
    Definition::of::<products::Products>(),
    Definition::of::<proofs::Proofs>(),
    Definition::of::<rail_settings::RailSettings>(),
    Definition::of::<receipts::Receipts>(),
    Definition::of::<sandbox_sessions::SandboxSessions>(),
    Definition::of::<statement_entries::StatementEntries>(),
    Definition::of::<statements::Statements>(),
    Definition::of::<test_clocks::TestClocks>(),
    Definition::of::<tickets::Tickets>(),
    Definition::of::<webhook_deliveries::WebhookDeliveries>(),
    Definition::of::<webhook_endpoints::WebhookEndpoints>(),
    Definition::of::<workspace_billing::WorkspaceBilling>(),
    Definition::of::<workspaces::Workspaces>(),
];
