//! Streams, positions, actors, and the metadata around an event.

use super::{
    bytes::Hash32,
    event::{Event, EventType},
    id::{EventId, OwnerId, SubjectId},
    personal::Personal,
    rail::words,
    time::Timestamp,
    words::ActorKind,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

words! {
    /// What kind of aggregate a stream belongs to.
    pub enum Category, "unknown stream category" {
        /// A hosted product.
        Product = "product",
        /// An access app.
        AccessApp = "access_app",
        /// An access product.
        AccessProduct = "access_product",
        /// A merchant's settings for one rail and mode.
        RailSetting = "rail_setting",
        /// A checkout payment.
        Payment = "payment",
        /// A live payment session.
        PaymentSession = "payment_session",
        /// An entitlement.
        Entitlement = "entitlement",
        /// A payment proof.
        Proof = "proof",
        /// A receipt.
        Receipt = "receipt",
        /// A membership.
        Membership = "membership",
        /// A sandbox session.
        SandboxSession = "sandbox_session",
        /// A support ticket.
        Ticket = "ticket",
        /// A webhook endpoint.
        WebhookEndpoint = "webhook_endpoint",
        /// A webhook delivery.
        WebhookDelivery = "webhook_delivery",
        /// An API key.
        ApiKey = "api_key",
        /// Reads of the log.
        Audit = "audit",
        /// A data subject.
        Subject = "subject",
        /// An identity session.
        IdentitySession = "identity_session",
        /// A buyer handoff.
        Handoff = "handoff",
        /// A Phantom deep-link session.
        PhantomSession = "phantom_session",
        /// The handing over of what a payment bought.
        Delivery = "delivery",
        /// A mail.
        Mail = "mail",
        /// An agent's setup intent.
        AgentSetup = "agent_setup",
        /// A clock of the sandbox.
        TestClock = "test_clock",
        /// An owner's credits; the stream's id is the owner's.
        Credits = "credits",
        /// The platform's policy; one stream for the deployment.
        Platform = "platform",
        /// A second person's approval.
        Approval = "approval",
        /// What a merchant owes for one payment; the stream's id is the payment's.
        Fee = "fee",
        /// An owner's workspace; the stream's id is the owner's.
        Workspace = "workspace",
        /// A message of a provider of chain data.
        ProviderWebhook = "provider_webhook",
        /// What the read models came to at one position.
        State = "state",
        /// A certified recovery.
        Recovery = "recovery",
        /// Recorded changes of Hilt's wallet on one rail.
        Treasury = "treasury",
        /// An owner's own subscription of Hilt; the stream's id is the owner's.
        WorkspaceBilling = "workspace_billing",
        /// A statement of a chain or of Stripe, held against the log.
        Statement = "statement",
        /// An operator's own keys.
        Operator = "operator",
    }
}

/// One aggregate's events: `category-uuid`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StreamId {
    /// The kind of aggregate.
    pub category: Category,
    /// The aggregate.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of `id`.
    pub fn new(category: Category, id: impl Into<Uuid>) -> Self {
        StreamId { category, id: id.into() }
    }
}
impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category, self.id)
    }
}
impl FromStr for StreamId {
    type Err = super::bytes::Malformed;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = super::bytes::Malformed("a stream is its category, a hyphen and a uuid");
        let (category, id) = text.split_once('-').ok_or(malformed.clone())?;
        Ok(StreamId { category: category.parse()?, id: Uuid::parse_str(id).map_err(|_| malformed)? })
    }
}
impl Serialize for StreamId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Who caused an event. The id is an opaque identifier (a key id, a staff `sub`, a worker's name), never a name or an address.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// The kind of credential.
    pub kind: ActorKind,
    /// Which one.
    pub id: Option<String>,
}

impl Actor {
    /// The service's own worker of that name.
    pub fn system(name: &str) -> Self {
        Actor { kind: ActorKind::System, id: Some(name.to_owned()) }
    }
}
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}:{id}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}
impl FromStr for Actor {
    type Err = super::bytes::Malformed;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((kind, id)) => Ok(Actor { kind: kind.parse()?, id: Some(id.to_owned()) }),
            None => Ok(Actor { kind: text.parse()?, id: None }),
        }
    }
}

/// What a decider yields: an event and, beside it, the personal data to seal with the key of `subject`.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// What happened.
    pub event: Event,
    /// Whose personal data travels with it, and the data.
    pub personal: Option<(SubjectId, Personal)>,
}

impl<T: Into<Event>> From<T> for Fact {
    fn from(event: T) -> Self {
        Fact { event: event.into(), personal: None }
    }
}
impl Fact {
    /// `event` with personal data of `subject` beside it.
    pub fn sealed(event: impl Into<Event>, subject: SubjectId, personal: Personal) -> Self {
        Fact { event: event.into(), personal: Some((subject, personal)) }
    }
}

/// Metadata of an event, all of it bound by the leaf.
#[derive(Clone, PartialEq, Debug)]
pub struct Envelope {
    /// The aggregate it belongs to.
    pub stream: StreamId,
    /// Its place in the stream, from 0 without gaps.
    pub version: u64,
    /// Its identity, UUIDv7 or derived.
    pub event_id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// The schema its payload was written with.
    pub schema_version: u16,
    /// The workspace; `None` for platform events.
    pub owner_id: Option<OwnerId>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// When the log accepted it.
    pub recorded_at: Timestamp,
    /// The business transaction it belongs to: every event of one payment shares it.
    pub correlation_id: Uuid,
    /// The event that led to it.
    pub causation_id: Option<EventId>,
    /// Who caused it.
    pub actor: Actor,
    /// The HTTP request, when there was one.
    pub request_id: Option<String>,
    /// Whose key seals the personal data, when there is any.
    pub subject_id: Option<SubjectId>,
}

/// An event as the log holds it: payload and sealed bytes exactly as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// Its place in the whole log, 0-based and gapless; equal to its leaf's index in the proof tree.
    pub position: u64,
    /// Its metadata.
    pub envelope: Envelope,
    /// MessagePack, named fields.
    pub payload: Vec<u8>,
    /// Nonce and ciphertext of the personal part.
    pub sealed: Option<Vec<u8>>,
    /// The leaf of the stream's previous event, zero at version 0.
    pub prev_leaf: Hash32,
    /// Its leaf hash.
    pub leaf: Hash32,
}
