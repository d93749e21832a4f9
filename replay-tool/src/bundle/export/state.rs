//! How far an interrupted export has come.

use super::{
    super::{
        failed,
        manifest::{FileDigest, MANIFEST, Sealed},
    },
    ExportOptions, write,
};
use crate::class::Failure;
use events::{
    proof::{Frontier, NoteKey},
    vocab::bytes::Hash32,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::Path,
};

/// Its name; there is none in a bundle that is whole.
const NAME: &str = "export.json";

/// What is written after every segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub vkey: String,
    pub from: u64,
    pub size: u64,
    pub sealed: Sealed,
    pub segment_events: u64,
    /// The frontier before the first event.
    pub before: Vec<Hash32>,
    /// The frontier behind the last event written.
    roots: Vec<Hash32>,
    /// Size of that tree.
    reached: u64,
    /// The keys that receipts so far name.
    pub kids: BTreeSet<String>,
    pub segments: Vec<FileDigest>,
    #[serde(skip)]
    tree: Option<Frontier>,
}

impl State {
    /// What an export begins with.
    pub fn begin(options: &ExportOptions, vkey: &NoteKey, size: u64, frontier: &Frontier) -> Self {
        let before = roots(frontier);
        State {
            vkey: vkey.to_string(),
            from: options.from,
            size,
            sealed: sealed(options),
            segment_events: options.segment_events,
            roots: before.clone(),
            before,
            reached: options.from,
            kids: BTreeSet::new(),
            segments: Vec::new(),
            tree: Some(frontier.clone()),
        }
    }

    /// What an interrupted export of the same part has left in the folder; an error when something else lies there.
    pub fn find(options: &ExportOptions, vkey: &NoteKey) -> Result<Option<Self>, Failure> {
        let occupied = |what: &str| Failure::Input(format!("{} {what}", options.folder.display()));
        let text = match fs::read(options.folder.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut there = fs::read_dir(&options.folder).into_iter().flatten().flatten();
                // A run that ended before its first segment leaves an empty folder, or one with a segment that is not whole.
                let whole = |name: &str| name != "events" && !name.ends_with(".part");
                return match there.any(|entry| whole(&entry.file_name().to_string_lossy())) {
                    true if options.folder.join(MANIFEST).exists() => Err(occupied("holds a bundle already")),
                    true => Err(occupied("is not empty")),
                    false => Ok(None),
                };
            }
            Err(source) => return Err(failed("reading the interrupted export")(source)),
        };
        let mut state: State = serde_json::from_slice(&text).map_err(|error| occupied(&format!("holds an unreadable {NAME}: {error}")))?;
        let same = (&state.vkey, state.from, state.sealed, state.segment_events)
            == (&vkey.to_string(), options.from, sealed(options), options.segment_events);
        if !same || options.to.is_some_and(|to| to != state.size) {
            return Err(occupied("holds an interrupted export of another part of the log, or with other options"));
        }
        let bytes: Vec<u8> = state.roots.iter().flat_map(|root| root.0).collect();
        let tree =
            Frontier::from_bytes(state.reached, &bytes).map_err(|error| occupied(&format!("holds an unreadable {NAME}: {error}")))?;
        state.tree = Some(tree);
        for segment in &state.segments {
            if !holds(&options.folder, segment).map_err(failed("reading the interrupted export"))? {
                return Err(occupied(&format!("holds an interrupted export whose {} was altered", segment.name)));
            }
        }
        Ok(Some(state))
    }

    /// The next leaf.
    pub fn push(&mut self, leaf: Hash32) {
        if let Some(tree) = &mut self.tree {
            tree.push(leaf);
        }
    }

    /// The tree so far.
    pub fn tree(&self) -> Result<&Frontier, Failure> {
        self.tree.as_ref().ok_or(Failure::Unreadable("the interrupted export has no tree"))
    }

    /// Remembers that a segment is whole.
    pub fn keep(&mut self, folder: &Path) -> Result<(), Failure> {
        let tree = self.tree()?;
        (self.reached, self.roots) = (tree.size(), roots(tree));
        let bytes = serde_json::to_vec_pretty(self).map_err(|_| Failure::Unreadable("the state of the export cannot be written"))?;
        write(folder, NAME, &bytes).map(|_| ())
    }

    /// The export is whole.
    pub fn forget(folder: &Path) -> Result<(), Failure> {
        fs::remove_file(folder.join(NAME)).map_err(failed("removing the state of the export"))
    }
}

fn sealed(options: &ExportOptions) -> Sealed {
    if options.sealed { Sealed::Ciphertext } else { Sealed::Hash }
}

fn roots(frontier: &Frontier) -> Vec<Hash32> {
    frontier.to_bytes().as_chunks::<32>().0.iter().map(|root| Hash32(*root)).collect()
}

/// Whether a segment is what was written.
fn holds(folder: &Path, segment: &FileDigest) -> io::Result<bool> {
    let mut hasher = Sha256::new();
    let bytes = match File::open(folder.join(&segment.name)) {
        Ok(mut file) => io::copy(&mut file, &mut hasher)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let digest: [u8; 32] = hasher.finalize().into();
    Ok(bytes == segment.bytes && Hash32(digest) == segment.sha256)
}
