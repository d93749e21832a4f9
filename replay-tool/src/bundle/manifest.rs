//! `manifest.json`: what a bundle holds, in canonical JSON (RFC 8785), so that one bundle has one manifest.

use crate::class::{Break, BreakClass};
use events::{proof::Frontier, vocab::bytes::Hash32};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The form that this program writes and reads.
pub(crate) const FORMAT: &str = "hilt-bundle/1";
/// Events of one segment, where nothing else is asked for.
pub const SEGMENT_EVENTS: u64 = 1 << 16;
/// The names of a bundle's files beside its segments.
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const CHECKPOINTS: &str = "checkpoints";
pub(crate) const JWKS: &str = "jwks.json";

/// What is done with the sealed part of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sealed {
    /// Left out: entries bind its hash.
    Hash,
    /// There, as stored: encrypted with the key of the person whom it is about.
    Ciphertext,
}

/// A file of a bundle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileDigest {
    pub name: String,
    pub bytes: u64,
    pub sha256: Hash32,
}

/// What a bundle holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The log's verifier key.
    pub vkey: String,
    /// Position of the first event.
    pub from: u64,
    /// Number of events of the log that ends with the last event; a signed checkpoint has it.
    pub size: u64,
    /// Root of that tree.
    pub root: Hash32,
    /// Roots of the perfect subtrees of the first `from` leaves, largest first.
    pub frontier: Vec<Hash32>,
    /// Events of one segment; segments begin at multiples of it, but for the first.
    pub segment_events: u64,
    /// Whether sealed bytes are there.
    pub sealed: Sealed,
    /// Every file but the manifest, by name.
    pub files: Vec<FileDigest>,
}

/// The name of the segment that begins at `position`.
pub(crate) fn segment_name(position: u64) -> String {
    format!("events/{position:016}")
}

/// Where each segment of `events` begins, and where it ends, with `of` events in each.
pub(crate) fn segments(events: Range<u64>, of: u64) -> impl Iterator<Item = (u64, u64)> {
    let Range { start: from, end: size } = events;
    let end = move |first: u64| (first / of.max(1) + 1).saturating_mul(of.max(1)).min(size);
    std::iter::successors((from < size).then_some((from, end(from))), move |&(_, next)| (next < size).then(|| (next, end(next))))
}

impl Manifest {
    /// The bytes of the file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self)
    }

    /// The manifest in `bytes`, if it has the one form that it can have.
    pub fn read(bytes: &[u8]) -> Result<Self, Break> {
        let invalid = |detail: String| Break::at(BreakClass::BundleManifestInvalid, 0, detail);
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| invalid(format!("{MANIFEST}: {error}")))?;
        if manifest.to_bytes().ok().as_deref() != Some(bytes) {
            return Err(invalid(format!("{MANIFEST} is not canonical JSON")));
        }
        if manifest.format != FORMAT {
            return Err(invalid(format!("the format is {}, known is {FORMAT}", manifest.format)));
        }
        if manifest.from >= manifest.size || manifest.segment_events == 0 {
            return Err(invalid("the bundle holds no event".to_owned()));
        }
        let names = manifest.files.iter().map(|file| file.name.clone());
        if !names.eq(manifest.file_names()) {
            return Err(invalid(format!("events {} to {} need other files than those named", manifest.from, manifest.size)));
        }
        manifest.frontier().map_err(|error| invalid(error.to_string()))?;
        Ok(manifest)
    }

    /// The tree before the first event.
    pub fn frontier(&self) -> Result<Frontier, events::proof::NotAFrontier> {
        let bytes: Vec<u8> = self.frontier.iter().flat_map(|root| root.0).collect();
        Frontier::from_bytes(self.from, &bytes)
    }

    /// Where each segment begins and ends.
    pub fn segments(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        segments(self.from..self.size, self.segment_events)
    }

    /// The names of its files, in order.
    fn file_names(&self) -> impl Iterator<Item = String> + use<> {
        let segments = self.segments().map(|(first, _)| segment_name(first));
        std::iter::once(CHECKPOINTS.to_owned()).chain(segments).chain([JWKS.to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_begin_at_multiples_and_end_at_the_end() {
        let of = |events| segments(events, 16).collect::<Vec<_>>();
        assert_eq!(of(0..1), [(0, 1)]);
        assert_eq!(of(0..16), [(0, 16)]);
        assert_eq!(of(0..17), [(0, 16), (16, 17)]);
        assert_eq!(of(5..32), [(5, 16), (16, 32)]);
        assert_eq!(of(7..7), []);
    }

    #[test]
    fn a_manifest_reads_back_and_only_in_its_one_form() {
        let file = |name: &str| FileDigest { name: name.to_owned(), bytes: 1, sha256: Hash32([1; 32]) };
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            vkey: "log.example+00000000+AQ==".to_owned(),
            from: 3,
            size: 20,
            root: Hash32([2; 32]),
            frontier: vec![Hash32([3; 32]), Hash32([4; 32])],
            segment_events: 16,
            sealed: Sealed::Hash,
            files: ["checkpoints", "events/0000000000000003", "events/0000000000000016", "jwks.json"].map(file).to_vec(),
        };
        let bytes = manifest.to_bytes().unwrap();
        assert_eq!(Manifest::read(&bytes).unwrap(), manifest);
        assert!(Manifest::read(&[&bytes, b"\n".as_slice()].concat()).is_err());
        for wrong in
            [Manifest { from: 4, ..manifest.clone() }, Manifest { frontier: vec![], ..manifest.clone() }, Manifest { size: 40, ..manifest }]
        {
            assert_eq!(Manifest::read(&wrong.to_bytes().unwrap()).unwrap_err().class, BreakClass::BundleManifestInvalid);
        }
    }
}
