//! The routes, one file each, and how they become one service.

mod access_events;
mod access_products;
mod admin;
mod agent_bootstrap;
mod api_keys;
mod apps;
mod available_rails;
mod billing;
mod change_access_product;
mod confirm_identity;
mod context;
mod create_access_product;
mod create_app;
mod create_payment_session;
mod credits;
mod deliveries;
mod delivery_ticket;
mod discord_connect;
mod entitlements;
mod fees;
mod handoffs;
mod health;
mod hosted_products;
mod identity;
pub mod input;
mod invoice_metadata;
mod journal;
mod jwks;
mod log;
mod manual_receipt;
mod memberships;
pub mod openapi;
mod pay;
mod pay_transaction;
mod payment_history;
mod payment_sessions;
mod payments;
mod phantom;
mod provider_webhooks;
mod rail_settings;
mod rails;
mod readiness;
mod receipt_pdf;
mod receipt_proof;
mod receipts;
mod requirement_preview;
mod sales;
mod sandbox;
mod sandbox_sessions;
mod save_rail_setting;
mod send_proof;
mod solana_pay;
mod staff;
mod submit_proof;
mod test_clocks;
mod tickets;
mod webhooks;
mod workspace_profile;
mod x402;

pub use context::context;
pub use health::{Health, install_metrics, keep_metrics};

use crate::{
    http::{
        body::BodyLimit,
        guard::Guard,
        layers::{self, Around},
    },
    state::State,
};
use axum::{Router, middleware::from_fn_with_state};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Every route that the public document describes.
fn public() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(access_events::routes())
        .merge(access_products::routes())
        .merge(api_keys::routes())
        .merge(agent_bootstrap::routes())
        .merge(apps::routes())
        .merge(available_rails::routes())
        .merge(billing::routes())
        .merge(change_access_product::routes())
        .merge(create_access_product::routes())
        .merge(create_app::routes())
        .merge(create_payment_session::routes())
        .merge(deliveries::routes())
        .merge(delivery_ticket::routes())
        .merge(discord_connect::routes())
        .merge(credits::routes())
        .merge(journal::routes())
        .merge(entitlements::routes())
        .merge(fees::routes())
        .merge(handoffs::routes())
        .merge(health::routes())
        .merge(identity::routes())
        .merge(hosted_products::routes())
        .merge(invoice_metadata::routes())
        .merge(jwks::routes())
        .merge(log::routes())
        .merge(manual_receipt::routes())
        .merge(memberships::routes())
        .merge(pay::routes())
        .merge(pay_transaction::routes())
        .merge(payment_history::routes())
        .merge(payment_sessions::routes())
        .merge(payments::routes())
        .merge(phantom::routes())
        .merge(provider_webhooks::routes())
        .merge(rail_settings::routes())
        .merge(rails::routes())
        .merge(readiness::routes())
        .merge(receipt_pdf::routes())
        .merge(receipt_proof::routes())
        .merge(receipts::routes())
        .merge(sandbox::routes())
        .merge(sandbox_sessions::routes())
        .merge(test_clocks::routes())
        .merge(save_rail_setting::routes())
        .merge(send_proof::routes())
        .merge(solana_pay::routes())
        .merge(submit_proof::routes())
        .merge(tickets::routes())
        .merge(webhooks::routes())
        .merge(workspace_profile::routes())
        .merge(x402::routes())
}

/// Routes for staff and auditors, which the public document leaves out (INV-47).
fn internal() -> OpenApiRouter<State> {
    let admin =
        OpenApiRouter::default().merge(admin::routes()).merge(fees::staff_routes()).merge(staff::routes()).merge(tickets::admin_routes());
    admin.merge(webhooks::staff_routes()).merge(requirement_preview::routes()).merge(journal::staff_routes())
}

/// The whole service, with `guard` before its routes. Bodies may have at most `body_limit` bytes.
pub fn router(state: State, guard: Guard, body_limit: usize) -> Router {
    let (public, document) = public().split_for_parts();
    let (internal, _) = internal().split_for_parts();
    let document = openapi::finish(document, &state.settings.public_api_url);
    let routes = public.merge(internal).merge(openapi::pages(document)).merge(crate::pages::routes());
    dress(routes, Some(guard), body_limit).with_state(state)
}

/// Puts around `routes` what every request passes through.
fn dress<S: Clone + Send + Sync + 'static>(routes: Router<S>, guard: Option<Guard>, body_limit: usize) -> Router<S> {
    let around = Arc::new(Around { guard, body_limit: BodyLimit(body_limit) });
    routes
        .fallback(layers::not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(from_fn_with_state(around, layers::around))
}

#[cfg(test)]
mod tests;
