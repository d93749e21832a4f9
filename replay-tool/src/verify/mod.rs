//! `verify`: a log, or a bundle of it, in one pass, held against everything it promises.
//!
//! Rows come from one read-only snapshot by binary COPY, or from a bundle. Pages of them are checked on every core for what a row
//! shows by itself. In order, leaves go into the tree, which the signed checkpoints are held against. What only other rows can confirm
//! is laid aside as facts of one size ([`facts`]), by key ([`store`]), and joined at the end ([`joins`]). Memory does not grow with the
//! log.

mod balance;
mod canonical;
mod claims;
mod facts;
mod fold;
mod heads;
mod joins;
mod lifecycle;
mod receipts;
mod resume;
mod row;
mod source;
mod store;

pub(crate) use facts::Tagger;
pub(crate) use fold::Chain;
pub(crate) use heads::{leaves_before, read_head};
pub use receipts::ReceiptKeys;
pub use resume::Resume;
pub(crate) use row::{Checker, Page, stored as stored_row};

use crate::{
    bundle::Bundle,
    class::{Break, Doing, Failure},
    note::{LogKeys, public_keys},
    progress::Progress,
    published,
};
use balance::Books;
use events::{
    clock::random_bytes,
    proof::{Frontier, WitnessKey},
    vault::KeyPurpose,
    vocab::{bytes::Hash32, event::AttestedBalance, stream::Recorded},
};
use fold::Fold;
use futures::StreamExt as _;
use heads::TreeHeads;
use joins::{Found, Joined, Joining, Phase};
use resume::State;
use row::CheckedPage;
use serde::Serialize;
use source::{Copied, Source};
use sqlx::{PgConnection, PgPool};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use store::Store;
use tokio::task::JoinHandle;

/// What to hold the log against.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// The log's verifier key (C2SP signed-note). Without it the log's own published keys are believed; a bundle needs it.
    pub vkey: Option<String>,
    /// Published receipt keys. Without them the database's or the bundle's own are believed.
    pub receipt_keys: Option<ReceiptKeys>,
    /// Checkpoints that the auditor has kept elsewhere: the log must extend each of them.
    pub checkpoints: Vec<String>,
    /// Keys of witnesses whose kept signatures are checked.
    pub witnesses: Vec<WitnessKey>,
    /// Rows before this position are taken to be what their leaves say; their place in tree, streams and lifecycle is still checked.
    pub from: u64,
    /// The folder for what does not fit into memory; the system's own for such things when not given.
    pub scratch: Option<PathBuf>,
    /// Keep the state of the run, so that it goes on after it was killed. Not for bundles.
    pub resume: Option<Resume>,
}

/// What held.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct VerifyReport {
    /// Position of the first event.
    pub from: u64,
    /// Number of events.
    pub events: u64,
    /// Root of the tree over all of them and those before, in hex.
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
    /// What payments moved, by asset, mode and account; debits are credits. It is what every attested one says it was at its
    /// position. `None` for a log that begins later: what it rests on is not there.
    pub trial_balance: Option<Vec<AttestedBalance>>,
    /// How many times the log attests it.
    pub attested_balances: u64,
    /// How often an event rests on one before the first: those need the bundles before. Zero for a log from its first event.
    pub before: u64,
    /// Where the log's key came from: `given` or `database`.
    pub log_key: &'static str,
    /// Where the receipts' keys came from: `given`, `database` or `bundle`.
    pub receipt_keys: &'static str,
    /// Rows that an earlier run had checked, and that are the same now. 0 when the run began anew.
    pub resumed_at: u64,
    /// Bytes of facts that did not fit into memory.
    pub spilled_bytes: u64,
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
    let log_keys = match &options.vkey {
        Some(vkey) => LogKeys::given(vkey).map_err(Failure::Input)?,
        None => LogKeys::published(&mut connection).await?,
    };
    let stored = heads::stored(&mut connection, &log_keys).await?;
    let (keys, receipt_keys) = match &options.receipt_keys {
        Some(keys) => (keys.clone(), "given"),
        None => (published_keys(&mut connection).await?, "database"),
    };
    let tree_heads = TreeHeads::new(&log_keys, stored, options)?;
    let mut run = Run::new(options, keys, Frontier::default(), tree_heads, head.size)?;
    let rows = connection.copy_out_raw(include_str!("../sql/copy_events.sql")).await.doing("reading the events")?;
    run.read(&mut Source::Copied(Copied::new(rows)), &|done| progress(Progress { done, total: head.size })).await?;
    run.end(|fold| fold.end(&head));
    if run.stop.is_none() {
        run.claims_table(&mut connection).await?;
    }
    let over = run.join(true).await?;
    if let Some(resume) = &options.resume {
        State::forget(&resume.folder)?;
    }
    match over.found {
        Some(found) => Err(at_row(pool, found).await?.into()),
        None => {
            published::hold(pool, over.tree.size(), &over.tree.root(), &options.witnesses).await?;
            Ok(over.report(receipt_keys, started))
        }
    }
}

