//! Webhook deliveries (TR-43, OPS-53, OPS-54): one for each event and receiver, tried until it arrives or is given up.

use crate::check::{filled, is_code, rejections};
use events::{
    decider::Decider,
    vocab::{
        bytes::Hash32,
        event::{
            Event, WebhookDeadLettered, WebhookDelivered, WebhookDeliveryAttempted, WebhookEmitted, WebhookRedeliveryRequested,
            WebhookRetryScheduled,
        },
        id::{DeliveryId, EndpointId, EventId, SubjectId},
        personal::Personal,
        stream::Fact,
        time::Timestamp,
        words::{AttemptOutcome, WebhookEvent},
    },
};

/// Seconds from a failed attempt to the next one. After the last, the delivery is given up.
pub const RETRY_SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// A receiver cannot put a delivery off for longer than this many seconds, whatever its `Retry-After` says.
pub const LONGEST_RETRY_AFTER: i64 = 86_400;

/// A webhook delivery.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum WebhookDelivery {
    /// Not emitted.
    #[default]
    Absent,
    /// To be tried.
    Due {
        /// What to deliver, and where.
        emitted: Box<WebhookEmitted>,
        /// How many attempts were made.
        attempts: u32,
        /// How many of them were made before it was last asked for: the schedule begins anew with each time.
        before: u32,
        /// When the next one is due; at once when it was just asked for.
        next_attempt_at: Option<Timestamp>,
    },
    /// The receiver has it.
    Delivered {
        /// What was delivered.
        emitted: Box<WebhookEmitted>,
        /// How many attempts were made.
        attempts: u32,
    },
    /// Given up.
    DeadLettered {
        /// What was not delivered.
        emitted: Box<WebhookEmitted>,
        /// How many attempts were made.
        attempts: u32,
        /// Why.
        reason: String,
    },
}

/// What is asked of a delivery.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// It is due.
    Emit(Box<Emit>),
    /// It was tried.
    RecordAttempt(Box<Attempt>),
    /// Make it again, whatever came of it.
    Redeliver {
        /// The request of a span of time that it is part of.
        requested_by: Option<EventId>,
        /// Why, when staff asked: a stable code.
        reason: Option<String>,
    },
    /// Give it up without another attempt, such as when its receiver was disabled.
    GiveUp {
        /// A stable code.
        reason: String,
    },
}

/// See [`Command::Emit`].
#[derive(Clone, PartialEq, Debug)]
pub struct Emit {
    /// To whom.
    pub endpoint_id: EndpointId,
    /// What it tells.
    pub event: WebhookEvent,
    /// The event it tells of.
    pub source_event: EventId,
    /// Its position.
    pub source_position: u64,
    /// Whose data the body holds.
    pub subject_id: SubjectId,
    /// The body, byte for byte.
    pub body: String,
}

/// See [`Command::RecordAttempt`].
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Which one: 1, 2, 3 … One that is recorded already changes nothing.
    pub attempt: u32,
    /// What came of it.
    pub answer: Answer,
    /// How long it took.
    pub duration_ms: u32,
    /// When it was made.
    pub now: Timestamp,
    /// Where it was sent.
    pub url: String,
    /// How many secrets signed it.
    pub signatures: u8,
    /// The beginning of the receiver's answer, as JSON, and whose key seals it.
    pub response: Option<(SubjectId, String)>,
    /// How far to put off the next one, in thousandths of the wait; at most 1,000. A random number, so that receivers that
    /// failed together are not called together.
    pub jitter_permille: u16,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The receiver answered.
    Status {
        /// HTTP status.
        code: u16,
        /// Its `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
    /// It did not: a stable code such as `timeout`.
    None {
        /// The code.
        error: String,
    },
}

