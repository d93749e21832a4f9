//! `export`: a part of the log as a bundle. The same part gives the same bytes, whoever exports it and however often it was interrupted.

mod state;

use super::{
    failed, keys,
    manifest::{self, CHECKPOINTS, FORMAT, FileDigest, JWKS, MANIFEST, Manifest},
    record::Record,
};
use crate::{
    class::{Break, BreakClass, Doing, Failure},
    copy::{Rows, stored_rows},
    note::{LogKeys, public_keys},
    progress::Progress,
    verify::{leaves_before, stored_row},
};
use events::{
    codec,
    proof::NoteKey,
    vault::KeyPurpose,
    vocab::{
        bytes::Hash32,
        event::{Event, EventType},
    },
};
use futures::StreamExt as _;
use serde::Serialize;
use sqlx::{PgConnection, PgPool};
use state::State;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

/// Bytes of rows that are taken at a time.
const PAGE_BYTES: usize = 1 << 20;

/// What to export, and where to.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The folder: new, empty, or of the same export that was interrupted.
    pub folder: PathBuf,
    /// The log's verifier key (C2SP signed-note), which must have signed the checkpoints.
    pub vkey: String,
    /// Position of the first event.
    pub from: u64,
    /// The size of a kept signed checkpoint with which the bundle ends; the newest when not given.
    pub to: Option<u64>,
    /// Whether sealed bytes are exported, encrypted as they are.
    pub sealed: bool,
    /// Events of one segment; see [`SEGMENT_EVENTS`].
    pub segment_events: u64,
}

/// What was exported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ExportReport {
    /// The folder.
    pub folder: PathBuf,
    /// Position of the first event.
    pub from: u64,
    /// Size of the log that ends with the last event.
    pub size: u64,
    /// Its root, in hex.
    pub root: String,
    /// Number of events.
    pub events: u64,
    /// Number of signed checkpoints.
    pub checkpoints: u64,
    /// Number of segments.
    pub segments: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Segments that an interrupted run had left.
    pub resumed_segments: u64,
    /// SHA-256 of the manifest, which names the digests of all other files.
    pub manifest_sha256: String,
}

/// Exports the part of the log that `options` name. A row that does not hash to its leaf, or a tree that is not the signed one, ends it.
pub async fn export(pool: &PgPool, options: &ExportOptions, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<ExportReport, Failure> {
    let key = LogKeys::given(&options.vkey).map_err(Failure::Input)?;
    let vkey: NoteKey = options.vkey.parse().map_err(|_| Failure::Input("the verifier key is not one".to_owned()))?;
    let mut connection = pool.acquire().await.doing("connecting")?.detach();
    let mut state = match State::find(options, &vkey)? {
        Some(state) => state,
        None => begin(&mut connection, options, &vkey).await?,
    };
    let resumed_segments = state.segments.len() as u64;
    let (mut export, from, size) = (Export { connection, folder: &options.folder, sealed: options.sealed }, state.from, state.size);
    for (first, end) in manifest::segments(from..size, options.segment_events).skip(state.segments.len()) {
        export.segment(&mut state, first, end, &|done| progress(Progress { done: done - from, total: size - from })).await?;
        state.keep(&options.folder)?;
    }
    let (manifest, checkpoints) = export.finish(&state, &key).await?;
    let bytes = manifest.to_bytes().map_err(|_| Failure::Unreadable("the manifest cannot be written"))?;
    write(&options.folder, MANIFEST, &bytes)?;
    State::forget(&options.folder)?;
    Ok(ExportReport {
        folder: options.folder.clone(),
        from,
        size,
        root: manifest.root.to_string(),
        events: size - from,
        checkpoints,
        segments: state.segments.len() as u64,
        bytes: bytes.len() as u64 + manifest.files.iter().map(|file| file.bytes).sum::<u64>(),
        resumed_segments,
        manifest_sha256: Hash32::of(&bytes).to_string(),
    })
}

/// What an export of these options begins with.
async fn begin(connection: &mut PgConnection, options: &ExportOptions, vkey: &NoteKey) -> Result<State, Failure> {
    let sizes: Vec<(i64,)> = sqlx::query_as(include_str!("../sql/tree_head_sizes.sql"))
        .fetch_all(&mut *connection)
        .await
        .doing("reading the signed checkpoints")?;
    let sizes: Vec<u64> = sizes.into_iter().filter_map(|(size,)| u64::try_from(size).ok()).collect();
    let newest = sizes.last().copied().ok_or_else(|| Failure::Input("no checkpoint of this log is signed yet".to_owned()))?;
    let size = options.to.unwrap_or(newest);
    if !sizes.contains(&size) {
        let below = sizes.iter().rev().find(|signed| **signed < size).copied().unwrap_or(newest);
        return Err(Failure::Input(format!("no checkpoint of size {size} is signed; the next below is {below}")));
    }
    if options.segment_events == 0 {
        return Err(Failure::Input("a segment holds one event at least".to_owned()));
    }
    if options.from >= size {
        return Err(Failure::Input(format!("the export ends at {size} and begins at {}", options.from)));
    }
    let frontier = leaves_before(connection, options.from).await?;
    fs::create_dir_all(options.folder.join("events")).map_err(failed("making the folder"))?;
    let mut state = State::begin(options, vkey, size, &frontier);
    state.keep(&options.folder)?;
    Ok(state)
}

struct Export<'a> {
    connection: PgConnection,
    folder: &'a Path,
    sealed: bool,
}

