//! What a receiver is registered with and may be changed to.

use super::{Receiver, Rejection};
use events::vocab::{
    bytes::Hash32,
    event::{WebhookEndpointCreated, WebhookEndpointReconfigured},
    id::EndpointId,
    stream::Fact,
    words::WebhookEvent,
};
use url::Url;
use uuid::Uuid;

/// See [`Command::Create`](super::Command::Create).
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

/// See [`Command::Change`](super::Command::Change). What is `None` stays as it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Change {
    /// The merchant's own words; `Some(None)` takes them away.
    pub label: Option<Option<String>>,
    /// Where to call.
    pub url: Option<String>,
    /// What to tell; repeated words count once.
    pub subscribed_events: Option<Vec<WebhookEvent>>,
    /// About which access or hosted products; an empty list means all.
    pub product_ids: Option<Vec<Uuid>>,
    /// As in [`Create`].
    pub https_only: bool,
}

impl Create {
    pub(super) fn event(self) -> Result<WebhookEndpointCreated, Rejection> {
        Ok(WebhookEndpointCreated {
            endpoint_id: self.endpoint_id,
            label: self.label,
            url: callable(&self.url, self.https_only).map_err(|rule| Rejection::InvalidUrl { rule })?.to_string(),
            subscribed_events: ordered(&self.subscribed_events)?,
            product_ids: sorted(self.product_ids),
            secret_hash: self.secret_hash,
        })
    }
}

impl Change {
    pub(super) fn facts(self, receiver: &Receiver) -> Result<Vec<Fact>, Rejection> {
        let url = match &self.url {
            Some(url) => callable(url, self.https_only).map_err(|rule| Rejection::InvalidUrl { rule })?.to_string(),
            None => receiver.url.clone(),
        };
        let subscribed_events = match &self.subscribed_events {
            Some(events) => ordered(events)?,
            None => receiver.subscribed_events.clone(),
        };
        let changed = WebhookEndpointReconfigured {
            endpoint_id: receiver.endpoint_id,
            label: self.label.unwrap_or_else(|| receiver.label.clone()),
            url,
            subscribed_events,
            product_ids: self.product_ids.map_or_else(|| receiver.product_ids.clone(), sorted),
        };
        let same = changed.label == receiver.label
            && changed.url == receiver.url
            && changed.subscribed_events == receiver.subscribed_events
            && changed.product_ids == receiver.product_ids;
        Ok(if same { vec![] } else { vec![changed.into()] })
    }
}

/// The contract's order, so that the same subscription is always the same bytes. Nobody subscribes to tests.
fn ordered(events: &[WebhookEvent]) -> Result<Vec<WebhookEvent>, Rejection> {
    let wanted = |event: &WebhookEvent| *event != WebhookEvent::Test && events.contains(event);
    let ordered: Vec<_> = WebhookEvent::ALL.iter().copied().filter(wanted).collect();
    if ordered.is_empty() { Err(Rejection::SubscribedEventsRequired) } else { Ok(ordered) }
}

fn sorted(mut products: Vec<Uuid>) -> Vec<Uuid> {
    products.sort_unstable();
    products.dedup();
    products
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
