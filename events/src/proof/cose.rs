//! Inclusion proofs as COSE Receipts (RFC 9942) with the tree of RFC 9162, for readers who know CBOR and no notes.

use crate::{
    vault::Signer,
    vocab::{bytes::Hash32, time::Timestamp},
};

/// EdDSA (RFC 9053).
const EDDSA: i64 = -8;
/// The verifiable data structure RFC9162_SHA256 (RFC 9942).
const RFC9162_SHA256: i64 = 1;

/// Labels of headers: algorithm, key id, CWT claims (RFC 9597), verifiable data structure and proofs (RFC 9942).
mod label {
    pub const ALG: i64 = 1;
    pub const KID: i64 = 4;
    pub const CWT_CLAIMS: i64 = 15;
    pub const VDS: i64 = 395;
    pub const VDP: i64 = 396;
    /// In the map of proofs: inclusion proofs.
    pub const INCLUSION: i64 = -1;
    /// In the claims: issuer, subject and time of issue.
    pub const ISS: i64 = 1;
    pub const SUB: i64 = 2;
    pub const IAT: i64 = 6;
}

/// That an entry is in the log.
#[derive(Clone, Copy, Debug)]
pub struct CoseReceipt<'a> {
    /// Who issues it: the log's name.
    pub issuer: &'a str,
    /// What the entry is about.
    pub subject: &'a str,
    /// When the tree's head was signed.
    pub issued_at: Timestamp,
    /// Leaves of the tree.
    pub size: u64,
    /// Its root.
    pub root: &'a Hash32,
    /// The entry's place.
    pub index: u64,
    /// The hashes that lead from its leaf to the root, lowest first.
    pub path: &'a [Hash32],
}

impl CoseReceipt<'_> {
    /// The receipt's bytes, signed by a key that signs nothing else. The root is the payload and is left out: whoever checks the
    /// receipt computes it from the entry.
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        let mut protected = Cbor::default();
        protected.map(4);
        protected.integer(label::ALG).integer(EDDSA);
        protected.integer(label::KID).bytes(signer.kid().as_bytes());
        protected.integer(label::CWT_CLAIMS).map(3);
        protected.integer(label::ISS).text(self.issuer);
        protected.integer(label::SUB).text(self.subject);
        protected.integer(label::IAT).integer(self.issued_at.seconds());
        protected.integer(label::VDS).integer(RFC9162_SHA256);

        // RFC 9052 §4.4, with no external data.
        let mut signed = Cbor::default();
        signed.array(4).text("Signature1").bytes(&protected.0).bytes(&[]).bytes(&self.root.0);

        let mut proof = Cbor::default();
        proof.array(3).unsigned(self.size).unsigned(self.index).array(self.path.len() as u64);
        for hash in self.path {
            proof.bytes(&hash.0);
        }

        let mut receipt = Cbor::default();
        receipt.tag(18).array(4).bytes(&protected.0);
        receipt.map(1).integer(label::VDP).map(1).integer(label::INCLUSION).array(1).bytes(&proof.0);
        receipt.null().bytes(&signer.sign(&signed.0).0);
        receipt.0
    }
}

/// What there is to write of CBOR (RFC 8949), in its deterministic form.
#[derive(Default)]
struct Cbor(Vec<u8>);

impl Cbor {
    /// The major type and its argument, in the fewest bytes.
    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let major = major << 5;
        let bytes = argument.to_be_bytes();
        match argument {
            0..=23 => self.0.push(major | bytes[7]),
            24..=0xff => self.0.extend([major | 24, bytes[7]]),
            0x100..=0xffff => self.put(major | 25, &bytes[6..]),
            0x1_0000..=0xffff_ffff => self.put(major | 26, &bytes[4..]),
            _ => self.put(major | 27, &bytes),
        }
        self
    }
    fn put(&mut self, head: u8, bytes: &[u8]) {
        self.0.push(head);
        self.0.extend_from_slice(bytes);
    }
    fn unsigned(&mut self, number: u64) -> &mut Self {
        self.head(0, number)
    }
    fn integer(&mut self, number: i64) -> &mut Self {
        match u64::try_from(number) {
            Ok(number) => self.head(0, number),
            Err(_) => self.head(1, (-1 - number).unsigned_abs()),
        }
    }
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(2, bytes.len() as u64).0.extend_from_slice(bytes);
        self
    }
    fn text(&mut self, text: &str) -> &mut Self {
        self.head(3, text.len() as u64).0.extend_from_slice(text.as_bytes());
        self
    }
    fn array(&mut self, members: u64) -> &mut Self {
        self.head(4, members)
    }
    fn map(&mut self, members: u64) -> &mut Self {
        self.head(5, members)
    }
    fn tag(&mut self, tag: u64) -> &mut Self {
        self.head(6, tag)
    }
    fn null(&mut self) -> &mut Self {
        self.0.push(0xf6);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn numbers_are_written_as_the_standard_shows() {
        for (number, bytes) in [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (100, "1864"),
            (1000, "1903e8"),
            (1_000_000, "1a000f4240"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
            (-1, "20"),
            (-10, "29"),
            (-100, "3863"),
            (-1000, "3903e7"),
            (i64::MIN, "3b7fffffffffffffff"),
        ] {
            let mut cbor = Cbor::default();
            cbor.integer(number);
            assert_eq!(hex::encode(cbor.0), bytes, "{number}");
        }
        let mut cbor = Cbor::default();
        cbor.unsigned(u64::MAX).text("IETF").bytes(&[1, 2, 3, 4]).array(0).map(0).null().tag(1);
        assert_eq!(hex::encode(cbor.0), "1bffffffffffffffff6449455446440102030480a0f6c1");
    }
}
