//! `tail`: the log as it grows, each event checked when it comes: its row, its place in its stream, the tree, and every checkpoint that
//! is signed meanwhile.

use crate::{
    class::{Break, BreakClass, Doing, Failure},
    copy::{Rows, stored_rows},
    note::LogKeys,
    verify::{Chain, Checker, Page, ReceiptKeys, Tagger, leaves_before, published_keys, read_head},
};
use events::{
    clock::random_bytes,
    leaf::NO_LEAF,
    vocab::{
        bytes::Hash32,
        id::{EventId, OwnerId},
        stream::StreamId,
        time::Timestamp,
    },
};
use futures::StreamExt as _;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::Duration,
};
use uuid::Uuid;

/// Events that are looked at together.
const BATCH: u64 = 1_000;
/// Roots that are remembered, for checkpoints that are kept after the log has gone on.
const ROOTS: usize = 1 << 16;

/// What to follow.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// The log's verifier key (C2SP signed-note). Without it the log's own published keys are believed.
    pub vkey: Option<String>,
    /// Published receipt keys. Without them the database's own are believed.
    pub receipt_keys: Option<ReceiptKeys>,
    /// Position of the first event; the log's end when not given.
    pub from: Option<u64>,
    /// End when the log has been followed to this size.
    pub until: Option<u64>,
    /// How long to wait when nothing has come.
    pub interval: Duration,
}

/// What was followed. Names ids, never what a payload or a sealed part says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Followed {
    /// An event whose row, place and stream hold.
    Event {
        /// Its place in the log.
        position: u64,
        /// When the log accepted it.
        recorded_at: Timestamp,
        /// Its type.
        event_type: String,
        /// Its stream.
        stream: StreamId,
        /// Its place there.
        version: u64,
        /// Its id.
        event_id: EventId,
        /// The workspace.
        owner_id: Option<OwnerId>,
        /// Whether it concerns real money.
        livemode: bool,
        /// Its leaf.
        leaf: Hash32,
    },
    /// A checkpoint that signs the tree as it was at its size.
    Checkpoint {
        /// How many events it covers.
        size: u64,
        /// Their root.
        root: Hash32,
    },
}

impl fmt::Display for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Followed::Event { position, recorded_at, event_type, stream, version, .. } => {
                write!(f, "{position:>10}  {recorded_at:<27}  {event_type:<32}  {stream} version {version}")
            }
            Followed::Checkpoint { size, root } => write!(f, "            signed: the first {size} events have root {root}"),
        }
    }
}

/// Follows the log until `tell` says `false` or the log has the size that `options` end with; ends at the first break.
pub async fn tail(pool: &PgPool, options: &TailOptions, tell: &(dyn Fn(&Followed) -> bool + Send + Sync)) -> Result<(), Failure> {
    let mut connection = pool.acquire().await.doing("connecting")?.detach();
    let keys = match &options.vkey {
        Some(vkey) => LogKeys::given(vkey).map_err(Failure::Input)?,
        None => LogKeys::published(&mut connection).await?,
    };
    let receipt_keys = match &options.receipt_keys {
        Some(keys) => keys.clone(),
        None => published_keys(&mut connection).await?,
    };
    let tree = match options.from {
        Some(position) => leaves_before(&mut connection, position).await?,
        // Whether this frontier is the log's shows at the next checkpoint: no other leads to the root that it signs.
        None => read_head(&mut connection).await?.tree()?,
    };
    let mut following =
        Following { roots: VecDeque::from([tree.root()]), signed: tree.size().checked_sub(1), chain: Chain::new(tree), keys };
    let checker = Checker { keys: receipt_keys, from: 0, known: 0, tagger: Tagger::new(random_bytes()) };
    loop {
        let size = following.chain.tree.size();
        if options.until.is_some_and(|until| size >= until) {
            return Ok(());
        }
        let end = options.until.map_or(u64::MAX, |until| until - size).min(BATCH) + size;
        let page = copy(&mut connection, size, end).await?;
        let mut told = following.page(&mut connection, &checker, page).await?;
        told.extend(following.checkpoints(&mut connection).await?);
        if !told.iter().all(tell) {
            return Ok(());
        }
        if following.chain.tree.size() == size {
            tokio::time::sleep(options.interval).await;
        }
    }
}

struct Following {
    chain: Chain,
    /// The roots of the last sizes, the newest last.
    roots: VecDeque<Hash32>,
    /// The largest size whose checkpoint was looked at.
    signed: Option<u64>,
    keys: LogKeys,
}

impl Following {
    async fn page(&mut self, connection: &mut PgConnection, checker: &Checker, bytes: Vec<u8>) -> Result<Vec<Followed>, Failure> {
        let page = Page::Copied(bytes);
        let checked = checker.check(&page)?;
        let Page::Copied(bytes) = &page else { return Ok(Vec::new()) };
        let events = named(bytes)?;
        let before = leaves_of_streams(connection, &events).await?;
        let mut told = Vec::new();
        let mut here: HashMap<(StreamId, u64), Hash32> = HashMap::new();
        for (link, named) in checked.links.iter().zip(&events) {
            self.chain.link(link).map_err(|found| found.named(Some((named.event_id, named.stream)), None))?;
            let broken = |class, detail: &str| Break::of(class, named.position, named.event_id, named.stream, detail);
            let expected = match named.version.checked_sub(1) {
                None => Some(NO_LEAF),
                Some(version) => here.get(&(named.stream, version)).or_else(|| before.get(&(named.stream, version))).copied(),
            };
            let expected = expected.ok_or_else(|| broken(BreakClass::StreamVersionGap, "the stream has no version before this one"))?;
            if expected != named.prev_leaf {
                let detail = "the event binds another leaf than that of its stream's previous event";
                return Err(broken(BreakClass::StreamLeafMismatch, detail).into());
            }
            here.insert((named.stream, named.version), link.leaf);
            self.roots.push_back(self.chain.tree.root());
            if self.roots.len() > ROOTS {
                self.roots.pop_front();
            }
            told.push(named.followed(link.leaf));
        }
        match checked.broken {
            Some(broken) => Err(self.chain.in_place(broken.position).err().map_or(broken, |found| found.named(None, None)).into()),
            None => Ok(told),
        }
    }

