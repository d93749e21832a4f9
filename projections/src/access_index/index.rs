//! The index as one value: products, entitlements, memberships, and what leads to them. It is a fold of the log, as the read models
//! are, and by their folds.

use super::{
    catalog::Catalog,
    clocks::Clocks,
    entry::{Flags, Grant, Member},
    links::{Identity, Kind, Link, Target, key},
    table::{Slab, Table, hash},
};
use crate::{
    access_products::AccessProducts,
    entitlements::{Entitlement, Entitlements},
    memberships::{Membership, Memberships},
    runner::{Applied, Poison, Projection, Rows},
};
use events::vocab::{
    event::{Event, EventType},
    id::{EntitlementId, OwnerId, PaymentId, ReceiptId, SubjectId},
};
use std::collections::{BTreeSet, HashMap, VecDeque};
use uuid::Uuid;

/// What belongs together is in one append, and an append has at most so many events.
pub(super) const APPEND: u64 = 1_000;

/// Positions up to which the parts were loaded: what is older is in them. `None` before the first event.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Loaded {
    pub access_products: Option<u64>,
    pub entitlements: Option<u64>,
    pub memberships: Option<u64>,
}

pub(super) struct Index {
    loaded: Loaded,
    owners: Vec<OwnerId>,
    pub(super) owner_numbers: HashMap<OwnerId, u32>,
    catalog: Catalog,
    pub(super) clocks: Clocks,
    pub(super) grants: Slab<Grant>,
    grant_ids: Table<u32>,
    grant_subjects: Table<u32>,
    pub(super) members: Slab<Member>,
    member_ids: Table<u32>,
    pub(super) member_subjects: Table<u32>,
    pub(super) links: Table<Link>,
    /// Entitlements whose session speaks a protocol and that are not here yet; they come in the same append.
    protocols: VecDeque<(u64, EntitlementId)>,
    /// Receipts of payments that no membership shows yet; it comes in the same append.
    receipts: VecDeque<(u64, PaymentId, ReceiptId)>,
    /// Memberships that were loaded before their last receipt was.
    unreceipted: HashMap<PaymentId, u32>,
    /// Segments whose links of erased people are still to be dropped.
    unswept: Vec<usize>,
}

/// Whether events of this type change the index.
pub(super) fn handles(event_type: EventType) -> bool {
    AccessProducts::handles(event_type)
        || Entitlements::handles(event_type)
        || Memberships::handles(event_type)
        || matches!(
            event_type,
            EventType::PaymentSessionCreated | EventType::ReceiptCreated | EventType::TestClockCreated | EventType::TestClockAdvanced
        )
}

impl Index {
    pub fn new(loaded: Loaded) -> Self {
        Index {
            loaded,
            owners: Vec::new(),
            owner_numbers: HashMap::new(),
            catalog: Catalog::default(),
            clocks: Clocks::default(),
            grants: Slab::new(),
            grant_ids: Table::new(),
            grant_subjects: Table::new(),
            members: Slab::new(),
            member_ids: Table::new(),
            member_subjects: Table::new(),
            links: Table::new(),
            protocols: VecDeque::new(),
            receipts: VecDeque::new(),
            unreceipted: HashMap::new(),
            unswept: Vec::new(),
        }
    }

    /// The products.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same, to load them.
    pub fn catalog_mut(&mut self) -> &mut Catalog {
        &mut self.catalog
    }

    /// Folds one event in. `identities` are what an entitlement that begins with it is found by.
    pub fn apply(&mut self, event: &Applied<'_>, identities: &[Identity]) -> Result<(), Poison> {
        let (position, event_type) = (event.recorded.position, event.event.event_type());
        let new_to = |loaded: Option<u64>| loaded.is_none_or(|loaded| position > loaded);
        match event.event {
            Event::PaymentSessionCreated(e) if e.payment_protocol.is_some() => self.note_protocol(position, e.entitlement_id),
            Event::ReceiptCreated(e) => {
                if let Some(payment) = e.payment_id {
                    self.note_receipt(position, payment, e.receipt_id);
                }
            }
            event => self.clocks.fold(event),
        }
        if AccessProducts::handles(event_type) && new_to(self.loaded.access_products) {
            self.catalog.fold(event)?;
        }
        if Entitlements::handles(event_type) && new_to(self.loaded.entitlements) {
            self.fold_grant(event, identities)?;
        }
        if Memberships::handles(event_type) && new_to(self.loaded.memberships) {
            self.fold_member(event)?;
        }
        self.forget_recent(position);
        Ok(())
    }

