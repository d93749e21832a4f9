//! What is kept of an entitlement and of a membership: as little as the question needs, and no personal data.
//!
//! The rules of what an event does to a row are those of the read models: an entry is made into a row, the read model's own fold
//! changes it, and the row is made into the entry again. What is not kept is blank in such a row; no fold looks at it.

use crate::{
    entitlements::{Entitlement, EntitlementStatus},
    memberships::{Happened, Membership},
    runner::Meta,
};
use events::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::{AccessProductId, OwnerId, PaymentId, ProductId, ReceiptId, SubjectId},
    membership::MembershipStatus,
    rail::RailId,
    time::Timestamp,
};
use uuid::Uuid;

/// An entitlement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grant {
    pub id: Uuid,
    pub subject: Uuid,
    pub access_product: Uuid,
    pub payment: Uuid,
    pub receipt: Uuid,
    pub created_at: Timestamp,
    /// `expires_at` is `NEVER` until there is a window.
    pub active_from: Timestamp,
    pub expires_at: Timestamp,
    /// Number of its owner.
    pub owner: u32,
    pub rail: RailId,
    pub status: EntitlementStatus,
    pub flags: Flags,
}

/// Yes or no of an entitlement.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Flags(u8);

impl Flags {
    pub const LIVE: u8 = 1;
    pub const SANDBOX: u8 = 2;
    /// Its session speaks a payment protocol: x402.
    pub const PROTOCOL: u8 = 4;
    /// Its person is erased: only the wallet still leads to it.
    pub const FORGOTTEN: u8 = 8;

    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
    pub fn set(&mut self, flag: u8, on: bool) {
        self.0 = if on { self.0 | flag } else { self.0 & !flag };
    }
}

fn some(id: Uuid) -> Option<Uuid> {
    (!id.is_nil()).then_some(id)
}

impl Grant {
    /// The time of what has not happened.
    pub const NEVER: Timestamp = Timestamp::from_micros(i64::MIN);

    pub fn of(row: &Entitlement, owner: u32, before: Option<Flags>) -> Self {
        let mut flags = before.unwrap_or_default();
        flags.set(Flags::LIVE, row.meta.livemode);
        flags.set(Flags::SANDBOX, row.sandbox);
        Grant {
            id: row.meta.id,
            subject: row.meta.subject_id.map_or(Uuid::nil(), |subject| subject.0),
            access_product: row.access_product_id.0,
            payment: row.payment_id.map_or(Uuid::nil(), |payment| payment.0),
            receipt: row.receipt_id.map_or(Uuid::nil(), |receipt| receipt.0),
            created_at: row.meta.created_at,
            active_from: row.active_from.unwrap_or(Self::NEVER),
            expires_at: row.expires_at.unwrap_or(Self::NEVER),
            owner,
            rail: row.rail_id,
            status: row.status,
            flags,
        }
    }

    pub fn window(&self) -> Option<(Timestamp, Timestamp)> {
        (self.active_from != Self::NEVER && self.expires_at != Self::NEVER).then_some((self.active_from, self.expires_at))
    }

    pub fn payment(&self) -> Option<PaymentId> {
        some(self.payment).map(PaymentId)
    }

    pub fn receipt(&self) -> Option<ReceiptId> {
        some(self.receipt).map(ReceiptId)
    }

    pub fn row(&self, owner: OwnerId) -> Entitlement {
        let kept = |at: Timestamp| (at != Self::NEVER).then_some(at);
        Entitlement {
            meta: meta(self.id, owner, self.flags.has(Flags::LIVE), self.subject, self.created_at),
            access_product_id: AccessProductId(self.access_product),
            product_id: ProductId(Uuid::nil()),
            external_customer_id: None,
            email: None,
            identity_type: None,
            identity_value: None,
            identity_display: None,
            wallet: None,
            rail_id: self.rail,
            sandbox: self.flags.has(Flags::SANDBOX),
            session_id: None,
            sandbox_session_id: None,
            test_clock_id: None,
            payment_id: self.payment(),
            duration_days: 0,
            status: self.status,
            reason: None,
            paid_when_closed: false,
            evidence: None,
            proof_id: None,
            receipt_id: self.receipt(),
            membership_id: None,
            active_from: kept(self.active_from),
            expires_at: kept(self.expires_at),
        }
    }
}