impl Export<'_> {
    /// Writes the events `first..end`; the file has its name once it is whole.
    async fn segment(&mut self, state: &mut State, first: u64, end: u64, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<(), Failure> {
        let name = manifest::segment_name(first);
        let mut writer = Writer::new(self.folder, &name)?;
        let mut segment = SegmentRows { state, writer: &mut writer, position: first, sealed: self.sealed, scratch: Vec::new() };
        sqlx::query(include_str!("../sql/set_range.sql"))
            .bind(first.to_string())
            .bind(end.to_string())
            .execute(&mut self.connection)
            .await
            .doing("naming the events")?;
        let mut rows = Rows::default();
        let mut stream = self.connection.copy_out_raw(include_str!("../sql/copy_events_between.sql")).await.doing("reading the events")?;
        let mut ended = false;
        while !ended {
            match stream.next().await {
                Some(chunk) => rows.push(&chunk.doing("reading the events")?),
                None => ended = true,
            }
            if rows.len() >= PAGE_BYTES || ended {
                segment.page(&rows.take()?)?;
                progress(segment.position);
            }
        }
        let reached = segment.position;
        if reached != end {
            let detail = format!("the signed log has {end} events, the database ends before");
            return Err(Break::at(BreakClass::LogTruncated, reached, detail).into());
        }
        state.segments.push(writer.finish()?);
        Ok(())
    }

    /// Writes what surrounds the segments, if the tree is the signed one.
    async fn finish(&mut self, state: &State, key: &LogKeys) -> Result<(Manifest, u64), Failure> {
        let (notes, root) = self.checkpoints(state, key).await?;
        let mut packed = Vec::new();
        for note in &notes {
            packed.extend_from_slice(&u32::try_from(note.len()).unwrap_or(u32::MAX).to_be_bytes());
            packed.extend_from_slice(note.as_bytes());
        }
        let frontier = state.tree()?;
        if frontier.root() != root {
            let detail = format!("the leaves have root {}, signed was {root}", frontier.root());
            return Err(Break::at(BreakClass::RootMismatch, state.size, detail).into());
        }
        let keys = self.keys(state).await?;
        let mut files = vec![write(self.folder, CHECKPOINTS, &packed)?];
        files.extend(state.segments.iter().cloned());
        files.push(write(self.folder, JWKS, &keys)?);
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            vkey: state.vkey.clone(),
            from: state.from,
            size: state.size,
            root,
            frontier: state.before.clone(),
            segment_events: state.segment_events,
            sealed: state.sealed,
            files,
        };
        Ok((manifest, notes.len() as u64))
    }

    /// The kept notes from `from` to `size`, by size, and the root that the last one signs.
    async fn checkpoints(&mut self, state: &State, key: &LogKeys) -> Result<(Vec<String>, Hash32), Failure> {
        let bound = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
        let rows: Vec<(i64, String)> = sqlx::query_as(include_str!("../sql/notes_between.sql"))
            .bind(bound(state.from))
            .bind(bound(state.size))
            .fetch_all(&mut self.connection)
            .await
            .doing("reading the signed checkpoints")?;
        let mut root = None;
        for (size, note) in &rows {
            let at = u64::try_from(*size).unwrap_or(u64::MAX);
            let signed = key.open(note).map_err(|why| Break::at(BreakClass::CheckpointSignatureInvalid, at, why))?;
            root = (signed.size == state.size).then_some(signed.root);
        }
        let gone = || Break::at(BreakClass::LogTruncated, state.size, "the checkpoint with which the export ends is gone");
        Ok((rows.into_iter().map(|(_, note)| note).collect(), root.ok_or_else(gone)?))
    }

    /// The published keys that the exported receipts name.
    async fn keys(&mut self, state: &State) -> Result<Vec<u8>, Failure> {
        let published = public_keys(&mut self.connection, KeyPurpose::Receipt).await?;
        let keys: BTreeMap<String, [u8; 32]> = published.into_iter().filter(|(kid, _)| state.kids.contains(kid)).collect();
        keys::to_bytes(&keys).map_err(|_| Failure::Unreadable("the keys cannot be written"))
    }
}

