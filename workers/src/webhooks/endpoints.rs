//! Endpoints as the log has them, with their secrets: read from their streams, so that no read model's delay matters.

use super::{
    problem::WorkError,
    sign::{self, PURPOSE, Secret},
};
use events::{
    decider::Decider as _,
    log::Log,
    vault::Vault,
    vocab::{
        bytes::Hash32,
        id::{EndpointId, OwnerId},
        stream::{Category, StreamId},
        time::Timestamp,
        words::WebhookEvent,
    },
};
use ledger::webhook_endpoint::{Receiver, WebhookEndpoint};
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};
use uuid::Uuid;

/// More endpoints than this are not kept in memory at a time.
const KEPT: usize = 50_000;

/// An endpoint that exists.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// As it is configured now.
    pub receiver: Receiver,
    /// Whose it is.
    pub owner: Option<OwnerId>,
    /// Whether it is told of real money.
    pub livemode: bool,
    /// Whether it is called.
    pub standing: Standing,
    /// Its secrets, the newest first, each with the time until which it signs. Empty also when the vault lost them.
    secrets: Vec<(Secret, Option<Timestamp>)>,
    /// What it wanted to be told, from which position on.
    phases: Vec<(u64, Phase)>,
}

/// Whether an endpoint is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is.
    Active,
    /// Not for a while.
    Paused,
    /// Not any more.
    Disabled,
}

/// What an endpoint wanted to be told for some time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Phase {
    subscribed_events: Vec<WebhookEvent>,
    product_ids: Vec<Uuid>,
}

impl Endpoint {
    /// Whether it wanted to be told of `event` about one of `products` when that had `position`. What was registered or wanted later
    /// is not told of what was before.
    pub fn wanted(&self, position: u64, event: WebhookEvent, products: &[Uuid]) -> bool {
        let Some((_, phase)) = self.phases.iter().rev().find(|(from, _)| *from < position) else { return false };
        let about = phase.product_ids.is_empty() || products.iter().any(|product| phase.product_ids.contains(product));
        about && phase.subscribed_events.contains(&event)
    }

    /// Whether anything that `position` or a later one has could be for it.
    pub fn knew(&self, position: u64) -> bool {
        self.phases.first().is_some_and(|(from, _)| *from < position)
    }

    /// The secrets that sign at `now`, the newest first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&Secret> {
        self.secrets.iter().filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(secret, _)| secret).collect()
    }
}

/// Reads endpoints and keeps them.
#[derive(Clone)]
pub struct Endpoints {
    log: Log,
    vault: Vault,
    kept: Arc<RwLock<Kept>>,
}

#[derive(Default)]
struct Kept {
    endpoints: HashMap<EndpointId, Arc<Endpoint>>,
    /// Counts changes heard of, so that what was read before one is not kept after it.
    changes: u64,
}

impl Endpoints {
    /// Endpoints of `log`, their secrets from `vault`.
    pub fn new(log: Log, vault: Vault) -> Self {
        Endpoints { log, vault, kept: Arc::default() }
    }

    /// The endpoint, if there is one.
    pub async fn get(&self, id: EndpointId) -> Result<Option<Arc<Endpoint>>, WorkError> {
        let changes = match self.kept.read() {
            Ok(kept) => match kept.endpoints.get(&id) {
                Some(endpoint) => return Ok(Some(endpoint.clone())),
                None => Some(kept.changes),
            },
            Err(_) => None,
        };
        let Some(endpoint) = self.read(id).await?.map(Arc::new) else { return Ok(None) };
        // A secret that is missing may come back, so that is looked for each time.
        if (!endpoint.secrets.is_empty() || endpoint.standing == Standing::Disabled)
            && let Ok(mut kept) = self.kept.write()
            && changes == Some(kept.changes)
        {
            if kept.endpoints.len() >= KEPT {
                kept.endpoints.clear();
            }
            kept.endpoints.insert(id, endpoint.clone());
        }
        Ok(Some(endpoint))
    }

    /// It has changed: the next look reads it again.
    pub fn forget(&self, id: EndpointId) {
        if let Ok(mut kept) = self.kept.write() {
            kept.endpoints.remove(&id);
            kept.changes += 1;
        }
    }

    async fn read(&self, id: EndpointId) -> Result<Option<Endpoint>, WorkError> {
        let recorded = self.log.read_stream(StreamId::new(Category::WebhookEndpoint, id), 0).await?;
        let Some(first) = recorded.first() else { return Ok(None) };
        let (owner, livemode) = (first.envelope.owner_id, first.envelope.livemode);
        let mut state = WebhookEndpoint::default();
        let mut phases: Vec<(u64, Phase)> = Vec::new();
        for event in &recorded {
            state = WebhookEndpoint::evolve(state, &event.decode()?);
            let phase = Phase::of(&state);
            if phases.last().is_none_or(|(_, last)| *last != phase) {
                phases.push((event.position, phase));
            }
        }
        let Some(receiver) = state.receiver().cloned() else { return Ok(None) };
        let standing = match &state {
            WebhookEndpoint::Active(_) => Standing::Active,
            WebhookEndpoint::Paused(_) => Standing::Paused,
            WebhookEndpoint::Absent | WebhookEndpoint::Disabled { .. } => Standing::Disabled,
        };
        let secrets = if standing == Standing::Disabled { Vec::new() } else { self.secrets(&receiver).await? };
        Ok(Some(Endpoint { receiver, owner, livemode, standing, secrets, phases }))
    }

    /// The secrets that the log says are in use. All of them or none: a message signed with less than was promised would be refused
    /// by a receiver that still has the other one.
    async fn secrets(&self, receiver: &Receiver) -> Result<Vec<(Secret, Option<Timestamp>)>, WorkError> {
        let mut secrets = Vec::with_capacity(2);
        let current = std::iter::once((receiver.secret_hash, None));
        let previous = receiver.previous_secret.map(|(hash, until)| (hash, Some(until)));
        let now = self.log.clock().now();
        for (hash, until) in current.chain(previous).filter(|(_, until)| until.is_none_or(|until| now < until)) {
            match self.secret(receiver.endpoint_id, hash).await? {
                Some(secret) => secrets.push((secret, until)),
                None => {
                    tracing::error!(endpoint.id = %receiver.endpoint_id, "the vault does not hold a signing secret that the log knows");
                    return Ok(Vec::new());
                }
            }
        }
        Ok(secrets)
    }

    async fn secret(&self, endpoint: EndpointId, hash: Hash32) -> Result<Option<Secret>, WorkError> {
        for id in [sign::rotated(endpoint, hash), endpoint.0] {
            let kept = self.vault.get_secret(id, PURPOSE).await?;
            let secret = kept.as_deref().and_then(|kept| std::str::from_utf8(kept).ok()).and_then(|text| Secret::parse(text).ok());
            if let Some(secret) = secret.filter(|secret| secret.hash() == hash) {
                return Ok(Some(secret));
            }
        }
        Ok(None)
    }
}

impl Phase {
    /// A disabled endpoint wants nothing.
    fn of(state: &WebhookEndpoint) -> Self {
        match state {
            WebhookEndpoint::Active(receiver) | WebhookEndpoint::Paused(receiver) => {
                Phase { subscribed_events: receiver.subscribed_events.clone(), product_ids: receiver.product_ids.clone() }
            }
            WebhookEndpoint::Absent | WebhookEndpoint::Disabled { .. } => Phase::default(),
        }
    }
}
