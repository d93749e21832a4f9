//! Whether somebody is told of what happens to a product.

use crate::http::{problem::Problem, rejection};
use events::vocab::{event::AccessProductCreated, id::OwnerId, words::WebhookEvent};
use projections::{
    Reader, Window,
    webhook_endpoints::{self, EndpointStatus},
};
use std::collections::BTreeSet;

/// The events an integration should hear of (DIS-23).
pub const RECOMMENDED: [WebhookEvent; 4] =
    [WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated, WebhookEvent::MembershipActivated, WebhookEvent::MembershipExpired];

/// How many receivers are looked at.
const MOST_ENDPOINTS: u32 = 1_000;

/// What active receivers are told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Every recommended event is covered.
    pub ready: bool,
    /// Receivers that are told of the product.
    pub active_count: usize,
    /// What they are told of.
    pub subscribed_events: Vec<WebhookEvent>,
    /// Recommended events that none of them is told of.
    pub missing_events: Vec<WebhookEvent>,
}

impl Coverage {
    /// Of so many receivers that together are told of `subscribed`.
    pub fn new(active_count: usize, subscribed: &BTreeSet<WebhookEvent>) -> Self {
        let missing_events: Vec<_> = RECOMMENDED.into_iter().filter(|event| !subscribed.contains(event)).collect();
        Coverage { ready: missing_events.is_empty(), active_count, subscribed_events: subscribed.iter().copied().collect(), missing_events }
    }
}

/// Of the owner's receivers in that mode, for `product` if there is one.
pub async fn of(reader: &Reader, owner: OwnerId, live: bool, product: Option<&AccessProductCreated>) -> Result<Coverage, Problem> {
    let endpoints = webhook_endpoints::list(reader, owner, live, Window::first(MOST_ENDPOINTS)).await.map_err(rejection::query)?;
    let concerns = |ids: &[uuid::Uuid]| {
        ids.is_empty() || product.is_none_or(|product| ids.contains(&product.access_product_id.0) || ids.contains(&product.product_id.0))
    };
    let active = endpoints.items.iter().filter(|endpoint| endpoint.status == EndpointStatus::Active);
    let endpoints: Vec<_> = active.filter(|endpoint| concerns(&endpoint.product_ids)).collect();
    let subscribed = endpoints.iter().flat_map(|endpoint| endpoint.subscribed_events.iter().copied()).collect();
    Ok(Coverage::new(endpoints.len(), &subscribed))
}
