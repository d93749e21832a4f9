//! The bare group commit: requests queue to one writer, which takes what is waiting and writes it with one statement into a table
//! with the events' columns and indexes. No expected versions, no claims, no leaves, no idempotency, no sealing.

use super::{append::insert_bare, scratch::BenchError};
use events::{clock::new_id, vocab::stream::Recorded};
use sqlx::{Connection as _, PgConnection};
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Most requests of one statement, as many as the log takes.
const BATCH: usize = 1_000;

struct Request {
    rows: Vec<Recorded>,
    written: oneshot::Sender<()>,
}

/// A handle to the writer, which ends with the last one.
#[derive(Clone)]
pub struct Bare {
    requests: mpsc::Sender<Request>,
}

impl Bare {
    /// Makes the table anew in the database at `url` and starts the writer.
    pub async fn open(url: &str) -> Result<Self, BenchError> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(include_str!("sql/drop_floor.sql")).execute(&mut connection).await?;
        sqlx::raw_sql(include_str!("sql/make_floor.sql")).execute(&mut connection).await?;
        let (requests, waiting) = mpsc::channel(8 * BATCH);
        tokio::spawn(write(connection, waiting));
        Ok(Bare { requests })
    }

    /// Appends `rows`, whose positions are given by the writer; returns when they are committed.
    pub async fn append(&self, rows: Vec<Recorded>) -> Result<(), BenchError> {
        let (written, answer) = oneshot::channel();
        let gone = || BenchError::Client("the bare writer has ended".to_owned());
        self.requests.send(Request { rows, written }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

async fn write(mut connection: PgConnection, mut waiting: mpsc::Receiver<Request>) {
    let mut position = 0;
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        let mut rows: Vec<Recorded> = batch.iter_mut().flat_map(|request| std::mem::take(&mut request.rows)).collect();
        for row in &mut rows {
            row.position = position;
            position += 1;
        }
        // Whoever waits hears of a failure by the end of his channel.
        if insert_bare(&mut connection, &rows).await.is_err() {
            return;
        }
        for request in batch {
            let _ = request.written.send(());
        }
    }
}

/// The same rows as events of other streams: other ids, the same bytes.
pub fn anew(rows: &[Recorded], streams: &mut HashMap<Uuid, Uuid>) -> Vec<Recorded> {
    let renamed = rows.iter().map(|row| {
        let mut row = row.clone();
        row.envelope.event_id = new_id();
        row.envelope.stream.id = *streams.entry(row.envelope.stream.id).or_insert_with(new_id);
        row
    });
    renamed.collect()
}
