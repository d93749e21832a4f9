//! `trail`: the whole story that an id belongs to, told from the log alone. Personal data stays sealed.

mod find;
mod stages;
mod summary;
mod text;

use crate::class::{Doing, Failure};
use events::vocab::{
    id::{EventId, OwnerId},
    stream::StreamId,
    time::Timestamp,
};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

/// One event of the story.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Step {
    /// Its place in the log.
    pub position: u64,
    /// When the log accepted it.
    pub at: Timestamp,
    /// Its type.
    pub event_type: &'static str,
    /// Its stream.
    pub stream: StreamId,
    /// Its place there.
    pub version: u64,
    /// Its id.
    pub event_id: EventId,
    /// The event that led to it.
    pub causation_id: Option<EventId>,
    /// Who caused it.
    pub actor: String,
    /// What happened, in words.
    pub summary: String,
    /// Whether personal data is sealed beside it.
    pub sealed: bool,
}

/// How far one stage of the lifecycle has come.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// Position of the event that reached it; `None` while it is missing.
    pub position: Option<u64>,
    /// Why it is missing.
    pub missing: Option<String>,
}

/// What was paid, as the log knows it: integers in minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Money {
    /// What is paid with.
    pub asset: String,
    /// Decimal places of one unit.
    pub decimals: u8,
    /// The whole.
    pub gross: u64,
    /// The merchant's part.
    pub merchant: u64,
    /// Hilt's fee.
    pub fee: u64,
    /// The rate.
    pub fee_bps: u16,
    /// Where the rate came from.
    pub fee_policy: String,
}

/// A look at the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Attempt {
    /// Position of its event.
    pub position: u64,
    /// 1, 2, 3 …
    pub attempt: u32,
    /// What made the service look.
    pub trigger: String,
    /// What it found.
    pub outcome: String,
    /// A stable code, when it did not pass.
    pub reason: Option<String>,
}

/// What vouches for the payment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct EvidenceFound {
    /// The transaction.
    pub tx_signature: Option<String>,
    /// The settled transfer.
    pub transfer_id: Option<String>,
    /// Where on the chain.
    pub slot: Option<u64>,
    /// Who paid.
    pub payer: Option<String>,
    /// The receipt.
    pub receipt_id: Option<String>,
    /// SHA-256 of the receipt.
    pub receipt_hash: Option<String>,
    /// The key that signed it.
    pub kid: Option<String>,
}

/// The whole story of one id.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Trail {
    /// What was asked for.
    pub asked: String,
    /// The business transactions it belongs to.
    pub correlation_ids: Vec<Uuid>,
    /// The workspace.
    pub owner_id: Option<OwnerId>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// What was to be paid.
    pub money: Option<Money>,
    /// What vouches for it.
    pub evidence: EvidenceFound,
    /// Every look at the chain.
    pub attempts: Vec<Attempt>,
    /// Every event, in order.
    pub steps: Vec<Step>,
    /// The lifecycle's stages, in order.
    pub stages: Vec<Stage>,
    /// Whether every stage that applies is reached.
    pub complete: bool,
}

/// Tells the story of `asked`: the id of a payment, session, proof, receipt, membership, entitlement, ticket (its public id), webhook
/// delivery, event or business transaction, a transaction's signature, a memo, a position, or a stream.
pub async fn trail(pool: &PgPool, asked: &str) -> Result<Trail, Failure> {
    let mut connection = pool.begin().await.doing("connecting")?;
    sqlx::query(include_str!("../sql/set_snapshot.sql")).execute(&mut *connection).await.doing("opening a snapshot")?;
    let events = find::events(&mut connection, asked).await?;
    let first = events.first().ok_or_else(|| Failure::NotFound(asked.to_owned()))?;
    let mut correlation_ids: Vec<Uuid> = Vec::new();
    for event in &events {
        if !correlation_ids.contains(&event.recorded.envelope.correlation_id) {
            correlation_ids.push(event.recorded.envelope.correlation_id);
        }
    }
    let seen = stages::Seen::of(&events);
    let stages = seen.stages();
    Ok(Trail {
        asked: asked.to_owned(),
        correlation_ids,
        owner_id: first.recorded.envelope.owner_id,
        livemode: first.recorded.envelope.livemode,
        money: seen.money(),
        evidence: seen.evidence(),
        attempts: stages::attempts(&events),
        complete: stages.iter().all(|stage| stage.position.is_some()),
        stages,
        steps: events.iter().map(step).collect(),
    })
}

fn step(found: &find::Found) -> Step {
    let envelope = &found.recorded.envelope;
    Step {
        position: found.recorded.position,
        at: envelope.recorded_at,
        event_type: envelope.event_type.as_str(),
        stream: envelope.stream,
        version: envelope.version,
        event_id: envelope.event_id,
        causation_id: envelope.causation_id,
        actor: envelope.actor.to_string(),
        summary: summary::of(&found.event),
        sealed: found.recorded.sealed.is_some(),
    }
}
