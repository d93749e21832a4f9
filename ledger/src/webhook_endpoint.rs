//! Webhook receivers (RT-069, RT-070): registered, changed, paused, given new secrets, and disabled.

mod change;

pub use change::{Change, Create};

use crate::check::{filled, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{
            Event, WebhookEndpointCreated, WebhookEndpointDisabled, WebhookEndpointPaused, WebhookEndpointReconfigured,
            WebhookEndpointRedeliveryRequested, WebhookEndpointResumed, WebhookEndpointSecretRotated, WebhookEndpointTestRequested,
        },
        id::{EndpointId, SubjectId},
        stream::Fact,
        time::Timestamp,
        words::{RedeliveryScope, WebhookEvent},
    },
};
use uuid::Uuid;

/// Why a receiver is disabled that its merchant deleted: for good.
pub const DELETED: &str = "requested";
/// Why one is disabled that answered 410.
pub const GONE: &str = "gone";
/// Why one is disabled that failed for [`FAILING_DAYS`].
pub const FAILING: &str = "failing";

/// A receiver of which every attempt failed for so many days is not called any more.
pub const FAILING_DAYS: u32 = 5;
/// A secret that was rotated out signs for at most so many seconds more: seven days.
pub const LONGEST_OVERLAP: u32 = 604_800;

/// A webhook receiver.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum WebhookEndpoint {
    /// Not registered.
    #[default]
    Absent,
    /// Is called.
    Active(Box<Receiver>),
    /// Is not called for a while; what happens is kept for it.
    Paused(Box<Receiver>),
    /// Is called no more.
    Disabled {
        /// The receiver.
        receiver: Box<Receiver>,
        /// Why: [`DELETED`], [`GONE`] or [`FAILING`].
        reason: String,
    },
}

/// Whom to call, about what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// Its id.
    pub endpoint_id: EndpointId,
    /// The merchant's own words.
    pub label: Option<String>,
    /// Where to call.
    pub url: String,
    /// What to tell.
    pub subscribed_events: Vec<WebhookEvent>,
    /// About which access or hosted products; none means all.
    pub product_ids: Vec<Uuid>,
    /// SHA-256 of the signing secret.
    pub secret_hash: Hash32,
    /// The secret before it, and until when it signs too.
    pub previous_secret: Option<(Hash32, Timestamp)>,
}

/// What is asked of a webhook receiver.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Register it.
    Create(Box<Create>),
    /// Change whom to tell, or of what.
    Change(Box<Change>),
    /// Sign with a new secret, and for a while with the present one too.
    RotateSecret {
        /// SHA-256 of the new one.
        secret_hash: Hash32,
        /// For how many seconds the present one goes on; 0 ends it at once.
        overlap_seconds: u32,
        /// When.
        now: Timestamp,
    },
    /// Do not call it for a while.
    Pause,
    /// Call it again.
    Resume,
    /// Send a test message.
    Test {
        /// Whose key seals it.
        subject_id: SubjectId,
    },
    /// Make deliveries again that were emitted in a span of time.
    Redeliver {
        /// Which of them.
        scope: RedeliveryScope,
        /// Emitted at this time or later.
        since: Timestamp,
        /// Emitted before this time.
        until: Timestamp,
    },
    /// Every attempt failed from `since` to `last`: call it no more if that is long enough. Otherwise nothing follows.
    GiveUp {
        /// The first failed attempt after the last one that succeeded.
        since: Timestamp,
        /// The last failed attempt.
        last: Timestamp,
    },
    /// Call it no more.
    Disable {
        /// Why.
        reason: String,
    },
}

rejections! {
    /// Why a webhook receiver is refused.
    pub enum Rejection {
        /// There is no such receiver.
        NotFound = "webhook_endpoint_not_found", "there is no such webhook endpoint";
        /// It is called no more.
        Disabled = "webhook_disabled", "the webhook endpoint is disabled";
        /// It is not called for a while.
        Paused = "webhook_paused", "the webhook endpoint is paused";
        /// Not a URL that can be called.
        InvalidUrl {
            /// Which rule.
            rule: &'static str,
        } = "invalid_webhook_url", "url: {rule}";
        /// Nothing to tell.
        SubscribedEventsRequired = "subscribed_events_required", "subscribed_events: names at least one event";
        /// The id is in use for another receiver.
        AlreadyExists = "already_exists", "the webhook endpoint exists with other content";
        /// The old secret would sign for too long, or a span of time ends before it begins.
        OutOfRange {
            /// Which field.
            field: &'static str,
            /// Which rule.
            rule: &'static str,
        } = "validation_failed", "{field}: {rule}";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
    }
}

const EMPTY_SPAN: Rejection = Rejection::OutOfRange { field: "until", rule: "is later than since" };
const OVERLAP_TOO_LONG: Rejection = Rejection::OutOfRange { field: "overlap_seconds", rule: "is from 0 to 604800" };

