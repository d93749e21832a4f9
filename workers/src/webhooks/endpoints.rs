//! Endpoints as the log has them, with their secrets: read from their streams, so that no read model's delay matters.

use super::{
    problem::WorkError,
    sign::{PURPOSE, Secret},
};
use events::{
    decider::Decider as _,
    log::Log,
    vault::Vault,
    vocab::{
        event::WebhookEndpointCreated,
        id::{EndpointId, OwnerId},
        stream::{Category, StreamId},
    },
};
use ledger::webhook_endpoint::WebhookEndpoint;
use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

/// More endpoints than this are not kept in memory at a time.
const KEPT: usize = 50_000;

/// An endpoint that exists.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// As registered.
    pub created: WebhookEndpointCreated,
    /// Where in the log that was: nothing from before is delivered.
    pub since: u64,
    /// Whose it is.
    pub owner: Option<OwnerId>,
    /// Whether it is told of real money.
    pub livemode: bool,
    /// Whether it is called.
    pub active: bool,
    /// Its secret, while it is called. `None` also when the vault lost it.
    pub secret: Option<Secret>,
}

/// Reads endpoints and keeps them.
#[derive(Clone)]
pub struct Endpoints {
    log: Log,
    vault: Vault,
    kept: Arc<RwLock<HashMap<EndpointId, Arc<Endpoint>>>>,
}

impl Endpoints {
    /// Endpoints of `log`, their secrets from `vault`.
    pub fn new(log: Log, vault: Vault) -> Self {
        Endpoints { log, vault, kept: Arc::default() }
    }

    /// The endpoint, if there is one.
    pub async fn get(&self, id: EndpointId) -> Result<Option<Arc<Endpoint>>, WorkError> {
        if let Some(endpoint) = self.kept.read().ok().and_then(|kept| kept.get(&id).cloned()) {
            return Ok(Some(endpoint));
        }
        let Some(endpoint) = self.read(id).await?.map(Arc::new) else { return Ok(None) };
        // A secret that is missing may come back, so that is looked for each time.
        if (endpoint.secret.is_some() || !endpoint.active)
            && let Ok(mut kept) = self.kept.write()
        {
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(id, endpoint.clone());
        }
        Ok(Some(endpoint))
    }

    /// It has changed: the next look reads it again.
    pub fn forget(&self, id: EndpointId) {
        if let Ok(mut kept) = self.kept.write() {
            kept.remove(&id);
        }
    }

    async fn read(&self, id: EndpointId) -> Result<Option<Endpoint>, WorkError> {
        let recorded = self.log.read_stream(StreamId::new(Category::WebhookEndpoint, id), 0).await?;
        let Some(first) = recorded.first() else { return Ok(None) };
        let events = recorded.iter().map(|event| event.decode()).collect::<Result<Vec<_>, _>>()?;
        let state = WebhookEndpoint::fold(&events);
        let (created, active) = match &state {
            WebhookEndpoint::Absent => return Ok(None),
            WebhookEndpoint::Active(created) => (created, true),
            WebhookEndpoint::Disabled { endpoint, .. } => (endpoint, false),
        };
        let secret = if active { self.secret(created).await? } else { None };
        let (owner, livemode) = (first.envelope.owner_id, first.envelope.livemode);
        Ok(Some(Endpoint { created: (**created).clone(), since: first.position, owner, livemode, active, secret }))
    }

    async fn secret(&self, created: &WebhookEndpointCreated) -> Result<Option<Secret>, WorkError> {
        let kept = self.vault.get_secret(created.endpoint_id.0, PURPOSE).await?;
        let secret = kept.as_deref().and_then(|kept| std::str::from_utf8(kept).ok()).and_then(|text| Secret::parse(text).ok());
        let secret = secret.filter(|secret| secret.hash() == created.secret_hash);
        if secret.is_none() {
            tracing::error!(endpoint.id = %created.endpoint_id, "the vault does not hold the signing secret that the log knows");
        }
        Ok(secret)
    }
}
