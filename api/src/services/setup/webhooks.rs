//! Whether somebody is told of what happens to a product.

use crate::http::{problem::Problem, rejection};
use events::vocab::{
    event::AccessProductCreated,
    id::{EndpointId, OwnerId},
    words::WebhookEvent,
};
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
    /// The receiver to complete while events are missing, if there is one: no second one is needed then.
    pub incomplete: Option<Receiver>,
}

/// A receiver of which more can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Its id.
    pub id: EndpointId,
    /// What it is told of.
    pub subscribed_events: Vec<WebhookEvent>,
    /// It is not called until it is resumed.
    pub paused: bool,
}

impl Receiver {
    /// What it must be told of so that `missing` is covered too.
    pub fn with(&self, missing: &[WebhookEvent]) -> Vec<WebhookEvent> {
        let more = missing.iter().filter(|event| !self.subscribed_events.contains(event));
        self.subscribed_events.iter().chain(more).copied().collect()
    }
    fn recommended(&self) -> usize {
        RECOMMENDED.iter().filter(|event| self.subscribed_events.contains(event)).count()
    }
}

impl Coverage {
    /// Of receivers that are told of a product, active or paused; a paused one covers nothing.
    pub fn new(receivers: &[Receiver]) -> Self {
        let active = || receivers.iter().filter(|receiver| !receiver.paused);
        let subscribed: BTreeSet<WebhookEvent> = active().flat_map(|receiver| receiver.subscribed_events.iter().copied()).collect();
        let missing_events: Vec<_> = RECOMMENDED.into_iter().filter(|event| !subscribed.contains(event)).collect();
        let fullest = |one: &&Receiver| one.recommended();
        let incomplete = active().max_by_key(fullest).or_else(|| receivers.iter().max_by_key(fullest));
        Coverage {
            ready: missing_events.is_empty(),
            active_count: active().count(),
            subscribed_events: subscribed.iter().copied().collect(),
            incomplete: incomplete.filter(|_| !missing_events.is_empty()).cloned(),
            missing_events,
        }
    }
}

/// Of the owner's receivers in that mode, for `product` if there is one.
pub async fn of(reader: &Reader, owner: OwnerId, live: bool, product: Option<&AccessProductCreated>) -> Result<Coverage, Problem> {
    let endpoints = webhook_endpoints::list(reader, owner, live, Window::first(MOST_ENDPOINTS)).await.map_err(rejection::query)?;
    // A receiver of some products only may not be told of one that is still to be made.
    let concerns = |ids: &[uuid::Uuid]| {
        ids.is_empty() || product.is_some_and(|product| ids.contains(&product.access_product_id.0) || ids.contains(&product.product_id.0))
    };
    let told = endpoints.items.into_iter().filter(|endpoint| concerns(&endpoint.product_ids));
    let receivers: Vec<_> = told
        .filter_map(|endpoint| {
            let paused = match endpoint.status {
                EndpointStatus::Active => false,
                EndpointStatus::Paused => true,
                EndpointStatus::Disabled => return None,
            };
            Some(Receiver { id: EndpointId(endpoint.meta.id), subscribed_events: endpoint.subscribed_events, paused })
        })
        .collect();
    Ok(Coverage::new(&receivers))
}
