//! One event of a bundle: its entry, its payload, and its sealed bytes if they are there.
//!
//! | field | bytes |
//! |---|---|
//! | length of the entry, big-endian | 2 |
//! | entry, whose SHA-256 behind a zero byte is the leaf | n |
//! | length of the payload, big-endian | 4 |
//! | payload | n |
//! | length of the sealed bytes, big-endian; zero when there are none or they were left out | 4 |
//! | sealed bytes | n |

use crate::class::{Break, BreakClass};
use events::{
    leaf::{Entry, NO_LEAF},
    vocab::bytes::Hash32,
};

/// No payload and no sealed part is longer; what claims to be is damaged.
const LONGEST: usize = 64 << 20;

/// An event as it lies in a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record<'a> {
    pub entry: &'a [u8],
    pub payload: &'a [u8],
    pub sealed: &'a [u8],
}

impl<'a> Record<'a> {
    /// Appends the record to `out`.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let long =
            |bytes: &[u8]| u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST).ok_or("a part is too long for a bundle");
        let entry = u16::try_from(self.entry.len()).map_err(|_| "an entry is too long for a bundle")?;
        out.extend_from_slice(&entry.to_be_bytes());
        out.extend_from_slice(self.entry);
        for part in [self.payload, self.sealed] {
            out.extend_from_slice(&long(part)?.to_be_bytes());
            out.extend_from_slice(part);
        }
        Ok(())
    }

    /// The record at the front of `bytes` and what follows it; `None` when it is cut off.
    pub fn read(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, &'static str> {
        let Some((length, rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { return Ok(None) };
        let Some((payload, rest)) = long(rest)? else { return Ok(None) };
        let Some((sealed, rest)) = long(rest)? else { return Ok(None) };
        Ok(Some((Record { entry, payload, sealed }, rest)))
    }

    /// The entry, read, if payload and sealed bytes are those that it binds. `sealed` says whether sealed bytes belong into the bundle.
    pub fn bound(&self, position: u64, sealed: bool) -> Result<Entry<'a>, Break> {
        let entry = Entry::decode(self.entry).map_err(|error| Break::at(BreakClass::FieldInvalid, position, error.0))?;
        let broken = |class, detail: &str| Err(Break::of(class, position, entry.event_id, entry.stream, detail));
        if Hash32::of(self.payload) != entry.payload_hash {
            return broken(BreakClass::LeafMismatch, "the payload does not hash to what the entry binds");
        }
        match (self.sealed, sealed, entry.sealed_hash == NO_LEAF) {
            ([], false, _) | ([], true, true) => Ok(entry),
            ([], true, false) => broken(BreakClass::LeafMismatch, "the sealed bytes are missing"),
            (_, false, _) => broken(BreakClass::BundleMalformed, "there are sealed bytes in a bundle that leaves them out"),
            (bytes, true, _) if Hash32::of(bytes) == entry.sealed_hash => Ok(entry),
            _ => broken(BreakClass::LeafMismatch, "the sealed bytes do not hash to what the entry binds"),
        }
    }
}

/// A part and what follows it; `None` when it is cut off.
type Part<'a> = Option<(&'a [u8], &'a [u8])>;

fn long(bytes: &[u8]) -> Result<Part<'_>, &'static str> {
    let Some((length, rest)) = bytes.split_first_chunk() else { return Ok(None) };
    match usize::try_from(u32::from_be_bytes(*length)) {
        Ok(length) if length <= LONGEST => Ok(rest.split_at_checked(length)),
        _ => Err("a part of a record is longer than there can be"),
    }
}

/// Reads whole records off a slice, until it is at its end or the rest is no record.
pub(crate) struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Records(bytes)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, &'static str>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        match Record::read(std::mem::take(&mut self.0)) {
            Ok(Some((record, rest))) => {
                self.0 = rest;
                Some(Ok(record))
            }
            Ok(None) => Some(Err("the record is cut off")),
            Err(rule) => Some(Err(rule)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_a_cut_is_seen() {
        let records =
            [Record { entry: b"one", payload: b"payload", sealed: b"" }, Record { entry: b"two", payload: b"", sealed: b"sealed" }];
        let mut bytes = Vec::new();
        for record in records {
            record.write(&mut bytes).unwrap();
        }
        assert_eq!(Records::new(&bytes).collect::<Result<Vec<_>, _>>().unwrap(), records);
        for cut in 1..bytes.len() {
            let whole = Records::new(&bytes[..cut]).take_while(Result::is_ok).count();
            assert!(whole < 2, "cut at {cut}");
        }
        assert!(Record::read(&[&[0, 0], [0xff; 4].as_slice()].concat()).is_err());
    }
}
