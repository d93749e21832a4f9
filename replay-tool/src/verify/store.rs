//! Where facts are laid aside: parts by key, in memory while they are few, in a file without a name when they are many.
//!
//! Memory is bounded: what is buffered goes to the file at [`BUFFERED`] bytes, whatever the log's length; only where each piece of a
//! part lies is remembered, 16 bytes for each piece of about 64 kB.

use super::facts::{FACT_BYTES, Fact, Tag};
use events::clock::random_bytes;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Bytes of facts that are kept in memory.
const BUFFERED: usize = 16 << 20;
/// Events for which a part is planned, so that what is known of a part's keys fits into the processor's cache.
const EVENTS_OF_PART: u64 = 1 << 16;

/// A piece of a part in the file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Piece {
    offset: u64,
    length: usize,
}

/// Where the pieces of every part lie in a file that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Laid {
    written: u64,
    pieces: Vec<Vec<Piece>>,
}

#[derive(Default, Debug)]
struct Part {
    buffer: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Facts by the part that their key falls into.
pub(crate) struct Store {
    parts: Vec<Part>,
    buffered: usize,
    /// Where it is, and the file once there is one.
    place: Place,
    written: u64,
}

enum Place {
    /// A file without a name in that folder, when one is needed.
    Folder(PathBuf),
    File(File),
}

impl Store {
    /// An empty one for about `events` events, whose file lies in `folder`.
    pub fn new(events: u64, folder: &Path) -> Self {
        let parts = (events / EVENTS_OF_PART).next_power_of_two().clamp(64, 4096);
        Store { parts: (0..parts).map(|_| Part::default()).collect(), buffered: 0, place: Place::Folder(folder.to_owned()), written: 0 }
    }

    /// An empty one whose file is at `path` and stays there.
    pub fn at(events: u64, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Store { place: Place::File(file), ..Store::new(events, path) })
    }

    /// One that was kept. What was written after that is cut off.
    pub fn kept(laid: Laid, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() < laid.written {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file of the kept state is cut off"));
        }
        file.set_len(laid.written)?;
        let parts = laid.pieces.into_iter().map(|pieces| Part { buffer: Vec::new(), pieces }).collect();
        Ok(Store { parts, buffered: 0, place: Place::File(file), written: laid.written })
    }

    /// Puts everything on disk, and says where it is.
    pub fn keep(&mut self) -> io::Result<Laid> {
        self.write_out()?;
        self.file()?.sync_data()?;
        Ok(Laid { written: self.written, pieces: self.parts.iter().map(|part| part.pieces.clone()).collect() })
    }

    /// Lays facts aside, behind those of the same key.
    pub fn push(&mut self, facts: &[u8]) -> io::Result<()> {
        for fact in facts.as_chunks::<FACT_BYTES>().0 {
            let part = self.part_of(fact);
            self.parts[part].buffer.extend_from_slice(fact);
        }
        self.buffered += facts.len();
        if self.buffered > BUFFERED { self.write_out() } else { Ok(()) }
    }

    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Bytes of facts that are there.
    pub fn bytes(&self) -> u64 {
        self.written + self.buffered as u64
    }

    /// Bytes that went to the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Calls `each` with every fact of a part, in the order in which they were laid aside.
    pub fn for_each(&self, part: usize, mut each: impl FnMut(&Fact)) -> io::Result<()> {
        let Part { buffer, pieces } = &self.parts[part];
        let mut read = Vec::new();
        for piece in pieces {
            read.resize(piece.length, 0);
            let Place::File(file) = &self.place else { return Err(io::ErrorKind::NotFound.into()) };
            file.read_exact_at(&mut read, piece.offset)?;
            facts(&read).try_for_each(|fact| fact.map(|fact| each(&fact)))?;
        }
        facts(buffer).try_for_each(|fact| fact.map(|fact| each(&fact)))
    }

    fn part_of(&self, fact: &[u8; FACT_BYTES]) -> usize {
        // Tags are evenly spread, and there is a power of two of parts.
        usize::from(u16::from_le_bytes([fact[0], fact[1]])) & (self.parts.len() - 1)
    }

    /// The file, made if there is none yet.
    fn file(&mut self) -> io::Result<&File> {
        if let Place::Folder(folder) = &self.place {
            self.place = Place::File(nameless(folder)?);
        }
        match &self.place {
            Place::File(file) => Ok(file),
            Place::Folder(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file()?;
        let Place::File(file) = &self.place else { return Err(io::ErrorKind::NotFound.into()) };
        for part in self.parts.iter_mut().filter(|part| !part.buffer.is_empty()) {
            file.write_all_at(&part.buffer, self.written)?;
            part.pieces.push(Piece { offset: self.written, length: part.buffer.len() });
            self.written += part.buffer.len() as u64;
            part.buffer.clear();
        }
        self.buffered = 0;
        Ok(())
    }
}

fn facts(bytes: &[u8]) -> impl Iterator<Item = io::Result<Fact>> + '_ {
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "a fact that was laid aside reads otherwise");
    bytes.as_chunks::<FACT_BYTES>().0.iter().map(move |fact| Fact::from_bytes(fact).ok_or_else(unreadable))
}

/// A file that is gone when it is closed, however the process ends.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("hilt-replay-{}", hex::encode(random_bytes::<16>())));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}

/// A map by tag. A tag is random already: hashing it again would only cost time.
pub(crate) type ByTag<V> = std::collections::HashMap<Tag, V, std::hash::BuildHasherDefault<Front>>;

/// Takes the front of a tag for its hash.
#[derive(Default)]
pub(crate) struct Front(u64);

impl std::hash::Hasher for Front {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(front) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*front);
        }
    }
    fn write_usize(&mut self, _: usize) {}
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::facts::{Kind, NO_TAG};

    #[test]
    fn facts_of_one_key_come_back_in_order_from_memory_and_from_the_file() {
        let mut store = Store::new(0, &std::env::temp_dir());
        let fact = |n: u64| Fact { key: [(n % 7) as u8; 16], kind: Kind::Event, position: n, number: 0, a: NO_TAG, b: NO_TAG };
        for n in 0..1_000 {
            store.push(&fact(n).to_bytes()).unwrap();
            if n % 300 == 299 {
                store.write_out().unwrap();
            }
        }
        assert_eq!(store.written(), 900 * 64);
        let mut seen = 0;
        for part in 0..store.parts() {
            let mut last = [None; 7];
            let each = |found: &Fact| {
                assert_eq!(*found, fact(found.position));
                let last = &mut last[usize::from(found.key[0])];
                assert!(last.is_none_or(|last| last + 7 == found.position));
                *last = Some(found.position);
                seen += 1;
            };
            store.for_each(part, each).unwrap();
        }
        assert_eq!(seen, 1_000);
    }
}
