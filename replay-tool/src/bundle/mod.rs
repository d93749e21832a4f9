//! Bundles: a part of the log as files, which anybody can check with the log's verifier key and nothing else. `docs/bundle.md`
//! describes them for those who read them with programs of their own.

mod export;
mod keys;
mod manifest;
pub(crate) mod record;

pub use export::{ExportOptions, ExportReport, export};
pub use manifest::SEGMENT_EVENTS;

use crate::{
    class::{Break, BreakClass, Failure},
    verify::Page,
};
use events::{
    codec,
    leaf::{Entry, leaf_hash},
    proof::Frontier,
    vocab::{
        bytes::Hash32,
        event::Event,
        id::EventId,
        stream::{Actor, Envelope, Recorded, StreamId},
    },
};
use manifest::{CHECKPOINTS, FileDigest, JWKS, MANIFEST, Manifest, Sealed};
use record::{Record, Records};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A bundle that is being read.
pub(crate) struct Bundle {
    folder: PathBuf,
    manifest: Manifest,
    position: u64,
    current: Option<Segment>,
}

/// The segment that is being read.
struct Segment {
    file: File,
    digest: FileDigest,
    end: u64,
    hasher: Sha256,
    bytes: u64,
    /// Read, and not handed on yet.
    pending: Vec<u8>,
    ended: bool,
}

pub(crate) fn failed(doing: &'static str) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::File { doing, source }
}