/// Checks the bundle in `folder` with the log's verifier key alone: no database, no network.
pub async fn verify_bundle(
    folder: &Path,
    options: &VerifyOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<VerifyReport, Failure> {
    let started = Instant::now();
    let vkey = options.vkey.as_ref().ok_or_else(|| Failure::Input("a bundle is checked with the log's verifier key: --vkey".to_owned()))?;
    let log_keys = LogKeys::given(vkey).map_err(Failure::Input)?;
    let mut bundle = Bundle::open(folder)?;
    let (from, size, root) = bundle.signed_by(vkey)?;
    let stored = bundle.checkpoints()?.iter().map(|note| heads::noted(&log_keys, note)).collect();
    let (keys, receipt_keys) = match &options.receipt_keys {
        Some(keys) => (keys.clone(), "given"),
        None => (bundle.receipt_keys()?, "bundle"),
    };
    let frontier = bundle.frontier()?;
    let tree_heads = TreeHeads::new(&log_keys, stored, options)?;
    if let Some(before) = tree_heads.smallest_given().filter(|given| *given < from) {
        return Err(Failure::Input(format!("the bundle begins at position {from}: a checkpoint of size {before} says nothing of it")));
    }
    let mut run = Run::new(options, keys, frontier, tree_heads, size - from)?;
    run.read(&mut Source::Bundled(&mut bundle), &|done| progress(Progress { done: done - from, total: size - from })).await?;
    run.end(|fold| fold.end_of_bundle(size, &root));
    let over = run.join(false).await?;
    match over.found {
        Some(found) => Err(at_record(&bundle, found)?.into()),
        None => Ok(over.report(receipt_keys, started)),
    }
}

pub(crate) async fn published_keys(connection: &mut PgConnection) -> Result<ReceiptKeys, Failure> {
    let mut keys = ReceiptKeys::default();
    for (kid, public) in public_keys(connection, KeyPurpose::Receipt).await? {
        if !keys.insert(kid, &public) {
            return Err(Failure::Unreadable("a published receipt key is not an Ed25519 public key"));
        }
    }
    Ok(keys)
}

/// A verification under way.
struct Run {
    checker: Arc<Checker>,
    fold: Fold,
    /// Why it goes no further.
    stop: Option<Found>,
    from: u64,
    resume: Option<Resume>,
    /// What the log is held against.
    identity: Hash32,
}

/// A verification that is over.
struct Over {
    tree: Frontier,
    tree_heads: TreeHeads,
    receipts: u64,
    trial_balance: Option<Vec<AttestedBalance>>,
    attested_balances: u64,
    joined: Joined,
    from: u64,
    known: u64,
    found: Option<Found>,
}

impl Run {
    fn new(options: &VerifyOptions, keys: ReceiptKeys, tree: Frontier, tree_heads: TreeHeads, events: u64) -> Result<Self, Failure> {
        let from = tree.size();
        let identity = resume::identity(options.vkey.as_deref(), &keys, options.from);
        let before = match &options.resume {
            Some(resume) => State::find(&resume.folder, identity)?,
            None => None,
        };
        let (tagger, known, receipts, books) = match &before {
            Some(state) => (state.tagger(), state.tree()?, state.receipts(), state.books()),
            None => (Tagger::new(random_bytes()), Frontier::default(), 0, Books::default()),
        };
        let (facts, late) = stores(options, before, events).map_err(|source| Failure::File { doing: "opening files for facts", source })?;
        let checker = Arc::new(Checker { keys, from: options.from, known: known.size(), tagger });
        let mut fold = Fold { chain: Chain::new(tree), tree_heads, receipts, books, known, facts, late };
        let stop = fold.tree_heads.hold(&fold.chain.tree).err().map(|broken| Found::whole(Phase::Event, 0, broken));
        Ok(Run { checker, fold, stop, from, resume: options.resume.clone(), identity })
    }

    /// Keeps how far it has come, now and then.
    fn keep(&mut self, kept: &mut u64) -> Result<(), Failure> {
        let Some(Resume { folder, every }) = &self.resume else { return Ok(()) };
        let size = self.fold.chain.tree.size();
        if size >= (*kept).max(self.fold.known.size()).saturating_add(*every) {
            *kept = size;
            State::keep(folder, &mut self.fold, &self.checker.tagger, self.identity)?;
        }
        Ok(())
    }

    /// Reads `source` to its end, or to the first thing that is wrong.
    async fn read(&mut self, source: &mut Source<'_>, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut under_way: VecDeque<JoinHandle<Result<CheckedPage, Failure>>> = VecDeque::new();
        let (mut at_end, mut kept) = (self.stop.is_some(), 0);
        let mut wrong = None;
        while !at_end || !under_way.is_empty() {
            if !at_end {
                match source.next().await {
                    Ok(Some(page)) => {
                        let checker = self.checker.clone();
                        under_way.push_back(tokio::task::spawn_blocking(move || checker.check(&page)));
                    }
                    Ok(None) => at_end = true,
                    // What was read before it may be wrong, too, and comes first.
                    Err(Failure::Broken(broken)) => (at_end, wrong) = (true, Some(*broken)),
                    Err(failure) => return Err(failure),
                }
            }
            while under_way.len() > threads || (at_end && !under_way.is_empty()) {
                let Some(page) = under_way.pop_front() else { break };
                self.stop = self.fold.page(page.await??)?;
                progress(self.fold.chain.tree.size());
                if self.stop.is_some() {
                    return Ok(());
                }
                self.keep(&mut kept)?;
            }
        }
        if self.stop.is_none() {
            self.stop = wrong.map(|broken| Found::whole(Phase::Event, 4, broken));
        }
        Ok(())
    }

    /// What shows only at the end.
    fn end(&mut self, check: impl FnOnce(&Fold) -> Result<(), Break>) {
        if self.stop.is_none() {
            self.stop = check(&self.fold).err().map(|broken| Found::whole(Phase::End, 0, broken));
        }
    }

    async fn claims_table(&mut self, connection: &mut PgConnection) -> Result<(), Failure> {
        let mut rows = sqlx::query_as::<_, (String, String, String, uuid::Uuid, i64)>(include_str!("../sql/claims.sql")).fetch(connection);
        while let Some(row) = rows.next().await {
            let (scope, key, category, stream_id, position) = row.doing("reading the claims")?;
            let fact = claims::row(&self.checker.tagger, &scope, &key, &category, stream_id, position);
            self.fold.lay_aside(&fact.to_bytes())?;
        }
        Ok(())
    }

    /// Joins what was laid aside. `live` says that the claims table is held against it, if the run came to the log's end.
    async fn join(self, live: bool) -> Result<Over, Failure> {
        let Run { checker, fold, stop, from, .. } = self;
        let Fold { chain, tree_heads, receipts, books, known, facts, late } = fold;
        let joining = Joining::new(&checker.tagger, from == 0, live && stop.is_none(), books.cuts());
        let task = tokio::task::spawn_blocking(move || joins::run(facts, late, joining));
        let joined = task.await?.map_err(|source| Failure::File { doing: "reading facts back", source })?;
        let mut found = joined.found.clone();
        if let Some(stop) = stop {
            joins::earlier(&mut found, stop);
        }
        let mut trial_balance = None;
        // Sums of a log that broke off, or that begins later, are not whole.
        if from == 0 && found.is_none() {
            match books.hold(&joined.sums) {
                Ok(lines) => trial_balance = Some(lines),
                Err(wrong) => found = Some(wrong),
            }
        }
        let attested_balances = books.attested();
        Ok(Over { tree: chain.tree, tree_heads, receipts, trial_balance, attested_balances, joined, from, known: known.size(), found })
    }
}

impl Over {
    fn report(self, receipt_keys: &'static str, started: Instant) -> VerifyReport {
        let Over { tree, tree_heads, receipts, trial_balance, attested_balances, joined, from, known, .. } = self;
        VerifyReport {
            from,
            events: tree.size() - from,
            root: tree.root().to_string(),
            streams: joined.streams,
            claims: joined.claims,
            receipts,
            checkpoints: tree_heads.count(),
            signed_size: tree_heads.largest(),
            trial_balance,
            attested_balances,
            before: joined.before,
            log_key: tree_heads.key_source(),
            receipt_keys,
            resumed_at: known,
            spilled_bytes: joined.spilled,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Where facts are laid aside: where an earlier run has kept them, in a folder where this one will, or in files without a name.
fn stores(options: &VerifyOptions, before: Option<State>, events: u64) -> std::io::Result<(Store, Store)> {
    let Some(Resume { folder, .. }) = &options.resume else {
        let folder = options.scratch.clone().unwrap_or_else(std::env::temp_dir);
        return Ok((Store::new(events, &folder), Store::new(events, &folder)));
    };
    let (facts, late) = (resume::facts_path(folder), resume::late_path(folder));
    match before.map(State::laid) {
        Some((laid_facts, laid_late)) => Ok((Store::kept(laid_facts, &facts)?, Store::kept(laid_late, &late)?)),
        None => Ok((Store::at(events, &facts)?, Store::at(events, &late)?)),
    }
}

/// Tells what was found, with what the database says of the event at fault.
async fn at_row(pool: &PgPool, found: Found) -> Result<Break, Failure> {
    let row: Option<Recorded> = match i64::try_from(found.position) {
        Ok(position) if found.needs_row() => sqlx::query_as(include_str!("../sql/event_by_position.sql"))
            .bind(position)
            .fetch_optional(pool)
            .await
            .doing("reading the event at fault")?,
        _ => None,
    };
    let event = row.as_ref().and_then(|row| row.decode().ok());
    Ok(found.named(row.map(|row| (row.envelope.event_id, row.envelope.stream)), event.as_ref()))
}

/// The same with what a bundle says of it.
fn at_record(bundle: &Bundle, found: Found) -> Result<Break, Failure> {
    let at_fault = if found.needs_row() { bundle.event_at(found.position)? } else { None };
    let (names, event) = at_fault.map_or((None, None), |(id, stream, event)| (Some((id, stream)), event));
    Ok(found.named(names, event.as_ref()))
}
