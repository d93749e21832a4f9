//! Emission: which endpoints an event is for, and what they will be told. Recorded once for each event and endpoint (OPS-54).

use super::{
    endpoints::{Endpoint, Endpoints},
    message::{About, Access, Customer, Told},
    problem::WorkError,
};
use crate::platform::Platform;
use events::{
    decider::Decider as _,
    log::{Append, AppendError, Context, Expected, Log, NewEvent, StreamWrite},
    vault::Vault,
    vocab::{
        event::{AccessProductCreated, Event, EventType, PaymentCreated},
        id::{AccessProductId, DeliveryId, EndpointId, EventId, OwnerId, PaymentId, ProductId, SessionId},
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, Fact, Recorded, StreamId},
        words::{DeliveryTrigger, WebhookEvent},
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledger::webhook_delivery::{Command, Emit, WebhookDelivery};
use projections::{
    Reader,
    runner::{Applied, Projections},
    webhook_endpoints,
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, RwLock},
    time::Duration,
};
use uuid::Uuid;

/// Events emitted at the same time: deliveries are in no order, and a batch moves on when all of it is emitted.
const AT_ONCE: usize = 32;
/// The read model that endpoints are found through.
const ENDPOINTS: &str = "webhook_endpoints";
/// How long to wait for it before the batch is tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// More products than this are not kept in memory at a time.
const KEPT: usize = 10_000;

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
    vault: Vault,
    endpoints: Endpoints,
    projections: Projections,
    reader: Reader,
    platform: Platform,
    products: Arc<RwLock<HashMap<AccessProductId, Arc<AccessProductCreated>>>>,
}

/// Endpoints that are called, by workspace, mode and what they are subscribed to.
type Listening = HashMap<(OwnerId, bool, WebhookEvent), Vec<Arc<Endpoint>>>;

/// The payment behind an event: who paid for what, over which rail.
struct Origin {
    product: ProductId,
    customer: Customer,
    access: Option<Access>,
}

impl Emitter {
    /// An emitter that finds endpoints through the read models.
    pub fn new(log: Log, vault: Vault, endpoints: Endpoints, projections: Projections, platform: Platform, reader: Reader) -> Self {
        Emitter { log, vault, endpoints, projections, platform, reader, products: Arc::default() }
    }

    /// Whether events of this type are told of, or change who is told.
    pub fn wants(event: EventType) -> bool {
        subscribed_as(event).is_some() || event == EventType::WebhookEndpointDisabled
    }

