//! Webhooks out (OPS-50..54, TR-43), as Standard Webhooks.
//!
//! Two steps, each restartable by itself: [`emit`] turns an event into a recorded delivery for each endpoint concerned, with its
//! body; [`deliver`] attempts recorded deliveries until the receiver has them or the schedule ends.

pub mod address;
mod attempt;
mod deliver;
mod emit;
mod endpoints;
mod failing;
mod feed;
mod follow_up;
mod lanes;
mod message;
mod origin;
mod post;
mod problem;
pub mod sent;
pub mod sign;
mod tell;

pub use deliver::Deliverer;
pub use emit::{Emitter, emitted_id};
pub use endpoints::{Endpoint, Endpoints};
pub use feed::{Feed, FeedPage};
pub use follow_up::FollowUp;
pub use lanes::Limits;
pub use problem::WorkError;

use crate::platform::Platform;
use address::Targets;
use attempt::Attempts;
use events::{clock::Clock, log::Log, vault::Vault};
use post::Poster;
use projections::{
    Reader,
    runner::{Applied, Handler, HandlerError, Projections},
};
use std::time::Duration;

/// How webhooks are sent.
#[derive(Clone, Copy, Debug)]
pub struct WebhookConfig {
    /// Which receivers are called.
    pub targets: Targets,
    /// How long a receiver may take to answer.
    pub timeout: Duration,
    /// How much is under way at a time.
    pub limits: Limits,
    /// Whether merchants are told by mail of endpoints that were disabled.
    pub sends_mail: bool,
}

impl Default for WebhookConfig {
    fn default() -> Self {
        WebhookConfig {
            targets: Targets { allow_private: false },
            timeout: Duration::from_secs(15),
            limits: Limits { lane: 16, slow_lane: 2, total: 1_024 },
            sends_mail: false,
        }
    }
}

/// The parts that webhooks are made of.
pub struct Webhooks {
    /// Emits.
    pub emitter: Emitter,
    /// Delivers.
    pub deliverer: Deliverer,
    /// Carries out what merchants ask of endpoints.
    pub follow_up: FollowUp,
}

impl Webhooks {
    /// Webhooks of `log`, sent as `config` says. Fails when the system's root certificates cannot be read.
    pub fn new(
        log: &Log,
        vault: &Vault,
        clock: &Clock,
        projections: &Projections,
        platform: &Platform,
        reader: &Reader,
        config: WebhookConfig,
    ) -> Result<Self, reqwest::Error> {
        let endpoints = Endpoints::new(log.clone(), vault.clone());
        let emitter = Emitter::new(log.clone(), vault.clone(), endpoints.clone(), projections.clone(), platform.clone(), reader.clone());
        let poster = Poster::new(config.targets, config.timeout)?;
        let attempts = Attempts { log: log.clone(), vault: vault.clone(), clock: clock.clone(), endpoints, poster };
        let deliverer = Deliverer { attempts, projections: projections.clone(), reader: reader.clone(), limits: config.limits };
        let follow_up = FollowUp {
            log: log.clone(),
            vault: vault.clone(),
            projections: projections.clone(),
            reader: reader.clone(),
            sends_mail: config.sends_mail,
        };
        Ok(Webhooks { emitter, deliverer, follow_up })
    }
}

impl Handler for Emitter {
    fn handles(&self, event_type: events::vocab::event::EventType) -> bool {
        Emitter::wants(event_type)
    }
    async fn handle(&mut self, batch: &[Applied<'_>]) -> Result<(), HandlerError> {
        self.emit_all(batch).await.map_err(|error| HandlerError(error.to_string()))
    }
}