impl Bundle {
    /// Opens the bundle in `folder`, if it holds the files that its manifest names and no others.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Err(Failure::Input(format!("{} is not a folder", folder.display())));
        }
        let there = names(folder).map_err(failed("reading the bundle"))?;
        let missing = |name: &str| Break::at(BreakClass::BundleFileMissing, 0, format!("{name} is not there"));
        if !there.iter().any(|name| name == MANIFEST) {
            return Err(missing(MANIFEST).into());
        }
        let manifest = Manifest::read(&fs::read(folder.join(MANIFEST)).map_err(failed("reading the manifest"))?)?;
        if let Some(file) = manifest.files.iter().find(|file| !there.contains(&file.name)) {
            return Err(missing(&file.name).into());
        }
        let named = |name: &String| name == MANIFEST || manifest.files.iter().any(|file| file.name == *name);
        if let Some(name) = there.iter().find(|name| !named(name)) {
            return Err(Break::at(BreakClass::BundleFileUnexpected, 0, format!("{name} is not in the manifest")).into());
        }
        Ok(Bundle { folder: folder.to_owned(), position: manifest.from, manifest, current: None })
    }

    /// The range that it holds and the root at its end, if it names that verifier key as the log's.
    pub fn signed_by(&self, vkey: &str) -> Result<(u64, u64, Hash32), Break> {
        let Manifest { from, size, root, .. } = self.manifest;
        match self.manifest.vkey == vkey.trim() {
            true => Ok((from, size, root)),
            false => Err(Break::at(BreakClass::CheckpointSignatureInvalid, 0, "the bundle names another verifier key than the one given")),
        }
    }
    /// The tree before its first event.
    pub fn frontier(&self) -> Result<Frontier, Break> {
        self.manifest.frontier().map_err(|error| Break::at(BreakClass::BundleManifestInvalid, 0, error.to_string()))
    }
    /// Whether sealed bytes are in it.
    pub fn holds_sealed(&self) -> bool {
        self.manifest.sealed == Sealed::Ciphertext
    }

    /// The signed checkpoints.
    pub fn checkpoints(&self) -> Result<Vec<String>, Failure> {
        let bytes = self.small(CHECKPOINTS)?;
        let malformed = |rule: &str| Break::at(BreakClass::BundleMalformed, 0, format!("{CHECKPOINTS}: {rule}"));
        let mut rest = bytes.as_slice();
        let mut notes = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let (note, after) = after.split_at_checked(length).ok_or_else(|| malformed("a note is cut off"))?;
            notes.push(String::from_utf8(note.to_vec()).map_err(|_| malformed("a note is not UTF-8"))?);
            rest = after;
        }
        if rest.is_empty() { Ok(notes) } else { Err(malformed("bytes follow the last note").into()) }
    }

    /// The published receipt keys.
    pub fn receipt_keys(&self) -> Result<crate::ReceiptKeys, Failure> {
        Ok(keys::read(&self.small(JWKS)?).map_err(|rule| Break::at(BreakClass::BundleMalformed, 0, format!("{JWKS}: {rule}")))?)
    }

    /// A file that is read as a whole, if it is as the manifest says.
    fn small(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let bytes = fs::read(self.folder.join(name)).map_err(failed("reading the bundle"))?;
        let digest = self.digest(name)?;
        altered(digest, bytes.len() as u64, &Hash32::of(&bytes), 0)?;
        Ok(bytes)
    }

    fn digest(&self, name: &str) -> Result<&FileDigest, Break> {
        let missing = || Break::at(BreakClass::BundleFileMissing, 0, format!("{name} is not in the manifest"));
        self.manifest.files.iter().find(|file| file.name == name).ok_or_else(missing)
    }

    /// The next page of about `bytes` bytes.
    pub fn next_page(&mut self, bytes: usize) -> Result<Option<Page>, Failure> {
        loop {
            let Some(segment) = &mut self.current else {
                match self.open_segment()? {
                    Some(segment) => self.current = Some(segment),
                    None => return Ok(None),
                }
                continue;
            };
            let (page, events) = segment.page(self.position, bytes).map_err(failed("reading a segment"))?;
            if events == 0 {
                let segment = self.current.take();
                segment.map_or(Ok(()), |segment| segment.finish(self.position))?;
                continue;
            }
            let first = self.position;
            self.position += events;
            return Ok(Some(Page::Bundled { first, sealed: self.holds_sealed(), bytes: page }));
        }
    }

    /// The next page, as events. Nothing is decoded; each is bound by its entry.
    pub fn next_recorded(&mut self, bytes: usize) -> Result<Vec<Recorded>, Failure> {
        let Some(Page::Bundled { first, sealed, bytes }) = self.next_page(bytes)? else { return Ok(Vec::new()) };
        let mut page = Vec::new();
        for (position, record) in (first..).zip(Records::new(&bytes)) {
            let record = record.map_err(|rule| Break::at(BreakClass::BundleMalformed, position, rule))?;
            page.push(recorded(position, &record, sealed)?);
        }
        Ok(page)
    }

    fn open_segment(&self) -> Result<Option<Segment>, Failure> {
        let Manifest { size, segment_events, .. } = self.manifest;
        let Some((first, end)) = manifest::segments(self.position..size, segment_events).next() else { return Ok(None) };
        let name = manifest::segment_name(first);
        let digest = self.digest(&name)?.clone();
        let file = File::open(self.folder.join(&name)).map_err(failed("opening a segment"))?;
        Ok(Some(Segment { file, digest, end, hasher: Sha256::new(), bytes: 0, pending: Vec::new(), ended: false }))
    }

    /// The event at `position`, with its id and stream.
    pub fn event_at(&self, position: u64) -> Result<Option<(EventId, StreamId, Option<Event>)>, Failure> {
        let Some((first, _)) = self.manifest.segments().find(|(first, end)| (*first..*end).contains(&position)) else {
            return Ok(None);
        };
        let bytes = fs::read(self.folder.join(manifest::segment_name(first))).map_err(failed("reading a segment"))?;
        let before = usize::try_from(position - first).unwrap_or(usize::MAX);
        let Some(Ok(record)) = Records::new(&bytes).nth(before) else { return Ok(None) };
        let Ok(entry) = Entry::decode(record.entry) else { return Ok(None) };
        let event = codec::decode(entry.event_type, entry.schema_version, record.payload).ok();
        Ok(Some((entry.event_id, entry.stream, event)))
    }
}

impl Segment {
    /// About `bytes` bytes of whole records and how many they are; none at the end. What is no record comes as the last one, for the
    /// reader to say so.
    fn page(&mut self, position: u64, bytes: usize) -> io::Result<(Vec<u8>, u64)> {
        let mut most = bytes;
        let (end, events) = loop {
            self.fill(most)?;
            let (end, events, damaged) = self.scan(position);
            let rest = self.pending.len() - end;
            match (damaged || (self.ended && rest > 0)) && position + events < self.end {
                true => break (self.pending.len(), events + 1),
                // A record that is longer than a page.
                false if events == 0 && !self.ended && position < self.end => most = 2 * self.pending.len().max(bytes),
                false => break (end, events),
            }
        };
        let rest = self.pending.split_off(end);
        Ok((std::mem::replace(&mut self.pending, rest), events))
    }

