//! Verifications that go on after they were killed.
//!
//! What is remembered is what was laid aside, and the tree over the rows that were checked. A run that goes on reads those rows again
//! and computes their leaves; if they lead to the same tree, they are the same bytes, so what was found of them still stands, and only
//! decoding and checking them once more is saved. Nothing is believed that a run from the start would not have seen.

use super::{ReceiptKeys, balance::Books, facts::Tagger, fold::Fold, store::Laid};
use crate::class::Failure;
use events::{proof::Frontier, vocab::bytes::Hash32};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where the state of a verification is kept, and how often it is.
#[derive(Clone, Debug)]
pub struct Resume {
    /// A folder for this and nothing else.
    pub folder: PathBuf,
    /// Events between two times.
    pub every: u64,
}

/// What is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// What the run holds the log against.
    identity: Hash32,
    /// Of the tags.
    key: [u8; 16],
    size: u64,
    roots: Vec<Hash32>,
    receipts: u64,
    books: Books,
    facts: Laid,
    late: Laid,
}

const STATE: &str = "verify.json";
const FACTS: &str = "facts";
const LATE: &str = "late";

pub(super) fn facts_path(folder: &Path) -> PathBuf {
    folder.join(FACTS)
}
pub(super) fn late_path(folder: &Path) -> PathBuf {
    folder.join(LATE)
}

/// What a run holds the log against: two runs that differ in it have not checked the same.
pub(super) fn identity(vkey: Option<&str>, keys: &ReceiptKeys, from: u64) -> Hash32 {
    Hash32::of(format!("{vkey:?} {from} {:?}", keys.publics()))
}

fn failed(source: io::Error) -> Failure {
    Failure::File { doing: "keeping the state of the verification", source }
}

impl State {
    /// What a killed run left in `folder`; `None` when nothing is there.
    pub fn find(folder: &Path, identity: Hash32) -> Result<Option<Self>, Failure> {
        fs::create_dir_all(folder).map_err(failed)?;
        let bytes = match fs::read(folder.join(STATE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let wrong = |what: &str| Failure::Input(format!("{} holds the state of another verification: {what}", folder.display()));
        let state: State = serde_json::from_slice(&bytes).map_err(|error| wrong(&error.to_string()))?;
        match state.identity == identity {
            true => Ok(Some(state)),
            false => Err(wrong("it was held against other keys, or from another position")),
        }
    }

    /// Computes the same tags.
    pub fn tagger(&self) -> Tagger {
        Tagger::new(self.key)
    }
    /// The tree over the rows that were checked.
    pub fn tree(&self) -> Result<Frontier, Failure> {
        let bytes: Vec<u8> = self.roots.iter().flat_map(|root| root.0).collect();
        Frontier::from_bytes(self.size, &bytes).map_err(|error| Failure::Input(format!("the kept state is damaged: {error}")))
    }
    /// How many receipts were checked.
    pub fn receipts(&self) -> u64 {
        self.receipts
    }
    /// What the rows that were checked say of balances.
    pub fn books(&self) -> Books {
        self.books.clone()
    }
    /// Where what was laid aside lies.
    pub fn laid(self) -> (Laid, Laid) {
        (self.facts, self.late)
    }

    /// Keeps how far `fold` has come; everything that it names is on disk before it is.
    pub fn keep(folder: &Path, fold: &mut Fold, tagger: &Tagger, identity: Hash32) -> Result<(), Failure> {
        let tree = &fold.chain.tree;
        let roots = tree.to_bytes().as_chunks::<32>().0.iter().map(|root| Hash32(*root)).collect();
        let (size, receipts, books) = (tree.size(), fold.receipts, fold.books.clone());
        let (facts, late) = (fold.facts.keep().map_err(failed)?, fold.late.keep().map_err(failed)?);
        let state = State { identity, key: tagger.key(), size, roots, receipts, books, facts, late };
        let bytes = serde_json::to_vec(&state).map_err(|error| failed(error.into()))?;
        let part = folder.join("verify.json.part");
        fs::write(&part, bytes).and_then(|()| fs::File::open(&part)?.sync_all()).map_err(failed)?;
        fs::rename(part, folder.join(STATE)).map_err(failed)
    }

    /// The verification is over.
    pub fn forget(folder: &Path) -> Result<(), Failure> {
        for name in [STATE, FACTS, LATE] {
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Ok(())
    }
}
