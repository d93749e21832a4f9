//! Memberships: who has access to a product, and until when.

use crate::vocab::{
    bytes::{SolanaAddress, TxSignature},
    id::*,
    time::Timestamp,
    words::*,
};
use serde::{Deserialize, Serialize};

/// A membership begins (TR-14). Sealed beside it: the member's identity, customer id and e-mail, as far as they are known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipActivated {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub subject_id: SubjectId,
    pub wallet: SolanaAddress,
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    pub grace_period_days: u32,
    pub renewal_reminder_offsets_days: Vec<u32>,
    pub platform: Option<Platform>,
    /// The event that permits it: `payment.confirmed`.
    pub payment_event: EventId,
}

/// A membership goes on: the new period starts where the current one ends, if that is still ahead (TR-15, Q-23). Sealed
/// beside it: as with the beginning.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipRenewed {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub wallet: SolanaAddress,
    pub payment_id: PaymentId,
    pub tx_signature: TxSignature,
    pub period_start: Timestamp,
    pub period_end: Timestamp,
    pub grace_period_days: u32,
    pub renewal_reminder_offsets_days: Vec<u32>,
    pub platform: Option<Platform>,
    /// The event that permits it: `payment.confirmed`.
    pub payment_event: EventId,
}

/// The paid period is over and the days of grace begin (TR-16).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipEnteredGrace {
    pub membership_id: MembershipId,
    pub period_end: Timestamp,
    pub grace_end: Timestamp,
}

/// Grace is over too (TR-16).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipExpired {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub access_product_id: Option<AccessProductId>,
    pub subject_id: SubjectId,
    pub payment_id: PaymentId,
    pub period_end: Timestamp,
    pub expired_at: Timestamp,
}

/// The merchant gives days away (TR-17): no charge, no receipt (INV-72). Sealed beside it: his note.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipGifted {
    pub membership_id: MembershipId,
    pub days: u32,
    pub period_end: Timestamp,
}

/// Notes that only the merchant sees (INV-73), whole, as saved. Sealed beside it: the notes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipNotesSaved {
    pub membership_id: MembershipId,
}

/// A corrected handle; the verified identity stays. Sealed beside it: the handle.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipProfileUpdated {
    pub membership_id: MembershipId,
}

/// The merchant ends it (TR-18). Sealed beside it: his note.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipRevoked {
    pub membership_id: MembershipId,
    /// A code such as `refund`, never words about the person.
    pub reason: String,
    pub revoked_at: Timestamp,
}

/// A member is told that the period ends (OPS-62): once for each offset and period.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipRenewalReminderSent {
    pub membership_id: MembershipId,
    pub period_end: Timestamp,
    pub offset_days: u32,
    /// The mail, where an address is known.
    pub mail_id: Option<MailId>,
}

/// The member will not go on after the period (OBJ-08).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SubscriptionCancelRequested {
    pub membership_id: MembershipId,
    pub period_end: Timestamp,
}

/// He will after all.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SubscriptionResumed {
    pub membership_id: MembershipId,
}

/// Staff let a pending entitlement of the same customer and product rest on it (TR-41).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MembershipEntitlementLinked {
    pub membership_id: MembershipId,
    pub product_id: ProductId,
    pub subject_id: SubjectId,
    pub entitlement_id: EntitlementId,
    /// Until when the membership is paid, and so the entitlement lasts.
    pub period_end: Timestamp,
    /// The member of staff.
    pub by: String,
    pub reason: String,
}