    /// Emits what follows from `events`. Doing so again changes nothing.
    pub async fn emit_all(&self, events: &[Applied<'_>]) -> Result<(), WorkError> {
        let listening = self.listening(events).await?;
        stream::iter(events).map(Ok).try_for_each_concurrent(AT_ONCE, |applied| self.emit_one(applied, &listening)).await
    }

    async fn emit_one(&self, applied: &Applied<'_>, listening: &Listening) -> Result<(), WorkError> {
        let (recorded, envelope) = (applied.recorded, &applied.recorded.envelope);
        let Some((owner, livemode, event)) = audience(applied) else { return Ok(()) };
        let listening = listening.get(&(owner, livemode, event)).map(Vec::as_slice).unwrap_or_default();
        // What was registered later is not told of what was before.
        let candidates: Vec<_> = listening.iter().filter(|endpoint| endpoint.since < recorded.position).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let (about, payment) = match applied.event {
            Event::PaymentConfirmed(payment) => (About::Payment(payment), payment.payment_id),
            Event::ReceiptCreated(receipt) => match receipt.payment_id {
                Some(payment_id) => (About::Receipt(receipt), payment_id),
                // Made by hand, it is of no product that an endpoint could listen for.
                None => return Ok(()),
            },
            Event::MembershipActivated(membership) => (About::Membership(membership), membership.payment_id),
            // The merchant is told when it begins to fail; the rescue's own tries are not news.
            Event::DeliveryFailed(failed) if failed.trigger == DeliveryTrigger::Schedule => return Ok(()),
            Event::DeliveryFailed(failed) => (About::Delivery(failed), failed.payment_id),
            Event::MembershipExpired(membership) => (About::Ended(membership), membership.payment_id),
            _ => return Ok(()),
        };
        let Some(origin) = self.origin(payment).await? else {
            // It will never be there: every other webhook must not wait for it.
            tracing::error!(event.id = %envelope.event_id, event.position = recorded.position, "no webhook: the payment is not in the log");
            metrics::counter!("hilt_webhooks_not_emitted_total", "reason" => "payment_missing").increment(1);
            return Ok(());
        };
        let concerned: Vec<_> = candidates.into_iter().filter(|endpoint| wants(endpoint, &origin)).collect();
        if concerned.is_empty() {
            return Ok(());
        }
        let rails = self.platform.shown().await?;
        let told = Told {
            id: envelope.event_id,
            event,
            at: envelope.recorded_at,
            livemode: envelope.livemode,
            sequence: recorded.position,
            subject_version: envelope.version,
            about,
            customer: &origin.customer,
            access: origin.access.as_ref().map(|access| (access, rails.get(access.rail_id))),
        };
        let body = told.body();
        let emissions: Vec<_> = concerned.into_iter().map(|endpoint| self.emit(recorded, event, endpoint, &origin, &body)).collect();
        stream::iter(emissions).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// The endpoints subscribed to `events`, by whom and what they concern. The read model must have come as far as the events
    /// have, or an endpoint registered just before one would be missed.
    async fn listening(&self, events: &[Applied<'_>]) -> Result<Listening, WorkError> {
        let behind = |error: &dyn std::fmt::Display| WorkError::Projection(error.to_string());
        let mut listening = Listening::new();
        if let Some(last) = events.last() {
            self.projections.wait_for(ENDPOINTS, last.recorded.position, PATIENCE).await.map_err(|error| behind(&error))?;
        }
        for applied in events {
            if let Event::WebhookEndpointDisabled(disabled) = applied.event {
                self.endpoints.forget(disabled.endpoint_id);
            }
        }
        for (owner, livemode, event) in events.iter().filter_map(audience) {
            if listening.contains_key(&(owner, livemode, event)) {
                continue;
            }
            let rows = webhook_endpoints::listening(&self.reader, owner, livemode, event).await.map_err(|error| behind(&error))?;
            let mut found = Vec::with_capacity(rows.len());
            for row in rows {
                let endpoint = self.endpoints.get(row.meta.id.into()).await?;
                found.extend(endpoint.filter(|its| its.active && its.owner == Some(owner) && its.livemode == livemode));
            }
            listening.insert((owner, livemode, event), found);
        }
        Ok(listening)
    }

    async fn origin(&self, id: PaymentId) -> Result<Option<Origin>, WorkError> {
        let Some((Event::PaymentCreated(payment), mut personal)) = self.first(Category::Payment, id).await? else { return Ok(None) };
        let mut rail = None;
        if let Some(session) = payment.session_id {
            let (session_rail, of_session) = self.session(session).await?;
            rail = session_rail;
            personal.external_customer_id = personal.external_customer_id.or(of_session.external_customer_id);
            personal.email = personal.email.or(of_session.email);
        }
        let access = self.access(&payment, rail).await?;
        Ok(Some(Origin { product: payment.product_id, customer: Customer { subject: payment.subject_id, personal }, access }))
    }

    async fn session(&self, id: SessionId) -> Result<(Option<RailId>, Personal), WorkError> {
        match self.first(Category::PaymentSession, id).await? {
            Some((Event::PaymentSessionCreated(session), personal)) => Ok((Some(session.rail_id), personal)),
            _ => Ok((None, Personal::default())),
        }
    }

    async fn access(&self, payment: &PaymentCreated, rail: Option<RailId>) -> Result<Option<Access>, WorkError> {
        let Some(id) = payment.access_product_id else { return Ok(None) };
        let known = self.products.read().ok().and_then(|products| products.get(&id).cloned());
        let product = match known {
            Some(product) => product,
            None => {
                let Some((Event::AccessProductCreated(product), _)) = self.first(Category::AccessProduct, id).await? else {
                    return Ok(None);
                };
                let product = Arc::new(product);
                if let Ok(mut products) = self.products.write() {
                    if products.len() >= KEPT {
                        products.clear();
                    }
                    products.insert(id, product.clone());
                }
                product
            }
        };
        let rail_id = rail.unwrap_or(product.default_rail);
        Ok(Some(Access { product: (*product).clone(), rail_id }))
    }

    /// The event that began a stream.
    async fn first(&self, category: Category, id: impl Into<Uuid>) -> Result<Option<(Event, Personal)>, WorkError> {
        let events = self.log.read_stream(StreamId::new(category, id), 0).await?;
        let Some(first) = events.first() else { return Ok(None) };
        let personal = self.vault.open(first).await?.unwrap_or_default();
        Ok(Some((first.decode()?, personal)))
    }

    async fn emit(
        &self,
        source: &Recorded,
        event: WebhookEvent,
        endpoint: &Endpoint,
        origin: &Origin,
        body: &str,
    ) -> Result<(), WorkError> {
        let (envelope, endpoint_id) = (&source.envelope, endpoint.created.endpoint_id);
        let delivery_id = DeliveryId::of(envelope.event_id, endpoint_id);
        let emit = Emit {
            endpoint_id,
            event,
            source_event: envelope.event_id,
            source_position: source.position,
            subject_id: origin.customer.subject,
            body: body.to_owned(),
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
                metrics::counter!("hilt_webhooks_emitted_total", "event" => event.as_str()).increment(1);
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

/// What subscribers call an event, if they can subscribe to it (OPS-50). Exhaustive, so that a new event is considered here.
fn subscribed_as(event: EventType) -> Option<WebhookEvent> {
    match event {
        EventType::PaymentConfirmed => Some(WebhookEvent::PaymentConfirmed),
        EventType::ReceiptCreated => Some(WebhookEvent::ReceiptCreated),
        EventType::MembershipActivated => Some(WebhookEvent::MembershipActivated),
        EventType::DeliveryFailed => Some(WebhookEvent::DeliveryFailed),
        EventType::MembershipExpired => Some(WebhookEvent::MembershipExpired),
        _ => None,
    }
}

/// An endpoint names access products or the hosted products behind them; naming none means all.
fn wants(endpoint: &Endpoint, origin: &Origin) -> bool {
    let wanted: BTreeSet<Uuid> = endpoint.created.product_ids.iter().copied().collect();
    let access = origin.access.as_ref().map(|access| access.product.access_product_id.0);
    wanted.is_empty() || wanted.contains(&origin.product.0) || access.is_some_and(|id| wanted.contains(&id))
}
