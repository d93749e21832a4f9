//! What follows from a merchant's wish to have a span of deliveries again, and from an endpoint that was disabled without his wish.

use super::{emit::actor, problem::WorkError};
use crate::mail;
use events::{
    clock::new_id,
    log::{AppendError, Context, Log},
    unit::{Unit, is_conflict, retry_conflicts},
    vault::Vault,
    vocab::{
        event::{Event, EventType, WebhookEndpointDisabled, WebhookEndpointRedeliveryRequested},
        id::{DeliveryId, EventId, MailId},
        stream::{Category, StreamId},
        words::MailKind,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledger::{
    mail::Queue,
    webhook_delivery::{self, WebhookDelivery},
    webhook_endpoint::{DELETED, GONE, Receiver, WebhookEndpoint},
    workspace::Profile,
};
use projections::{
    Reader,
    runner::{Applied, Handler, HandlerError, Projections},
    webhook_deliveries::{self, Span},
};
use std::time::Duration;
use uuid::Uuid;

/// The read model that deliveries are found through.
const DELIVERIES: &str = "webhook_deliveries";
/// How long to wait for it before the request is tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Deliveries read at a time.
const PAGE: u32 = 1_000;
/// Deliveries asked for again at the same time.
const AT_ONCE: usize = 32;
/// How often one is decided again when somebody else changes it.
const ATTEMPTS: u32 = 5;

/// Carries out what merchants ask of endpoints, and tells them what became of one.
#[derive(Clone)]
pub struct FollowUp {
    /// The log.
    pub log: Log,
    /// Opens the merchant's address.
    pub vault: Vault,
    /// Knows how far the read models are.
    pub projections: Projections,
    /// Reads them.
    pub reader: Reader,
    /// Whether the deployment sends mail.
    pub sends_mail: bool,
}

impl Handler for FollowUp {
    fn handles(&self, event_type: EventType) -> bool {
        matches!(event_type, EventType::WebhookEndpointRedeliveryRequested | EventType::WebhookEndpointDisabled)
    }
    async fn handle(&mut self, batch: &[Applied<'_>]) -> Result<(), HandlerError> {
        for applied in batch {
            let done = match applied.event {
                Event::WebhookEndpointRedeliveryRequested(request) => self.redeliver(applied, request).await,
                Event::WebhookEndpointDisabled(disabled) if disabled.reason != DELETED => self.tell(applied, disabled).await,
                _ => Ok(()),
            };
            done.map_err(|error| HandlerError(error.to_string()))?;
        }
        Ok(())
    }
}

impl FollowUp {
    /// Asks for each delivery of the span again. A repeat of the whole asks for nothing twice: ids follow from the request.
    async fn redeliver(&self, applied: &Applied<'_>, request: &WebhookEndpointRedeliveryRequested) -> Result<(), WorkError> {
        let projection = |error: &dyn std::fmt::Display| WorkError::Projection(error.to_string());
        self.projections.wait_for(DELIVERIES, applied.recorded.position, PATIENCE).await.map_err(|behind| projection(&behind))?;
        let span = Span { endpoint: request.endpoint_id, scope: request.scope, since: request.since, until: request.until };
        let mut after = None;
        loop {
            let page = webhook_deliveries::of_span(&self.reader, span, after, PAGE).await.map_err(|error| projection(&error))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.delivery);
            let asked: Vec<_> = page.iter().map(|open| self.again(applied, open.delivery)).collect();
            stream::iter(asked).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
    }

    async fn again(&self, applied: &Applied<'_>, delivery: DeliveryId) -> Result<(), WorkError> {
        let (cause, envelope) = (applied.event_id(), &applied.recorded.envelope);
        let id = EventId::derived(cause, &format!("again/{delivery}"));
        retry_conflicts(
            ATTEMPTS,
            |error| matches!(error, WorkError::Append(error) if is_conflict(error)),
            || async {
                let mut unit = Unit::new(&self.log, self.context(applied));
                let mut loaded = unit.load::<WebhookDelivery>(StreamId::new(Category::WebhookDelivery, delivery)).await?;
                // Carried out before, however often it was attempted since.
                if loaded.holds(id) || loaded.owner_id != envelope.owner_id {
                    return Ok(());
                }
                if let Some(correlation) = loaded.correlation_id {
                    unit.correlate(correlation);
                }
                let again = webhook_delivery::Command::Redeliver { requested_by: Some(cause), reason: None };
                let decided = unit.decide_as(&mut loaded, again, Some(cause), |_| id);
                if decided.map_err(|refused| WorkError::Refused(refused.code()))?.is_empty() {
                    return Ok(());
                }
                unit.commit().await?;
                Ok(())
            },
        )
        .await
    }

    /// Tells the merchant by mail, where the deployment sends mail and he has given an address.
    async fn tell(&self, applied: &Applied<'_>, disabled: &WebhookEndpointDisabled) -> Result<(), WorkError> {
        let (Some(owner), true) = (applied.recorded.envelope.owner_id, self.sends_mail) else { return Ok(()) };
        let saved = self.log.read_stream(StreamId::new(Category::Workspace, owner), 0).await?;
        let Some(saved) = saved.last() else { return Ok(()) };
        let profile = self.vault.open(saved).await?.and_then(|personal| personal.metadata).and_then(|json| Profile::from_json(&json));
        let (Some(to), Some(subject_id)) = (profile.and_then(|profile| profile.support_email), saved.envelope.subject_id) else {
            return Ok(());
        };
        let mut unit = Unit::new(&self.log, self.context(applied));
        let endpoint = unit.load::<WebhookEndpoint>(StreamId::new(Category::WebhookEndpoint, disabled.endpoint_id)).await?;
        let Some(receiver) = endpoint.state.receiver() else { return Ok(()) };
        let (subject, text) = letter(receiver, &disabled.reason);
        let mail = Queue {
            mail_id: MailId(Uuid::new_v5(&applied.event_id().0, b"mail")),
            kind: MailKind::WebhookDisabled,
            subject_id,
            receipt_id: None,
            membership_id: None,
            to,
            subject,
            text,
        };
        if let Err(refused) = mail::queue(&mut unit, mail, Some(applied.event_id())) {
            tracing::warn!(endpoint.id = %disabled.endpoint_id, mail.refused = refused.code(), "a merchant cannot be told by mail");
            return Ok(());
        }
        match unit.commit().await {
            // It is queued already; or the merchant is erased, and there is nobody to tell.
            Ok(_) | Err(AppendError::Conflict { .. } | AppendError::SubjectErased) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn context(&self, applied: &Applied<'_>) -> Context {
        let envelope = &applied.recorded.envelope;
        Context { owner_id: envelope.owner_id, livemode: envelope.livemode, actor: actor(), request_id: None, correlation_id: new_id() }
    }
}

/// Subject line and text.
fn letter(receiver: &Receiver, reason: &str) -> (String, String) {
    let (name, id) = (receiver.label.as_deref().unwrap_or(&receiver.url), receiver.endpoint_id);
    let why = match reason {
        GONE => "It answered 410, which says that it wants no more messages.".to_owned(),
        _ => format!("Every attempt to reach it failed for {} days.", ledger::webhook_endpoint::FAILING_DAYS),
    };
    let text = format!(
        "Your webhook endpoint {name} ({id}) was disabled. {why}\n\n\
         Nothing is sent to it until you resume it: POST /v1/access/webhooks/{id}/resume\n\
         What happened since is listed by GET /v1/access/events, and what was given up can be sent again with \
         POST /v1/access/webhooks/{id}/redeliver\n"
    );
    (format!("Webhook endpoint disabled: {name}"), text)
}