impl Decider for WebhookEndpoint {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use WebhookEndpoint::{Absent, Active, Disabled, Paused};
        match (state, command) {
            (Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (Active(receiver) | Paused(receiver) | Disabled { receiver, .. }, Command::Create(create)) => {
                match Receiver::from(create.event()?) == **receiver {
                    true => Ok(vec![]),
                    false => Err(Rejection::AlreadyExists),
                }
            }
            (Absent, _) => Err(Rejection::NotFound),

            (Disabled { .. }, Command::Disable { .. } | Command::GiveUp { .. }) => Ok(vec![]),
            (Disabled { reason, .. }, _) if reason == DELETED => Err(Rejection::Disabled),
            (Active(receiver) | Paused(receiver), Command::Disable { reason }) => disable(receiver, &reason),
            (Active(receiver), Command::GiveUp { since, last }) if last >= since.plus_days(FAILING_DAYS) => disable(receiver, FAILING),
            (Active(_) | Paused(_), Command::GiveUp { .. }) => Ok(vec![]),

            (Active(receiver) | Paused(receiver) | Disabled { receiver, .. }, Command::Change(change)) => change.facts(receiver),
            (
                Active(receiver) | Paused(receiver) | Disabled { receiver, .. },
                Command::RotateSecret { secret_hash, overlap_seconds, now },
            ) => rotate(receiver, secret_hash, overlap_seconds, now),

            (Disabled { receiver, .. } | Paused(receiver), Command::Resume) => Ok(vec![resumed(receiver)]),
            (Active(_), Command::Resume) | (Paused(_), Command::Pause) => Ok(vec![]),
            (Active(receiver), Command::Pause) => Ok(vec![WebhookEndpointPaused { endpoint_id: receiver.endpoint_id }.into()]),

            (Active(receiver), Command::Test { subject_id }) => {
                Ok(vec![WebhookEndpointTestRequested { endpoint_id: receiver.endpoint_id, subject_id }.into()])
            }
            (Paused(_), Command::Test { .. }) => Err(Rejection::Paused),
            (Active(receiver) | Paused(receiver), Command::Redeliver { scope, since, until }) => {
                if until <= since {
                    return Err(EMPTY_SPAN);
                }
                Ok(vec![WebhookEndpointRedeliveryRequested { endpoint_id: receiver.endpoint_id, scope, since, until }.into()])
            }
            (Disabled { .. }, Command::Pause | Command::Test { .. } | Command::Redeliver { .. }) => Err(Rejection::Disabled),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use WebhookEndpoint::{Absent, Active, Disabled, Paused};
        match (state, event) {
            (Absent, Event::WebhookEndpointCreated(created)) => Active(Box::new(created.clone().into())),
            (Active(receiver) | Paused(receiver), Event::WebhookEndpointDisabled(disabled)) => {
                Disabled { receiver, reason: disabled.reason.clone() }
            }
            (Active(receiver), Event::WebhookEndpointPaused(_)) => Paused(receiver),
            (Paused(receiver) | Disabled { receiver, .. }, Event::WebhookEndpointResumed(_)) => Active(receiver),
            (Absent, _) => Absent,
            (Active(receiver), event) => Active(Box::new(receiver.after(event))),
            (Paused(receiver), event) => Paused(Box::new(receiver.after(event))),
            (Disabled { receiver, reason }, event) => Disabled { receiver: Box::new(receiver.after(event)), reason },
        }
    }
}

impl WebhookEndpoint {
    /// The receiver, if there is one.
    pub fn receiver(&self) -> Option<&Receiver> {
        match self {
            WebhookEndpoint::Absent => None,
            WebhookEndpoint::Active(receiver) | WebhookEndpoint::Paused(receiver) | WebhookEndpoint::Disabled { receiver, .. } => {
                Some(receiver)
            }
        }
    }
}

impl Receiver {
    fn after(mut self, event: &Event) -> Self {
        match event {
            Event::WebhookEndpointReconfigured(now) => {
                let WebhookEndpointReconfigured { endpoint_id: _, label, url, subscribed_events, product_ids } = now.clone();
                Receiver { label, url, subscribed_events, product_ids, ..self }
            }
            Event::WebhookEndpointSecretRotated(rotated) => {
                self.previous_secret = Some((self.secret_hash, rotated.previous_valid_until));
                self.secret_hash = rotated.secret_hash;
                self
            }
            _ => self,
        }
    }

    /// Hashes of the secrets that sign at `now`, the newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = Hash32> + '_ {
        let previous = self.previous_secret.filter(|(_, until)| now < *until).map(|(hash, _)| hash);
        std::iter::once(self.secret_hash).chain(previous)
    }
}

impl From<WebhookEndpointCreated> for Receiver {
    fn from(created: WebhookEndpointCreated) -> Self {
        let WebhookEndpointCreated { endpoint_id, label, url, subscribed_events, product_ids, secret_hash } = created;
        Receiver { endpoint_id, label, url, subscribed_events, product_ids, secret_hash, previous_secret: None }
    }
}

fn disable(receiver: &Receiver, reason: &str) -> Result<Vec<Fact>, Rejection> {
    let reason = filled(reason).ok_or(Rejection::ReasonRequired)?;
    Ok(vec![WebhookEndpointDisabled { endpoint_id: receiver.endpoint_id, reason }.into()])
}

fn rotate(receiver: &Receiver, secret_hash: Hash32, overlap_seconds: u32, now: Timestamp) -> Result<Vec<Fact>, Rejection> {
    if overlap_seconds > LONGEST_OVERLAP {
        return Err(OVERLAP_TOO_LONG);
    }
    if receiver.secret_hash == secret_hash {
        return Ok(vec![]);
    }
    let previous_valid_until = now.plus_seconds(i64::from(overlap_seconds));
    Ok(vec![WebhookEndpointSecretRotated { endpoint_id: receiver.endpoint_id, secret_hash, previous_valid_until }.into()])
}

fn resumed(receiver: &Receiver) -> Fact {
    WebhookEndpointResumed { endpoint_id: receiver.endpoint_id }.into()
}
