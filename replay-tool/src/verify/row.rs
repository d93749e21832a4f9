//! What one row shows by itself: its leaf, its payload, its receipt; and the facts that only other rows can confirm. Needs no other
//! row, so pages are checked on every core.

use super::{
    balance::{self, Books},
    claims,
    facts::{Fact, Kind, NO_TAG, Space, Tag, Tagger},
    lifecycle::{self, Awaited, Demand, Permit},
    receipts::{self, ReceiptKeys},
};
use crate::{
    bundle::record::Records,
    class::{Break, BreakClass, Failure},
    copy::{StoredRow, stored_rows},
};
use events::{
    codec,
    leaf::{self, NO_LEAF, leaf_hash},
    vocab::{
        bytes::Hash32,
        event::Event,
        id::{EventId, MembershipId, OwnerId},
        stream::{Actor, StreamId},
        time::Timestamp,
    },
};
use ledger::{approval::statement, operator};

/// Rows as they came.
pub(crate) enum Page {
    /// Whole rows of a binary COPY.
    Copied(Vec<u8>),
    /// Records of a bundle, from that position on, with or without sealed bytes.
    Bundled { first: u64, sealed: bool, bytes: Vec<u8> },
}

/// What rows are checked with.
pub(crate) struct Checker {
    /// Published receipt keys.
    pub keys: ReceiptKeys,
    /// Rows before this position are taken to be what their leaves say.
    pub from: u64,
    /// Rows before this position were checked before; only their leaves are computed.
    pub known: u64,
    /// Of this run.
    pub tagger: Tagger,
}

/// What is left of a row when it was checked.
pub(crate) struct Link {
    pub position: u64,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    pub leaf: Hash32,
    /// How many bytes of the page's facts are of this row and those before it: of the first round, and of the second.
    pub facts: (usize, usize),
}

/// The whole rows of a page, up to the first that is broken, and that break.
#[derive(Default)]
pub(crate) struct CheckedPage {
    pub links: Vec<Link>,
    /// Facts for the first round of joins.
    pub facts: Vec<u8>,
    /// Facts for the second, which needs what the first finds.
    pub late: Vec<u8>,
    pub receipts: u64,
    /// What its events say of balances.
    pub books: Books,
    pub broken: Option<Break>,
}

impl CheckedPage {
    fn link(&self, row: &Row<'_>) -> Link {
        let (position, recorded_at) = (row.position, row.bound.recorded_at.micros());
        Link { position, recorded_at, leaf: row.leaf, facts: (self.facts.len(), self.late.len()) }
    }
}

/// An event of a row that is whole.
pub(crate) struct Entry {
    pub position: u64,
    pub stream: StreamId,
    pub version: u64,
    pub event_id: EventId,
    pub owner_id: Option<OwnerId>,
    pub livemode: bool,
    pub prev_leaf: Hash32,
    pub leaf: Hash32,
}

impl Entry {
    pub fn broken(&self, class: BreakClass, detail: impl Into<String>) -> Break {
        Break::of(class, self.position, self.event_id, self.stream, detail)
    }
}

/// A row in the form that database and bundle share.
pub(crate) struct Row<'a> {
    pub position: u64,
    pub bound: leaf::Entry<'a>,
    pub leaf: Hash32,
    pub payload: &'a [u8],
}

impl Checker {
    /// Checks every row of `page`.
    pub fn check(&self, page: &Page) -> Result<CheckedPage, Failure> {
        let mut checked = CheckedPage::default();
        let mut scratch = Vec::with_capacity(512);
        match page {
            Page::Copied(bytes) => {
                for row in stored_rows(bytes) {
                    let row = row?;
                    let whole = stored(&row, self.from, &mut scratch);
                    if !self.take(&mut checked, whole) {
                        break;
                    }
                }
            }
            Page::Bundled { first, sealed, bytes } => {
                for (position, record) in (*first..).zip(Records::new(bytes)) {
                    let record = record.map_err(|rule| Break::at(BreakClass::BundleMalformed, position, rule));
                    let whole = record.and_then(|record| {
                        let bound = record.bound(position, *sealed)?;
                        Ok(Row { position, bound, leaf: leaf_hash(record.entry), payload: record.payload })
                    });
                    if !self.take(&mut checked, whole) {
                        break;
                    }
                }
            }
        }
        Ok(checked)
    }

