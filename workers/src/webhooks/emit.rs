//! Emission: which endpoints an event is for, and what they will be told. Recorded once for each event and endpoint (OPS-54).

use super::{
    endpoints::{Endpoint, Endpoints, Standing},
    problem::WorkError,
    tell::{Message, Source, Teller},
};
use crate::platform::Platform;
use events::{
    decider::Decider as _,
    log::{Append, AppendError, Context, Expected, Log, NewEvent, StreamWrite},
    vault::Vault,
    vocab::{
        event::{Event, EventType},
        id::{DeliveryId, EndpointId, EventId, OwnerId},
        stream::{Actor, Category, Fact, Recorded, StreamId},
        words::WebhookEvent,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledger::webhook_delivery::{Command, Emit, WebhookDelivery};
use projections::{
    Reader,
    access_events::{self, Place},
    runner::{Applied, Projections},
    webhook_endpoints,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Events emitted at the same time: deliveries are in no order, and a batch moves on when all of it is emitted.
const AT_ONCE: usize = 32;
/// The read model that endpoints are found through.
const ENDPOINTS: &str = "webhook_endpoints";
/// The read model that knows what came before.
const FEED: &str = "access_events";
/// How long to wait for them before the batch is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who the deliveries' events say did it.
pub(super) fn actor() -> Actor {
    Actor::system("webhooks")
}

/// The event id of a delivery's message.
pub fn emitted_id(source: EventId, endpoint: EndpointId) -> EventId {
    EventId::derived(source, &format!("webhook.emitted/{endpoint}"))
}

/// Emits webhooks.
#[derive(Clone)]
pub struct Emitter {
    log: Log,
    teller: Teller,
    endpoints: Endpoints,
    projections: Projections,
    reader: Reader,
}

/// Endpoints that are told, by workspace, mode and what they are subscribed to.
type Listening = HashMap<(OwnerId, bool, WebhookEvent), Vec<Arc<Endpoint>>>;

/// An event, and the endpoints that might want to be told of it.
type Audience<'a> = (&'a Applied<'a>, Vec<Arc<Endpoint>>);

impl Emitter {
    /// An emitter that finds endpoints through the read models.
    pub fn new(log: Log, vault: Vault, endpoints: Endpoints, projections: Projections, platform: Platform, reader: Reader) -> Self {
        Emitter { teller: Teller::new(log.clone(), vault, platform), log, endpoints, projections, reader }
    }

    /// Whether events of this type are told of, or change who is told.
    pub fn wants(event: EventType) -> bool {
        subscribed_as(event).is_some() || changes_endpoint(event) || event == EventType::WebhookEndpointTestRequested
    }

    /// Emits what follows from `events`. Doing so again changes nothing.
    pub async fn emit_all(&self, events: &[Applied<'_>]) -> Result<(), WorkError> {
        let Some(last) = events.last() else { return Ok(()) };
        // Behind them, an endpoint registered just before an event would be missed, and its place in the feed.
        for name in [ENDPOINTS, FEED] {
            self.projections.wait_for(name, last.recorded.position, PATIENCE).await.map_err(|behind| projection(&behind))?;
        }
        for applied in events.iter().filter(|applied| changes_endpoint(applied.recorded.envelope.event_type)) {
            self.endpoints.forget(applied.recorded.envelope.stream.id.into());
        }
        let audiences = self.audiences(events).await?;
        let places = self.places(&audiences).await?;
        // What has no place in the feed is not told, whatever its type.
        let is_test = |applied: &Applied<'_>| applied.recorded.envelope.event_type == EventType::WebhookEndpointTestRequested;
        let told: Vec<_> = audiences.iter().filter(|(applied, _)| is_test(applied) || places.contains_key(&applied.event_id())).collect();
        let mut sources = Vec::with_capacity(told.len());
        for (applied, _) in &told {
            let previous = places.get(&applied.event_id()).and_then(|place| place.previous);
            sources.push(Source { recorded: applied.recorded, event: applied.event, previous });
        }
        let messages = self.teller.tell(&sources).await?;
        let mut emissions = Vec::new();
        for ((applied, endpoints), message) in told.into_iter().zip(&messages) {
            let recorded = applied.recorded;
            let Some(message) = message else {
                // It will never be there: every other webhook must not wait for it.
                tracing::error!(event.position = recorded.position, "no webhook: what the event goes back to is not in the log");
                metrics::counter!("hilt_webhooks_not_emitted_total", "reason" => "origin_missing").increment(1);
                continue;
            };
            let wanted = |endpoint: &&Arc<Endpoint>| {
                message.event == WebhookEvent::Test || endpoint.wanted(recorded.position, message.event, &message.products)
            };
            emissions.extend(endpoints.iter().filter(wanted).map(|endpoint| self.emit(recorded, message, endpoint)));
        }
        stream::iter(emissions).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Where these events stand in their owners' feeds.
    async fn places(&self, audiences: &[Audience<'_>]) -> Result<HashMap<EventId, Place>, WorkError> {
        if audiences.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<EventId> = audiences.iter().map(|(applied, _)| applied.event_id()).collect();
        let places = access_events::places(&self.reader, &ids).await.map_err(|error| projection(&error))?;
        Ok(places.into_iter().map(|place| (place.event_id, place)).collect())
    }

    /// The events that anybody might be told of, and who that is.
    async fn audiences<'a>(&self, events: &'a [Applied<'a>]) -> Result<Vec<Audience<'a>>, WorkError> {
        let listening = self.listening(events).await?;
        let mut audiences = Vec::new();
        for applied in events {
            let endpoints: Vec<_> = match applied.event {
                Event::WebhookEndpointTestRequested(test) => {
                    self.endpoints.get(test.endpoint_id).await?.filter(|its| its.standing != Standing::Disabled).into_iter().collect()
                }
                _ => {
                    let found = audience(applied).and_then(|audience| listening.get(&audience));
                    // What was registered later is not told of what was before.
                    found.into_iter().flatten().filter(|endpoint| endpoint.knew(applied.recorded.position)).cloned().collect()
                }
            };
            if !endpoints.is_empty() {
                audiences.push((applied, endpoints));
            }
        }
        Ok(audiences)
    }

    /// The endpoints subscribed to `events`, by whom and what they concern.
    async fn listening(&self, events: &[Applied<'_>]) -> Result<Listening, WorkError> {
        let mut listening = Listening::new();
        for (owner, livemode, event) in events.iter().filter_map(audience) {
            if listening.contains_key(&(owner, livemode, event)) {
                continue;
            }
            let rows = webhook_endpoints::listening(&self.reader, owner, livemode, event).await.map_err(|error| projection(&error))?;
            let mut found = Vec::with_capacity(rows.len());
            for row in rows {
                let endpoint = self.endpoints.get(row.meta.id.into()).await?;
                let told = |its: &Arc<Endpoint>| its.standing != Standing::Disabled && its.owner == Some(owner) && its.livemode == livemode;
                found.extend(endpoint.filter(told));
            }
            listening.insert((owner, livemode, event), found);
        }
        Ok(listening)
    }

    async fn emit(&self, source: &Recorded, message: &Message, endpoint: &Endpoint) -> Result<(), WorkError> {
        let (envelope, endpoint_id) = (&source.envelope, endpoint.receiver.endpoint_id);
        let delivery_id = DeliveryId::of(envelope.event_id, endpoint_id);
        let emit = Emit {
            endpoint_id,
            event: message.event,
            source_event: envelope.event_id,
            source_position: source.position,
            subject_id: message.subject,
            body: message.body.clone(),
        };
        let facts = WebhookDelivery::decide(&WebhookDelivery::Absent, Command::Emit(Box::new(emit)));
        let facts = facts.map_err(|refused| WorkError::Refused(refused.code()))?;
        let events = facts.into_iter().map(|Fact { event, personal }| NewEvent {
            event_id: emitted_id(envelope.event_id, endpoint_id),
            event,
            personal,
            causation_id: Some(envelope.event_id),
        });
        let append = Append {
            context: Context {
                owner_id: envelope.owner_id,
                livemode: envelope.livemode,
                actor: actor(),
                request_id: None,
                correlation_id: envelope.correlation_id,
            },
            writes: vec![StreamWrite {
                stream: StreamId::new(Category::WebhookDelivery, delivery_id),
                expected: Expected::NoStream,
                events: events.collect(),
            }],
            idempotency: None,
        };
        match self.log.append(append).await {
            Ok(appended) if appended.repeated => Ok(()),
            Ok(_) => {
                metrics::counter!("hilt_webhooks_emitted_total", "event" => message.event.as_str()).increment(1);
                Ok(())
            }
            // It is emitted already.
            Err(AppendError::Conflict { .. }) => Ok(()),
            // What it would say can no longer be sealed, and so must not be kept or sent.
            Err(AppendError::SubjectErased) => {
                tracing::info!(delivery.id = %delivery_id, "no webhook: the customer is erased");
                metrics::counter!("hilt_webhooks_not_emitted_total", "reason" => "subject_erased").increment(1);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whom an event may concern, and what they call it.
fn audience(applied: &Applied<'_>) -> Option<(OwnerId, bool, WebhookEvent)> {
    let envelope = &applied.recorded.envelope;
    Some((envelope.owner_id?, envelope.livemode, subscribed_as(envelope.event_type)?))
}

/// What subscribers call an event, if they can subscribe to it (OPS-50). Whether one of such a type is told is for the feed to say.
fn subscribed_as(event: EventType) -> Option<WebhookEvent> {
    match event {
        EventType::PaymentConfirmed => Some(WebhookEvent::PaymentConfirmed),
        EventType::ReceiptCreated => Some(WebhookEvent::ReceiptCreated),
        EventType::MembershipActivated | EventType::EntitlementActivated => Some(WebhookEvent::MembershipActivated),
        EventType::DeliveryFailed => Some(WebhookEvent::DeliveryFailed),
        EventType::MembershipExpired | EventType::EntitlementExpired => Some(WebhookEvent::MembershipExpired),
        _ => None,
    }
}

/// Whether an endpoint is another after such an event.
pub(super) fn changes_endpoint(event: EventType) -> bool {
    matches!(
        event,
        EventType::WebhookEndpointReconfigured
            | EventType::WebhookEndpointSecretRotated
            | EventType::WebhookEndpointPaused
            | EventType::WebhookEndpointResumed
            | EventType::WebhookEndpointDisabled
    )
}

fn projection(error: &dyn std::fmt::Display) -> WorkError {
    WorkError::Projection(error.to_string())
}