    /// The checkpoints of sizes that were followed.
    async fn checkpoints(&mut self, connection: &mut PgConnection) -> Result<Vec<Followed>, Failure> {
        let size = self.chain.tree.size();
        let bound = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String)> = sqlx::query_as(include_str!("sql/notes_between.sql"))
            .bind(self.signed.map_or(0, |signed| bound(signed) + 1))
            .bind(bound(size))
            .fetch_all(connection)
            .await
            .doing("reading the signed checkpoints")?;
        let mut told = Vec::new();
        for (at, note) in rows {
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            let signed = self.keys.open(&note).map_err(|why| Break::at(BreakClass::CheckpointSignatureInvalid, at, why))?;
            self.signed = Some(at);
            let back = usize::try_from(size - at).unwrap_or(usize::MAX);
            let Some(root) = self.roots.len().checked_sub(back.saturating_add(1)).and_then(|index| self.roots.get(index)) else { continue };
            if signed.size != at {
                return Err(Break::at(BreakClass::CheckpointMismatch, at, "the stored size is not the note's").into());
            }
            if signed.root != *root {
                let detail = format!("the leaves have root {root}, signed was {}", signed.root);
                return Err(Break::at(BreakClass::RootMismatch, at, detail).into());
            }
            told.push(Followed::Checkpoint { size: at, root: *root });
        }
        Ok(told)
    }
}

/// What is told of an event, and what it binds.
struct Named {
    position: u64,
    recorded_at: Timestamp,
    event_type: String,
    stream: StreamId,
    version: u64,
    event_id: EventId,
    owner_id: Option<OwnerId>,
    livemode: bool,
    prev_leaf: Hash32,
}

impl Named {
    fn followed(&self, leaf: Hash32) -> Followed {
        let Named { position, recorded_at, stream, version, event_id, owner_id, livemode, .. } = *self;
        Followed::Event { position, recorded_at, event_type: self.event_type.clone(), stream, version, event_id, owner_id, livemode, leaf }
    }
}

/// The rows that make sense, up to the first that does not.
fn named(bytes: &[u8]) -> Result<Vec<Named>, Failure> {
    let mut named = Vec::new();
    for row in stored_rows(bytes) {
        let row = row?;
        let (Ok(bound), Ok(position)) = (row.entry(), u64::try_from(row.position)) else { break };
        named.push(Named {
            position,
            recorded_at: bound.recorded_at,
            event_type: bound.event_type.as_str().to_owned(),
            stream: bound.stream,
            version: bound.version,
            event_id: bound.event_id,
            owner_id: bound.owner_id,
            livemode: bound.livemode,
            prev_leaf: bound.prev_leaf,
        });
    }
    Ok(named)
}

/// The leaves that `events` bind, as far as they lie before the first of them.
async fn leaves_of_streams(connection: &mut PgConnection, events: &[Named]) -> Result<HashMap<(StreamId, u64), Hash32>, Failure> {
    let Some(first) = events.first() else { return Ok(HashMap::new()) };
    let later: Vec<&Named> = events.iter().filter(|event| event.version > 0).collect();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(include_str!("sql/leaves_of_streams.sql"))
        .bind(later.iter().map(|event| event.stream.id).collect::<Vec<Uuid>>())
        .bind(later.iter().map(|event| event.stream.category.as_str()).collect::<Vec<_>>())
        .bind(later.iter().map(|event| number(event.version - 1)).collect::<Vec<_>>())
        .bind(number(first.position))
        .fetch_all(connection)
        .await
        .doing("reading what streams were")?;
    let mut leaves = HashMap::new();
    for (ordinal, leaf) in rows {
        let event = usize::try_from(ordinal - 1).ok().and_then(|index| later.get(index));
        if let (Some(event), Ok(leaf)) = (event, Hash32::try_from(leaf.as_slice())) {
            leaves.insert((event.stream, event.version - 1), leaf);
        }
    }
    Ok(leaves)
}

async fn copy(connection: &mut PgConnection, from: u64, to: u64) -> Result<Vec<u8>, Failure> {
    sqlx::query(include_str!("sql/set_range.sql"))
        .bind(from.to_string())
        .bind(to.min(i64::MAX as u64).to_string())
        .execute(&mut *connection)
        .await
        .doing("naming the events")?;
    let mut rows = Rows::default();
    let mut stream = connection.copy_out_raw(include_str!("sql/copy_events_between.sql")).await.doing("reading the events")?;
    while let Some(chunk) = stream.next().await {
        rows.push(&chunk.doing("reading the events")?);
    }
    rows.take()
}