    fn fold_grant(&mut self, event: &Applied<'_>, identities: &[Identity]) -> Result<(), Poison> {
        let keys = Entitlements::keys(event.event);
        let mut rows: Rows<Entitlement> = Rows::partial();
        for number in keys.ids.iter().filter_map(|id| self.grant(*id)) {
            rows.loaded(self.grant_row(number));
        }
        for subject in keys.subjects {
            let numbers: Vec<u32> = self.grant_subjects.at(hash(subject)).copied().collect();
            for number in numbers {
                let grant = self.grants.get_mut(number);
                if grant.subject == subject {
                    grant.flags.set(Flags::FORGOTTEN, true);
                    self.unswept = (0..self.links.segments()).collect();
                }
            }
        }
        Entitlements::apply(&mut rows, event)?;
        for row in rows.take_changed(usize::MAX) {
            self.put_grant(row, identities);
        }
        Ok(())
    }

    fn grant(&self, id: Uuid) -> Option<u32> {
        self.grant_ids.at(hash(id)).copied().find(|number| self.grants.get(*number).id == id)
    }

    fn grant_row(&self, number: u32) -> Entitlement {
        let grant = self.grants.get(number);
        grant.row(self.owners[grant.owner as usize])
    }

    /// Takes the entitlement in, in place of what was known of it, and links a new one to what it is found by.
    pub fn put_grant(&mut self, row: &Entitlement, identities: &[Identity]) {
        let Some(owner) = row.meta.owner_id.map(|owner| self.number_of(owner)) else { return };
        if let Some(number) = self.grant(row.meta.id) {
            let before = self.grants.get(number).flags;
            *self.grants.get_mut(number) = Grant::of(row, owner, Some(before));
            return;
        }
        if let Some(clock) = row.test_clock_id {
            self.clocks.hang(row.meta.id, clock);
        }
        let grant = Grant::of(row, owner, None);
        self.insert_grant(grant, identities);
    }

    /// Takes in an entitlement as it was loaded.
    pub fn load_grant(&mut self, owner: OwnerId, grant: Grant, identities: &[Identity]) {
        let owner = self.number_of(owner);
        self.insert_grant(Grant { owner, ..grant }, identities);
    }

    fn insert_grant(&mut self, mut grant: Grant, identities: &[Identity]) {
        if let Some(at) = self.protocols.iter().position(|(_, id)| id.0 == grant.id) {
            self.protocols.remove(at);
            grant.flags.set(Flags::PROTOCOL, true);
        }
        let number = self.grants.push(grant);
        let grants = &self.grants;
        self.grant_ids.insert(hash(grant.id), number, |number| hash(grants.get(*number).id));
        self.grant_subjects.insert(hash(grant.subject), number, |number| hash(grants.get(*number).subject));
        for identity in identities {
            self.link(identity, grant.access_product, Target::of_grant(number, identity.kind));
        }
    }

    fn link(&mut self, identity: &Identity, product: Uuid, target: Target) {
        let key = key(identity, product);
        let there = self.links.at(key.hash()).any(|link| link.key == key && link.target == target);
        if !there {
            self.links.insert(key.hash(), Link { key, target }, |link| link.key.hash());
        }
    }

    fn fold_member(&mut self, event: &Applied<'_>) -> Result<(), Poison> {
        let keys = Memberships::keys(event.event);
        let mut rows: Rows<Membership> = Rows::partial();
        for number in keys.ids.iter().filter_map(|id| self.member(*id)) {
            let member = self.members.get(number);
            rows.loaded(member.row(self.owners[member.owner as usize]));
        }
        for subject in keys.subjects {
            let numbers: Vec<u32> = self.member_subjects.at(hash(subject)).copied().collect();
            for number in numbers {
                let member = self.members.get_mut(number);
                if member.subject == subject {
                    member.forgotten = true;
                    self.unswept = (0..self.links.segments()).collect();
                }
            }
        }
        Memberships::apply(&mut rows, event)?;
        for row in rows.take_changed(usize::MAX) {
            if let Some(number) = self.put_member(row) {
                self.receipt_member(number);
            }
        }
        Ok(())
    }

    fn member(&self, id: Uuid) -> Option<u32> {
        self.member_ids.at(hash(id)).copied().find(|number| self.members.get(*number).id == id)
    }

    fn put_member(&mut self, row: &Membership) -> Option<u32> {
        let owner = self.number_of(row.meta.owner_id?);
        if let Some(number) = self.member(row.meta.id) {
            let after = Member::of(row, owner, Some(self.members.get(number)));
            *self.members.get_mut(number) = after;
            return Some(number);
        }
        Some(self.insert_member(Member::of(row, owner, None)))
    }

