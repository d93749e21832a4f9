//! From any id to the events it belongs to.

use crate::class::{Doing, Failure};
use events::{
    claims::ClaimScope,
    codec,
    vocab::{
        bytes::TxSignature,
        event::Event,
        stream::{Recorded, StreamId},
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

/// An event with its payload read.
pub(super) struct Found {
    pub recorded: Recorded,
    pub event: Event,
}

/// Every event of the business transactions that `asked` belongs to, in order.
pub(super) async fn events(connection: &mut PgConnection, asked: &str) -> Result<Vec<Found>, Failure> {
    let named = named(connection, asked.trim()).await?;
    let mut correlations: Vec<Uuid> = named.iter().map(|event| event.envelope.correlation_id).collect();
    if let (Ok(id), true) = (Uuid::parse_str(asked.trim()), named.is_empty()) {
        correlations.push(id);
    }
    correlations.sort_unstable();
    correlations.dedup();
    let recorded: Vec<Recorded> = sqlx::query_as(include_str!("../sql/events_of_correlations.sql"))
        .bind(&correlations)
        .fetch_all(connection)
        .await
        .doing("reading the events of the business transaction")?;
    recorded.into_iter().map(read).collect()
}

fn read(recorded: Recorded) -> Result<Found, Failure> {
    let envelope = &recorded.envelope;
    let event = codec::decode(envelope.event_type, envelope.schema_version, &recorded.payload)
        .map_err(|error| Failure::Input(format!("the event at position {}: {error}; run verify", recorded.position)))?;
    Ok(Found { recorded, event })
}

/// The events that `asked` names directly.
async fn named(connection: &mut PgConnection, asked: &str) -> Result<Vec<Recorded>, Failure> {
    if let Ok(position) = asked.parse::<i64>() {
        let query = sqlx::query_as(include_str!("../sql/event_by_position.sql")).bind(position);
        return query.fetch_all(connection).await.doing("looking for the position");
    }
    if asked.starts_with("hilt_ticket_") {
        let query = sqlx::query_as(include_str!("../sql/ticket_opened.sql")).bind(asked);
        return query.fetch_all(connection).await.doing("looking for the ticket");
    }
    if asked.parse::<TxSignature>().is_ok() {
        let scopes = [ClaimScope::PaymentTx, ClaimScope::ReceiptTx];
        return of_claim(connection, &scopes, asked).await;
    }
    if asked.starts_with("HILT:") {
        return of_claim(connection, &[ClaimScope::Memo], asked).await;
    }
    let stream = asked.parse::<StreamId>().ok();
    let Some(id) = stream.map(|stream| stream.id).or_else(|| Uuid::parse_str(asked).ok()) else {
        return Err(Failure::Input(format!("{asked} is neither a uuid, a stream, a ticket, a transaction, a memo nor a position")));
    };
    let event = sqlx::query_as(include_str!("../sql/event_by_id.sql")).bind(id);
    let mut found: Vec<Recorded> = event.fetch_all(&mut *connection).await.doing("looking for the event")?;
    if found.is_empty() {
        found = of_stream(connection, id).await?;
    }
    Ok(found)
}

async fn of_stream(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Recorded>, Failure> {
    let query = sqlx::query_as(include_str!("../sql/events_of_stream.sql")).bind(id);
    query.fetch_all(connection).await.doing("looking for the stream")
}

/// The events of the streams that hold a claim on `value`.
async fn of_claim(connection: &mut PgConnection, scopes: &[ClaimScope], value: &str) -> Result<Vec<Recorded>, Failure> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let streams: Vec<(Uuid,)> = sqlx::query_as(include_str!("../sql/streams_of_claim.sql"))
        .bind(&scopes)
        .bind(value)
        .fetch_all(&mut *connection)
        .await
        .doing("looking for the claim")?;
    let mut found = Vec::new();
    for (stream,) in streams {
        found.extend(of_stream(connection, stream).await?);
    }
    Ok(found)
}
