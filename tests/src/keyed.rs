//! Appends that follow from their id alone, each with its own idempotency key, so that another process can repeat them.

use crate::history::OWNER;
use events::{
    clock::new_id,
    log::{Append, AppendError, Appended, Context, Expected, IdempotencyRow, Log, NewEvent, StreamWrite},
    vocab::{
        event::{Event, TicketReopened, TicketWaitingOnMerchant},
        id::EventId,
        stream::{Actor, Category, StreamId},
    },
};
use uuid::Uuid;

/// The operation of every key.
pub const OPERATION: &str = "POST /keyed";

/// The two events of the append of that id.
pub fn event_ids(id: Uuid) -> [EventId; 2] {
    [EventId(id), EventId::derived(EventId(id), "second")]
}

/// The append of that id: two events of one stream, and an answer.
pub fn append(id: Uuid) -> Append {
    let [first, second] = event_ids(id);
    let new = |event_id, event: Event, causation_id| NewEvent { event_id, event, personal: None, causation_id };
    let events = vec![
        new(first, TicketWaitingOnMerchant { ticket_id: id.into() }.into(), None),
        new(second, TicketReopened { ticket_id: id.into() }.into(), Some(first)),
    ];
    Append {
        context: Context {
            owner_id: Some(OWNER),
            livemode: true,
            actor: Actor::system("keyed"),
            request_id: Some("request-1".into()),
            correlation_id: id,
        },
        writes: vec![StreamWrite { stream: StreamId::new(Category::Ticket, id), expected: Expected::NoStream, events }],
        idempotency: Some(IdempotencyRow {
            owner_id: OWNER,
            operation: OPERATION.into(),
            key: id.to_string(),
            request_hash: [1; 32],
            status: 200,
            body: id.as_bytes().to_vec(),
        }),
    }
}

/// Appends under a new id, and says so before and after.
pub async fn step(log: &Log) {
    let id: Uuid = new_id();
    println!("try {id}");
    match insist(log, id).await {
        Ok(_) => println!("ack {id}"),
        Err(error) => panic!("{error}"),
    }
}

/// Appends until the log is available.
pub async fn insist(log: &Log, id: Uuid) -> Result<Appended, AppendError> {
    loop {
        match log.append(append(id)).await {
            Err(AppendError::Unavailable(_) | AppendError::Overloaded { .. }) => tokio::task::yield_now().await,
            outcome => return outcome,
        }
    }
}