rejections! {
    /// Why a delivery command is refused.
    pub enum Rejection {
        /// There is no such delivery.
        NotFound = "webhook_delivery_not_found", "there is no such webhook delivery";
        /// The id is in use for another delivery.
        AlreadyExists = "already_exists", "the webhook delivery exists with other content";
        /// It was delivered or given up.
        Closed = "webhook_delivery_closed", "the webhook delivery is over";
        /// An attempt is missing before this one.
        OutOfOrder {
            /// The attempt that is next.
            next: u32,
        } = "attempt_out_of_order", "the next attempt is number {next}";
        /// No reason was given, or none that is a stable code.
        ReasonRequired = "reason_required", "reason: is required, as a code of a-z, 0-9 and _";
    }
}

impl Decider for WebhookDelivery {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        use WebhookDelivery::{Absent, DeadLettered, Delivered, Due};
        match (state, command) {
            (Absent, Command::Emit(emit)) => Ok(vec![emit.fact()]),
            (Due { emitted, .. } | Delivered { emitted, .. } | DeadLettered { emitted, .. }, Command::Emit(emit)) => {
                match emit.event() == **emitted {
                    true => Ok(vec![]),
                    false => Err(Rejection::AlreadyExists),
                }
            }
            (Absent, Command::RecordAttempt(_) | Command::GiveUp { .. } | Command::Redeliver { .. }) => Err(Rejection::NotFound),

            (Due { attempts, .. } | Delivered { attempts, .. } | DeadLettered { attempts, .. }, Command::RecordAttempt(attempt))
                if (1..=*attempts).contains(&attempt.attempt) =>
            {
                Ok(vec![])
            }
            (Due { emitted, attempts, before, .. }, Command::RecordAttempt(attempt)) => {
                let next = attempts.saturating_add(1);
                if attempt.attempt != next {
                    return Err(Rejection::OutOfOrder { next });
                }
                Ok(vec![attempted(emitted, &attempt), what_next(emitted, *before, &attempt)])
            }
            (Delivered { .. } | DeadLettered { .. }, Command::RecordAttempt(_)) => Err(Rejection::Closed),

            (Due { emitted, attempts, .. }, Command::GiveUp { reason }) => {
                let reason = filled(&reason).ok_or(Rejection::ReasonRequired)?;
                Ok(vec![dead_letter(emitted, *attempts, &reason)])
            }
            (Delivered { .. }, Command::GiveUp { .. }) => Err(Rejection::Closed),
            (DeadLettered { .. }, Command::GiveUp { .. }) => Ok(vec![]),

            (_, Command::Redeliver { reason: Some(reason), .. }) if reason.is_empty() || !is_code(&reason) => {
                Err(Rejection::ReasonRequired)
            }
            (Due { next_attempt_at: None, .. }, Command::Redeliver { .. }) => Ok(vec![]),
            (
                Due { emitted, .. } | Delivered { emitted, .. } | DeadLettered { emitted, .. },
                Command::Redeliver { requested_by, reason },
            ) => {
                let (delivery_id, endpoint_id) = (emitted.delivery_id, emitted.endpoint_id);
                Ok(vec![WebhookRedeliveryRequested { delivery_id, endpoint_id, requested_by, reason }.into()])
            }
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        use WebhookDelivery::{Absent, DeadLettered, Delivered, Due};
        match (state, event) {
            (Absent, Event::WebhookEmitted(emitted)) => {
                Due { emitted: Box::new(emitted.clone()), attempts: 0, before: 0, next_attempt_at: None }
            }
            (Due { emitted, before, next_attempt_at, .. }, Event::WebhookDeliveryAttempted(attempted)) => {
                Due { emitted, attempts: attempted.attempt, before, next_attempt_at }
            }
            (Due { emitted, attempts, before, .. }, Event::WebhookRetryScheduled(retry)) => {
                Due { emitted, attempts, before, next_attempt_at: Some(retry.next_attempt_at) }
            }
            (Due { emitted, attempts, .. }, Event::WebhookDelivered(_)) => Delivered { emitted, attempts },
            (Due { emitted, attempts, .. }, Event::WebhookDeadLettered(dead)) => {
                DeadLettered { emitted, attempts, reason: dead.reason.clone() }
            }
            (
                Due { emitted, attempts, .. } | Delivered { emitted, attempts } | DeadLettered { emitted, attempts, .. },
                Event::WebhookRedeliveryRequested(_),
            ) => Due { emitted, attempts, before: attempts, next_attempt_at: None },
            (state, _) => state,
        }
    }
}