    /// Checks a row further and notes what it says; `false` when it is broken, which ends the page.
    fn take(&self, checked: &mut CheckedPage, row: Result<Row<'_>, Break>) -> bool {
        let link = row.and_then(|row| match row.position < self.known {
            true => Ok(checked.link(&row)),
            false => self.event(checked, &row),
        });
        match link {
            Ok(link) => checked.links.push(link),
            Err(broken) => checked.broken = Some(broken),
        }
        checked.broken.is_none()
    }

    /// In this order: sealed data has a subject, the payload decodes and is canonical, the receipt in it is signed, the stage makes sense.
    fn event(&self, checked: &mut CheckedPage, row: &Row<'_>) -> Result<Link, Break> {
        let Row { position, bound, leaf, payload } = row;
        let (stream, event_type) = (bound.stream, bound.event_type);
        let entry = Entry {
            position: *position,
            stream,
            version: bound.version,
            event_id: bound.event_id,
            owner_id: bound.owner_id,
            livemode: bound.livemode,
            prev_leaf: bound.prev_leaf,
            leaf: *leaf,
        };
        if stream.category != event_type.category() {
            return Err(entry.broken(BreakClass::FieldInvalid, "event_type does not belong to the stream's category"));
        }
        if bound.actor.parse::<Actor>().is_err() {
            return Err(entry.broken(BreakClass::FieldInvalid, "actor is not of a known kind"));
        }
        match (bound.sealed_hash != NO_LEAF, bound.subject_id.is_some()) {
            (true, false) => return Err(entry.broken(BreakClass::SealedWithoutSubject, "there is sealed data and no subject")),
            (false, true) => return Err(entry.broken(BreakClass::SealedWithoutSubject, "a subject is named and nothing is sealed")),
            _ => {}
        }
        let event = codec::decode(event_type, bound.schema_version, payload)
            .map_err(|error| entry.broken(BreakClass::PayloadUndecodable, error.to_string()))?;
        if *position >= self.from {
            if !codec::is_canonical(&event, bound.schema_version, payload) {
                let detail = format!("{} encodes again to other bytes", event_type.as_str());
                return Err(entry.broken(BreakClass::PayloadNotCanonical, detail));
            }
            if let Event::ReceiptCreated(receipt) = &event {
                receipts::check(receipt, &self.keys).map_err(|(class, detail)| entry.broken(class, detail))?;
            }
            operators_words(&event).map_err(|detail| entry.broken(BreakClass::ApprovalSignatureInvalid, detail))?;
        }
        self.facts(checked, &entry, &event);
        lifecycle::check(&entry, &event)?;
        checked.receipts += u64::from(matches!(event, Event::ReceiptCreated(_)));
        Ok(checked.link(row))
    }

