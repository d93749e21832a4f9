//! `witness`: an auditor's own key signs that the log has only grown since he last looked.
//!
//! What he saw last is kept in a file. It is written before the signature is made, in one step, and no two runs use it at once: so
//! nothing is ever signed that contradicts what was signed before, whatever crashes in between.

use crate::{
    class::{Break, BreakClass, Failure},
    remote::Published,
};
use events::{
    clock::Clock,
    proof::{Checkpoint, NoteKey, Witness, consistency_ranges, empty_root, verify_consistency},
};
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// What a witness signs, and where it keeps what it saw.
#[derive(Clone, Debug)]
pub struct WitnessOptions {
    /// URL below which the log publishes its checkpoint and tiles, such as `https://api.example.com/v1/log`.
    pub log: String,
    /// The log's verifier key, the witness's own copy.
    pub key: NoteKey,
    /// The key that signs.
    pub witness: Witness,
    /// File with the last checkpoint that it signed; it is made at the first run.
    pub state: PathBuf,
    /// Whether the log is given the signature.
    pub submit: bool,
}

/// What was signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Witnessed {
    /// The log.
    pub origin: String,
    /// The size that the last run ended on; `None` at the first run, when there is nothing to compare with.
    pub before: Option<u64>,
    /// The size that is signed now.
    pub size: u64,
    /// Its root, in hex.
    pub root: String,
    /// The witness's verifier key.
    pub witness: String,
    /// The signature line.
    pub cosignature: String,
    /// Whether the log has it.
    pub submitted: bool,
}

/// Looks at the log's newest checkpoint, and signs it if the log has only grown since the last time.
pub async fn witness(options: &WitnessOptions) -> Result<Witnessed, Failure> {
    let state = State::open(&options.state)?;
    let seen = state.read(&options.key)?;
    let log = Published::at(&options.log, None)?;
    let note = log.checkpoint().await?;
    let checkpoint =
        Checkpoint::open(&note, &options.key).map_err(|error| Break::at(BreakClass::CheckpointSignatureInvalid, 0, error.to_string()))?;
    if let Err(failure) = hold(&log, seen.as_ref(), &checkpoint).await {
        if matches!(failure, Failure::Broken(_)) {
            // Both notes are signed by the log: together they are the evidence.
            state.keep_evidence(&note)?;
        }
        return Err(failure);
    }
    state.write(&note)?;
    let time = u64::try_from(Clock::machine().now().seconds()).unwrap_or(0);
    let cosignature = options.witness.cosign(&checkpoint, time);
    if options.submit {
        log.send_cosigned(&format!("{note}{}\n", cosignature.line)).await?;
    }
    Ok(Witnessed {
        origin: checkpoint.origin,
        before: seen.map(|seen| seen.size),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        witness: options.witness.key().to_string(),
        cosignature: cosignature.line,
        submitted: options.submit,
    })
}

/// The log that ends with `now` begins with all that was there when `seen` was signed.
async fn hold(log: &Published, seen: Option<&Checkpoint>, now: &Checkpoint) -> Result<(), Failure> {
    if now.size == 0 && now.root != empty_root() {
        return Err(Break::at(BreakClass::RootMismatch, 0, "the empty log has another root than that of nothing").into());
    }
    let Some(seen) = seen else { return Ok(()) };
    if now.size < seen.size {
        let detail = format!("the log shows {} events, and {} were signed before", now.size, seen.size);
        return Err(Break::at(BreakClass::CheckpointRewound, now.size, detail).into());
    }
    let ranges = consistency_ranges(seen.size, now.size).map_err(|error| Failure::Remote(error.to_string()))?;
    let proof = log.roots(&ranges, now.size).await?;
    verify_consistency(seen.size, &seen.root, now.size, &now.root, &proof).map_err(|error| {
        let detail = format!("the log of {} events does not begin with that of {} which was signed before: {error}", now.size, seen.size);
        Break::at(BreakClass::CheckpointForked, now.size, detail).into()
    })
}

/// The file of what was seen last, locked while the value lives.
struct State {
    path: PathBuf,
    _lock: File,
}

impl State {
    fn open(path: &Path) -> Result<Self, Failure> {
        let lock_path = beside(path, "lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(|error| failed(&lock_path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(State { path: path.to_owned(), _lock: lock }),
            Err(_) => Err(Failure::Input(format!("another run of this witness uses {}", path.display()))),
        }
    }

    /// The checkpoint seen last. A file that is not one is never taken for a first run.
    fn read(&self, key: &NoteKey) -> Result<Option<Checkpoint>, Failure> {
        let mut note = String::new();
        match File::open(&self.path) {
            Ok(mut file) => file.read_to_string(&mut note).map_err(|error| failed(&self.path, &error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&self.path, &error)),
        };
        let opened = Checkpoint::open(&note, key);
        opened.map(Some).map_err(|error| Failure::Input(format!("{}: {error}", self.path.display())))
    }

    /// Replaces it: after a crash there is the old one or the new one, whole.
    fn write(&self, note: &str) -> Result<(), Failure> {
        let new = beside(&self.path, "new");
        let written = || -> std::io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &self.path)?;
            match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
                _ => File::open(".")?.sync_all(),
            }
        };
        written().map_err(|error| failed(&self.path, &error))
    }

    fn keep_evidence(&self, note: &str) -> Result<(), Failure> {
        let path = beside(&self.path, "refused");
        std::fs::write(&path, note).map_err(|error| failed(&path, &error))
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Input(format!("{}: {error}", path.display()))
}
