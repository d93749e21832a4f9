//! Making a history from the log.

use super::{FORMAT, History, ProvenEvent, Statement, StreamEnd, StreamHistory};
use crate::{
    leaf::{self, FieldTooLong},
    proof::{Checkpoint, NoteError, Tree, TreeError, TreeHead},
    vault::Signer,
    vocab::{
        id::{OwnerId, PaymentId},
        stream::{Category, Recorded, StreamId},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::PgPool;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The database did not answer.
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The checkpoint is none.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A stored event has no entry.
    #[error(transparent)]
    Entry(#[from] FieldTooLong),
    /// There are more events than were asked for at most.
    #[error("the history has more than {0} events")]
    TooLong(u64),
}

/// The history of `payment` up to the checkpoint `head`, whose note with all its signatures is `note`; `None` if there is no such
/// payment below it. `signer` is the log's key; without it there is no statement. At most `most` events.
pub async fn build(
    pool: &PgPool,
    payment: PaymentId,
    head: &TreeHead,
    note: String,
    signer: Option<&Signer>,
    most: u64,
) -> Result<Option<History>, HistoryError> {
    let (below, limit) = (integer(head.size), integer(most.saturating_add(1)));
    let own: Vec<Recorded> = sqlx::query_as(include_str!("../sql/events_of_streams.sql"))
        .bind([payment.0].as_slice())
        .bind([Category::Payment.as_str()].as_slice())
        .bind(below)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    let Some(owner) = own.first().and_then(|first| first.envelope.owner_id) else { return Ok(None) };
    let mut correlations: Vec<Uuid> = own.iter().map(|event| event.envelope.correlation_id).collect();
    correlations.sort_unstable();
    correlations.dedup();
    let found: Vec<(String, Uuid)> = sqlx::query_as(include_str!("../sql/streams_of_correlations.sql"))
        .bind(&correlations)
        .bind(owner.0)
        .bind(below)
        .fetch_all(pool)
        .await?;
    let (categories, ids): (Vec<String>, Vec<Uuid>) = found.into_iter().unzip();
    let query = sqlx::query_as(include_str!("../sql/events_of_streams.sql")).bind(ids).bind(categories).bind(below).bind(limit);
    let events: Vec<Recorded> = query.fetch_all(pool).await?;
    if events.len() as u64 > most {
        return Err(HistoryError::TooLong(most));
    }
    let streams = prove(&Tree::new(pool.clone()), events.as_slice(), head.size).await?;
    let statement = match signer {
        Some(signer) => {
            let (body, _) = crate::proof::note::SignatureLine::all(&head.note)?;
            Some(statement(body.parse()?, payment, owner, correlations, &events).sign(signer))
        }
        None => None,
    };
    Ok(Some(History { format: FORMAT.to_owned(), payment_id: payment, checkpoint: note, statement, streams }))
}

fn statement(
    checkpoint: Checkpoint,
    payment_id: PaymentId,
    owner_id: OwnerId,
    correlation_ids: Vec<Uuid>,
    events: &[Recorded],
) -> Statement {
    let mut ends: BTreeMap<StreamId, StreamEnd> = BTreeMap::new();
    for event in events {
        let Recorded { envelope, leaf, .. } = event;
        let end = StreamEnd { stream: envelope.stream, events: envelope.version + 1, last_leaf: *leaf };
        ends.entry(envelope.stream)
            .and_modify(|known| {
                if known.events < end.events {
                    *known = end
                }
            })
            .or_insert(end);
    }
    Statement { checkpoint, payment_id, owner_id, correlation_ids, streams: ends.into_values().collect() }
}

/// Each event with its place in the tree, by stream and version.
async fn prove(tree: &Tree, events: &[Recorded], size: u64) -> Result<Vec<StreamHistory>, HistoryError> {
    let positions: Vec<u64> = events.iter().map(|event| event.position).collect();
    let paths = tree.inclusions(&positions, size).await?;
    let mut streams: BTreeMap<StreamId, Vec<ProvenEvent>> = BTreeMap::new();
    for (event, path) in events.iter().zip(paths) {
        let entry = leaf::entry(&event.envelope, &event.prev_leaf, &event.payload, event.sealed.as_deref())?;
        streams.entry(event.envelope.stream).or_default().push(ProvenEvent {
            position: event.position,
            entry: hex::encode(entry),
            payload: hex::encode(&event.payload),
            inclusion: path.iter().map(|hash| STANDARD.encode(hash.0)).collect(),
        });
    }
    Ok(streams.into_iter().map(|(stream, events)| StreamHistory { stream: stream.to_string(), events }).collect())
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