    /// Reads until `most` bytes are pending or the file is at its end.
    fn fill(&mut self, most: usize) -> io::Result<()> {
        let held = self.pending.len();
        if self.ended || held >= most {
            return Ok(());
        }
        let read = (&self.file).take((most - held) as u64).read_to_end(&mut self.pending)?;
        self.ended = read < most - held;
        self.hasher.update(&self.pending[held..]);
        self.bytes += read as u64;
        Ok(())
    }

    /// How many bytes of what is pending are whole records, how many these are, and whether what follows can be none.
    fn scan(&self, position: u64) -> (usize, u64, bool) {
        let (mut rest, mut events) = (self.pending.as_slice(), 0);
        while position + events < self.end {
            match Record::read(rest) {
                Ok(Some((_, after))) => (rest, events) = (after, events + 1),
                Ok(None) => break,
                Err(_) => return (self.pending.len() - rest.len(), events, true),
            }
        }
        (self.pending.len() - rest.len(), events, false)
    }

    /// The segment holds what the manifest says, and nothing behind its last record.
    fn finish(mut self, position: u64) -> Result<(), Failure> {
        let behind = self.pending.len() as u64 + io::copy(&mut self.file, &mut self.hasher).map_err(failed("reading a segment"))?;
        let digest: [u8; 32] = self.hasher.finalize().into();
        altered(&self.digest, self.bytes + behind - self.pending.len() as u64, &Hash32(digest), position)?;
        let malformed = |detail: String| Err(Break::at(BreakClass::BundleMalformed, position, detail).into());
        match (position == self.end, behind) {
            (true, 0) => Ok(()),
            (true, _) => malformed(format!("bytes follow the last record of {}", self.digest.name)),
            (false, _) => malformed(format!("{} ends before position {}", self.digest.name, self.end)),
        }
    }
}

/// A record as the database would give it.
fn recorded(position: u64, record: &Record<'_>, sealed: bool) -> Result<Recorded, Break> {
    let entry = record.bound(position, sealed)?;
    let actor = entry.actor.parse::<Actor>();
    let actor = actor.map_err(|_| Break::at(BreakClass::FieldInvalid, position, "actor is not of a known kind"))?;
    let envelope = Envelope {
        stream: entry.stream,
        version: entry.version,
        event_id: entry.event_id,
        event_type: entry.event_type,
        schema_version: entry.schema_version,
        owner_id: entry.owner_id,
        livemode: entry.livemode,
        recorded_at: entry.recorded_at,
        correlation_id: entry.correlation_id,
        causation_id: entry.causation_id,
        actor,
        request_id: (!entry.request_id.is_empty()).then(|| entry.request_id.to_owned()),
        subject_id: entry.subject_id,
    };
    let sealed = (!record.sealed.is_empty()).then(|| record.sealed.to_vec());
    let (payload, prev_leaf, leaf) = (record.payload.to_vec(), entry.prev_leaf, leaf_hash(record.entry));
    Ok(Recorded { position, envelope, payload, sealed, prev_leaf, leaf })
}

fn altered(expected: &FileDigest, bytes: u64, digest: &Hash32, position: u64) -> Result<(), Break> {
    let FileDigest { name, .. } = expected;
    let detail = match (bytes == expected.bytes, *digest == expected.sha256) {
        (true, true) => return Ok(()),
        (false, _) => format!("{name} has {bytes} bytes, the manifest says {}", expected.bytes),
        (true, false) => format!("{name} has SHA-256 {digest}, the manifest says {}", expected.sha256),
    };
    Err(Break::at(BreakClass::BundleFileAltered, position, detail))
}

/// The names of all files under `folder`, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut ahead = vec![String::new()];
    while let Some(inside) = ahead.pop() {
        for entry in fs::read_dir(folder.join(&inside))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            match entry.file_type()?.is_dir() {
                true => ahead.push(name),
                false => found.push(name),
            }
        }
    }
    found.sort();
    Ok(found)
}