/// A membership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Member {
    pub id: Uuid,
    pub subject: Uuid,
    /// The hosted product.
    pub product: Uuid,
    pub payment: Uuid,
    pub receipt: Uuid,
    pub created_at: Timestamp,
    pub term_start: Timestamp,
    pub period_end: Timestamp,
    pub grace_end: Timestamp,
    /// Starts of the stretches that were paid or given, if there are others than the last.
    pub starts: Box<[Timestamp]>,
    /// Number of its owner.
    pub owner: u32,
    pub grace_days: u32,
    pub status: MembershipStatus,
    pub live: bool,
    pub revoked: bool,
    /// Its person is erased: no identity leads to it.
    pub forgotten: bool,
}

impl Member {
    pub fn of(row: &Membership, owner: u32, before: Option<&Member>) -> Self {
        let payment = row.latest_payment_id.0;
        Member {
            id: row.meta.id,
            subject: row.meta.subject_id.map_or(Uuid::nil(), |subject| subject.0),
            product: row.product_id.0,
            payment,
            receipt: before.filter(|before| before.payment == payment).map_or(Uuid::nil(), |before| before.receipt),
            created_at: row.meta.created_at,
            term_start: row.term_start_at,
            period_end: row.current_period_end_at,
            grace_end: row.grace_end_at,
            starts: Member::starts(row.term_start_at, row.history.iter().filter_map(|happened| happened.start_at)),
            owner,
            grace_days: row.grace_period_days,
            status: row.recorded_status,
            live: row.meta.livemode,
            revoked: row.revoked_at.is_some(),
            forgotten: before.is_some_and(|before| before.forgotten),
        }
    }

    /// `starts`, unless they say no more than the last one.
    pub fn starts(last: Timestamp, starts: impl Iterator<Item = Timestamp>) -> Box<[Timestamp]> {
        let starts: Vec<Timestamp> = starts.collect();
        if starts.iter().all(|start| *start == last) { Box::default() } else { starts.into() }
    }

    /// The start of the stretch that `now` is in, or that was the last before it.
    pub fn period_start(&self, now: Timestamp) -> Timestamp {
        self.starts.iter().copied().filter(|start| *start <= now).max().unwrap_or(self.term_start)
    }

    pub fn receipt(&self) -> Option<ReceiptId> {
        some(self.receipt).map(ReceiptId)
    }

    pub fn row(&self, owner: OwnerId) -> Membership {
        let began = |start: Timestamp| Happened {
            event_id: Uuid::nil().into(),
            event: String::new(),
            at: start,
            payment_id: None,
            tx_signature: None,
            wallet: None,
            start_at: Some(start),
            end_at: None,
            days: None,
            reason: None,
            note: None,
        };
        let starts = if self.starts.is_empty() { std::slice::from_ref(&self.term_start) } else { &self.starts };
        Membership {
            meta: meta(self.id, owner, self.live, self.subject, self.created_at),
            product_id: ProductId(self.product),
            access_product_id: None,
            platform: None,
            wallet: SolanaAddress([0; 32]),
            external_customer_id: None,
            email: None,
            identity_type: None,
            identity_value: None,
            identity_display: None,
            platform_display: None,
            notes: None,
            latest_payment_id: PaymentId(self.payment),
            latest_tx_signature: TxSignature([0; 64]),
            term_start_at: self.term_start,
            current_period_end_at: self.period_end,
            grace_end_at: self.grace_end,
            grace_period_days: self.grace_days,
            renewal_reminder_offsets_days: Vec::new(),
            recorded_status: self.status,
            revoked_at: self.revoked.then_some(self.created_at),
            revoke_reason: None,
            cancel_at_period_end: false,
            reminded_offset_days: None,
            next_due_at: None,
            history: starts.iter().map(|start| began(*start)).collect(),
        }
    }
}

fn meta(id: Uuid, owner: OwnerId, livemode: bool, subject: Uuid, created_at: Timestamp) -> Meta {
    Meta { id, owner_id: Some(owner), livemode, subject_id: some(subject).map(SubjectId), created_at, updated_at: created_at, position: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_small() {
        // A million live customers have one of each and a few links: this is what their memory is planned by.
        assert!(size_of::<Grant>() <= 112, "{}", size_of::<Grant>());
        assert!(size_of::<Member>() <= 144, "{}", size_of::<Member>());
    }
}