pub use crate::webhook_endpoint::GONE;

/// Whether the receiver said that it wants no more, so that the caller must disable it.
pub fn disables_endpoint(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| matches!(&fact.event, Event::WebhookDeadLettered(dead) if dead.reason == GONE))
}

impl Emit {
    fn event(&self) -> WebhookEmitted {
        WebhookEmitted {
            delivery_id: DeliveryId::of(self.source_event, self.endpoint_id),
            endpoint_id: self.endpoint_id,
            event: self.event,
            source_event: self.source_event,
            source_position: self.source_position,
            body_hash: Hash32::of(&self.body),
        }
    }

    fn fact(self) -> Fact {
        Fact::sealed(self.event(), self.subject_id, Personal { text: Some(self.body), ..Personal::default() })
    }
}

fn attempted(emitted: &WebhookEmitted, attempt: &Attempt) -> Fact {
    let (outcome, status_code, error) = match &attempt.answer {
        Answer::Status { code, .. } if (200..300).contains(code) => (AttemptOutcome::Success, Some(*code), None),
        Answer::Status { code, .. } => (AttemptOutcome::Failure, Some(*code), Some("http_status".to_owned())),
        Answer::None { error } => (AttemptOutcome::Failure, None, Some(error.clone())),
    };
    let event = WebhookDeliveryAttempted {
        delivery_id: emitted.delivery_id,
        endpoint_id: emitted.endpoint_id,
        attempt: attempt.attempt,
        outcome,
        status_code,
        error,
        duration_ms: attempt.duration_ms,
        attempted_at: attempt.now,
        url: Some(attempt.url.clone()),
        signatures: Some(attempt.signatures),
    };
    match &attempt.response {
        Some((subject, response)) => Fact::sealed(event, *subject, Personal { text: Some(response.clone()), ..Personal::default() }),
        None => event.into(),
    }
}

fn what_next(emitted: &WebhookEmitted, before: u32, attempt: &Attempt) -> Fact {
    let (delivery_id, endpoint_id, number) = (emitted.delivery_id, emitted.endpoint_id, attempt.attempt);
    let asked = match &attempt.answer {
        Answer::Status { code, .. } if (200..300).contains(code) => {
            return WebhookDelivered { delivery_id, endpoint_id, attempt: number }.into();
        }
        Answer::Status { code: 410, .. } => return dead_letter(emitted, number, GONE),
        // Somebody waits for its outcome now and asks for another when he has changed something.
        _ if emitted.event == WebhookEvent::Test => return dead_letter(emitted, number, "test_failed"),
        Answer::Status { retry_after, .. } => retry_after.map_or(0, i64::from).min(LONGEST_RETRY_AFTER),
        Answer::None { .. } => 0,
    };
    let scheduled = usize::try_from(number - before - 1).ok().and_then(|index| RETRY_SECONDS.get(index));
    let Some(scheduled) = scheduled else { return dead_letter(emitted, number, "attempts_exhausted") };
    let jitter = i64::from(attempt.jitter_permille.min(1_000));
    let wait_micros = (asked.max(*scheduled)) * (1_000 + jitter) * 1_000;
    let next_attempt_at = Timestamp::from_micros(attempt.now.micros().saturating_add(wait_micros));
    WebhookRetryScheduled { delivery_id, endpoint_id, attempt: number, next_attempt_at }.into()
}

fn dead_letter(emitted: &WebhookEmitted, attempts: u32, reason: &str) -> Fact {
    WebhookDeadLettered { delivery_id: emitted.delivery_id, endpoint_id: emitted.endpoint_id, attempts, reason: reason.to_owned() }.into()
}