    fn insert_member(&mut self, member: Member) -> u32 {
        let (id, subject) = (member.id, member.subject);
        let number = self.members.push(member);
        let members = &self.members;
        self.member_ids.insert(hash(id), number, |number| hash(members.get(*number).id));
        self.member_subjects.insert(hash(subject), number, |number| hash(members.get(*number).subject));
        number
    }

    /// Takes in a membership as it was loaded, `None` for a payment whose receipt is not there yet.
    pub fn load_member(&mut self, owner: OwnerId, member: Member) {
        let owner = self.number_of(owner);
        let (payment, unreceipted) = (PaymentId(member.payment), member.receipt.is_nil());
        let number = self.insert_member(Member { owner, ..member });
        if unreceipted {
            self.unreceipted.insert(payment, number);
        }
    }

    /// Whether anything is known of a membership of that person.
    pub fn is_member(&self, person: SubjectId) -> bool {
        self.members_of(person.0).next().is_some()
    }

    /// Every person with a membership.
    pub fn people(&self) -> BTreeSet<SubjectId> {
        (0..self.members.len()).map(|number| SubjectId(self.members.get(u32::try_from(number).unwrap_or(u32::MAX)).subject)).collect()
    }

    /// Makes the person's memberships findable by `identity`.
    pub fn identify(&mut self, person: SubjectId, identity: &Identity) {
        let numbers: Vec<u32> = self.member_subjects.at(hash(person.0)).copied().collect();
        for number in numbers {
            let member = self.members.get(number);
            if member.subject == person.0 && !member.forgotten {
                let product = member.product;
                self.link(identity, product, Target::of_member(number, identity.kind));
            }
        }
    }

    fn note_protocol(&mut self, position: u64, entitlement: EntitlementId) {
        match self.grant(entitlement.0) {
            Some(number) => self.grants.get_mut(number).flags.set(Flags::PROTOCOL, true),
            None => self.protocols.push_back((position, entitlement)),
        }
    }

    fn note_receipt(&mut self, position: u64, payment: PaymentId, receipt: ReceiptId) {
        match self.unreceipted.remove(&payment) {
            Some(number) => self.members.get_mut(number).receipt = receipt.0,
            None => self.receipts.push_back((position, payment, receipt)),
        }
    }

    fn receipt_member(&mut self, number: u32) {
        let payment = PaymentId(self.members.get(number).payment);
        if let Some((_, _, receipt)) = self.receipts.iter().find(|(_, of, _)| *of == payment) {
            self.members.get_mut(number).receipt = receipt.0;
        }
    }

    /// What has waited longer than an append can be long is of no membership and no entitlement.
    fn forget_recent(&mut self, position: u64) {
        while self.protocols.front().is_some_and(|(at, _)| at + APPEND < position) {
            self.protocols.pop_front();
        }
        while self.receipts.front().is_some_and(|(at, ..)| at + APPEND < position) {
            self.receipts.pop_front();
        }
    }

    /// Whether links of erased people are still to be dropped.
    pub fn has_unswept(&self) -> bool {
        !self.unswept.is_empty()
    }

    /// Drops what still leads to erased people from a part of the index; `false` when nothing was left to do.
    pub fn sweep(&mut self) -> bool {
        let Some(segment) = self.unswept.pop() else { return false };
        let (grants, members) = (&self.grants, &self.members);
        self.links.retain(segment, |link| match (link.target.grant(), link.target.member()) {
            (Some(number), _) => !(link.target.kind().is_some_and(Kind::is_personal) && grants.get(number).flags.has(Flags::FORGOTTEN)),
            (None, Some(number)) => !members.get(number).forgotten,
            (None, None) => true,
        });
        true
    }

    fn number_of(&mut self, owner: OwnerId) -> u32 {
        let owners = &mut self.owners;
        *self.owner_numbers.entry(owner).or_insert_with(|| {
            owners.push(owner);
            u32::try_from(owners.len() - 1).expect("fewer owners than memory has room for")
        })
    }

    /// How many products, entitlements and memberships there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.catalog.len(), self.grants.len(), self.members.len())
    }

    /// Bytes that entitlements, memberships and what leads to them occupy.
    pub fn bytes(&self) -> usize {
        let tables = [&self.grant_ids, &self.grant_subjects, &self.member_ids, &self.member_subjects];
        self.grants.bytes() + self.members.bytes() + self.links.bytes() + tables.iter().map(|table| table.bytes()).sum::<usize>()
    }
}
