//! One delivery's next attempt: read what is due, send it, record what came of it.
//!
//! A crash before the outcome is recorded means that the attempt is made again, with the same `webhook-id`. A crash after means
//! nothing: the outcome's event ids follow from the message and the attempt's number, so recording it again appends nothing.

use super::{
    emit::actor,
    endpoints::{Endpoints, Standing},
    lanes::Job,
    post::{Message, Poster, Reply},
    problem::WorkError,
};
use events::{
    clock::{Clock, random_bytes},
    decider::Decider as _,
    log::{Append, AppendError, Context, Expected, Log, NewEvent, StreamWrite},
    vault::Vault,
    vocab::{
        event::{Event, ReceiverAnswer, WebhookEmitted},
        id::{DeliveryId, EndpointId, EventId, SubjectId},
        stream::{Category, Fact, Recorded, StreamId},
        time::Timestamp,
    },
};
use ledger::{
    webhook_delivery::{self, Command, GONE, WebhookDelivery, disables_endpoint},
    webhook_endpoint::{self, WebhookEndpoint},
};
use std::time::Duration;

/// A receiver that takes longer than this to answer gets a narrow lane.
const SLOW: Duration = Duration::from_secs(1);
/// How long to wait before an outcome is offered again to a log that does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Makes attempts.
#[derive(Clone)]
pub struct Attempts {
    /// The log.
    pub log: Log,
    /// Opens bodies.
    pub vault: Vault,
    /// Tells what is due.
    pub clock: Clock,
    /// To whom.
    pub endpoints: Endpoints,
    /// Sends.
    pub poster: Poster,
}

/// What became of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// When to look at it again; `None` when it is delivered or given up.
    pub again: Option<Timestamp>,
    /// Whether its receiver was slow.
    pub slow: bool,
}

/// A delivery as its stream has it.
struct Delivery {
    state: WebhookDelivery,
    message: Recorded,
    version: u64,
}

impl Attempts {
    /// Attempts `job` if it is due.
    pub async fn attempt(&self, job: Job) -> Result<Progress, WorkError> {
        let id = job.delivery;
        let endpoint = self.endpoints.get(job.endpoint).await?;
        // Resuming it queues the delivery again.
        if endpoint.as_ref().is_some_and(|endpoint| endpoint.standing == Standing::Paused) {
            return Ok(over(false));
        }
        let delivery = self.read(id).await?;
        let WebhookDelivery::Due { emitted, attempts, next_attempt_at, .. } = &delivery.state else { return Ok(over(false)) };
        let now = self.clock.now();
        if let Some(due) = next_attempt_at.filter(|due| *due > now) {
            return Ok(Progress { again: Some(due), slow: false });
        }
        let Some(endpoint) = endpoint.filter(|endpoint| endpoint.standing == Standing::Active) else {
            return self.give_up(id, "endpoint_disabled").await;
        };
        let secrets = endpoint.secrets(now);
        if secrets.is_empty() {
            return Err(WorkError::SecretMissing(emitted.endpoint_id));
        }
        let Some(body) = self.vault.open(&delivery.message).await?.and_then(|personal| personal.text) else {
            return self.give_up(id, "subject_erased").await;
        };
        let (url, livemode, id_sent) = (&endpoint.receiver.url, endpoint.livemode, emitted.source_event);
        let reply = self.poster.post(Message { url, livemode, id: id_sent, at: now, secrets: &secrets, body }).await;
        measure(&reply);
        let slow = reply.took > SLOW;
        let command = webhook_delivery::Attempt {
            attempt: attempts.saturating_add(1),
            answer: reply.answer,
            duration_ms: u32::try_from(reply.took.as_millis()).unwrap_or(u32::MAX),
            now,
            url: url.clone(),
            signatures: u8::try_from(secrets.len()).unwrap_or(u8::MAX),
            response: said(&delivery.message, reply.said.as_ref()),
            jitter_permille: jitter_permille(),
        };
        let again = self.record(delivery, Command::RecordAttempt(Box::new(command))).await?;
        Ok(Progress { again, slow })
    }

