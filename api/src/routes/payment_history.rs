//! `GET /v1/payments/{payment_id}/history`: everything that the log has of one payment, in a file that proves itself.

use crate::{
    http::{
        answers,
        auth::Merchant,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::State,
};
use axum::{Json, extract::State as Part};
use events::{
    log::Log,
    proof::{
        Checkpointer,
        history::{self, History, HistoryError, ProvenEvent, StreamHistory},
    },
    vault::{KeyPurpose, Vault},
    vocab::{
        id::PaymentId,
        stream::{Category, StreamId},
    },
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Events of one answer at most.
const MOST: u64 = 2_000;

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(get))
}

/// A payment's history.
#[derive(Serialize, ToSchema)]
struct PaymentHistory {
    /// `hilt-history/v1`.
    format: String,
    #[schema(value_type = String, format = Uuid)]
    payment_id: PaymentId,
    /// The signed checkpoint that it goes up to, with the signatures of witnesses.
    checkpoint: String,
    /// The log's signed word that these are all streams of the payment, and where each ends.
    statement: Option<String>,
    streams: Vec<HistoryStream>,
}

/// Every event of one stream.
#[derive(Serialize, ToSchema)]
struct HistoryStream {
    /// Its category, a hyphen and its id.
    stream: String,
    /// From version 0 on.
    events: Vec<HistoryEvent>,
}

/// An event and its place in the tree.
#[derive(Serialize, ToSchema)]
struct HistoryEvent {
    /// Place in the log, and index of the leaf.
    position: u64,
    /// The bytes whose hash, after a zero byte, is the leaf; hex.
    entry: String,
    /// MessagePack, whose SHA-256 the entry holds; hex. Personal data is never in it.
    payload: String,
    /// The hashes that lead from the leaf to the checkpoint's root, lowest first; base64.
    inclusion: Vec<String>,
}

impl From<History> for PaymentHistory {
    fn from(History { format, payment_id, checkpoint, statement, streams }: History) -> Self {
        let event = |ProvenEvent { position, entry, payload, inclusion }| HistoryEvent { position, entry, payload, inclusion };
        let stream = |StreamHistory { stream, events }| HistoryStream { stream, events: events.into_iter().map(event).collect() };
        PaymentHistory { format, payment_id, checkpoint, statement, streams: streams.into_iter().map(stream).collect() }
    }
}

/// The complete history of a payment
///
/// Every event of every stream that the payment touched, each with its place in the log, up to a checkpoint that is signed now. Keep
/// the answer as a file: `hilt-replay verify-history` checks it without a server.
#[utoipa::path(get, path = "/v1/payments/{payment_id}/history", tag = "payments", operation_id = "get_payment_history",
    params(("payment_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The history", body = PaymentHistory), answers::ReadOne))]
async fn get(
    Part(log): Part<Log>,
    Part(vault): Part<Vault>,
    Part(checkpointer): Part<Checkpointer>,
    merchant: Merchant,
    id: Segment,
) -> Result<Json<PaymentHistory>, Problem> {
    merchant.require_live()?;
    let missing = || Problem::of(Code::PaymentNotFound);
    let id: PaymentId = id.id(Code::PaymentNotFound)?;
    let first = log.first_events(&[StreamId::new(Category::Payment, id)]).await.map_err(|error| rejection::read(&error))?;
    let owner = first.first().and_then(|event| event.envelope.owner_id).ok_or_else(missing)?;
    if owner != merchant.owner {
        return Err(missing());
    }
    let head = checkpointer.sign().await.map_err(|error| rejection::read(&error))?;
    let note = checkpointer.cosigned(&head).await.map_err(|error| rejection::read(&error))?;
    let signer = vault.signer(KeyPurpose::Log).await.map_err(|error| rejection::read(&error))?;
    match history::build(log.pool(), id, &head, note, Some(&signer), MOST).await {
        Ok(found) => found.map(|history| Json(history.into())).ok_or_else(missing),
        Err(error @ HistoryError::TooLong(_)) => {
            Err(Problem::new(Code::HistoryTooLong, error.to_string()).next_action("hilt-replay history writes one of any length"))
        }
        Err(error) => Err(rejection::read(&error)),
    }
}
