//! `verify`: the whole log, in one pass, held against everything it promises.
//!
//! Rows stream out of one read-only snapshot by binary COPY. Pages of them are checked on every core for what a row shows by
//! itself; then, in order, each event is folded into the tree, its stream, the claims and the lifecycle. Memory grows with streams,
//! claims and event ids (tens of bytes each), never with payloads.

mod claims;
mod heads;
mod lifecycle;
mod receipts;
mod row;
mod streams;

pub use receipts::ReceiptKeys;

use crate::{
    class::{Break, BreakClass, Doing, Failure},
    copy::Rows,
    progress::Progress,
    published,
};
use claims::Claims;
use events::{
    proof::{Frontier, WitnessKey},
    vault::KeyPurpose,
    vocab::event::Event,
};
use futures::StreamExt as _;
use heads::{Head, TreeHeads};
use lifecycle::Lifecycle;
use row::{CheckedPage, Entry, check_page};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use std::{collections::VecDeque, sync::Arc, time::Instant};
use streams::Streams;
use tokio::task::JoinHandle;

/// Bytes of rows that one thread checks at a time.
const PAGE_BYTES: usize = 1 << 20;

/// What to hold the log against.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// The log's verifier key (C2SP signed-note). Without it the log's own published keys are believed.
    pub vkey: Option<String>,
    /// Published receipt keys. Without them the database's own are believed.
    pub receipt_keys: Option<ReceiptKeys>,
    /// Checkpoints that the auditor has kept elsewhere: the log must extend each of them.
    pub checkpoints: Vec<String>,
    /// Keys of witnesses whose kept signatures are checked.
    pub witnesses: Vec<WitnessKey>,
    /// Rows before this position are taken to be what their leaves say; their place in tree, streams and lifecycle is still checked.
    pub from: u64,
}

/// What held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VerifyReport {
    /// Number of events.
    pub events: u64,
    /// Root of the tree over all of them, in hex.
    pub root: String,
    /// Number of streams.
    pub streams: u64,
    /// Number of claims.
    pub claims: u64,
    /// Number of receipts whose hash and signature hold.
    pub receipts: u64,
    /// Number of signed checkpoints.
    pub checkpoints: u64,
    /// Number of events that the newest of them covers.
    pub signed_size: u64,
    /// Where the log's key came from: `given` or `database`.
    pub log_key: &'static str,
    /// Where the receipts' keys came from: `given` or `database`.
    pub receipt_keys: &'static str,
    /// How long it took.
    pub milliseconds: u64,
}

/// Checks the log in `pool`'s database and says what held, or where it first breaks. Breaks are found in the order of positions;
/// what concerns the log as a whole (its end, its claims) comes last.
pub async fn verify(pool: &PgPool, options: &VerifyOptions, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<VerifyReport, Failure> {
    let started = Instant::now();
    // A connection of its own: a run that ends early leaves a COPY under way, which only closing ends.
    let mut connection = pool.acquire().await.doing("connecting")?.detach();
    sqlx::raw_sql(include_str!("../sql/begin_snapshot.sql")).execute(&mut connection).await.doing("opening a snapshot")?;
    let head = heads::read_head(&mut connection).await?;
    let tree_heads = TreeHeads::read(&mut connection, options).await?;
    let (keys, receipt_keys) = match &options.receipt_keys {
        Some(keys) => (keys.clone(), "given"),
        None => (published_keys(&mut connection).await?, "database"),
    };
    let mut fold = Fold::new(tree_heads);
    fold.tree_heads.hold(&fold.tree)?;
    read_events(&mut connection, Arc::new(keys), options.from, &mut fold, &|done| progress(Progress { done, total: head.size })).await?;
    fold.end(&head)?;
    fold.hold_claims(&mut connection).await?;
    published::hold(pool, fold.tree.size(), &fold.tree.root(), &options.witnesses).await?;
    Ok(fold.report(receipt_keys, started))
}

async fn published_keys(connection: &mut PgConnection) -> Result<ReceiptKeys, Failure> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(include_str!("../sql/public_keys.sql"))
        .bind(KeyPurpose::Receipt.as_str())
        .fetch_all(connection)
        .await
        .doing("reading the published receipt keys (give them with --jwks if this role may not)")?;
    let mut keys = ReceiptKeys::default();
    for (kid, public) in rows {
        if !public.try_into().is_ok_and(|public: [u8; 32]| keys.insert(kid, &public)) {
            return Err(Failure::Unreadable("a published receipt key is not an Ed25519 public key"));
        }
    }
    Ok(keys)
}

