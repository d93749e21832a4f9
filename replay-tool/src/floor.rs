//! The least that checking a log can cost: reading it, and hashing it. For measurements beside a verification.

use crate::{
    class::{Doing, Failure},
    copy::{Rows, stored_rows},
};
use events::{
    leaf::{NO_LEAF, leaf_hash},
    proof::Frontier,
    vocab::bytes::Hash32,
};
use futures::StreamExt as _;
use sqlx::PgPool;

/// Bytes of rows that are hashed at a time.
const PAGE_BYTES: usize = 1 << 20;

/// What was read and hashed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Floor {
    /// Number of events.
    pub events: u64,
    /// Root of the tree over the leaves that were computed, in hex.
    pub root: String,
}

/// Copies every event out of the database, and computes the tree from payloads, sealed parts and columns. Believes everything.
pub async fn floor(pool: &PgPool) -> Result<Floor, Failure> {
    let mut connection = pool.acquire().await.doing("connecting")?.detach();
    sqlx::raw_sql(include_str!("sql/begin_snapshot.sql")).execute(&mut connection).await.doing("opening a snapshot")?;
    let mut stream = connection.copy_out_raw(include_str!("sql/copy_events.sql")).await.doing("reading the events")?;
    let (mut rows, mut tree, mut entry, mut ended) = (Rows::default(), Frontier::default(), Vec::new(), false);
    while !ended {
        match stream.next().await {
            Some(chunk) => rows.push(&chunk.doing("reading the events")?),
            None => ended = true,
        }
        if rows.len() < PAGE_BYTES && !ended {
            continue;
        }
        for row in stored_rows(&rows.take()?) {
            let row = row?;
            entry.clear();
            row.write_entry(&mut entry, &Hash32::of(row.payload), &row.sealed.map_or(NO_LEAF, Hash32::of));
            tree.push(leaf_hash(&entry));
        }
    }
    Ok(Floor { events: tree.size(), root: tree.root().to_string() })
}
