//! The question: what is on record of a customer and a product.

use super::{
    entry::{Flags, Grant, Member},
    index::Index,
    links::{Identity, key},
    table::hash,
};
use crate::access_products::AccessProduct;
use events::vocab::{
    id::{OwnerId, PaymentId, ReceiptId},
    rail::RailId,
    time::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// An entitlement, as a question sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldEntitlement {
    /// The rail it was asked for on.
    pub rail_id: RailId,
    /// Whether its session speaks a payment protocol.
    pub protocol: bool,
    /// Where it stands, as recorded.
    pub status: crate::entitlements::EntitlementStatus,
    /// From when until when, once it was activated.
    pub window: Option<(Timestamp, Timestamp)>,
    /// The payment it waits for or rests on.
    pub payment_id: Option<PaymentId>,
    /// The receipt it rests on.
    pub receipt_id: Option<ReceiptId>,
    /// Whether it comes of a sandbox session.
    pub sandbox: bool,
    /// What its test clock shows, if it hangs on one.
    pub clock: Option<Timestamp>,
}

/// A membership, as a question sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldMembership {
    /// When the stretch began that the question falls in.
    pub from: Timestamp,
    /// Until when it is paid.
    pub until: Timestamp,
    /// When grace is over.
    pub grace_until: Timestamp,
    /// Whether it was taken away.
    pub revoked: bool,
    /// The last payment.
    pub payment_id: PaymentId,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
}

/// What is on record of a customer and a product.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// Entitlements, in the order of their making.
    pub entitlements: Vec<HeldEntitlement>,
    /// Memberships of the people that the identities lead to, in the order of those people.
    pub memberships: Vec<HeldMembership>,
}

/// Who asks for what.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The workspace.
    pub owner: OwnerId,
    /// Live access, or the sandbox's.
    pub live: bool,
    /// Whether memberships count: they are paid live, on one rail.
    pub memberships: bool,
    /// The product.
    pub product: &'a AccessProduct,
    /// The customer: any identity that matches counts.
    pub identities: &'a [Identity],
    /// Now.
    pub now: Timestamp,
}

impl Index {
    /// What is on record.
    pub fn held(&self, asked: &Asked<'_>) -> Held {
        let Some(owner) = self.owner_numbers.get(&asked.owner).copied() else { return Held::default() };
        let mut found: Vec<&Grant> = Vec::new();
        for identity in asked.identities {
            for grant in self.grants_of(identity, asked.product.meta.id) {
                let of_question = grant.owner == owner
                    && grant.flags.has(Flags::SANDBOX) != asked.live
                    && grant.flags.has(Flags::LIVE) == asked.live
                    && !(grant.flags.has(Flags::FORGOTTEN) && identity.kind.is_personal());
                if of_question && !found.iter().any(|other| other.id == grant.id) {
                    found.push(grant);
                }
            }
        }
        found.sort_unstable_by_key(|grant| (grant.created_at, grant.id));
        let memberships = if asked.memberships { self.memberships(asked, owner, &found) } else { Vec::new() };
        let entitlement = |grant: &&Grant| HeldEntitlement {
            rail_id: grant.rail,
            protocol: grant.flags.has(Flags::PROTOCOL),
            status: grant.status,
            window: grant.window(),
            payment_id: grant.payment(),
            receipt_id: grant.receipt(),
            sandbox: grant.flags.has(Flags::SANDBOX),
            clock: self.clocks.of(grant.id),
        };
        Held { entitlements: found.iter().map(entitlement).collect(), memberships }
    }

    fn grants_of(&self, identity: &Identity, product: Uuid) -> impl Iterator<Item = &Grant> {
        let key = key(identity, product);
        let numbers = self.links.at(key.hash()).filter(move |link| link.key == key).filter_map(|link| link.target.grant());
        numbers.map(|number| self.grants.get(number)).filter(move |grant| grant.access_product == product)
    }

    /// Memberships of the people whose entitlements were found, or else of those whom the identities lead to.
    fn memberships(&self, asked: &Asked<'_>, owner: u32, found: &[&Grant]) -> Vec<HeldMembership> {
        let product = asked.product.product_id.0;
        let mut members: Vec<&Member> = Vec::new();
        if found.is_empty() {
            for identity in asked.identities {
                let key = key(identity, product);
                let numbers = self.links.at(key.hash()).filter(|link| link.key == key).filter_map(|link| link.target.member());
                members.extend(numbers.map(|number| self.members.get(number)).filter(|member| !member.forgotten));
            }
        } else {
            let people: BTreeSet<Uuid> = found.iter().map(|grant| grant.subject).collect();
            members.extend(people.into_iter().flat_map(|person| self.members_of(person)));
        }
        members.retain(|member| member.product == product && member.owner == owner);
        members.sort_unstable_by_key(|member| member.subject);
        members.dedup_by_key(|member| member.id);
        let held = |member: &Member| HeldMembership {
            from: member.period_start(asked.now),
            until: member.period_end,
            grace_until: member.grace_end,
            revoked: member.revoked,
            payment_id: PaymentId(member.payment),
            receipt_id: member.receipt(),
        };
        members.into_iter().map(held).collect()
    }

    pub(super) fn members_of(&self, person: Uuid) -> impl Iterator<Item = &Member> {
        self.member_subjects.at(hash(person)).map(|number| self.members.get(*number)).filter(move |member| member.subject == person)
    }
}
