//! Facts: what each event says that only other events can confirm, in records of one size, each under a key.
//!
//! Facts of one key are about one thing: a stream, an event id, an entitlement, a claim. So they can be laid aside, in memory or on
//! disk, and be held against each other key by key. Ids and hashes stand in them as **tags**: SipHash-1-3 with 128 bits under a key
//! that is drawn for the run, so that nobody who wrote the log can have chosen values that meet in one tag, or that crowd one part.

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use std::hash::Hasher as _;

/// Bytes of one fact.
pub(crate) const FACT_BYTES: usize = 64;

/// A value, in 16 bytes that only this run can compute.
pub(crate) type Tag = [u8; 16];

/// No value.
pub(crate) const NO_TAG: Tag = [0; 16];

/// What a tag stands for; equal bytes in two spaces have different tags.
#[derive(Clone, Copy)]
pub(crate) enum Space {
    Stream = 1,
    EventId,
    Entitlement,
    Claim,
    Leaf,
    Permit,
    Origin,
    Owner,
    Membership,
    Payment,
    Asset,
}

/// Computes tags.
#[derive(Clone, Debug)]
pub(crate) struct Tagger {
    key: [u8; 16],
}

impl Tagger {
    /// Tags of a new run.
    pub fn new(key: [u8; 16]) -> Self {
        Tagger { key }
    }
    /// What another process needs to compute the same tags.
    pub fn key(&self) -> [u8; 16] {
        self.key
    }
    /// The tag of `parts`, whose lengths the space fixes, but for the last.
    pub fn tag(&self, space: Space, parts: &[&[u8]]) -> Tag {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(space as u8);
        parts.iter().for_each(|part| hasher.write(part));
        hasher.finish128().as_bytes()
    }
}

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// What a fact says.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Kind { $( $(#[$doc])* $name ),* }
        impl Kind {
            const ALL: &[Kind] = &[$( Kind::$name ),*];
        }
    };
}

kinds! {
    /// Key: a stream. The event there has version `number`, binds leaf `a` and has leaf `b`.
    Link,
    /// Key: an event id. The event is there and permits `a` and `b`.
    Event,
    /// Key: an event id. An earlier event has it and permits `a` or `b`, by rule `number`.
    Cites,
    /// Key: an event id. It is that of the event at position `number`, which is earlier.
    CitesPosition,
    /// Key: an entitlement. It waits for `a`, and for the confirmation of session `b`.
    Pended,
    /// Key: an entitlement. It waits for `a`, too.
    PendedToo,
    /// Key: an entitlement. It waits for `a`, by rule `number`.
    CitesOrigin,
    /// Key: an entitlement. It is activated by event `a`, of owner `b`.
    Activated,
    /// Key: an event id. It activated what waited for session `a` of owner `b`. Follows from `Pended` and `Activated`.
    ActivatedSession,
    /// Key: an event id. It activated what waited for session `a` of owner `b`, says a later event.
    CitesSession,
    /// Key: a membership. It is paid until `number`; over when that is 0.
    Paid,
    /// Key: a membership. It is paid until `number`, says the event.
    CitesPaid,
    /// Key: a claim. Stream `a` takes it, in scope `number`.
    Takes,
    /// Key: a claim. Stream `a` gives it back.
    Releases,
    /// Key: a payment. It is in asset `a`, and who sends its fee is `number`.
    Payment,
    /// Key: a payment. It settled: `number` in all, of which `a` has the merchant's part and the fee.
    Settled,
    /// Key: a payment. The merchant owes a fee of `number`, in asset `a`.
    FeeDue,
    /// Key: a claim. The table says that stream `a` took it at position `number`.
    Row,
}

/// One fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fact {
    pub key: Tag,
    pub kind: Kind,
    /// Position of the event that says so; below 2^56.
    pub position: u64,
    pub number: u64,
    pub a: Tag,
    pub b: Tag,
}

impl Fact {
    pub fn to_bytes(self) -> [u8; FACT_BYTES] {
        let mut out = [0; FACT_BYTES];
        out[..16].copy_from_slice(&self.key);
        out[16..24].copy_from_slice(&self.position.to_le_bytes());
        out[23] = self.kind as u8;
        out[24..32].copy_from_slice(&self.number.to_le_bytes());
        out[32..48].copy_from_slice(&self.a);
        out[48..].copy_from_slice(&self.b);
        out
    }

    /// The fact that was written as `bytes`; `None` for bytes that nobody wrote.
    pub fn from_bytes(bytes: &[u8; FACT_BYTES]) -> Option<Self> {
        let mut place = [0; 8];
        place[..7].copy_from_slice(&bytes[16..23]);
        Some(Fact {
            key: *bytes.first_chunk()?,
            kind: *Kind::ALL.get(usize::from(bytes[23]))?,
            position: u64::from_le_bytes(place),
            number: u64::from_le_bytes(*bytes[24..].first_chunk()?),
            a: *bytes[32..].first_chunk()?,
            b: *bytes[48..].first_chunk()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_reads_back() {
        for kind in Kind::ALL {
            let fact = Fact { key: [1; 16], kind: *kind, position: (1 << 56) - 1, number: u64::MAX, a: [2; 16], b: [3; 16] };
            assert_eq!(Fact::from_bytes(&fact.to_bytes()), Some(fact));
        }
    }

    #[test]
    fn a_tag_is_of_its_run_its_space_and_its_value() {
        let (one, other) = (Tagger::new([1; 16]), Tagger::new([2; 16]));
        let tag = one.tag(Space::Leaf, &[b"value"]);
        assert_eq!(tag, one.tag(Space::Leaf, &[b"val", b"ue"]));
        assert_ne!(tag, one.tag(Space::Stream, &[b"value"]));
        assert_ne!(tag, other.tag(Space::Leaf, &[b"value"]));
        assert_ne!(tag, one.tag(Space::Leaf, &[b"Value"]));
    }
}