    async fn give_up(&self, id: DeliveryId, reason: &str) -> Result<Progress, WorkError> {
        let delivery = self.read(id).await?;
        let again = self.record(delivery, Command::GiveUp { reason: reason.to_owned() }).await?;
        Ok(Progress { again, slow: false })
    }

    /// Records `command`, however long the log takes to accept it: the receiver has its message already. Returns when the
    /// delivery is due again.
    async fn record(&self, mut delivery: Delivery, mut command: Command) -> Result<Option<Timestamp>, WorkError> {
        loop {
            let facts = match WebhookDelivery::decide(&delivery.state, command.clone()) {
                Ok(facts) => facts,
                // Another process was faster.
                Err(webhook_delivery::Rejection::Closed) => return Ok(None),
                Err(refused) => return Err(WorkError::Refused(refused.code())),
            };
            if facts.is_empty() {
                return Ok(next_attempt(&delivery.state));
            }
            let gone = disables_endpoint(&facts);
            let after = facts.iter().fold(delivery.state.clone(), |state, fact| WebhookDelivery::evolve(state, &fact.event));
            match self.log.append(self.outcome(&delivery, &command, facts, gone).await?).await {
                Ok(_) => {
                    if let (true, Some(emitted)) = (gone, emitted(&after)) {
                        self.endpoints.forget(emitted.endpoint_id);
                    }
                    if matches!(after, WebhookDelivery::DeadLettered { .. }) {
                        metrics::counter!("access.webhook_dead_letters_total").increment(1);
                    }
                    return Ok(next_attempt(&after));
                }
                Err(AppendError::Conflict { .. }) => {}
                // What the receiver said can no longer be sealed, and so must not be kept.
                Err(AppendError::SubjectErased) => command = without_response(command)?,
                Err(AppendError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(AppendError::Unavailable(_)) => tokio::time::sleep(PATIENCE).await,
                Err(error) => return Err(error.into()),
            }
            delivery = self.read_patiently(delivery).await?;
        }
    }

    async fn read_patiently(&self, last: Delivery) -> Result<Delivery, WorkError> {
        let Some(id) = emitted(&last.state).map(|emitted| emitted.delivery_id) else { return Ok(last) };
        loop {
            match self.read(id).await {
                Err(WorkError::Read(_)) => tokio::time::sleep(PATIENCE).await,
                other => return other,
            }
        }
    }

    async fn read(&self, id: DeliveryId) -> Result<Delivery, WorkError> {
        let recorded = self.log.read_stream(StreamId::new(Category::WebhookDelivery, id), 0).await?;
        let events = recorded.iter().map(|event| event.decode()).collect::<Result<Vec<Event>, _>>()?;
        let state = WebhookDelivery::fold(&events);
        let version = recorded.last().map(|event| event.envelope.version);
        match (recorded.into_iter().next(), version) {
            (Some(message), Some(version)) if emitted(&state).is_some() => Ok(Delivery { state, message, version }),
            _ => Err(WorkError::MessageMissing(id)),
        }
    }

    async fn outcome(&self, delivery: &Delivery, command: &Command, facts: Vec<Fact>, gone: bool) -> Result<Append, WorkError> {
        let envelope = &delivery.message.envelope;
        let first = envelope.event_id;
        let mut cause = first;
        let mut events = Vec::with_capacity(facts.len());
        for (number, Fact { event, personal }) in facts.into_iter().enumerate() {
            let event_id = EventId::derived(first, &outcome_name(delivery, command, number));
            events.push(NewEvent { event_id, event, personal, causation_id: Some(cause) });
            cause = event_id;
        }
        let mut writes = vec![StreamWrite { stream: envelope.stream, expected: Expected::Version(delivery.version), events }];
        if let (true, Some(message)) = (gone, emitted(&delivery.state)) {
            writes.extend(self.disable(message.endpoint_id, first, cause).await?);
        }
        Ok(Append {
            context: Context {
                owner_id: envelope.owner_id,
                livemode: envelope.livemode,
                actor: actor(),
                request_id: None,
                correlation_id: envelope.correlation_id,
            },
            writes,
            idempotency: None,
        })
    }

    /// The receiver answered that it is gone: it is not called again.
    async fn disable(&self, id: EndpointId, first: EventId, cause: EventId) -> Result<Option<StreamWrite>, WorkError> {
        let stream = StreamId::new(Category::WebhookEndpoint, id);
        let recorded = self.log.read_stream(stream, 0).await?;
        let events = recorded.iter().map(|event| event.decode()).collect::<Result<Vec<Event>, _>>()?;
        let command = webhook_endpoint::Command::Disable { reason: GONE.to_owned() };
        let facts =
            WebhookEndpoint::decide(&WebhookEndpoint::fold(&events), command).map_err(|refused| WorkError::Refused(refused.code()))?;
        let Some(last) = recorded.last().filter(|_| !facts.is_empty()) else { return Ok(None) };
        let event_id = EventId::derived(first, "endpoint_disabled");
        let events = facts.into_iter().map(|Fact { event, personal }| NewEvent { event_id, event, personal, causation_id: Some(cause) });
        Ok(Some(StreamWrite { stream, expected: Expected::Version(last.envelope.version), events: events.collect() }))
    }
}

/// The name that an outcome's event id is derived from. Attempts are counted on when a delivery is made again; giving up is not.
fn outcome_name(delivery: &Delivery, command: &Command, number: usize) -> String {
    match (command, &delivery.state, number) {
        (Command::RecordAttempt(attempt), _, 0) => format!("attempt-{}", attempt.attempt),
        (Command::RecordAttempt(attempt), _, _) => format!("outcome-{}", attempt.attempt),
        (_, WebhookDelivery::Due { before: 1.., attempts, .. }, _) => format!("given-up-{attempts}"),
        _ => "given-up".to_owned(),
    }
}

fn said(message: &Recorded, said: Option<&ReceiverAnswer>) -> Option<(SubjectId, String)> {
    Some((message.envelope.subject_id?, serde_json::to_string(said?).ok()?))
}

fn without_response(command: Command) -> Result<Command, WorkError> {
    match command {
        Command::RecordAttempt(attempt) if attempt.response.is_some() => {
            Ok(Command::RecordAttempt(Box::new(webhook_delivery::Attempt { response: None, ..*attempt })))
        }
        _ => Err(WorkError::Refused("subject_erased")),
    }
}

fn over(slow: bool) -> Progress {
    Progress { again: None, slow }
}

fn emitted(state: &WebhookDelivery) -> Option<&WebhookEmitted> {
    match state {
        WebhookDelivery::Absent => None,
        WebhookDelivery::Due { emitted, .. }
        | WebhookDelivery::Delivered { emitted, .. }
        | WebhookDelivery::DeadLettered { emitted, .. } => Some(emitted),
    }
}

fn next_attempt(state: &WebhookDelivery) -> Option<Timestamp> {
    match state {
        WebhookDelivery::Due { next_attempt_at, .. } => Some(next_attempt_at.unwrap_or(Timestamp::from_micros(0))),
        WebhookDelivery::Absent | WebhookDelivery::Delivered { .. } | WebhookDelivery::DeadLettered { .. } => None,
    }
}

/// Up to a quarter of the wait, upward, so that receivers that failed together are not called together.
fn jitter_permille() -> u16 {
    u16::from_le_bytes(random_bytes::<2>()) % 250
}

fn measure(reply: &Reply) {
    let outcome = match &reply.answer {
        webhook_delivery::Answer::Status { code: 200..300, .. } => "delivered",
        webhook_delivery::Answer::Status { .. } => "refused",
        webhook_delivery::Answer::None { .. } => "no_answer",
    };
    metrics::counter!("hilt_webhook_attempts_total", "outcome" => outcome).increment(1);
    metrics::histogram!("hilt_webhook_attempt_seconds", "outcome" => outcome).record(reply.took.as_secs_f64());
}