/// The rows of one segment on their way into its file.
struct SegmentRows<'a> {
    state: &'a mut State,
    writer: &'a mut Writer,
    position: u64,
    sealed: bool,
    scratch: Vec<u8>,
}

impl SegmentRows<'_> {
    fn page(&mut self, page: &[u8]) -> Result<(), Failure> {
        let mut out = Vec::with_capacity(page.len());
        for row in stored_rows(page) {
            let row = row?;
            let whole = stored_row(&row, 0, &mut self.scratch)?;
            if whole.position != self.position {
                let detail = format!("the position after it in order is {}", whole.position);
                return Err(Break::at(BreakClass::PositionGap, self.position, detail).into());
            }
            let sealed = row.sealed.filter(|_| self.sealed).unwrap_or_default();
            let record = Record { entry: &self.scratch, payload: row.payload, sealed };
            record.write(&mut out).map_err(Failure::Unreadable)?;
            self.state.push(whole.leaf);
            if whole.bound.event_type == EventType::ReceiptCreated
                && let Ok(Event::ReceiptCreated(receipt)) = codec::decode(whole.bound.event_type, whole.bound.schema_version, row.payload)
            {
                self.state.kids.insert(receipt.kid);
            }
            self.position += 1;
        }
        self.writer.write(&out)
    }
}

/// Writes a file under another name, and gives it its own when it is on disk.
struct Writer {
    file: File,
    path: PathBuf,
    name: String,
    hasher: sha2::Sha256,
    bytes: u64,
}

impl Writer {
    fn new(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let file = File::create(part(&path)).map_err(failed("writing a file"))?;
        Ok(Writer { file, path, name: name.to_owned(), hasher: sha2::Digest::new(), bytes: 0 })
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        sha2::Digest::update(&mut self.hasher, bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(failed("writing a file"))
    }
    fn finish(self) -> Result<FileDigest, Failure> {
        self.file.sync_all().map_err(failed("writing a file"))?;
        fs::rename(part(&self.path), &self.path).map_err(failed("naming a file"))?;
        let digest: [u8; 32] = sha2::Digest::finalize(self.hasher).into();
        Ok(FileDigest { name: self.name, bytes: self.bytes, sha256: Hash32(digest) })
    }
}

fn part(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// Writes a whole file.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<FileDigest, Failure> {
    let mut writer = Writer::new(folder, name)?;
    writer.write(bytes)?;
    writer.finish()
}