    fn facts(&self, checked: &mut CheckedPage, entry: &Entry, event: &Event) {
        let tagger = &self.tagger;
        let of_event = |id: EventId| tagger.tag(Space::EventId, &[id.0.as_bytes()]);
        let of_entitlement = |id: uuid::Uuid| tagger.tag(Space::Entitlement, &[id.as_bytes()]);
        let of_membership = |id: MembershipId| tagger.tag(Space::Membership, &[id.0.as_bytes()]);
        let whose = Whose::of(entry);
        let permit = |permit: Option<Permit>| permit.map_or(NO_TAG, |permit| permit_tag(tagger, &whose, permit));
        let mut put = |key, kind, number, (a, b)| {
            checked.facts.extend_from_slice(&Fact { key, kind, position: entry.position, number, a, b }.to_bytes());
        };
        let stream = claims::stream_tag(tagger, entry.stream);
        put(stream, Kind::Link, entry.version, (leaf_tag(tagger, &entry.prev_leaf), leaf_tag(tagger, &entry.leaf)));
        let permitted = lifecycle::permits(event);
        let (a, b) = permitted.map_or((NO_TAG, NO_TAG), |(_, a, b)| (permit(Some(a)), permit(b)));
        put(of_event(entry.event_id), Kind::Event, 0, (a, b));
        match event {
            Event::EntitlementPended(e) => {
                let (awaited, session) = lifecycle::awaits(e.origin);
                let session = session.map_or(NO_TAG, |id| tagger.tag(Space::Origin, &[&[2], id.0.as_bytes()]));
                let of_session = session != NO_TAG;
                put(of_entitlement(e.entitlement_id.0), Kind::Pended, 0, (awaited_tag(tagger, awaited), session));
                if of_session {
                    let link = awaited_tag(tagger, Awaited::Link(MembershipId::of(e.product_id, e.subject_id)));
                    put(of_entitlement(e.entitlement_id.0), Kind::PendedToo, 0, (link, NO_TAG));
                }
            }
            Event::EntitlementActivated(e) => {
                let owner = tagger.tag(Space::Owner, &[&whose.bytes()]);
                put(of_entitlement(e.entitlement_id.0), Kind::Activated, 0, (of_event(entry.event_id), owner));
            }
            _ => {}
        }
        if let Some((membership, until)) = lifecycle::paid(event) {
            put(of_membership(membership), Kind::Paid, until.map_or(0, micros), (NO_TAG, NO_TAG));
        }
        for demand in lifecycle::demands(event).into_iter().flatten() {
            match demand {
                Demand::Event { cited, rule, accepted: (one, other) } => {
                    put(of_event(cited), Kind::Cites, rule as u64, (permit(Some(one)), permit(other)));
                }
                Demand::Position { cited, position } => put(of_event(cited), Kind::CitesPosition, position, (NO_TAG, NO_TAG)),
                Demand::Origin { entitlement, awaited } => {
                    put(of_entitlement(entitlement.0), Kind::CitesOrigin, 0, (awaited_tag(tagger, awaited), NO_TAG));
                }
                Demand::Paid { membership, until } => {
                    put(of_membership(membership), Kind::CitesPaid, micros(until), (NO_TAG, NO_TAG));
                }
                Demand::SessionOf { activation, session } => {
                    let session = tagger.tag(Space::Origin, &[&[2], session.0.as_bytes()]);
                    let owner = tagger.tag(Space::Owner, &[&whose.bytes()]);
                    let (key, kind) = (of_event(activation), Kind::CitesSession);
                    let fact = Fact { key, kind, position: entry.position, number: 0, a: session, b: owner };
                    checked.late.extend_from_slice(&fact.to_bytes());
                }
            }
        }
        checked.books.note(tagger, entry.position, entry.livemode, event);
        if let Some(fact) = balance::fact(tagger, entry.position, entry.livemode, event) {
            checked.facts.extend_from_slice(&fact.to_bytes());
        }
        for fact in claims::facts(tagger, entry.position, stream, (entry.owner_id, entry.livemode), event) {
            checked.facts.extend_from_slice(&fact.to_bytes());
        }
    }
}

/// Whether what an operator is said to have signed is what he signed, with the key that is named. Whether that key is his, and whether
/// it is what was asked for, only other events can say.
fn operators_words(event: &Event) -> Result<(), &'static str> {
    match event {
        Event::OperatorKeyRegistered(registered) => operator::check(registered),
        Event::ApprovalRequested(requested) => statement::check_requested(requested),
        Event::ApprovalApproved(approved) => statement::check_approved(approved),
        _ => Ok(()),
    }
}

/// The row as the database stores it, if its columns make sense and its leaf is theirs. `scratch` then holds its entry.
pub(crate) fn stored<'a>(row: &StoredRow<'a>, from: u64, scratch: &mut Vec<u8>) -> Result<Row<'a>, Break> {
    // A negative position is behind none; it shows as a gap when rows are put in order.
    let position = u64::try_from(row.position).unwrap_or(u64::MAX);
    let invalid = |detail: &'static str| Break {
        class: BreakClass::FieldInvalid,
        position,
        event_id: Some(EventId(row.event_id)),
        stream: None,
        detail: detail.to_owned(),
    };
    let bound = row.entry().map_err(invalid)?;
    let leaf = Hash32::try_from(row.leaf).map_err(|_| invalid("leaf is not 32 bytes"))?;
    scratch.clear();
    if position >= from {
        let mismatch = |detail: String| Break::of(BreakClass::LeafMismatch, position, bound.event_id, bound.stream, detail);
        bound.encode_into(scratch).map_err(|error| mismatch(error.to_string()))?;
        let computed = leaf_hash(scratch);
        if computed != leaf {
            return Err(mismatch(format!("the row hashes to {computed}, its leaf is {leaf}")));
        }
    }
    Ok(Row { position, bound, leaf, payload: row.payload })
}