/// Streams every event through `check_page` on other threads, and into `fold` in order.
async fn read_events(
    connection: &mut PgConnection,
    keys: Arc<ReceiptKeys>,
    from: u64,
    fold: &mut Fold,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), Failure> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let mut under_way: VecDeque<JoinHandle<Result<CheckedPage, Failure>>> = VecDeque::new();
    let mut rows = Rows::default();
    let mut stream = connection.copy_out_raw(include_str!("../sql/copy_events.sql")).await.doing("reading the events")?;
    let mut ended = false;
    while !ended {
        match stream.next().await {
            Some(chunk) => rows.push(&chunk.doing("reading the events")?),
            None => ended = true,
        }
        if rows.len() < PAGE_BYTES && !ended {
            continue;
        }
        let (page, keys) = (rows.take()?, keys.clone());
        under_way.push_back(tokio::task::spawn_blocking(move || check_page(&page, from, &keys)));
        while under_way.len() > threads || (ended && !under_way.is_empty()) {
            if let Some(page) = under_way.pop_front() {
                fold.page(page.await??)?;
                progress(fold.tree.size());
            }
        }
    }
    Ok(())
}

/// Everything remembered of the events so far.
struct Fold {
    tree: Frontier,
    tree_heads: TreeHeads,
    streams: Streams,
    claims: Claims,
    claims_held: u64,
    lifecycle: Lifecycle,
    receipts: u64,
    recorded_at: i64,
}

impl Fold {
    fn new(tree_heads: TreeHeads) -> Self {
        Fold {
            tree: Frontier::default(),
            tree_heads,
            streams: Streams::default(),
            claims: Claims::default(),
            claims_held: 0,
            lifecycle: Lifecycle::default(),
            receipts: 0,
            recorded_at: 0,
        }
    }

    fn page(&mut self, page: CheckedPage) -> Result<(), Failure> {
        for entry in &page.entries {
            self.entry(entry)?;
        }
        match page.broken {
            Some(broken) => {
                self.in_place(broken.position)?;
                Err(broken.into())
            }
            None => Ok(()),
        }
    }

    /// In this order: its place in the log, its place in its stream, time, id and causes, claims, the tree.
    fn entry(&mut self, entry: &Entry) -> Result<(), Break> {
        self.in_place(entry.position)?;
        self.streams.fold(entry)?;
        if entry.recorded_at < self.recorded_at {
            return Err(entry.broken(BreakClass::TimeReversed, "recorded_at is less than at the position before"));
        }
        self.recorded_at = entry.recorded_at;
        self.lifecycle.fold(entry)?;
        self.claims.fold(entry)?;
        self.receipts += u64::from(matches!(entry.event, Event::ReceiptCreated(_)));
        self.tree.push(entry.leaf);
        self.tree_heads.hold(&self.tree)
    }

    fn in_place(&self, position: u64) -> Result<(), Break> {
        let expected = self.tree.size();
        match position == expected {
            true => Ok(()),
            false => {
                let found = if position == u64::MAX { "a negative one".to_owned() } else { position.to_string() };
                Err(Break::at(BreakClass::PositionGap, expected, format!("the position after it in order is {found}")))
            }
        }
    }

    /// What shows only at the end of the log.
    fn end(&mut self, head: &Head) -> Result<(), Break> {
        let events = self.tree.size();
        let promised = head.size.max(self.tree_heads.largest());
        self.tree_heads.hold_beyond()?;
        if events < promised {
            let detail = format!("{promised} events were promised, {events} are there");
            return Err(Break::at(BreakClass::LogTruncated, events, detail));
        }
        head.hold(&self.tree, self.recorded_at)
    }

    async fn hold_claims(&mut self, connection: &mut PgConnection) -> Result<(), Failure> {
        self.claims_held = self.claims.len() as u64;
        let mut rows = sqlx::query_as::<_, (String, String, String, uuid::Uuid, i64)>(include_str!("../sql/claims.sql")).fetch(connection);
        while let Some(row) = rows.next().await {
            let (scope, key, category, stream_id, position) = row.doing("reading the claims")?;
            self.claims.settle(&scope, &key, &category, stream_id, position)?;
        }
        match self.claims.left() {
            Some(broken) => Err(broken.into()),
            None => Ok(()),
        }
    }

    fn report(&self, receipt_keys: &'static str, started: Instant) -> VerifyReport {
        VerifyReport {
            events: self.tree.size(),
            root: self.tree.root().to_string(),
            streams: self.streams.len() as u64,
            claims: self.claims_held,
            receipts: self.receipts,
            checkpoints: self.tree_heads.count(),
            signed_size: self.tree_heads.largest(),
            log_key: self.tree_heads.key_source(),
            receipt_keys,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}
