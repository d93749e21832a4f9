//! Webhook receivers (RT-069).

use crate::check::{filled, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{Event, WebhookEndpointCreated, WebhookEndpointDisabled},
        id::EndpointId,
        stream::Fact,
        words::WebhookEvent,
    },
};
use url::Url;
use uuid::Uuid;

/// A webhook receiver.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum WebhookEndpoint {
    /// Not registered.
    #[default]
    Absent,
    /// Is called.
    Active(Box<WebhookEndpointCreated>),
    /// Is called no more.
    Disabled {
        /// The receiver.
        endpoint: Box<WebhookEndpointCreated>,
        /// Why.
        reason: String,
    },
}

/// What is asked of a webhook receiver.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Register it.
    Create(Box<Create>),
    /// Call it no more.
    Disable {
        /// Why.
        reason: String,
    },
}

/// See [`Command::Create`].
#[derive(Clone, PartialEq, Debug)]
pub struct Create {
    /// Its id.
    pub endpoint_id: EndpointId,
    /// The merchant's own words.
    pub label: Option<String>,
    /// Where to call.
    pub url: String,
    /// What to tell; repeated words count once.
    pub subscribed_events: Vec<WebhookEvent>,
    /// About which access or hosted products; none means all.
    pub product_ids: Vec<Uuid>,
    /// SHA-256 of the signing secret.
    pub secret_hash: Hash32,
    /// Whether plain http is refused: for real money, unless the deployment calls private receivers.
    pub https_only: bool,
}

rejections! {
    /// Why a webhook receiver is refused.
    pub enum Rejection {
        /// There is no such receiver.
        NotFound = "webhook_endpoint_not_found", "there is no such webhook endpoint";
        /// Not a URL that can be called.
        InvalidUrl {
            /// Which rule.
            rule: &'static str,
        } = "invalid_webhook_url", "url: {rule}";
        /// Nothing to tell.
        SubscribedEventsRequired = "subscribed_events_required", "subscribed_events names at least one event";
        /// The id is in use for another receiver.
        AlreadyExists = "already_exists", "the webhook endpoint exists with other content";
        /// No reason was given.
        ReasonRequired = "reason_required", "reason: is required";
    }
}

impl Decider for WebhookEndpoint {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use WebhookEndpoint::{Absent, Active, Disabled};
        match (state, command) {
            (Absent, Command::Create(create)) => Ok(vec![create.event()?.into()]),
            (Active(endpoint) | Disabled { endpoint, .. }, Command::Create(create)) => match create.event()? == **endpoint {
                true => Ok(vec![]),
                false => Err(Rejection::AlreadyExists),
            },
            (Absent, Command::Disable { .. }) => Err(Rejection::NotFound),
            (Active(endpoint), Command::Disable { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![WebhookEndpointDisabled { endpoint_id: endpoint.endpoint_id, reason }.into()])
            }
            (Disabled { .. }, Command::Disable { .. }) => Ok(vec![]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use WebhookEndpoint::{Absent, Active, Disabled};
        match (state, event) {
            (Absent, Event::WebhookEndpointCreated(created)) => Active(Box::new(created.clone())),
            (Active(endpoint), Event::WebhookEndpointDisabled(disabled)) => Disabled { endpoint, reason: disabled.reason.clone() },
            (state, _) => state,
        }
    }
}

impl Create {
    fn event(self) -> Result<WebhookEndpointCreated, Rejection> {
        let url = callable(&self.url, self.https_only).map_err(|rule| Rejection::InvalidUrl { rule })?;
        if self.subscribed_events.is_empty() {
            return Err(Rejection::SubscribedEventsRequired);
        }
        let mut product_ids = self.product_ids;
        product_ids.sort_unstable();
        product_ids.dedup();
        Ok(WebhookEndpointCreated {
            endpoint_id: self.endpoint_id,
            label: self.label,
            url: url.to_string(),
            // The contract's order, so that the same subscription is always the same bytes.
            subscribed_events: WebhookEvent::ALL.iter().copied().filter(|event| self.subscribed_events.contains(event)).collect(),
            product_ids,
            secret_hash: self.secret_hash,
        })
    }
}

/// Where the name points is checked when it is called, after DNS: only then is it known.
fn callable(text: &str, https_only: bool) -> Result<Url, &'static str> {
    if text.len() > 2048 {
        return Err("longer than 2048 bytes");
    }
    let url = Url::parse(text).map_err(|_| "not a URL")?;
    match url.scheme() {
        "https" => {}
        "http" if !https_only => {}
        "http" => return Err("a live endpoint needs https"),
        _ => return Err("the scheme is https"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with credentials would put them in the log");
    }
    if url.fragment().is_some() {
        return Err("a fragment is never sent");
    }
    Ok(url)
}