/// As facts have it; 0 is no time.
fn micros(time: Timestamp) -> u64 {
    u64::try_from(time.micros()).unwrap_or(0)
}

/// Whose event it is: owner and mode.
struct Whose([u8; 17]);

impl Whose {
    fn of(entry: &Entry) -> Self {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(entry.owner_id.map_or(uuid::Uuid::nil(), |owner| owner.0).as_bytes());
        bytes[16] = u8::from(entry.livemode);
        Whose(bytes)
    }
    fn bytes(&self) -> [u8; 17] {
        self.0
    }
}

fn leaf_tag(tagger: &Tagger, leaf: &Hash32) -> Tag {
    tagger.tag(Space::Leaf, &[&leaf.0])
}

fn awaited_tag(tagger: &Tagger, awaited: Awaited) -> Tag {
    match awaited {
        Awaited::Payment(id) => tagger.tag(Space::Origin, &[&[0], id.0.as_bytes()]),
        Awaited::Sandbox(id) => tagger.tag(Space::Origin, &[&[1], id.0.as_bytes()]),
        Awaited::Link(id) => tagger.tag(Space::Origin, &[&[3], id.0.as_bytes()]),
    }
}

/// 32 bytes where ids stand.
fn halves(bytes: &Hash32) -> [uuid::Uuid; 2] {
    let [first, second] = [0, 16].map(|from| bytes.0[from..].first_chunk().copied().unwrap_or_default());
    [uuid::Uuid::from_bytes(first), uuid::Uuid::from_bytes(second)]
}

fn permit_tag(tagger: &Tagger, whose: &Whose, permit: Permit) -> Tag {
    let none = uuid::Uuid::nil();
    let (kind, ids): (u8, [uuid::Uuid; 4]) = match permit {
        Permit::SessionCreated(id) => (0, [id.0, none, none, none]),
        Permit::RequirementAuthored(id) => (1, [id.0, none, none, none]),
        Permit::PaymentCreated(id) => (2, [id.0, none, none, none]),
        Permit::ProofFingerprinted(id) => (3, [id.0, none, none, none]),
        Permit::VerificationPassed(id) => (4, [id.0, none, none, none]),
        Permit::Settled(proof, payment) => (5, [proof.0, payment.0, none, none]),
        Permit::SettledPayment(id) => (6, [id.0, none, none, none]),
        Permit::ReceiptCreated(receipt, payment) => (7, [receipt.0, payment.0, none, none]),
        Permit::ReceiptMapped(proof, receipt, payment, entitlement) => {
            (8, [proof.0, receipt.0, payment.0, entitlement.map_or(none, |id| id.0)])
        }
        Permit::PaymentConfirmed(id) => (9, [id.0, none, none, none]),
        Permit::MembershipExtended => (10, [none; 4]),
        Permit::SandboxConfirmed(id) => (11, [id.0, none, none, none]),
        Permit::MembershipLinked(membership, entitlement) => (12, [membership.0, entitlement.0, none, none]),
        Permit::Signing(operator, key) => (13, [operator.0, halves(&key)[0], halves(&key)[1], none]),
        Permit::Asked(approval, digest) => (14, [approval.0, uuid::Uuid::from_bytes(digest), none, none]),
    };
    let mut bytes = [0; 64];
    for (place, id) in bytes.as_chunks_mut::<16>().0.iter_mut().zip(ids) {
        *place = *id.as_bytes();
    }
    tagger.tag(Space::Permit, &[&[kind], &whose.bytes(), &bytes])
}
