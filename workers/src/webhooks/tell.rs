//! What owners are told of an event: read from the log, and the same whenever it is asked for. Webhooks send it, the feed lists it.

use super::{
    message::{About, Told},
    origin::{self, Origin, Origins},
    problem::WorkError,
};
use crate::platform::Platform;
use events::{
    log::Log,
    vault::Vault,
    vocab::{
        event::Event,
        id::{EntitlementId, SubjectId},
        stream::{Category, Recorded, StreamId},
        time::Timestamp,
        words::WebhookEvent,
    },
};
use ledger::rails::Rails;
use std::collections::BTreeSet;
use uuid::Uuid;

/// An event to tell of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// As recorded.
    pub recorded: &'a Recorded,
    /// Its payload.
    pub event: &'a Event,
    /// Position of the event that the owner was told of before it; `None` for the first, and for tests.
    pub previous: Option<u64>,
}

/// What is told of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// What subscribers call it.
    pub event: WebhookEvent,
    /// The body, byte for byte.
    pub body: String,
    /// Whose key seals it.
    pub subject: SubjectId,
    /// The hosted product and the access product it is about.
    pub products: Vec<Uuid>,
}

/// Knows what is told of an event.
#[derive(Clone)]
pub struct Teller {
    log: Log,
    platform: Platform,
    origins: Origins,
}

impl Teller {
    /// Reads `log`, opens with `vault`; `platform` knows how the rails stood.
    pub fn new(log: Log, vault: Vault, platform: Platform) -> Self {
        Teller { origins: Origins::new(log.clone(), vault), log, platform }
    }

    /// What is told of each of `sources`; `None` where nothing is, or where the log does not hold what it goes back to.
    pub async fn tell(&self, sources: &[Source<'_>]) -> Result<Vec<Option<Message>>, WorkError> {
        let roots: BTreeSet<_> = sources.iter().filter_map(|source| origin::root(source.event)).collect();
        let origins = self.origins.of(&roots).await?;
        let mut messages = Vec::with_capacity(sources.len());
        for source in sources {
            let origin = origin::root(source.event).and_then(|root| origins.get(&root));
            messages.push(match (source.event, origin) {
                (Event::WebhookEndpointTestRequested(test), _) => Some(message(source, About::Test, test.subject_id, None)),
                (event, Some(origin)) => {
                    let rails = self.platform.at(source.recorded.position).await?;
                    let about = self.about(event, origin).await?;
                    about.map(|about| message(source, about, origin.customer.subject, Some((origin, &rails))))
                }
                (_, None) => None,
            });
        }
        Ok(messages)
    }

    async fn about<'a>(&self, event: &'a Event, origin: &'a Origin) -> Result<Option<About<'a>>, WorkError> {
        Ok(match (event, &origin.sandbox) {
            (Event::PaymentConfirmed(payment), _) => Some(About::Payment(payment)),
            (Event::ReceiptCreated(receipt), _) => Some(About::Receipt(receipt)),
            (Event::MembershipActivated(membership), _) => Some(About::Membership(membership)),
            (Event::MembershipExpired(membership), _) => Some(About::Ended(membership)),
            (Event::DeliveryFailed(failed), _) => Some(About::Delivery(failed)),
            (Event::EntitlementActivated(activated), Some(pended)) => Some(About::SandboxBegun { activated, pended }),
            (Event::EntitlementExpired(ended), Some(pended)) => {
                let period_end = self.period_end(ended.entitlement_id).await?;
                Some(About::SandboxEnded { ended, pended, period_end })
            }
            _ => None,
        })
    }

    /// When access that has ended was to end.
    async fn period_end(&self, entitlement: EntitlementId) -> Result<Option<Timestamp>, WorkError> {
        let mut period_end = None;
        for recorded in self.log.read_stream(StreamId::new(Category::Entitlement, entitlement), 0).await? {
            match recorded.decode()? {
                Event::EntitlementActivated(activated) => period_end = Some(activated.expires_at),
                Event::EntitlementRenewed(renewed) => period_end = Some(renewed.expires_at),
                _ => {}
            }
        }
        Ok(period_end)
    }
}

fn message(source: &Source<'_>, about: About<'_>, subject: SubjectId, origin: Option<(&Origin, &Rails)>) -> Message {
    let envelope = &source.recorded.envelope;
    let access = origin.and_then(|(origin, rails)| origin.access.as_ref().map(|access| (access, rails.get(access.rail_id))));
    let product = origin.map(|(origin, _)| origin.product.0);
    let products = product.into_iter().chain(access.map(|(access, _)| access.product.access_product_id.0));
    let told = Told {
        id: envelope.event_id,
        at: envelope.recorded_at,
        livemode: envelope.livemode,
        sequence: source.recorded.position,
        previous_sequence: source.previous,
        subject_version: envelope.version,
        about,
        customer: origin.map(|(origin, _)| &origin.customer),
        access,
    };
    Message { event: told.about.event(), body: told.body(), subject, products: products.collect() }
}
